import RNNCore

/// Sizes in letters: what a layout's tensors look like for any layer.
struct SymbolicShape {
  /// A sum of products of letters, each with its number: `in + 4 u`.
  struct Size: Equatable {
    var terms: [(letters: String, count: Int)]

    init(_ letters: String, _ count: Int = 1) { terms = [(letters, count)] }

    static func == (left: Size, right: Size) -> Bool { left.text == right.text }

    static func + (left: Size, right: Size) -> Size {
      var sum = left
      for term in right.terms {
        if let place = sum.terms.firstIndex(where: { $0.letters == term.letters }) {
          sum.terms[place].count += term.count
        } else {
          sum.terms.append(term)
        }
      }
      return sum
    }

    func times(_ factor: Int) -> Size {
      var product = self
      for place in product.terms.indices { product.terms[place].count *= factor }
      return product
    }

    func divided(by divisor: Int) -> Size {
      var quotient = self
      for place in quotient.terms.indices { quotient.terms[place].count /= divisor }
      return quotient
    }

    func times(_ other: Size) -> Size {
      var product = Size("", 0)
      product.terms = terms.flatMap { term in
        other.terms.map { factor in
          let letters = [term.letters, factor.letters].filter { !$0.isEmpty }.joined(separator: " ")
          return (letters: letters, count: term.count * factor.count)
        }
      }
      return product
    }

    var text: String {
      terms.map { term in
        if term.letters.isEmpty { return "\(term.count)" }
        return term.count == 1 ? term.letters : "\(term.count) \(term.letters)"
      }.joined(separator: " + ")
    }
  }

  /// Those of the native parameters, by layer.
  static func parameters(of kind: LayerSpec.Kind, _ form: LayerLayout.Form) -> [String: [Size]] {
    func size(_ letters: String, _ count: Int = 1) -> Size { Size(letters, count) }
    let (channels, units) = (size("in"), size("u"))
    func recurrent(_ gates: Int, state: Size, bias: [Size]) -> [String: [Size]] {
      [
        "kernel": [channels, units.times(gates)], "recurrent_kernel": [state, units.times(gates)], "bias": bias,
      ]
    }
    switch (kind, form) {
    case (.lstm, _): return recurrent(4, state: units, bias: [units.times(4)])
    case (.lstmVariant, .coupledInput):
      return recurrent(3, state: size("out"), bias: [units.times(3)]).merging(
        ["peephole_kernel": [Size("", 2), units]]) { $1 }
    case (.lstmVariant, _):
      return recurrent(4, state: size("out"), bias: [units.times(4)]).merging(
        ["peephole_kernel": [Size("", 3), units], "projection_kernel": [units, size("out")]]) { $1 }
    case (.gru, .resetAfter): return recurrent(3, state: units, bias: [Size("", 2), units.times(3)])
    case (.gru, _): return recurrent(3, state: units, bias: [units.times(3)])
    case (.simpleRNN, _): return recurrent(1, state: units, bias: [units])
    case (.embedding, _): return ["embeddings": [size("rows"), size("out")]]
    case (.dense, _): return ["kernel": [channels, size("out")], "bias": [size("out")]]
    case (.conv1D, _): return ["kernel": [size("k"), size("in/g"), size("out")], "bias": [size("out")]]
    case (.conv1DTranspose, _): return ["kernel": [size("k"), size("out"), channels], "bias": [size("out")]]
    case (.depthwiseConv1D, _):
      return ["kernel": [size("k"), channels, size("m")], "bias": [channels.times(size("m"))]]
    case (.separableConv1D, _):
      return [
        "depthwise_kernel": [size("k"), channels, size("m")],
        "pointwise_kernel": [Size("", 1), channels.times(size("m")), size("out")], "bias": [size("out")],
      ]
    case _:
      return Dictionary(
        ["gamma", "beta", "moving_mean", "moving_variance"].map { ($0, [channels]) }, uniquingKeysWith: { $1 })
    }
  }
}

extension Arrangement {
  /// The shape of the framework's tensor in letters.
  func symbolicShape(_ parameters: [String: [SymbolicShape.Size]]) -> [SymbolicShape.Size] {
    switch self {
    case .block(let block): return block.symbolicShape(parameters)
    case .joined(let parts, let axis):
      let shapes = parts.map { $0.symbolicShape(parameters) }
      guard var shape = shapes.first else { return [] }
      for other in shapes.dropFirst() { shape[axis] = shape[axis] + other[axis] }
      return shape
    case .interleaved(let parts):
      guard var shape = parts.first?.symbolicShape(parameters) else { return [] }
      shape[0] = shape[0].times(parts.count)
      return shape
    case .transposed(let inner, let axes):
      let shape = inner.symbolicShape(parameters)
      return axes.map { shape[$0] }
    case .widened(let inner, let axis):
      var shape = inner.symbolicShape(parameters)
      shape.insert(SymbolicShape.Size("", 1), at: axis)
      return shape
    case .merged(let inner, let axis):
      var shape = inner.symbolicShape(parameters)
      shape[axis] = shape[axis].times(shape.remove(at: axis + 1))
      return shape
    case .recast(_, let block): return block.symbolicShape(parameters)
    case .flipped(let inner, _), .negated(let inner), .addend(let inner), .unread(let inner), .half(let inner),
      .otherHalf(let inner),
      .summed(let inner, _):
      return inner.symbolicShape(parameters)
    }
  }
}

extension Arrangement.Block {
  fileprivate func symbolicShape(_ parameters: [String: [SymbolicShape.Size]]) -> [SymbolicShape.Size] {
    guard var shape = parameters[parameter] else { return [] }
    if row != nil { shape.removeFirst() }
    if let gate, let last = shape.last { shape[shape.count - 1] = last.divided(by: gate.count) }
    return shape
  }
}
