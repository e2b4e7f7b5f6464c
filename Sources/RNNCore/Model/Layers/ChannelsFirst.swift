/// A layer whose tensors have the channels before the steps (`data_format="channels_first"`), around the same layer with
/// the channels last.
public struct ChannelsFirstSpec: CompositeLayer {
  public var layer: ModelSpec.Layer

  public init(layer: ModelSpec.Layer) {
    self.layer = layer
  }

  public var inputCounts: ClosedRange<Int> { 1...1 }
  public var outputCount: Int { layer.spec.configuration.outputCount }

  /// Axes behind the batch of the input, and of each output.
  private var ranks: (input: Int, outputs: [Int]) {
    let configuration = layer.spec.configuration
    if let pooling = configuration as? GlobalPooling1DSpec { return (2, [pooling.keepDims ? 2 : 1]) }
    guard let convolutional = configuration as? ConvLSTM1DSpec else { return (2, [2]) }
    let states = Array(repeating: 2, count: convolutional.outputCount - 1)
    return (3, [convolutional.options.returnSequences ? 3 : 2] + states)
  }

  /// The last two axes the other way round.
  private static func turn(rank: Int) -> PermuteSpec {
    PermuteSpec(order: rank == 3 ? [1, 3, 2] : [2, 1])
  }

  public var innerLayers: [ModelSpec.Layer] {
    get { [layer] }
    set { layer = newValue[0] }
  }

  public var innerPlaces: [String] { [""] }

  /// An activation over the last axis goes over the steps, which stand last when it comes.
  private var lastActivation: Activation? {
    layer.spec.isRecurrent ? nil : layer.spec.configuration.activations.first { $0.isOverLastAxis }
  }

  public var parts: [ModelSpec.Layer] {
    var inner = placedInnerLayers
    var last: [ModelSpec.Layer] = []
    if let lastActivation {
      inner[0].spec.clearActivation()
      last = [ModelSpec.Layer(name: "activation", spec: .activation(ActivationSpec(activation: lastActivation)))]
    }
    let turns = [("channels_last", ranks.input)] + ranks.outputs.enumerated().map { ("channels_first_\($0)", $1) }
    return inner + turns.map { ModelSpec.Layer(name: $0, spec: .permute(ChannelsFirstSpec.turn(rank: max($1, 2)))) }
      + last
  }

  public func outputShapes(inputs: [Shape]) throws -> [Shape] {
    guard inputs[0].count == ranks.input else {
      throw RNNError.badData(
        "\(layer.spec.kind.rawValue) with channels_first cannot take \(describe(shape: [nil] + inputs[0]))")
    }
    let turned = try ChannelsFirstSpec.turn(rank: ranks.input).outputShape(input: inputs[0])
    var inner = layer.spec
    if lastActivation != nil { inner.clearActivation() }
    let outputs = try inner.outputShapes(inputs: [turned]).map { shape in
      shape.count < 2 ? shape : try ChannelsFirstSpec.turn(rank: shape.count).outputShape(input: shape)
    }
    guard let lastActivation else { return outputs }
    return [try ActivationSpec(activation: lastActivation).outputShape(input: outputs[0])] + outputs.dropFirst()
  }

  public func expand(
    _ parts: [GraphExpansion.Part], inputs: [ModelSpec.Reference], into graph: inout GraphExpansion
  ) -> [ModelSpec.Reference] {
    let outputs = graph.call(parts[0], graph.call(parts[1], inputs))
    var turned = zip(outputs, ranks.outputs).enumerated().map { index, output in
      output.1 < 2 ? output.0 : graph.call(parts[2 + index], [output.0])[0]
    }
    if lastActivation != nil { turned[0] = graph.call(parts[parts.count - 1], [turned[0]])[0] }
    return turned
  }
}
