/// A layer whose activation is another layer: one with weights of its own, such as `PReLU`, or with arguments that no
/// function of `Activation` has.
public struct ActivatedSpec: CompositeLayer {
  /// Without an activation of its own.
  public var layer: ModelSpec.Layer
  /// Of one input and one output.
  public var activation: ModelSpec.Layer

  public init(layer: ModelSpec.Layer, activation: ModelSpec.Layer) {
    self.layer = layer
    self.activation = activation
  }

  public var inputCounts: ClosedRange<Int> { layer.spec.configuration.inputCounts }

  public var keepsMask: Bool { layer.spec.configuration.keepsMask && activation.spec.configuration.keepsMask }

  public var innerLayers: [ModelSpec.Layer] {
    get { [layer, activation] }
    set { (layer, activation) = (newValue[0], newValue[1]) }
  }

  public var innerPlaces: [String] { ["", "activation"] }

  public var parts: [ModelSpec.Layer] { placedInnerLayers }

  public func outputShapes(inputs: [Shape]) throws -> [Shape] {
    guard layer.spec.configuration.outputCount == 1, activation.spec.configuration.inputCounts.contains(1),
      activation.spec.configuration.outputCount == 1
    else { throw RNNError.badData("\(activation.spec.kind.rawValue) cannot be the activation of another layer") }
    return try activation.spec.outputShapes(inputs: try layer.spec.outputShapes(inputs: inputs))
  }

  public func expand(
    _ parts: [GraphExpansion.Part], inputs: [ModelSpec.Reference], into graph: inout GraphExpansion
  ) -> [ModelSpec.Reference] {
    graph.call(parts[1], graph.call(parts[0], inputs))
  }
}
