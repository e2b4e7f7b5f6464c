import Foundation
import RNNTraining

/// The progress of a training: a line that is written over on a terminal, plain lines elsewhere.
struct TrainingProgress {
  private let epochs: Int
  private let examples: Int
  private let batchSize: Int
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let clock = Clock()

  private final class Clock {
    var epochStart = ContinuousClock.now
    var lastShown = ContinuousClock.now
    /// Steps seen in this epoch; a training that was taken up begins in the middle of one.
    var steps = 0
    /// When the last of them ended.
    var lastStep = ContinuousClock.now
    var isLineOpen = false
  }

  init(epochs: Int, examples: Int, batchSize: Int) {
    self.epochs = epochs
    self.examples = examples
    self.batchSize = batchSize
  }

  func step(_ epoch: Int, _ batch: Int, _ batches: Int, _ values: EpochHistory) {
    let now = ContinuousClock.now
    if clock.steps == 0 { clock.epochStart = clock.lastStep }
    clock.steps += 1
    clock.lastStep = now
    guard isTerminal else { return }
    // Ten times a second is as fast as people read.
    guard batch == batches || now - clock.lastShown > .milliseconds(100) else { return }
    clock.lastShown = now
    let done = min(batch * batchSize, examples)
    let left = seconds(now - clock.epochStart) / Double(clock.steps) * Double(batches - batch)
    show(epoch, done, "\(bar(batch, batches)) ", " ETA \(Int(left))s", values, isFinal: false)
  }

  func epoch(_ epoch: Int, _ values: EpochHistory) {
    show(epoch, examples, isTerminal ? "\(bar(1, 1)) " : " ", "", values, isFinal: true)
    clock.steps = 0
    clock.lastStep = .now
  }

  /// Leaves the line that was written over.
  func finish() {
    if clock.isLineOpen { write("\n") }
    clock.isLineOpen = false
  }

  private func show(
    _ epoch: Int, _ done: Int, _ bar: String, _ eta: String, _ values: EpochHistory, isFinal: Bool
  ) {
    let each = seconds(clock.lastStep - clock.epochStart) / Double(max(clock.steps, 1)) * 1000
    let spent = "\(Int(seconds(ContinuousClock.now - clock.epochStart)))s \(String(format: "%.1f", each))ms/step"
    let line = "Epoch \(epoch + 1)/\(epochs)  \(done)/\(examples) \(bar)\(spent)\(eta) - \(text(values))"
    write((isTerminal ? "\r\u{1B}[K" : "") + line + (isFinal ? "\n" : ""))
    clock.isLineOpen = !isFinal
  }

  private func bar(_ batch: Int, _ batches: Int) -> String {
    let filled = 20 * batch / max(batches, 1)
    return "[" + String(repeating: "=", count: filled) + String(repeating: ".", count: 20 - filled) + "]"
  }

  private func write(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }

  private func seconds(_ elapsed: Duration) -> Double {
    Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
  }

  /// As Keras shows them: small ones, a learning rate for one, with an exponent.
  private func text(_ values: EpochHistory) -> String {
    values.values.map { name, value in
      value.isNaN
        ? "\(name): nan" : "\(name): \(String(format: abs(value) > 1e-3 || value == 0 ? "%.4f" : "%.4e", value))"
    }.joined(separator: " - ")
  }
}
