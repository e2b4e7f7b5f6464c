/// A graph of layers. A Sequential model is a chain.
public struct ModelSpec: Sendable, Equatable, Codable {
  /// A layer with its name and what belongs to it alone. A layer that is called twice stands once.
  public struct Layer: Sendable, Equatable, Codable {
    public var name: String
    public var spec: LayerSpec
    public var isTrainable: Bool
    /// Configuration that inference does not need (initializers, regularizers, seeds), as the source's JSON text.
    public var carried: String?

    public init(name: String, spec: LayerSpec, isTrainable: Bool = true, carried: String? = nil) {
      self.name = name
      self.spec = spec
      self.isTrainable = isTrainable
      self.carried = carried
    }
  }

  /// One output of one call.
  public struct Reference: Sendable, Hashable, Codable {
    public var call: Int
    /// 0, or a further output: a state of a recurrent layer, an output of a model inside.
    public var output: Int

    public init(call: Int, output: Int = 0) {
      self.call = call
      self.output = output
    }
  }

  /// One use of a layer. Inputs refer to earlier calls; a recurrent layer takes its initial states after its input,
  /// attention its query, value and key in this order.
  public struct Call: Sendable, Equatable, Codable {
    public var layer: Int
    public var inputs: [Reference]

    public init(layer: Int, inputs: [Reference]) {
      self.layer = layer
      self.inputs = inputs
    }
  }

  public var name: String
  public var isSequential: Bool
  public var layers: [Layer]
  /// In an order in which they can run.
  public var calls: [Call]
  /// The calls of input layers, in the model's order.
  public var inputs: [Int]
  public var outputs: [Reference]
  /// For each output, where the batch stands in the array that is given back; first in all of them where this is absent.
  public var outputBatchAxes: [Int]?

  public init(
    name: String, isSequential: Bool, layers: [Layer], calls: [Call], inputs: [Int], outputs: [Reference]
  ) {
    self.name = name
    self.isSequential = isSequential
    self.layers = layers
    self.calls = calls
    self.inputs = inputs
    self.outputs = outputs
  }

  /// A chain; the first layer is the input.
  public static func sequential(name: String, layers: [Layer]) -> ModelSpec {
    ModelSpec(
      name: name, isSequential: true, layers: layers,
      calls: layers.indices.map { Call(layer: $0, inputs: $0 == 0 ? [] : [Reference(call: $0 - 1)]) },
      inputs: [0], outputs: [Reference(call: layers.count - 1)])
  }

  /// Output names, in the model's order: the layer's name, with `_1`, `_2` for its further outputs.
  public var outputNames: [String] {
    // Other outputs' layers may be called `x_1` themselves.
    let own = Set(outputs.map { layers[calls[$0.call].layer].name })
    var taken: Set<String> = []
    return outputs.map { reference in
      let name = layers[calls[reference.call].layer].name
      var number = 0
      var result = name
      while taken.contains(result) || number > 0 && own.contains(result) {
        number += 1
        result = "\(name)_\(number)"
      }
      taken.insert(result)
      return result
    }
  }

  public var inputNames: [String] { inputs.map { layers[calls[$0].layer].name } }
}
