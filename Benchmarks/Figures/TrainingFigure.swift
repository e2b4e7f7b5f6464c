import Foundation
import RNNContainers
import RNNCore
import RNNTraining

/// Training the IMDB network: 200 steps of 30 reviews, the same ones for everybody, behind 200 that warm up.
enum TrainingFigure {
  private static let (batches, batch, length, words) = (200, 30, 100, 20_000)
  private static let peers = ["keras-jax", "keras-tensorflow", "pytorch"]
  private static let rounds = 3

  private static func path(_ folder: URL) -> URL { folder.appendingPathComponent("batches.npz") }

  /// Ids as frequent as words are (Zipf's law: the rank r with a probability of 1 / r), and labels.
  static func writeBatches(into folder: URL) throws {
    var state: UInt64 = 7
    func random() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 11) * 0x1p-53
    }
    let rows = batches * batch
    let ids = (0..<rows * length).map { _ in Int32(exp(random() * log(Double(words - 3)))) + 2 }
    let labels = (0..<rows).map { _ in Int32(random() * 2) }
    var data = Data()
    func tensor(_ values: [Int32], _ shape: [Int]) throws -> Tensor {
      try Tensor(dtype: .int32, shape: shape, bytes: values.withUnsafeBytes { Data($0) })
    }
    try NPZ.write([("x", try tensor(ids, [rows, length])), ("y", try tensor(labels, [rows]))]) { data.append($0) }
    try data.write(to: path(folder))
  }

  /// One run, as `peers/train_steps.py` does it: prints the same line of JSON, but for the memory, which the caller sees.
  static func run(_ batches: URL, threads: Int) throws {
    let arrays = try NPZ.read(try Data(contentsOf: batches)).map(\.tensor)
    let spec = FullSizeModel.spec
    let model = NativeModel(
      spec: spec, parameters: try ParameterInitialization.parameters(for: spec, seed: 0),
      provenance: Provenance(source: "", container: "", framework: "Keras", dialect: "keras3"))
    let trainer = try Trainer(
      model, TrainingConfiguration(optimizer: .adam, losses: [Loss(.binaryCrossentropy)]), threads: threads)
    let width = arrays[0].bytes.count / arrays[0].shape[0]
    let labels = arrays[1].floats()
    func epoch() throws -> Double {
      var total = 0.0
      for first in stride(from: 0, to: labels.count, by: batch) {
        let start = arrays[0].bytes.startIndex + first * width
        let x = try Tensor(
          dtype: .int32, shape: [batch, length], bytes: arrays[0].bytes[start..<start + batch * width])
        let y = try Tensor(Array(labels[first..<first + batch]), shape: [batch, 1])
        total += try trainer.trainStep(.init(inputs: [x], targets: [y])).loss
      }
      return total / Double(labels.count / batch)
    }
    _ = try epoch()
    let clock = ContinuousClock()
    var loss = 0.0
    let elapsed = try clock.measure { loss = try epoch() }
    // What was put off belongs to the steps.
    let settled = try clock.measure { _ = try trainer.trainedModel() }
    let seconds = [elapsed, settled].map { Double($0.components.seconds) + Double($0.components.attoseconds) * 1e-18 }
    let milliseconds = seconds.reduce(0, +) / Double(labels.count / batch) * 1000
    print(JSONValue.object(JSONObject([("milliseconds", .number(milliseconds)), ("loss", .number(loss))])).text())
  }

  // MARK: - In turn

  static func measure(_ folder: URL, _ python: URL) throws {
    let program = URL(fileURLWithPath: CommandLine.arguments[0])
    for threads in [2, 1] {
      var runs: [String: [(milliseconds: Double, peakBytes: Int)]] = [:]
      for _ in 0..<rounds {
        for name in ["rnnconv"] + peers {
          let command =
            name == "rnnconv"
            ? [program.path, "train", path(folder).path, "\(threads)"]
            : [python.path, Figures.script("train_steps.py"), name, path(folder).path, "\(threads)"]
          // One thread means one core, whatever a framework's own threads do.
          let words = (threads == 1 ? ["/usr/bin/taskset", "-c", "0"] : []) + command
          let run = try Measurement.run(
            URL(fileURLWithPath: words[0]), Array(words.dropFirst()),
            output: folder.appendingPathComponent("run.json"))
          let json = try JSONValue(parsing: try Data(contentsOf: folder.appendingPathComponent("run.json")))
          guard let milliseconds = json["milliseconds"]?.double else {
            throw RNNError.badData("\(name) printed no milliseconds")
          }
          runs[name, default: []].append((milliseconds, run.peakBytes))
        }
      }
      print("training the IMDB network, \(threads) thread\(threads == 1 ? "" : "s"), in turn, \(rounds) rounds:")
      let medians = runs.mapValues { $0.map(\.milliseconds).sorted()[rounds / 2] }
      for name in ["rnnconv"] + peers {
        guard let median = medians[name], let all = runs[name] else { continue }
        let (low, high) = (all.map(\.milliseconds).min() ?? 0, all.map(\.milliseconds).max() ?? 0)
        let padded = name.padding(toLength: 17, withPad: " ", startingAt: 0)
        print(
          "  \(padded) \(Figures.format(median, 2)) ms a step (\(Figures.format(low, 2)) to \(Figures.format(high, 2))), "
            + "\(Figures.format(1000 / median, 0)) steps a second, "
            + "peak memory \((all.map(\.peakBytes).max() ?? 0) / 1_000_000) MB")
      }
      let fastest = peers.compactMap { medians[$0] }.min() ?? .infinity
      let least = peers.compactMap { runs[$0]?.map(\.peakBytes).min() }.min() ?? 1
      let (own, memory) = (medians["rnnconv"] ?? .infinity, runs["rnnconv"]?.map(\.peakBytes).max() ?? 0)
      print(
        "  rnnconv takes \(Figures.format(own / fastest, 2)) of the fastest peer's time (figure: at most 1), "
          + "\(Figures.format(Double(memory) / Double(least), 2)) of the smallest peer's memory")
    }
  }
}
