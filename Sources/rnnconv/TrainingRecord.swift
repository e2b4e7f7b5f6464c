import Foundation
import RNNCore
import RNNTraining

/// What `train` writes: the model, and where an interrupted training stands.
enum TrainingRecord {
  private static let key = "rnnconv_position"

  static func write(_ trainer: Trainer, _ text: TextBundle?, _ position: FitPosition?, to url: URL) throws {
    var model = try trainer.trainedModel()
    model.text = text ?? model.text
    if var json = (try? JSONValue(parsing: model.training ?? "{}"))?.object {
      // A finished training has no position, also where it was taken up from one.
      json[key] = position.map { position in
        [
          "epoch": .integer(position.epoch), "batch": .integer(position.batch),
          "seed": .string(String(position.seed)), "batch_size": .integer(position.batchSize),
        ]
      }
      model.training = JSONValue.object(json).text()
    }
    try model.write(to: url, replacing: true)
  }

  static func position(of model: NativeModel) -> FitPosition? {
    guard let json = (try? JSONValue(parsing: model.training ?? ""))?[key], let epoch = json["epoch"]?.integer,
      let batch = json["batch"]?.integer, let seed = json["seed"]?.string.flatMap({ UInt64($0) }),
      let batchSize = json["batch_size"]?.integer
    else { return nil }
    var position = FitPosition()
    (position.epoch, position.batch, position.seed, position.batchSize) = (epoch, batch, seed, batchSize)
    return position
  }

  /// Keras's keys, one value an epoch.
  static func write(_ history: [EpochHistory], to url: URL) throws {
    let names = history.first?.values.map(\.name) ?? []
    let members = names.map { name in
      (name, JSONValue.array(history.map { .number($0[name] ?? .nan) }))
    }
    let text = JSONValue.object(JSONObject(members)).text(indent: 2) + "\n"
    try AtomicFile.write(to: url, replacing: true) { try $0(Data(text.utf8)) }
  }
}

/// Ctrl-C: the step is finished, the model saved.
enum Interruption {
  private nonisolated(unsafe) static var flag: sig_atomic_t = 0

  static var wasAsked: Bool { flag != 0 }

  static func watch() {
    signal(SIGINT) { _ in Interruption.flag = 1 }
  }
}

/// The progress of a training: a line that is written over on a terminal, plain lines elsewhere.
struct TrainingProgress {
  private let epochs: Int
  private let examples: Int
  private let batchSize: Int
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let start = ContinuousClock.now
  private let watch = Watch()

  private final class Watch {
    var epochStart = ContinuousClock.now
    var lastShown = ContinuousClock.now
  }

  init(epochs: Int, examples: Int, batchSize: Int) {
    self.epochs = epochs
    self.examples = examples
    self.batchSize = batchSize
  }

  func step(_ epoch: Int, _ batch: Int, _ batches: Int, _ values: EpochHistory) {
    if batch == 1 { watch.epochStart = .now }
    guard isTerminal else { return }
    // Ten times a second is as fast as people read.
    guard batch == batches || ContinuousClock.now - watch.lastShown > .milliseconds(100) else { return }
    watch.lastShown = .now
    let done = min(batch * batchSize, examples)
    let filled = 20 * batch / max(batches, 1)
    let bar = String(repeating: "=", count: filled) + String(repeating: ".", count: 20 - filled)
    let spent = seconds(since: watch.epochStart)
    let left = spent / Double(batch) * Double(batches - batch)
    let line =
      "Epoch \(epoch + 1)/\(epochs)  \(done)/\(examples) [\(bar)] \(Int(spent))s ETA \(Int(left))s "
      + "\(String(format: "%.1f", spent / Double(batch) * 1000))ms/step - \(text(values))"
    try? FileHandle.standardError.write(contentsOf: Data("\r\u{1B}[K\(line)".utf8))
  }

  func epoch(_ epoch: Int, _ values: EpochHistory) {
    let line =
      "Epoch \(epoch + 1)/\(epochs)  \(examples)/\(examples)  \(Int(seconds(since: watch.epochStart)))s - \(text(values))"
    try? FileHandle.standardError.write(contentsOf: Data("\(isTerminal ? "\r\u{1B}[K" : "")\(line)\n".utf8))
  }

  private func seconds(since start: ContinuousClock.Instant) -> Double {
    let elapsed = ContinuousClock.now - start
    return Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
  }

  private func text(_ values: EpochHistory) -> String {
    values.values.map { "\($0.name): \(String(format: "%.4f", $0.value))" }.joined(separator: " - ")
  }
}
