import Foundation
import RNNContainers
import RNNCore
import RNNTestSupport
import RNNTraining
import Testing

/// Losses and their gradients against Keras 3's.
struct LossTests {
  private static let folder = Fixtures.folder.appendingPathComponent("training/losses")

  static let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
    .filter { $0.hasSuffix(".npz") }.sorted()

  private func loss(_ name: String) throws -> Loss {
    let parts = name.replacing(".npz", with: "")
    if parts.hasPrefix("sigmoid-shortcut") || parts.hasPrefix("softmax-shortcut") {
      var loss = Loss(
        parts.hasPrefix("sigmoid")
          ? .binaryCrossentropy : parts.hasSuffix("sparse") ? .sparseCategoricalCrossentropy : .categoricalCrossentropy)
      loss.fromLogits = true
      return loss
    }
    var loss = try Loss(keras: .string(String(parts.split(separator: "-")[0])))
    loss.fromLogits = parts.contains("from_logits")
    loss.labelSmoothing = parts.contains("label_smoothing") ? 0.1 : 0
    if parts.contains("delta-0.5") { loss.delta = 0.5 }
    return loss
  }

  @Test(arguments: names)
  func agreesWithKeras(_ name: String) throws {
    let arrays = Dictionary(
      uniqueKeysWithValues: try NPZ.read(try Data(contentsOf: Self.folder.appendingPathComponent(name))).map {
        ($0.name, $0.tensor)
      })
    let loss = try loss(name)
    let predictions = try #require(arrays["pre_activation"] ?? arrays["y_pred"])
    let targets = try #require(arrays["y_true"]).floats()
    let each = try #require(arrays["each"]).floats()
    let width = predictions.shape[predictions.shape.count - 1]
    let p = predictions.floats()
    var gradient = [Float](repeating: 0, count: p.count)
    for row in 0..<p.count / width {
      let value = targets.withUnsafeBufferPointer { targets in
        p.withUnsafeBufferPointer { p in
          gradient.withUnsafeMutableBufferPointer { gradient -> Double in
            guard let y = targets.baseAddress, let x = p.baseAddress, let d = gradient.baseAddress else { return .nan }
            return loss.row(
              y + row * (loss.hasSparseTargets ? 1 : width), x + row * width, width: width, gradient: d + row * width)
          }
        }
      }
      // Keras computes in float32: 1e-5 relative, and 1e-6 where a loss is close to 0.
      #expect(
        abs(value - Double(each[row])) <= 2e-5 * abs(Double(each[row])) + 2e-6, "row \(row): \(value) \(each[row])")
    }
    let expected = try #require(arrays["gradient"]).floats()
    let rows = Float(p.count / width)
    let mask = arrays["mask"]?.floats()
    let valid = mask.map { $0.reduce(0, +) } ?? rows
    let largest = expected.map(abs).max() ?? 0
    for index in p.indices {
      let ours = mask.map { $0[index / width] == 0 } ?? false ? 0 : gradient[index] / valid
      // The figure for gradients, relative to the largest one.
      #expect(
        abs(ours - expected[index]) <= 1e-4 * Swift.max(abs(expected[index]), 1e-3 * largest) + 1e-7,
        "\(index): \(ours) \(expected[index])")
    }
  }

  @Test func thereAreCases() {
    #expect(Self.names.count >= 30)
  }
}
