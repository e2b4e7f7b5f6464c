import RNNCore

/// Native parameters while they are put together from a framework's tensors.
struct ParameterAssembly {
  /// The native shapes by name.
  let shapes: [String: [Int]]
  private var blocks: [Arrangement.Block: Tensor] = [:]
  /// The parameters in which a sum was rounded.
  private(set) var rounded: Set<String> = []

  init(shapes: [String: [Int]]) { self.shapes = shapes }

  /// Takes a block, or what is to be added to one.
  mutating func take(_ tensor: Tensor, as block: Arrangement.Block) throws {
    guard let known = blocks[block] else {
      blocks[block] = tensor
      return
    }
    let (sum, isRounded) = try known.adding(tensor)
    blocks[block] = sum
    if isRounded { rounded.insert(block.parameter) }
  }

  /// A parameter, once all its blocks are there.
  /// - Throws: `internalError` where a block is missing: a bug of the layout's table.
  func parameter(_ name: String) throws -> Tensor {
    let own = blocks.filter { $0.key.parameter == name }
    if let whole = own[Arrangement.Block(parameter: name)], own.count == 1 { return whole }
    let rows = Set(own.keys.map(\.row))
    if rows.contains(nil) {
      guard rows.count == 1 else { throw missing(name) }
      return try gates(own, row: nil, of: name)
    }
    let count = shapes[name]?.first ?? 0
    return try Tensor.joining(
      try (0..<count).map { row in
        let tensor = try gates(own.filter { $0.key.row == row }, row: row, of: name)
        return try tensor.reshaped(to: [1] + tensor.shape)
      }, along: 0)
  }

  private func gates(_ own: [Arrangement.Block: Tensor], row: Int?, of name: String) throws -> Tensor {
    guard let first = own.keys.first else { throw missing(name) }
    guard let order = first.gate?.order else {
      guard own.count == 1, let tensor = own.values.first else { throw missing(name) }
      return tensor
    }
    let pieces = try order.map { letter -> Tensor in
      let gate = Arrangement.Block.Gate(letter: letter, order: order)
      guard let tensor = own[Arrangement.Block(parameter: name, gate: gate, row: row)] else { throw missing(name) }
      return tensor
    }
    return try Tensor.concatenatingLastAxis(pieces)
  }

  private func missing(_ name: String) -> RNNError {
    RNNError(.internalError, "a layout does not cover the parameter '\(name)'")
  }
}

extension Arrangement {
  /// Undoes the arrangement: gives each native block its numbers.
  /// - Parameter tensor: of exactly `shape(assembly.shapes)`.
  func place(_ tensor: Tensor, in assembly: inout ParameterAssembly) throws {
    switch self {
    case .block(let block): try assembly.take(tensor, as: block)
    case .joined(let parts, let axis):
      var start = 0
      for part in parts {
        let size = try part.shape(assembly.shapes)[axis]
        try part.place(try tensor.slice(start..<start + size, along: axis), in: &assembly)
        start += size
      }
    case .interleaved(let parts):
      let apart = try tensor.reshaped(to: [tensor.shape[0] / parts.count, parts.count] + tensor.shape.dropFirst())
      for (index, part) in parts.enumerated() {
        let own = try apart.slice(index..<index + 1, along: 1)
        try part.place(try own.reshaped(to: [own.shape[0]] + own.shape.dropFirst(2)), in: &assembly)
      }
    case .transposed(let inner, let axes):
      let inverse = axes.indices.map { axis in axes.firstIndex(of: axis) ?? axis }
      try inner.place(try tensor.transposed(inverse), in: &assembly)
    case .flipped(let inner, let axis): try inner.place(try tensor.flipped(along: axis), in: &assembly)
    case .negated(let inner): try inner.place(try tensor.negated(), in: &assembly)
    case .widened(let inner, _), .merged(let inner, _), .recast(let inner, _):
      try inner.place(try tensor.reshaped(to: try inner.shape(assembly.shapes)), in: &assembly)
    case .unread: break
    case .summed(let first, let second):
      try first.place(tensor, in: &assembly)
      try second.place(try tensor.zeros(), in: &assembly)
    case .addend(let inner), .half(let inner), .otherHalf(let inner): try inner.place(tensor, in: &assembly)
    }
  }
}
