import RNNCore

/// One pointer for each state of a recurrent layer, of which there are one or two: h, and mostly c.
struct StatePointers {
  private let first: Floats
  private let second: Floats?

  /// - Parameter pointer: called for state 0, then, where there is one, for state 1.
  init(count: Int, _ pointer: (Int) -> Floats) {
    first = pointer(0)
    second = count > 1 ? pointer(1) : nil
  }

  subscript(_ state: Int) -> Floats { state == 0 ? first : second ?? first }
}

/// The states of recurrent layers between two runs, by call: h, and c for LSTM, each (batch x units).
typealias LayerStates = [[Float]]

/// The states that one call starts from and leaves behind, in memory of their own, so that going on allocates nothing.
final class CarriedStates {
  private var memory: [FloatMemory]

  /// - Parameter values: empty for a start from rest.
  init(_ values: LayerStates = []) {
    memory = []
    self.values = values
  }

  /// Whether there is something to start from.
  var isEmpty: Bool { memory.isEmpty }

  var values: LayerStates {
    get { memory.map { Array(UnsafeBufferPointer(start: $0.base, count: $0.count)) } }
    set {
      memory = newValue.map { values in
        let memory = FloatMemory(values.count)
        for (index, value) in values.enumerated() { memory.base[index] = value }
        return memory
      }
    }
  }

  /// Copies a state of `count` numbers to where a run begins with it.
  /// - Returns: whether there is one.
  func start(_ state: Int, _ target: Floats, count: Int) -> Bool {
    guard state < memory.count, memory[state].count == count else { return false }
    target.update(from: memory[state].base, count: count)
    return true
  }

  /// Keeps what a run left; states are kept in ascending order.
  func keep(_ state: Int, _ source: UnsafePointer<Float>, count: Int) {
    if state < memory.count, memory[state].count == count {
      memory[state].base.update(from: source, count: count)
    } else {
      let fresh = FloatMemory(count)
      fresh.base.update(from: source, count: count)
      if state < memory.count { memory[state] = fresh } else { memory.append(fresh) }
    }
  }
}
