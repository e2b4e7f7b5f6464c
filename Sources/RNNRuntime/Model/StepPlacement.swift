import RNNCore

/// Where a recurrent layer puts the output of each step, where that is not one behind the other.
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
  var elsewhere: Set<Int> {
    Set(
      parts.flatMap { call, parts in
        parts.flatMap { [$0.writer, $0.reversal] }.compactMap(\.self).filter { $0 != call }
      })
  }

  init(_ graph: RuntimeGraph) {
    let spec = graph.spec
    var readers = [Int](repeating: 0, count: spec.calls.count)
    for reference in spec.calls.flatMap(\.inputs) + spec.outputs where reference.output == 0 {
      readers[reference.call] += 1
    }
    /// What a reference stands for, if nobody else reads it.
    func part(_ reference: ModelSpec.Reference) -> Part? {
      guard reference.output == 0, readers[reference.call] == 1 else { return nil }
      let call = spec.calls[reference.call]
      if graph.layers[call.layer].placesSteps { return Part(writer: reference.call) }
      guard case .reverseSteps = spec.layers[call.layer].spec, let inner = part(call.inputs[0]), inner.reversal == nil
      else { return nil }
      return Part(writer: inner.writer, reversal: reference.call)
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
    for (index, call) in spec.calls.enumerated() where !reversals.contains(index) {
      guard case .reverseSteps = spec.layers[call.layer].spec, let part = part(call.inputs[0]), part.reversal == nil
      else { continue }
      parts[index] = [Part(writer: part.writer, reversal: index)]
    }
  }
}
