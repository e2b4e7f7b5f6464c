import RNNCore

extension TensorPlacement {
  /// What an arrangement makes of a tensor.
  /// - Parameter shapes: the native shapes; those that a layout of whole blocks does not need may be missing.
  init(_ arrangement: Arrangement, tensor: String, shape: [Int], layer: String, shapes: [String: [Int]]) {
    guard let axis = arrangement.joiningAxis, shape.indices.contains(axis),
      let segments = try? arrangement.segments(along: axis, from: 0, shapes)
    else {
      self.init(
        tensor: tensor, shape: shape, layer: layer, axis: nil,
        segments: [
          Segment(range: 0..<(shape.first ?? 1), block: arrangement.blockWords, steps: arrangement.stepWords)
        ])
      return
    }
    self.init(tensor: tensor, shape: shape, layer: layer, axis: axis, segments: segments)
  }
}

extension Arrangement {
  /// The axis along which it is put together; `nil` for one that is not.
  fileprivate var joiningAxis: Int? {
    switch self {
    case .joined(_, let axis): axis
    case .addend(let inner), .half(let inner), .otherHalf(let inner), .unread(let inner): inner.joiningAxis
    case .block, .interleaved, .transposed, .flipped, .negated, .widened, .merged, .recast, .summed: nil
    }
  }

  /// The runs along an axis, the innermost blocks one by one.
  fileprivate func segments(
    along axis: Int, from start: Int, _ shapes: [String: [Int]]
  ) throws -> [TensorPlacement.Segment] {
    if case .joined(let parts, axis) = self {
      var result: [TensorPlacement.Segment] = []
      var place = start
      for part in parts {
        result += try part.segments(along: axis, from: place, shapes)
        place += try part.shape(shapes)[axis]
      }
      return result
    }
    func changed(_ inner: Arrangement, _ step: String) throws -> [TensorPlacement.Segment] {
      try inner.segments(along: axis, from: start, shapes).map { segment in
        var segment = segment
        segment.steps = [segment.steps, step].filter { !$0.isEmpty }.joined(separator: ", ")
        return segment
      }
    }
    switch self {
    case .addend(let inner): return try changed(inner, "added to what is there")
    case .half(let inner): return try changed(inner, "half")
    case .otherHalf(let inner): return try changed(inner, "the other half")
    case .unread(let inner): return try changed(inner, "not read")
    case .block, .joined, .interleaved, .transposed, .flipped, .negated, .widened, .merged, .recast, .summed:
      let end = start + (try shape(shapes)[axis])
      return [.init(range: start..<end, block: blockWords, steps: stepWords)]
    }
  }

  /// The native blocks alone.
  fileprivate var blockWords: String {
    if case .interleaved(let parts) = self { return parts.map(\.blockWords).joined(separator: ", ") }
    if case .joined(let parts, _) = self { return parts.map(\.blockWords).joined(separator: ", ") }
    return blocks.map(\.words).joined(separator: " + ")
  }

  /// The steps alone.
  fileprivate var stepWords: String {
    func after(_ inner: Arrangement, _ step: String) -> String {
      [inner.stepWords, step].filter { !$0.isEmpty }.joined(separator: ", ")
    }
    switch self {
    case .block, .summed: return ""
    case .joined(_, let axis): return "one behind the other along axis \(axis)"
    case .interleaved(let parts): return after(parts.first ?? self, "row by row in turn")
    case .transposed(let inner, let axes): return after(inner, "transposed to \(axes)")
    case .flipped(let inner, let axis): return after(inner, "reversed along axis \(axis)")
    case .negated(let inner): return after(inner, "with the other sign")
    case .widened(let inner, let axis): return after(inner, "an axis of 1 at \(axis)")
    case .merged(let inner, let axis): return after(inner, "axes \(axis) and \(axis + 1) as one")
    case .recast(let inner, _): return after(inner, "laid out in the old shape")
    case .addend(let inner): return after(inner, "added to what is there")
    case .half(let inner): return after(inner, "half")
    case .otherHalf(let inner): return after(inner, "the other half")
    case .unread(let inner): return after(inner, "not read")
    }
  }
}
