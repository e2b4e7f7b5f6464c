import RNNCore

/// Where a recurrent layer puts the output of each step, where that is not one behind the other in the order of reading.
struct StepPlaces {
  /// Floats from one step to the next.
  var stride: Int
  /// Whether the first step that is read goes last.
  var isReversed = false
}

/// Which recurrent layers write their steps right where a reversal or a concatenation along the last axis would copy
/// them, so that a bidirectional layer's output lies in memory once and not three times. Outside training.
struct StepPlacement {
  /// A part of what a call would put together.
  struct Part {
    /// The call whose steps it is.
    var writer: Int
    /// The call that would reverse it.
    var reversal: Int?
  }

  /// By call, the parts that lie in its output already, so that only its mask is left to it.
  private(set) var parts: [Int: [Part]] = [:]
  /// The calls whose first output is a part of a later one.
  private(set) var elsewhere: Set<Int> = []

  /// - Parameter layers: those of `spec`.
  init(_ spec: ModelSpec, _ layers: [any RuntimeLayer]) {
    var readers = [Int](repeating: 0, count: spec.calls.count)
    for reference in spec.calls.flatMap(\.inputs) + spec.outputs where reference.output == 0 {
      readers[reference.call] += 1
    }
    /// Whether a reference is steps of a recurrent layer that nobody else reads.
    func isWriter(_ reference: ModelSpec.Reference) -> Bool {
      reference.output == 0 && readers[reference.call] == 1
        && layers[spec.calls[reference.call].layer].placesSteps
    }
    func isReversal(_ call: Int) -> Bool {
      if case .reverseSteps = spec.layers[spec.calls[call].layer].spec { return true }
      return false
    }
    /// What a reference stands for, if nobody else reads it.
    func part(_ reference: ModelSpec.Reference) -> Part? {
      if isWriter(reference) { return Part(writer: reference.call) }
      guard reference.output == 0, readers[reference.call] == 1, isReversal(reference.call) else { return nil }
      let source = spec.calls[reference.call].inputs[0]
      return isWriter(source) ? Part(writer: source.call, reversal: reference.call) : nil
    }
    var reversals: Set<Int> = []
    for (index, call) in spec.calls.enumerated() {
      guard case .concatenate(let concatenate) = spec.layers[call.layer].spec, [-1, 2].contains(concatenate.axis)
      else { continue }
      let parts = call.inputs.compactMap(part)
      guard parts.count == call.inputs.count else { continue }
      self.parts[index] = parts
      reversals.formUnion(parts.compactMap(\.reversal))
    }
    for index in spec.calls.indices where isReversal(index) && !reversals.contains(index) {
      let source = spec.calls[index].inputs[0]
      if isWriter(source) { parts[index] = [Part(writer: source.call, reversal: index)] }
    }
    for (call, parts) in parts {
      for part in parts {
        elsewhere.insert(part.writer)
        if let reversal = part.reversal, reversal != call { elsewhere.insert(reversal) }
      }
    }
  }
}
