import Foundation
import RNNCore
import RNNTestSupport
import Testing

@testable import RNNRuntime

/// Gradients against central differences of the naive layers in double precision, for layers and options in random
/// combination.
struct FiniteDifferenceTests {
  private static func recurrent(_ kind: Int, _ generator: inout SeededGenerator) -> LayerSpec {
    var options = RecurrentOptions()
    options.returnSequences = Bool.random(using: &generator)
    options.goBackwards = Bool.random(using: &generator)
    options.zeroOutputForMask = Bool.random(using: &generator)
    options.useBias = Bool.random(using: &generator)
    let smooth: [Activation] = [.tanh, .sigmoid, .softsign, .gelu, .silu, .softplus]
    let (first, second) = (smooth.randomElement(using: &generator), smooth.randomElement(using: &generator))
    switch kind % 3 {
    case 0:
      var spec = LSTMSpec(units: 3)
      (spec.activation, spec.recurrentActivation, spec.options) = (first ?? .tanh, second ?? .sigmoid, options)
      return .lstm(spec)
    case 1:
      var spec = GRUSpec(units: 3, resetAfter: Bool.random(using: &generator))
      (spec.activation, spec.recurrentActivation, spec.options) = (first ?? .tanh, second ?? .sigmoid, options)
      return .gru(spec)
    default:
      var spec = SimpleRNNSpec(units: 3)
      (spec.activation, spec.options) = (first ?? .tanh, options)
      return .simpleRNN(spec)
    }
  }

  @Test(arguments: 0..<36)
  func recurrentLayers(_ number: Int) throws {
    var generator = SeededGenerator(seed: UInt64(number) + 100)
    try check(
      [.masking(MaskingSpec(maskValue: 0)), Self.recurrent(number, &generator)], input: [5, 2], masksSteps: true,
      &generator)
  }

  @Test(arguments: 0..<24)
  func convolutions(_ number: Int) throws {
    var generator = SeededGenerator(seed: UInt64(number) + 500)
    var spec = Conv1DSpec(filters: 4, kernelSize: Int.random(in: 1...4, using: &generator))
    spec.padding = Padding.allCases.randomElement(using: &generator) ?? .valid
    spec.strides = Int.random(in: 1...3, using: &generator)
    spec.dilationRate = spec.strides == 1 ? Int.random(in: 1...2, using: &generator) : 1
    spec.groups = Int.random(in: 1...2, using: &generator)
    spec.useBias = Bool.random(using: &generator)
    spec.activation = [.tanh, .sigmoid, .linear, .softmax].randomElement(using: &generator) ?? .linear
    var pooling = Pooling1DSpec(poolSize: 2, strides: Int.random(in: 1...2, using: &generator), padding: .same)
    pooling.poolSize = Int.random(in: 1...3, using: &generator)
    try check([.conv1D(spec), .averagePooling1D(pooling), .flatten], input: [8, 4], masksSteps: false, &generator)
  }

  private func check(
    _ specs: [LayerSpec], input: Shape, masksSteps: Bool, _ generator: inout SeededGenerator
  ) throws {
    let layers =
      [ModelSpec.Layer(name: "x", spec: .input(InputSpec(shape: input)))]
      + specs.enumerated().map { .init(name: "l\($0.offset)", spec: $0.element) }
    let spec = ModelSpec.sequential(name: "m", layers: layers)
    let provenance = Provenance(source: "", container: "", framework: "", dialect: "")
    var native = NativeModel(spec: spec, parameters: [], provenance: provenance)
    for (layer, shapes) in zip(spec.layers, try spec.shapes().parameters) {
      for shape in shapes {
        let tensor = try Tensor(generator.floats(shape.shape.reduce(1, *)), shape: shape.shape)
        native.parameters.append(.init(layer: layer.name, name: shape.name, tensor: tensor))
      }
    }
    let shape = [2] + input.compactMap(\.self)
    var values = generator.floats(shape.reduce(1, *))
    if masksSteps {
      let width = shape[2]
      for step in 0..<shape[0] * shape[1] where Int.random(in: 0..<4, using: &generator) == 0 {
        for channel in 0..<width { values[step * width + channel] = 0 }
      }
    }
    let x = try Tensor(values, shape: shape)
    let count = try NaiveModel.predict([x], try Model(native))[0].count
    let cotangent = generator.floats(count)
    let analytic = try gradients(native, x, cotangent)
    for (index, parameter) in native.parameters.enumerated() {
      let start = parameter.tensor.doubles()
      for element in Swift.stride(from: 0, to: start.count, by: 3) {
        let step = 1e-5
        func loss(_ change: Double) throws -> Double {
          var moved = start
          moved[element] += change
          var copy = native
          copy.parameters[index].tensor = try Tensor(
            dtype: .float64, shape: parameter.tensor.shape, bytes: moved.withUnsafeBytes { Data($0) })
          let outputs = try NaiveModel.predict([x], try Model(copy))[0]
          return zip(outputs, cotangent).reduce(0) { $0 + $1.0 * Double($1.1) }
        }
        let numeric = (try loss(step) - loss(-step)) / (2 * step)
        let ours = Double(analytic[index][element])
        // Central differences are good to about 1e-9 here; float32 sums of these sizes to about 1e-5.
        #expect(abs(ours - numeric) <= 2e-4 * max(1, abs(numeric)), "\(parameter.name)[\(element)] of \(specs)")
      }
    }
  }

  /// The gradients of the parameters, in their order.
  private func gradients(_ native: NativeModel, _ x: Tensor, _ cotangent: [Float]) throws -> [[Float]] {
    let graph = RuntimeGraph(native.spec)
    let store = ParameterStore(native)
    let pass = GradientPass(graph, trainable: native.spec.layers.map { _ in true })
    _ = try pass.forward(
      try ModelInputs([x], graph), parameters: store.pointers, seed: nil, step: 0, firstExample: 0)
    let buffers = try native.spec.shapes().parameters.map { layer in
      layer.map { shape in
        let buffer = UnsafeMutablePointer<Float>.allocate(capacity: max(shape.shape.reduce(1, *), 1))
        buffer.initialize(repeating: 0, count: shape.shape.reduce(1, *))
        return buffer
      }
    }
    defer { for buffer in buffers.joined() { buffer.deallocate() } }
    _ = pass.backward(parameters: store.pointers, parameterGradients: buffers) { _, gradient in
      for (index, value) in cotangent.enumerated() { gradient[index] = value }
    }
    return zip(buffers.joined(), native.parameters).map { buffer, parameter in
      Array(UnsafeBufferPointer(start: buffer, count: parameter.tensor.count))
    }
  }
}
