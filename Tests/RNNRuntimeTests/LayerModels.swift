import RNNCore
import RNNRuntime
import RNNTestSupport
import Testing

/// A model around one layer, or a few in a row, with random parameters that the test can look at.
struct LayerModel {
  var model: Model
  private var parameters: [String: Tensor] = [:]

  /// - Parameters:
  ///   - input: one example.
  ///   - scale: the parameters are even in -scale ..< scale.
  init(_ specs: [LayerSpec], input: Shape, scale: Float = 1, seed: UInt64 = 1) throws {
    let layers =
      [ModelSpec.Layer(name: "input", spec: .input(InputSpec(shape: input)))]
      + specs.enumerated().map { .init(name: "layer\($0.offset)", spec: $0.element) }
    try self.init(.sequential(name: "m", layers: layers), scale: scale, seed: seed)
  }

  init(_ spec: ModelSpec, scale: Float = 1, seed: UInt64 = 1) throws {
    var generator = SeededGenerator(seed: seed)
    let provenance = Provenance(source: "", container: "", framework: "", dialect: "")
    var native = NativeModel(spec: spec, parameters: [], provenance: provenance)
    let plain = spec.plain
    for (layer, shapes) in zip(plain.layers, try plain.shapes().parameters) {
      for shape in shapes {
        // A variance is no negative number.
        let isVariance = shape.name.hasSuffix("variance")
        let values = generator.floats(shape.shape.reduce(1, *)).map { isVariance ? abs($0) + 0.5 : $0 * scale }
        let tensor = try Tensor(values, shape: shape.shape)
        native.parameters.append(.init(layer: layer.name, name: shape.name, tensor: tensor))
        parameters["\(layer.name)/\(shape.name)"] = tensor
      }
    }
    model = try Model(native)
  }

  /// A parameter in double precision; empty where the layer has none of that name.
  func weights(_ name: String, of layer: Int = 0) -> [Double] { parameters["layer\(layer)/\(name)"]?.doubles() ?? [] }

  func weights(at path: String) -> [Double] { parameters[path]?.doubles() ?? [] }

  func run(_ inputs: Tensor...) throws -> [Tensor] { try model.predict(inputs) }
}

/// Random floats of a shape.
func randomTensor(_ shape: [Int], seed: UInt64 = 99) throws -> Tensor {
  var generator = SeededGenerator(seed: seed)
  return try Tensor(generator.floats(shape.reduce(1, *)), shape: shape)
}

/// The largest difference, or infinity where the shapes differ or one value alone is NaN.
func largestDifference(_ found: Tensor, _ expected: [Double], shape: [Int]) -> Double {
  guard found.shape == shape, expected.count == shape.reduce(1, *) else { return .infinity }
  return zip(found.doubles(), expected).reduce(0) { worst, pair in
    if pair.0.isNaN || pair.1.isNaN { return pair.0.isNaN && pair.1.isNaN ? worst : .infinity }
    return max(worst, pair.0 == pair.1 ? 0 : abs(pair.0 - pair.1))
  }
}
