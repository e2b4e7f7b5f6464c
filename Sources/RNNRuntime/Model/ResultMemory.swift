import RNNCore

/// Memory for the outputs of a session, which the next call takes again where the caller has let go of the last result: new memory would have to be cleared by the system for each call.
struct ResultMemory {
  /// By output, what was given last.
  private var kept: [FloatMemory?]
  /// Floats of the largest that is kept.
  private static let largest = 1 << 23

  init(outputs: Int) {
    kept = .init(repeating: nil, count: outputs)
  }

  mutating func take(_ output: Int, count: Int) -> FloatMemory {
    if isKnownUniquelyReferenced(&kept[output]), let memory = kept[output], memory.count == count {
      FreshMemory.spoil(memory.base, count)
      return memory
    }
    // Before there is another one.
    kept[output] = nil
    let memory = FloatMemory(count)
    kept[output] = count <= ResultMemory.largest ? memory : nil
    return memory
  }
}
