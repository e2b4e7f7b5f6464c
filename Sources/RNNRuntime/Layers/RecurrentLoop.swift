import RNNCore

/// What the recurrent layers share: the order of the steps, masks, dropout, and where outputs and states go.
///
/// A masked step leaves every state as it is; its output is the previous one (zero before the first), or zero with
/// `zeroOutputForMask`. Without `returnSequences` the last output is the result.
///
/// In training, dropout multiplies the inputs and recurrent dropout the state that enters the recurrent product, each by
/// one mask for all steps of an example.
struct RecurrentLoop {
  let options: RecurrentOptions
  let units: Int
  let gates: Int
  let stateCount: Int
  /// Floats a step and example that the cell keeps for its backward pass, beside the states before the step.
  let cellTape: Int
  /// Whether the two sums of a gate, x K + b and h R + b', have gradients of their own.
  var hasStateSums = false

  // MARK: - Memory

  /// - Parameters: what a cell needs for one example and step, beside the loop itself.
  func plan(input: [Int], isMasked: Bool, stepScratch: Int, backwardStepScratch: Int) -> LayerPlan {
    let (batch, timesteps, channels) = (input[0], input[1], input[2])
    func lines(_ count: Int) -> Int { FloatMemory.lines(count) }
    let output = options.returnSequences ? [batch, timesteps, units] : [batch, units]
    let states = options.returnState ? Array(repeating: [batch, units], count: stateCount) : []
    let width = gates * units
    let steps = batch * timesteps
    return LayerPlan(
      outputShapes: [output] + states, passesMask: isMasked && options.returnSequences,
      scratch: lines(steps * width) + (stateCount + 2) * lines(batch * units) + batch * stepScratch,
      tape: lines(steps * width) + stateCount * lines(steps * units) + lines(steps * cellTape)
        + lines(steps * channels) + lines(batch * channels) + lines(batch * units),
      backwardScratch: (hasStateSums ? 2 : 1) * lines(steps * width) + lines(channels * width) + lines(units * width)
        + lines(steps * channels) + (stateCount + 2) * lines(batch * units) + batch * backwardStepScratch)
  }

  /// The working memory of a forward run.
  struct Memory {
    /// (batch, timesteps, gates x units)
    var projected: Floats
    /// Each (batch, units).
    var states: [Floats]
    /// (batch, units): the first state as the recurrent product sees it, behind recurrent dropout.
    var dropped: Floats
    /// (batch, units)
    var lastOutput: Floats
    /// What a step itself needs.
    var step: Floats
  }

  /// What a forward run leaves for the backward run, all by time and not by reading order.
  struct Tape {
    /// (batch, timesteps, gates x units): as the cell leaves it in `projected`.
    var gates: Floats
    /// The states before each step, each (batch, timesteps, units); the first behind recurrent dropout.
    var before: [Floats]
    /// (batch, timesteps, cellTape)
    var cell: Floats
    /// (batch, timesteps, channels): the inputs behind dropout.
    var inputs: Floats
    /// (batch, channels) and (batch, units): 1 / (1 - rate) or 0.
    var inputDropout: Floats
    var recurrentDropout: Floats
  }

  func layOut(tape: Floats, batch: Int, timesteps: Int, channels: Int) -> Tape {
    var memory = FloatCutter(tape)
    let steps = batch * timesteps
    return Tape(
      gates: memory.take(steps * gates * units), before: (0..<stateCount).map { _ in memory.take(steps * units) },
      cell: memory.take(steps * cellTape), inputs: memory.take(steps * channels),
      inputDropout: memory.take(batch * channels), recurrentDropout: memory.take(batch * units))
  }

  private func layOut(scratch: Floats, batch: Int, timesteps: Int) -> Memory {
    var memory = FloatCutter(scratch)
    let projected = memory.take(batch * timesteps * gates * units)
    let states = (0..<stateCount).map { _ in memory.take(batch * units) }
    let dropped = memory.take(batch * units)
    let lastOutput = memory.take(batch * units)
    return Memory(projected: projected, states: states, dropped: dropped, lastOutput: lastOutput, step: memory.next)
  }

  // MARK: - Forward

  /// One step of some neighbouring examples.
  struct Step {
    var rows: Range<Int>
    /// The first example's projected input; the next one's is `stride` floats further.
    var projected: Floats
    var stride: Int
    /// The first example's part of the cell's tape, and the floats to the next; `nil` outside training.
    var tape: Floats?
    var tapeStride: Int
  }

  /// Runs all steps.
  /// - Parameter bias: one row of the projection's width, or `nil`.
  /// - Parameter step: advances the states of the step's rows.
  func run(_ run: inout ForwardRun, bias: UnsafePointer<Float>?, step: (Memory, Step) -> Void) {
    let x = run.inputs[0]
    let (batch, timesteps) = (x.batch, x.shape[1])
    let width = gates * units
    let memory = layOut(scratch: run.scratch, batch: batch, timesteps: timesteps)
    let tape = run.tape.map { layOut(tape: $0, batch: batch, timesteps: timesteps, channels: x.width) }
    let source = prepareInputs(x, tape, run.noise)
    startRows(memory.projected, rows: x.rows, width: width, with: bias)
    multiplyAdd(
      rows: x.rows, columns: width, inner: x.width, source, step: x.width, run.parameters[0], step: width,
      into: memory.projected, step: width)
    start(memory, run)
    memory.lastOutput.update(repeating: 0, count: batch * units)
    for position in 0..<timesteps {
      let time = options.goBackwards ? timesteps - 1 - position : position
      remember(memory, tape, time, batch: batch, timesteps: timesteps)
      advance(memory, tape, x, time, batch: batch, step)
      if options.returnSequences {
        for row in 0..<batch {
          (run.outputs[0].floats + (row * timesteps + position) * units)
            .update(from: memory.lastOutput + row * units, count: units)
        }
      }
    }
    if !options.returnSequences { run.outputs[0].floats.update(from: memory.lastOutput, count: batch * units) }
    tape?.gates.update(from: memory.projected, count: batch * timesteps * width)
    finish(memory, &run, batch: batch)
  }

  /// The inputs behind dropout, which the tape keeps; outside training, the inputs themselves.
  private func prepareInputs(_ x: Value, _ tape: Tape?, _ noise: LayerNoise?) -> UnsafePointer<Float> {
    guard let tape else { return UnsafePointer(x.floats) }
    fill(tape.inputDropout, rows: x.batch, width: x.width, rate: options.dropout, noise, stream: 2)
    fill(tape.recurrentDropout, rows: x.batch, width: units, rate: options.recurrentDropout, noise, stream: 3)
    let timesteps = x.shape[1]
    for example in 0..<x.batch {
      let keep = tape.inputDropout + example * x.width
      for step in 0..<timesteps {
        let row = (example * timesteps + step) * x.width
        for channel in 0..<x.width { tape.inputs[row + channel] = x.floats[row + channel] * keep[channel] }
      }
    }
    return UnsafePointer(tape.inputs)
  }

  private func fill(_ mask: Floats, rows: Int, width: Int, rate: Double, _ noise: LayerNoise?, stream: UInt32) {
    guard rate > 0, let noise else { return mask.update(repeating: 1, count: rows * width) }
    let rate = Float(rate)
    for index in 0..<rows * width {
      let element = index + noise.firstExample * width
      mask[index] = noise.uniform(element, stream: stream) >= rate ? 1 / (1 - rate) : 0
    }
  }

  private func start(_ memory: Memory, _ run: ForwardRun) {
    let count = run.inputs[0].batch * units
    for (index, state) in memory.states.enumerated() {
      if run.inputs.count > index + 1 {
        state.update(from: run.inputs[index + 1].floats, count: count)
      } else if let states = run.states, states.count > index, states[index].count == count {
        states[index].withUnsafeBufferPointer {
          if let base = $0.baseAddress { state.update(from: base, count: count) }
        }
      } else {
        state.update(repeating: 0, count: count)
      }
    }
  }

  /// Puts the states before a step on the tape, and the first one behind recurrent dropout beside the memory's states.
  private func remember(_ memory: Memory, _ tape: Tape?, _ time: Int, batch: Int, timesteps: Int) {
    guard let tape else {
      memory.dropped.update(from: memory.states[0], count: batch * units)
      return
    }
    for row in 0..<batch {
      for unit in 0..<units {
        memory.dropped[row * units + unit] =
          memory.states[0][row * units + unit] * tape.recurrentDropout[row * units + unit]
      }
      let position = (row * timesteps + time) * units
      (tape.before[0] + position).update(from: memory.dropped + row * units, count: units)
      for state in 1..<max(stateCount, 1) {
        (tape.before[state] + position).update(from: memory.states[state] + row * units, count: units)
      }
    }
  }

  /// One step of all rows that are not masked, in runs of neighbours.
  private func advance(
    _ memory: Memory, _ tape: Tape?, _ x: Value, _ time: Int, batch: Int, _ step: (Memory, Step) -> Void
  ) {
    let timesteps = x.shape[1]
    let width = gates * units
    let mask = options.ignoresMask ? nil : x.mask
    func isValid(_ row: Int) -> Bool { mask.map { $0[row * timesteps + time] != 0 } ?? true }
    var row = 0
    while row < batch {
      guard isValid(row) else {
        if options.zeroOutputForMask { (memory.lastOutput + row * units).update(repeating: 0, count: units) }
        // Products over all steps pass by this one with factors of zero, which only numbers survive.
        (tape.map { $0.cell + (row * timesteps + time) * cellTape })?.update(repeating: 0, count: cellTape)
        row += 1
        continue
      }
      var end = row + 1
      while end < batch, isValid(end) { end += 1 }
      let position = row * timesteps + time
      step(
        memory,
        Step(
          rows: row..<end, projected: memory.projected + position * width, stride: timesteps * width,
          tape: tape.map { $0.cell + position * cellTape }, tapeStride: timesteps * cellTape))
      (memory.lastOutput + row * units).update(from: memory.states[0] + row * units, count: (end - row) * units)
      row = end
    }
  }

  private func finish(_ memory: Memory, _ run: inout ForwardRun, batch: Int) {
    if options.returnState {
      for (output, state) in zip(run.outputs.dropFirst(), memory.states) {
        output.floats.update(from: state, count: batch * units)
      }
    }
    if run.states != nil {
      run.states = memory.states.map { Array(UnsafeBufferPointer(start: $0, count: batch * units)) }
    }
  }
}
