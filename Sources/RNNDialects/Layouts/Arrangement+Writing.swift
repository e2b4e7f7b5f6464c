import RNNCore

extension Arrangement {
  /// The framework's tensor.
  /// - Parameter parameters: the native ones by name.
  func tensor(from parameters: [String: Tensor]) throws -> Tensor {
    switch self {
    case .block(let block): return try block.tensor(from: parameters)
    case .joined(let parts, let axis):
      return try Tensor.joining(parts.map { try $0.tensor(from: parameters) }, along: axis)
    case .interleaved(let parts):
      // Side by side along a new second axis, which then falls into the first.
      let tensors = try parts.map { part in
        let tensor = try part.tensor(from: parameters)
        return try tensor.reshaped(to: [tensor.shape[0], 1] + tensor.shape.dropFirst())
      }
      let joined = try Tensor.joining(tensors, along: 1)
      return try joined.reshaped(to: [joined.shape[0] * joined.shape[1]] + joined.shape.dropFirst(2))
    case .transposed(let inner, let axes): return try inner.tensor(from: parameters).transposed(axes)
    case .flipped(let inner, let axis): return try inner.tensor(from: parameters).flipped(along: axis)
    case .negated(let inner): return try inner.tensor(from: parameters).negated()
    case .widened, .merged, .recast:
      let shape = try shape(parameters.mapValues(\.shape))
      return try innermost.tensor(from: parameters).reshaped(to: shape)
    case .addend(let inner), .unread(let inner): return try inner.tensor(from: parameters).zeros()
    case .summed(let first, let second):
      return try first.tensor(from: parameters).adding(try second.tensor(from: parameters)).sum
    case .half(let inner): return try inner.tensor(from: parameters).halves().half
    case .otherHalf(let inner): return try inner.tensor(from: parameters).halves().rest
    }
  }

  /// What only changes the shape, taken away.
  private var innermost: Arrangement {
    switch self {
    case .widened(let inner, _), .merged(let inner, _), .recast(let inner, _): inner.innermost
    case .block, .joined, .interleaved, .transposed, .flipped, .negated, .addend, .unread, .summed, .half, .otherHalf:
      self
    }
  }
}

extension Arrangement.Block {
  func tensor(from parameters: [String: Tensor]) throws -> Tensor {
    guard var tensor = parameters[parameter] else {
      throw RNNError(.internalError, "a layout names the parameter '\(parameter)', which the layer lacks")
    }
    if let row {
      tensor = try tensor.slice(row..<row + 1, along: 0).reshaped(to: Array(tensor.shape.dropFirst()))
    }
    if let gate {
      let size = (tensor.shape.last ?? 0) / gate.count
      tensor = try tensor.slice(gate.index * size..<(gate.index + 1) * size, along: tensor.shape.count - 1)
    }
    return tensor
  }
}
