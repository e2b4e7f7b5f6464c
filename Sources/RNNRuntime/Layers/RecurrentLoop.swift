import RNNCore

/// What the recurrent layers share: the order of the steps, masks, and where outputs and states go.
///
/// A masked step leaves every state as it is; its output is the previous one (zero before the first), or zero with
/// `zeroOutputForMask`. Without `returnSequences` the last output is the result.
struct RecurrentLoop {
  let options: RecurrentOptions
  let units: Int
  let stateCount: Int

  /// Floats of working memory: the projected input, the states, the last output, and what a step itself needs.
  func plan(input: [Int], isMasked: Bool, gates: Int, stepScratch: Int) -> LayerPlan {
    let (batch, timesteps) = (input[0], input[1])
    let output = options.returnSequences ? [batch, timesteps, units] : [batch, units]
    let states = options.returnState ? Array(repeating: [batch, units], count: stateCount) : []
    return LayerPlan(
      outputShapes: [output] + states, passesMask: isMasked && options.returnSequences,
      scratch: batch * timesteps * gates * units + (stateCount + 1) * batch * units + batch * stepScratch)
  }

  /// The memory of one run.
  struct Memory {
    /// (batch, timesteps, gates x units)
    var projected: Floats
    /// Each (batch, units).
    var states: [Floats]
    /// (batch, units)
    var lastOutput: Floats
    /// What a step itself needs.
    var step: Floats
  }

  /// Runs all steps.
  /// - Parameters:
  ///   - kernel: (channels, gates x units), the whole input's product taken at once; `bias` one row of it or empty.
  ///   - step: advances the states of the given rows by one step; its `Floats` is row 0's projected input, the `Int`
  ///     the floats from one row's to the next's.
  func run(
    _ inputs: [Value], _ outputs: [Value], scratch: Floats, states: inout LayerStates?, gates: Int,
    kernel: [Float], bias: [Float], step: (Memory, Range<Int>, Floats, Int) -> Void
  ) {
    let x = inputs[0]
    let (batch, timesteps) = (x.batch, x.shape[1])
    let width = gates * units
    let memory = layOut(scratch, batch: batch, timesteps: timesteps, width: width)
    project(x, kernel, bias, width: width, into: memory.projected)
    start(memory, inputs, states, batch: batch)
    memory.lastOutput.update(repeating: 0, count: batch * units)
    for position in 0..<timesteps {
      let time = options.goBackwards ? timesteps - 1 - position : position
      let projected = memory.projected + time * width
      advance(memory, x, time, batch: batch, projected, step: timesteps * width, step)
      if options.returnSequences {
        for row in 0..<batch {
          (outputs[0].floats + (row * timesteps + position) * units)
            .update(from: memory.lastOutput + row * units, count: units)
        }
      }
    }
    if !options.returnSequences { outputs[0].floats.update(from: memory.lastOutput, count: batch * units) }
    finish(memory, outputs, &states, batch: batch)
  }

  private func layOut(_ scratch: Floats, batch: Int, timesteps: Int, width: Int) -> Memory {
    var next = scratch
    func take(_ count: Int) -> Floats {
      defer { next += count }
      return next
    }
    let projected = take(batch * timesteps * width)
    let states = (0..<stateCount).map { _ in take(batch * units) }
    let lastOutput = take(batch * units)
    return Memory(projected: projected, states: states, lastOutput: lastOutput, step: next)
  }

  private func project(_ x: Value, _ kernel: [Float], _ bias: [Float], width: Int, into projected: Floats) {
    startRows(projected, rows: x.rows, width: width, with: bias)
    kernel.withUnsafeBufferPointer { kernel in
      guard let kernel = kernel.baseAddress else { return }
      multiplyAdd(
        rows: x.rows, columns: width, inner: x.width, x.floats, step: x.width, kernel, step: width,
        into: projected, step: width)
    }
  }

  private func start(_ memory: Memory, _ inputs: [Value], _ states: LayerStates?, batch: Int) {
    for (index, state) in memory.states.enumerated() {
      if inputs.count > index + 1 {
        state.update(from: inputs[index + 1].floats, count: batch * units)
      } else if let states, states.count > index, states[index].count == batch * units {
        states[index].withUnsafeBufferPointer {
          if let base = $0.baseAddress { state.update(from: base, count: batch * units) }
        }
      } else {
        state.update(repeating: 0, count: batch * units)
      }
    }
  }

  /// One step of all rows that are not masked, in runs of neighbours.
  private func advance(
    _ memory: Memory, _ x: Value, _ time: Int, batch: Int, _ projected: Floats, step rowStep: Int,
    _ step: (Memory, Range<Int>, Floats, Int) -> Void
  ) {
    let timesteps = x.shape[1]
    func isValid(_ row: Int) -> Bool { x.mask.map { $0[row * timesteps + time] != 0 } ?? true }
    var row = 0
    while row < batch {
      guard isValid(row) else {
        if options.zeroOutputForMask { (memory.lastOutput + row * units).update(repeating: 0, count: units) }
        row += 1
        continue
      }
      var end = row + 1
      while end < batch, isValid(end) { end += 1 }
      step(memory, row..<end, projected + row * rowStep, rowStep)
      (memory.lastOutput + row * units).update(from: memory.states[0] + row * units, count: (end - row) * units)
      row = end
    }
  }

  private func finish(_ memory: Memory, _ outputs: [Value], _ states: inout LayerStates?, batch: Int) {
    if options.returnState {
      for (output, state) in zip(outputs.dropFirst(), memory.states) {
        output.floats.update(from: state, count: batch * units)
      }
    }
    if states != nil {
      states = memory.states.map { Array(UnsafeBufferPointer(start: $0, count: batch * units)) }
    }
  }
}
