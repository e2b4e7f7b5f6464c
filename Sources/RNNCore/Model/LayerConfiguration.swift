/// What every layer's configuration tells: how many tensors it takes and gives, and which parameters it needs. One struct
/// a layer states all of it, beside the layer's arguments; `LayerSpec` names the structs.
public protocol LayerConfiguration: Sendable, Equatable, Codable {
  /// How many tensors a call takes.
  var inputCounts: ClosedRange<Int> { get }
  /// How many tensors a call gives.
  var outputCount: Int { get }
  /// The outputs of a call, the batch axis left out.
  /// - Throws: `badData` when the inputs do not fit the layer.
  func outputShapes(inputs: [Shape]) throws -> [Shape]
  /// The names of the parameters, in Keras 3's order, whatever the input.
  var parameterNames: [String] { get }
  /// The parameters for one input, in Keras 3's order and layout.
  func parameterShapes(inputs: [Shape]) throws -> [ParameterShape]
  /// Those of the parameters that training moves without a gradient: moving statistics.
  var statisticNames: [String] { get }
  /// The functions that the layer applies.
  var activations: [Activation] { get }
  /// Whether the first output has the first input's mask.
  var keepsMask: Bool { get }
  /// How many axes behind the batch a mask may have that reaches the layer; `nil`: any, or the layer reads none.
  var maskAxes: ClosedRange<Int>? { get }
  /// Whether an example's output depends on the other examples, outside training, too.
  var needsWholeBatch: Bool { get }
  /// Whether the output at a step depends on the inputs at this step and the states alone, so that a sequence can be run
  /// step by step.
  /// - Parameter inputs: those of a call; at least one of them is a sequence.
  func runsStepByStep(inputs: [Shape]) -> Bool
}

extension LayerConfiguration {
  public var inputCounts: ClosedRange<Int> { 1...1 }
  public var outputCount: Int { 1 }
  public var parameterNames: [String] { [] }
  public func parameterShapes(inputs: [Shape]) throws -> [ParameterShape] { [] }
  public var statisticNames: [String] { [] }
  public var activations: [Activation] { [] }
  public var keepsMask: Bool { false }
  public var maskAxes: ClosedRange<Int>? { nil }
  public var needsWholeBatch: Bool { false }
  public func runsStepByStep(inputs: [Shape]) -> Bool { false }
}

/// A layer that leaves its one input's shape as it is.
public protocol ShapeKeepingLayer: LayerConfiguration {}

extension ShapeKeepingLayer {
  public func outputShapes(inputs: [Shape]) throws -> [Shape] { [inputs[0]] }
}

/// A layer of one output, whose parameters are the same for any number of inputs.
public protocol SingleInputLayer: LayerConfiguration {
  func outputShape(input: Shape) throws -> Shape
  func parameterShapes(input: Shape) throws -> [ParameterShape]
}

extension SingleInputLayer {
  public func outputShapes(inputs: [Shape]) throws -> [Shape] { [try outputShape(input: inputs[0])] }
  public func parameterShapes(inputs: [Shape]) throws -> [ParameterShape] { try parameterShapes(input: inputs[0]) }
  public func parameterShapes(input: Shape) throws -> [ParameterShape] { [] }
}

/// A layer that hands on the numbers of its first input as they are and in their order, outside training.
public protocol UntouchingLayer: LayerConfiguration {}

/// A layer that is made of others: a wrapper, or a model within a model. The runtime knows only what it is made of.
public protocol CompositeLayer: LayerConfiguration {
  /// The layers inside that somebody configured, in the order in which their weights stand.
  var innerLayers: [ModelSpec.Layer] { get set }
  /// The places of these below this layer (`forward_layer`, `cell`); one without a name stands at this layer's own place.
  var innerPlaces: [String] { get }
  /// All layers that this one comes to, named by their places: the inner ones as they run, and what joins them.
  var parts: [ModelSpec.Layer] { get }
  /// Puts the calls of the parts that one call of this layer comes to into a graph.
  /// - Parameter parts: as `parts`, in that order.
  /// - Returns: this layer's outputs.
  func expand(
    _ parts: [GraphExpansion.Part], inputs: [ModelSpec.Reference], into graph: inout GraphExpansion
  ) -> [ModelSpec.Reference]
}

extension CompositeLayer {
  /// The inner layers under the names of their places.
  var placedInnerLayers: [ModelSpec.Layer] {
    zip(innerLayers, innerPlaces).map { layer, place in
      var placed = layer
      placed.name = place
      return placed
    }
  }
}
