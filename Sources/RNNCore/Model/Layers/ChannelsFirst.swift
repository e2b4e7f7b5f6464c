/// A layer whose tensors have the channels before the steps (`data_format="channels_first"`), around the same layer with
/// the channels last.
public struct ChannelsFirstSpec: CompositeLayer {
  public var layer: ModelSpec.Layer
  /// Whether a convolution's bias goes over the steps, which are as many as the filters: so Keras 3 on TensorFlow adds it
  /// where it cannot tell the two apart (`keras/src/backend/tensorflow/numpy.py`, `add`).
  public var biasOverSteps = false

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
    layer.spec.isRecurrent
      ? nil : layer.spec.configuration.activations.first { $0.isOverLastAxis || biasOverSteps }
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
      + (biasOverSteps ? ChannelsFirstSpec.biasParts : []) + last
  }

  /// The layer without an input gives its bias alone, at every step; turned, it stands where it is to be added.
  private static let biasParts = [
    ModelSpec.Layer(name: "zeros", spec: .binary(BinarySpec(.subtract))),
    ModelSpec.Layer(name: "without_bias", spec: .binary(BinarySpec(.subtract))),
    ModelSpec.Layer(name: "bias_over_steps", spec: .permute(turn(rank: 2))),
    ModelSpec.Layer(name: "with_bias", spec: .binary(BinarySpec(.add))),
  ]

  public func outputShapes(inputs: [Shape]) throws -> [Shape] {
    guard inputs[0].count == ranks.input else {
      throw RNNError.badData(
        "\(layer.spec.kind.rawValue) with channels_first cannot take \(describe(shape: [nil] + inputs[0]))")
    }
    let turned = try ChannelsFirstSpec.turn(rank: ranks.input).outputShape(input: inputs[0])
    var inner = layer.spec
    if lastActivation != nil { inner.clearActivation() }
    let shapes = try inner.outputShapes(inputs: [turned])
    guard shapes.map(\.count) == ranks.outputs else {
      throw RNNError.badData("\(layer.spec.kind.rawValue) has no form with channels_first")
    }
    let outputs = try shapes.map { shape in
      shape.count < 2 ? shape : try ChannelsFirstSpec.turn(rank: shape.count).outputShape(input: shape)
    }
    guard let lastActivation else { return outputs }
    return [try ActivationSpec(activation: lastActivation).outputShape(input: outputs[0])] + outputs.dropFirst()
  }

  public func expand(
    _ parts: [GraphExpansion.Part], inputs: [ModelSpec.Reference], into graph: inout GraphExpansion
  ) -> [ModelSpec.Reference] {
    let input = graph.call(parts[1], inputs)
    var outputs = graph.call(parts[0], input)
    if biasOverSteps {
      let first = 2 + ranks.outputs.count
      let zeros = graph.call(parts[first], input + input)
      let bias = graph.call(parts[0], zeros)
      let rest = graph.call(parts[first + 1], outputs + bias)
      outputs = graph.call(parts[first + 3], rest + graph.call(parts[first + 2], bias))
    }
    var turned = zip(outputs, ranks.outputs).enumerated().map { index, output in
      output.1 < 2 ? output.0 : graph.call(parts[2 + index], [output.0])[0]
    }
    if lastActivation != nil { turned[0] = graph.call(parts[parts.count - 1], [turned[0]])[0] }
    return turned
  }
}
