import Foundation
import RNNCore
import RNNTestSupport
import Testing

@testable import RNNRuntime

/// The gradient of every parameter and float input, of every layer kind, against Keras's.
struct GradientTests {
  /// What no model of ours carries.
  private static let refused = ["convlstm1d-masked-rows"]

  @Test(arguments: TrainingCase.all("gradients").filter { refused.contains($0.folder.lastPathComponent) })
  func whatIsNotCarriedIsRefused(_ fixture: TrainingCase) {
    let error = #expect(throws: RNNError.self) { try fixture.model() }
    #expect(error?.reason == .unsupported)
  }

  @Test(arguments: TrainingCase.all("gradients").filter { !refused.contains($0.folder.lastPathComponent) })
  func agreesWithKeras(_ fixture: TrainingCase) throws {
    let native = try fixture.model()
    let graph = RuntimeGraph(native.spec)
    let store = ParameterStore(native)
    let plain = native.spec.plain
    let pass = GradientPass(graph, trainable: plain.layers.map { _ in true }, wantsInputs: true)
    let inputs = try ModelInputs(try fixture.arrays("inputs.npz").map(\.tensor), graph)
    let cotangents = try fixture.arrays("cotangent.npz").map(\.tensor)
    _ = try pass.forward(inputs, parameters: store.pointers, seed: nil, step: 0, firstExample: 0)
    let shapes = try plain.shapes().parameters
    let buffers = shapes.map { layer in
      layer.map { shape in
        let count = shape.shape.reduce(1, *)
        let buffer = UnsafeMutablePointer<Float>.allocate(capacity: max(count, 1))
        buffer.initialize(repeating: 0, count: count)
        return buffer
      }
    }
    defer { for buffer in buffers.flatMap(\.self) { buffer.deallocate() } }
    let embeddings = pass.backward(parameters: store.pointers, parameterGradients: buffers) { output, gradient in
      for (index, value) in cotangents[output].floats().enumerated() { gradient[index] = value }
    }
    for part in embeddings {
      for (position, id) in part.ids.enumerated() {
        for column in 0..<part.width {
          buffers[part.layer][0][id * part.width + column] += part.rows[position * part.width + column]
        }
      }
    }
    let gradients = try fixture.arrays("gradients.npz")
    let overall = gradients.flatMap { $0.tensor.floats() }.map(abs).max() ?? 0
    for (name, expected) in gradients {
      let ours: [Float]
      if name.hasPrefix("input:") {
        let index = try #require(native.spec.inputNames.firstIndex(of: String(name.dropFirst(6))))
        ours = Array(try #require(pass.inputGradient(index)))
      } else {
        let (layer, parameter) = try #require(place(of: name, plain, shapes), "\(name)")
        ours = Array(UnsafeBufferPointer(start: buffers[layer][parameter], count: expected.count))
      }
      // The figure: relative to the tensor's largest gradient, for float32 sums of many terms round against each other.
      let theirs = expected.floats()
      let largest = theirs.map(abs).max() ?? 0
      let worst = zip(ours, theirs).map { abs($0 - $1) }.max() ?? 0
      #expect(ours.count == theirs.count)
      // A gradient that is 0 but for rounding (an attention's key bias) is judged by the model's largest.
      #expect(worst <= max(1e-4 * largest, 1e-6 * overall) + 1e-7, "\(name): \(worst) of \(largest)")
    }
  }

  /// `RNN` over one cell is the layer of that cell here.
  private func place(of name: String, _ spec: ModelSpec, _ shapes: [[ParameterShape]]) -> (Int, Int)? {
    for candidate in [name, name.replacingOccurrences(of: "/cell/", with: "/")] {
      for (index, layer) in spec.layers.enumerated() {
        for (parameter, shape) in shapes[index].enumerated()
        where NativeModel.path(layer: layer.name, parameter: shape.name) == candidate { return (index, parameter) }
      }
    }
    return nil
  }

  @Test func thereAreCases() {
    #expect(TrainingCase.all("gradients").count >= 300)
  }
}
