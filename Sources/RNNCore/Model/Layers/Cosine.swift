/// Keras 1's `Merge` with `cos`: x1 . x2 / max(sqrt((x1 . x1) (x2 . x2)), 1e-7), each . a `Dot`, with an axis of size 1 behind
/// the batch (keras 1.2.2, `engine/topology.py`, `Merge.call`).
public struct CosineSpec: CompositeLayer {
  /// As those of `DotSpec`.
  public var axes: [Int]

  /// Keras 1's own, `K.epsilon()`.
  public static let epsilon = 1e-7

  public init(axes: [Int]) {
    self.axes = axes
  }

  public var inputCounts: ClosedRange<Int> { 2...2 }

  public var innerLayers: [ModelSpec.Layer] {
    get { [] }
    set {}
  }

  public var innerPlaces: [String] { [] }

  /// Of two tensors; of one and itself, each with the axis that is its own.
  private func dot(_ axes: [Int]) -> LayerSpec {
    var spec = DotSpec(axes: axes, normalize: false)
    spec.epsilon = 1e-12
    return .dot(spec)
  }

  public var parts: [ModelSpec.Layer] {
    // The root of a negative number counts as the least, as TensorFlow's maximum has it.
    var least = UnarySpec(.threshold)
    (least.low, least.high) = (CosineSpec.epsilon, CosineSpec.epsilon)
    let specs: [(String, LayerSpec)] = [
      ("dot", dot(axes)), ("squares", dot(axes)), ("product", .binary(BinarySpec(.multiply))),
      ("root", .unary(UnarySpec(.sqrt))), ("least", .unary(least)),
      ("cosine", .binary(BinarySpec(.divide))), ("axis", .expandDims(ExpandDimsSpec(axis: 1))),
    ]
    return specs.map { ModelSpec.Layer(name: $0.0, spec: $0.1) }
  }

  public func outputShapes(inputs: [Shape]) throws -> [Shape] {
    let product = try dot(axes).outputShapes(inputs: inputs)
    let squares = try inputs.flatMap { try dot(axes).outputShapes(inputs: [$0, $0]) }
    let sizes = try BinarySpec(.multiply).outputShapes(inputs: squares)
    let cosine = try BinarySpec(.divide).outputShapes(inputs: [product[0], sizes[0]])
    return [try ExpandDimsSpec(axis: 1).outputShape(input: cosine[0])]
  }

  public func expand(
    _ parts: [GraphExpansion.Part], inputs: [ModelSpec.Reference], into graph: inout GraphExpansion
  ) -> [ModelSpec.Reference] {
    let squares = inputs.flatMap { graph.call(parts[1], [$0, $0]) }
    let least = graph.call(parts[4], graph.call(parts[3], graph.call(parts[2], squares)))
    return graph.call(parts[6], graph.call(parts[5], graph.call(parts[0], inputs) + least))
  }
}
