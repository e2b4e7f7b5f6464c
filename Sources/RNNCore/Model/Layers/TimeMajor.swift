/// A recurrent layer, or a `Bidirectional`, whose sequences stand with the steps before the batch (`time_major`):
/// (timesteps, batch, channels).
public struct TimeMajorSpec: CompositeLayer, RecurrentConfiguration {
  public var layer: ModelSpec.Layer

  public init(layer: ModelSpec.Layer) {
    self.layer = layer
  }

  public var options: RecurrentOptions {
    get { directions.first?.spec.recurrentOptions ?? RecurrentOptions() }
    set { layer.spec.setRecurrentOptions(newValue) }
  }

  /// The recurrent layers.
  private var directions: [ModelSpec.Layer] { layer.spec.kind == .bidirectional ? layer.spec.innerLayers : [layer] }

  /// How many of the outputs are sequences.
  private var sequenceCount: Int {
    guard options.returnSequences else { return 0 }
    if case .bidirectional(let spec) = layer.spec, spec.merge == .none { return 2 }
    return 1
  }

  public var stateCount: Int { layer.spec.stateCount }
  public var keepsMask: Bool { false }

  public func stateShapes(input: Shape) throws -> [Shape] {
    try layer.spec.stateShapes(input: try SwapBatchSpec().outputShape(input: input))
  }

  public var innerLayers: [ModelSpec.Layer] {
    get { [layer] }
    set { layer = newValue[0] }
  }

  public var innerPlaces: [String] { [""] }

  public var parts: [ModelSpec.Layer] {
    placedInnerLayers
      + ["batch_first", "time_first"].map { ModelSpec.Layer(name: $0, spec: .swapBatch(SwapBatchSpec())) }
  }

  public func outputShapes(inputs: [Shape]) throws -> [Shape] {
    guard directions.allSatisfy(\.spec.isRecurrent), !directions.isEmpty else {
      throw RNNError.badData("the layer inside is \(layer.spec.kind.rawValue), which is not recurrent")
    }
    var outputs = try layer.spec.outputShapes(
      inputs: [try SwapBatchSpec().outputShape(input: inputs[0])] + inputs.dropFirst())
    for index in 0..<sequenceCount { outputs[index] = try SwapBatchSpec().outputShape(input: outputs[index]) }
    return outputs
  }

  public func expand(
    _ parts: [GraphExpansion.Part], inputs: [ModelSpec.Reference], into graph: inout GraphExpansion
  ) -> [ModelSpec.Reference] {
    var outputs = graph.call(parts[0], graph.call(parts[1], [inputs[0]]) + inputs.dropFirst())
    for index in 0..<sequenceCount { outputs[index] = graph.call(parts[2], [outputs[index]])[0] }
    return outputs
  }
}
