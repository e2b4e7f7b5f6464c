/// A model as a layer of another one. Where it is called twice, both calls share its parameters.
public struct NestedModelSpec: CompositeLayer {
  public var model: ModelSpec

  public init(model: ModelSpec) {
    self.model = model
  }

  public var innerLayers: [ModelSpec.Layer] {
    get { model.layers }
    set { model.layers = newValue }
  }

  public var innerPlaces: [String] { model.layers.map(\.name) }
  public var parts: [ModelSpec.Layer] { model.layers }
  public var inputCounts: ClosedRange<Int> { model.inputs.count...max(model.inputs.count, 1) }
  public var outputCount: Int { model.outputs.count }

  public func outputShapes(inputs: [Shape]) throws -> [Shape] {
    let shapes = try model.shapes(inputs: inputs).outputs
    return model.outputs.map { shapes[$0.call][$0.output] }
  }

  public func expand(
    _ parts: [GraphExpansion.Part], inputs: [ModelSpec.Reference], into graph: inout GraphExpansion
  ) -> [ModelSpec.Reference] {
    graph.run(model, parts, inputs: inputs)
  }
}
