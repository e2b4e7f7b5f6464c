/// Turns a graph with wrappers and nested models into one of plain layers, which is what runs.
///
/// Layers inside others keep their place in their names: `encoder/bidirectional/forward_layer`.
public struct GraphExpansion {
  /// A layer on its way into the plain graph.
  public struct Part: Sendable {
    /// Its number in the plain graph; `nil` for a layer that is made of others.
    fileprivate var layer: Int?
    fileprivate var outputCount: Int
    fileprivate var composite: (any CompositeLayer)?
    fileprivate var parts: [Part] = []
  }

  private var layers: [ModelSpec.Layer] = []
  private var calls: [ModelSpec.Call] = []

  private init() {}

  /// The plain graph of a model.
  static func plain(_ spec: ModelSpec) -> ModelSpec {
    guard spec.layers.contains(where: { $0.spec.configuration is any CompositeLayer }) else { return spec }
    var expansion = GraphExpansion()
    let parts = spec.layers.map { expansion.part($0, path: $0.name, isTrainable: true) }
    let outputs = expansion.outputs(spec, parts, inputs: nil)
    return ModelSpec(
      name: spec.name, isSequential: false, layers: expansion.layers, calls: expansion.calls,
      inputs: spec.inputs.map { outputs[$0][0].call }, outputs: spec.outputs.map { outputs[$0.call][$0.output] })
  }

  private mutating func part(_ layer: ModelSpec.Layer, path: String, isTrainable: Bool) -> Part {
    let isTrainable = isTrainable && layer.isTrainable
    let configuration = layer.spec.configuration
    guard let composite = configuration as? any CompositeLayer else {
      var plain = layer
      plain.name = path
      plain.isTrainable = isTrainable
      layers.append(plain)
      return Part(layer: layers.count - 1, outputCount: configuration.outputCount)
    }
    let parts = composite.parts.map { inner in
      part(inner, path: inner.name.isEmpty ? path : path + "/" + inner.name, isTrainable: isTrainable)
    }
    return Part(layer: nil, outputCount: composite.outputCount, composite: composite, parts: parts)
  }

  /// Calls a layer.
  /// - Returns: its outputs.
  public mutating func call(_ part: Part, _ inputs: [ModelSpec.Reference]) -> [ModelSpec.Reference] {
    if let composite = part.composite { return composite.expand(part.parts, inputs: inputs, into: &self) }
    calls.append(ModelSpec.Call(layer: part.layer ?? 0, inputs: inputs))
    return (0..<part.outputCount).map { ModelSpec.Reference(call: calls.count - 1, output: $0) }
  }

  /// Runs a whole graph.
  /// - Returns: the model's outputs.
  mutating func run(_ spec: ModelSpec, _ parts: [Part], inputs: [ModelSpec.Reference]) -> [ModelSpec.Reference] {
    let outputs = outputs(spec, parts, inputs: inputs)
    return spec.outputs.map { outputs[$0.call][$0.output] }
  }

  /// - Parameter inputs: what stands for the model's inputs; `nil` where they stay inputs.
  /// - Returns: the outputs of each call.
  private mutating func outputs(
    _ spec: ModelSpec, _ parts: [Part], inputs: [ModelSpec.Reference]?
  ) -> [[ModelSpec.Reference]] {
    var outputs: [[ModelSpec.Reference]] = []
    for (index, each) in spec.calls.enumerated() {
      if let inputs, let place = spec.inputs.firstIndex(of: index) {
        outputs.append([inputs[place]])
        continue
      }
      outputs.append(call(parts[each.layer], each.inputs.map { outputs[$0.call][$0.output] }))
    }
    return outputs
  }
}

extension ModelSpec {
  /// The same model without wrappers and models inside: what runs, trains and holds parameters.
  public var plain: ModelSpec { GraphExpansion.plain(self) }
}

extension ModelSpec {
  /// The call whose floats a call passes on untouched outside training: itself, or what stands before a chain of
  /// layers that only hand on.
  public func source(of call: Int) -> Int {
    guard layers[calls[call].layer].spec.configuration is any UntouchingLayer else { return call }
    return calls[call].inputs.first.map { source(of: $0.call) } ?? call
  }
}
