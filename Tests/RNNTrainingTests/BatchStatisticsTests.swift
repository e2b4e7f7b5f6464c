import Foundation
import RNNCore
import RNNTestSupport
import Testing

@testable import RNNRuntime

/// BatchNormalization in training against Keras: outputs and gradients by the batch's statistics, and how the moving ones
/// move.
struct BatchStatisticsTests {
  /// What differs from Keras, and why.
  private static let different = [
    // Keras 3 calls a wrapped layer once for each step, with that step's statistics; here all steps are one call.
    "timedistributed",
    // Of two calls at the same depth, Keras runs the later one first, and the moving statistics tell.
    "shared",
    // With axis 1 Keras divides by the valid examples, not by these times the channels; so do we, but its gradient has terms
    // that vanish only with a true mean.
    "masked-axis-1",
  ]

  private static var cases: [TrainingCase] {
    TrainingCase.all("batch-statistics").filter { !different.contains($0.folder.lastPathComponent) }
  }

  @Test(arguments: cases)
  func agreesWithKeras(_ fixture: TrainingCase) throws {
    let native = try fixture.model()
    let graph = RuntimeGraph(native.spec)
    let plain = native.spec.plain
    let shapes = try plain.shapes().parameters
    let tensors = native.tensorsByPath
    func buffers(_ values: (String, Int) throws -> [Float]) rethrows -> [[UnsafeMutablePointer<Float>]] {
      try zip(plain.layers, shapes).map { layer, shapes in
        try shapes.map { shape in
          let count = shape.shape.reduce(1, *)
          let found = try values(NativeModel.path(layer: layer.name, parameter: shape.name), count)
          let buffer = UnsafeMutablePointer<Float>.allocate(capacity: max(count, 1))
          for index in 0..<count { (buffer + index).initialize(to: found[index]) }
          return buffer
        }
      }
    }
    let parameters = try buffers { path, _ in try #require(tensors[path]).floats() }
    let gradients = buffers { _, count in [Float](repeating: 0, count: count) }
    defer { for buffer in (parameters + gradients).flatMap(\.self) { buffer.deallocate() } }
    let pointers = parameters.map { $0.map { UnsafePointer($0) } }
    let pass = GradientPass(graph, trainable: plain.layers.map(\.isTrainable), wantsInputs: true)
    let inputs = try ModelInputs(try fixture.arrays("inputs.npz").map(\.tensor), graph)
    let outputs = try pass.forward(inputs, parameters: pointers, seed: 1, step: 0, firstExample: 0)
    for (output, expected) in zip(outputs, try fixture.arrays("outputs.npz")) {
      let theirs = expected.tensor.floats()
      #expect(output.shape == expected.tensor.shape)
      // The figure of outputs; a variance of few values leaves a few roundings more.
      let worst = theirs.indices.map { abs(output.floats[$0] - theirs[$0]) - 1e-5 - 1e-5 * abs(theirs[$0]) }.max() ?? 0
      #expect(worst <= 0, "\(expected.name): \(worst)")
    }
    func values(_ path: String, _ all: [[UnsafeMutablePointer<Float>]], _ count: Int) -> [Float]? {
      for (layer, shapes) in zip(plain.layers.indices, shapes) {
        for (index, shape) in shapes.enumerated()
        where NativeModel.path(layer: plain.layers[layer].name, parameter: shape.name) == path {
          return Array(UnsafeBufferPointer(start: all[layer][index], count: count))
        }
      }
      return nil
    }
    for (name, expected) in try fixture.arrays("moving.npz") {
      let ours = try #require(values(name, parameters, expected.count), "\(name)")
      let theirs = expected.floats()
      let worst = zip(ours, theirs).map { abs($0 - $1) - 2e-6 - 1e-5 * abs($1) }.max() ?? 0
      #expect(worst <= 0, "\(name): \(worst)")
    }
    let cotangents = try fixture.arrays("cotangent.npz").map(\.tensor)
    let embeddings = pass.backward(parameters: pointers, parameterGradients: gradients) { output, gradient in
      for (index, value) in cotangents[output].floats().enumerated() { gradient[index] = value }
    }
    for part in embeddings {
      for (position, id) in part.ids.enumerated() {
        for column in 0..<part.width {
          gradients[part.layer][0][id * part.width + column] += part.rows[position * part.width + column]
        }
      }
    }
    let all = try fixture.arrays("gradients.npz")
    let overall = all.flatMap { $0.tensor.floats() }.map(abs).max() ?? 0
    for (name, expected) in all {
      let theirs = expected.floats()
      let ours: [Float]
      if name.hasPrefix("input:") {
        let index = try #require(native.spec.inputNames.firstIndex(of: String(name.dropFirst(6))))
        ours = Array(try #require(pass.inputGradient(index)))
      } else {
        ours = try #require(values(name, gradients, expected.count), "\(name)")
      }
      let worst = zip(ours, theirs).map { abs($0 - $1) }.max() ?? 0
      #expect(worst <= max(1e-4 * (theirs.map(abs).max() ?? 0), 1e-6 * overall) + 1e-7, "\(name): \(worst)")
    }
  }

  @Test func thereAreCases() { #expect(Self.cases.count == 18) }
}
