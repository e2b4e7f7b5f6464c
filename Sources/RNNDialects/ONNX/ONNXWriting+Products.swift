import RNNCore

/// Linear maps and sums of products for which ONNX has no layer.
extension ONNXWriting {
  /// Letters that no equation of ours has.
  private static let spare = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ")

  mutating func dotted(
    _ dot: DotSpec, _ inputs: [String], _ sources: [Shape], _ name: String
  ) throws -> String {
    let places = [try sources[0].place(ofAxis: dot.axes[0]), try sources[1].place(ofAxis: dot.axes[1])]
    var operands = inputs
    if dot.normalize {
      operands = zip(inputs, places).map { unit($0, axes: [$1 + 1], epsilon: dot.epsilon, name) }
    }
    guard sources[0].count + sources[1].count <= ONNXWriting.spare.count else {
      throw RNNError.unsupported("so many axes")
    }
    let left = sources[0].indices.map { $0 == places[0] ? "z" : String(ONNXWriting.spare[$0]) }
    let right = sources[1].indices.map { $0 == places[1] ? "z" : String(ONNXWriting.spare[$0 + left.count]) }
    let rest = (left + right).filter { $0 != "z" }.joined()
    let sum = einsum("b\(left.joined()),b\(right.joined())->b\(rest)", operands, name)
    return rest.isEmpty ? one("Unsqueeze", [sum, integers([1])]) : sum
  }

  mutating func summed(
    _ einsum: EinsumSpec, _ inputs: [String], _ sources: [Shape], _ name: String
  ) throws -> String {
    let equation = try EinsumEquation(einsum.equation, ranks: sources.map { $0.count + 1 })
    return self.einsum(try ONNXWriting.text(equation), inputs, name)
  }

  mutating func product(
    _ layer: ModelSpec.Layer, _ dense: EinsumDenseSpec, _ x: String, _ source: Shape
  ) throws -> String {
    let equation = try dense.resolved(rank: source.count + 1)
    var value = einsum(
      try ONNXWriting.text(equation), [x, try parameter("kernel", of: layer) ?? ""], layer.name)
    if let bias = tensors[NativeModel.path(layer: layer.name, parameter: "bias")] {
      var placed = bias
      if let axis = dense.misplacedBiasAxis, (1..<equation.output.count).contains(axis) {
        let trailing = [Int](repeating: 1, count: equation.output.count - 1 - axis)
        placed = try bias.reshaped(to: [bias.shape.reduce(1, *)] + trailing)
      }
      let name = NativeModel.path(layer: layer.name, parameter: "bias")
      value = one("Add", [value, try weight(placed, named: name)], named: layer.name)
    }
    return try activated(value, dense.activation, named: layer.name)
  }

  mutating func gated(_ layer: ModelSpec.Layer, _ highway: HighwaySpec, _ x: String) throws -> String {
    func map(_ kernel: String, _ bias: String) throws -> String {
      let product = one("MatMul", [x, try parameter(kernel, of: layer) ?? ""], named: layer.name)
      guard let bias = try parameter(bias, of: layer) else { return product }
      return one("Add", [product, bias], named: layer.name)
    }
    let gate = one("Sigmoid", [try map("carry_kernel", "carry_bias")])
    let changed = one("Mul", [gate, try activated(try map("kernel", "bias"), highway.activation)])
    return one("Add", [changed, one("Mul", [one("Sub", [number(1), gate]), x])], named: layer.name)
  }

  mutating func maxout(_ layer: ModelSpec.Layer, _ x: String) throws -> String {
    var maps = einsum("bc,fcu->bfu", [x, try parameter("kernel", of: layer) ?? ""], layer.name)
    if let bias = try parameter("bias", of: layer) { maps = one("Add", [maps, bias]) }
    return one("ReduceMax", [maps], ["axes": .integers([1]), "keepdims": .integer(0)], named: layer.name)
  }

  /// Each window with a kernel of its own.
  mutating func locallyConnected(
    _ layer: ModelSpec.Layer, _ local: LocallyConnected1DSpec, _ x: String, _ source: Shape
  ) throws -> String {
    guard let count = try local.outputShape(input: source)[0], let channels = source[1] else {
      throw RNNError.unsupported("a sequence whose length is not known")
    }
    let steps = (0..<count).flatMap { window in (0..<local.kernelSize).map { window * local.strides + $0 } }
    let windows = reshaped(
      one("Gather", [x, integers(steps)], ["axis": .integer(1)]), [0, count, local.kernelSize * channels])
    var value = einsum("bwk,wkf->bwf", [windows, try parameter("kernel", of: layer) ?? ""], layer.name)
    if let bias = try parameter("bias", of: layer) { value = one("Add", [value, bias]) }
    return try activated(value, local.activation, named: layer.name)
  }

  mutating func parametricSoftplus(_ layer: ModelSpec.Layer, _ x: String) throws -> String {
    let (alphas, betas) = (try parameter("alphas", of: layer) ?? "", try parameter("betas", of: layer) ?? "")
    return one("Mul", [alphas, one("Softplus", [one("Mul", [betas, x])])], named: layer.name)
  }

  mutating func sReLU(_ layer: ModelSpec.Layer, _ x: String) throws -> String {
    let names = try ["t_left", "a_left", "t_right", "a_right"].map { try parameter($0, of: layer) ?? "" }
    let (left, right) = (names[0], one("Add", [names[0], one("Abs", [names[2]])]))
    func line(from threshold: String, slope: String) -> String {
      one("Add", [threshold, one("Mul", [slope, one("Sub", [x, threshold])])])
    }
    let upper = one("Where", [one("GreaterOrEqual", [x, right]), line(from: right, slope: names[3]), x])
    return one("Where", [one("Less", [x, left]), line(from: left, slope: names[1]), upper], named: layer.name)
  }

  mutating func einsum(_ equation: String, _ operands: [String], _ name: String) -> String {
    one("Einsum", operands, ["equation": .string(equation)], named: name)
  }

  /// Without an ellipsis.
  private static func text(_ equation: EinsumEquation) throws -> String {
    let known = Set(equation.operands.joined())
    var free = (Array("abcdefghijklmnopqrstuvwxyz") + spare).filter { !known.contains($0) }
    guard free.count >= 10 else { throw RNNError.unsupported("an equation of so many letters") }
    let letters = Dictionary(
      "0123456789".map { digit in (digit, free.removeFirst()) }, uniquingKeysWith: { first, _ in first })
    func word(_ axes: [Character]) -> String { String(axes.map { letters[$0] ?? $0 }) }
    return equation.operands.map(word).joined(separator: ",") + "->" + word(equation.output)
  }
}
