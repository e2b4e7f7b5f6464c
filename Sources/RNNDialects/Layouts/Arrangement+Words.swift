extension Arrangement {
  /// The steps from native blocks to the framework's tensor, for people and for `spec/layouts.md`.
  public var words: String {
    switch self {
    case .block(let block): return block.words
    case .joined(let parts, let axis):
      if let gates = Arrangement.gateRun(parts) { return gates + " along axis \(axis)" }
      return "(" + parts.map(\.words).joined(separator: ", ") + ") along axis \(axis)"
    case .interleaved(let parts):
      if let gates = Arrangement.gateRun(parts) { return gates + ", row by row in turn" }
      return "(" + parts.map(\.words).joined(separator: ", ") + "), row by row in turn"
    case .transposed(let inner, let axes): return "\(inner.words) transposed to \(axes)"
    case .flipped(let inner, let axis): return "\(inner.words) reversed along axis \(axis)"
    case .negated(let inner): return "-\(inner.words)"
    case .widened(let inner, let axis): return "\(inner.words) with an axis of 1 at \(axis)"
    case .merged(let inner, let axis): return "\(inner.words) with the axes \(axis) and \(axis + 1) as one"
    case .recast(let inner, let block): return "\(inner.words) in the shape of \(block.words)"
    case .addend(let inner): return "0, read as added to \(inner.words)"
    case .unread(let inner): return "0, not read, of the shape of \(inner.words)"
    case .summed(let first, let second): return "\(first.words) + \(second.words)"
    case .half(let inner): return "half of \(inner.words)"
    case .otherHalf(let inner): return "the other half of \(inner.words)"
    }
  }

  /// Gates of one parameter under equal steps, said once: `kernel[i, f, c, o]`.
  private static func gateRun(_ parts: [Arrangement]) -> String? {
    guard let first = parts.first, parts.count > 1 else { return nil }
    var letters: [String] = []
    for part in parts {
      guard part.blocks.count == 1, let block = part.blocks.first, let gate = block.gate,
        part.replacingBlock(first.blocks[0]) == first
      else { return nil }
      letters.append(String(gate.letter))
    }
    guard let block = first.blocks.first else { return nil }
    let name = block.parameter + (block.row.map { "[\($0)]" } ?? "") + "[" + letters.joined(separator: ", ") + "]"
    return first.words.replacing(block.words, with: name)
  }

  /// The same steps over another block; for arrangements of one block.
  private func replacingBlock(_ block: Block) -> Arrangement {
    switch self {
    case .block(let own): own.parameter == block.parameter && own.row == block.row ? .block(block) : self
    case .transposed(let inner, let axes): .transposed(inner.replacingBlock(block), axes)
    case .flipped(let inner, let axis): .flipped(inner.replacingBlock(block), axis: axis)
    case .negated(let inner): .negated(inner.replacingBlock(block))
    case .widened(let inner, let axis): .widened(inner.replacingBlock(block), axis: axis)
    case .merged(let inner, let axis): .merged(inner.replacingBlock(block), axis: axis)
    case .addend(let inner): .addend(inner.replacingBlock(block))
    case .unread(let inner): .unread(inner.replacingBlock(block))
    case .half(let inner): .half(inner.replacingBlock(block))
    case .otherHalf(let inner): .otherHalf(inner.replacingBlock(block))
    case .joined, .interleaved, .recast, .summed: self
    }
  }
}

extension Arrangement.Block {
  var words: String { parameter + (row.map { "[\($0)]" } ?? "") + (gate.map { "[\($0.letter)]" } ?? "") }
}
