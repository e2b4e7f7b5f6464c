import RNNCore

/// What the recurrent layers share: the order of the steps, masks, dropout, and where outputs and states go.
///
/// A masked step leaves every state as it is; its output is the previous one (zero before the first, or with `emitsState`
/// the initial state), or zero with `zeroOutputForMask`. Without `returnSequences` the last output is the result.
///
/// In training, dropout multiplies the inputs and recurrent dropout the state that enters the recurrent product, each by
/// one mask for all steps of an example.
struct RecurrentLoop {
  let options: RecurrentOptions
  let units: Int
  let gates: Int
  /// The width of each state; the first is the output.
  let stateWidths: [Int]
  /// Floats a step and example that the cell keeps for its backward pass, beside the states before the step.
  let cellTape: Int
  /// Whether the two sums of a gate, x K + b and h R + b', have gradients of their own.
  var hasStateSums = false
  /// Whether a step backwards may put the gradients of its sums in the place of its gates.
  var sumsReplaceGates = false

  /// Whether the input's gradient is written, and not only added to: a product alone makes it.
  var writesInputGradient: Bool { options.dropout == 0 }

  /// Of the output, which is also what the recurrent product reads.
  var outputWidth: Int { stateWidths[0] }

  // MARK: - Memory

  /// - Parameters: what a cell needs for one example and step, beside the loop itself.
  func plan(input: [Int], isMasked: Bool, stepScratch: Int, backwardStepScratch: Int) -> LayerPlan {
    let (batch, timesteps, channels) = (input[0], input[1], input[2])
    func lines(_ count: Int) -> Int { FloatMemory.lines(count) }
    let output = options.returnSequences ? [batch, timesteps, outputWidth] : [batch, outputWidth]
    let states = options.returnState ? stateWidths.map { [batch, $0] } : []
    let width = gates * units
    let steps = batch * timesteps
    let stateLines = stateWidths.reduce(2 * lines(batch * outputWidth)) { $0 + lines(batch * $1) }
    return LayerPlan(
      outputShapes: [output] + states, maskSource: isMasked && options.returnSequences ? 0 : nil,
      scratch: lines(piece(batch, timesteps) * batch * width) + lines(width)
        + lines(piece(batch, timesteps) * batch * channels) + stateLines + batch * stepScratch,
      tape: lines(steps * width) + stateWidths.reduce(0) { $0 + lines(steps * $1) } + lines(steps * cellTape)
        + lines(steps * channels) + lines(batch * channels) + lines(batch * outputWidth),
      backwardScratch: (hasStateSums ? 2 : sumsReplaceGates ? 0 : 1) * lines(steps * width)
        + lines(options.dropout > 0 ? steps * channels : channels) + stateLines
        + batch * backwardStepScratch)
  }

  /// How many steps of x K + b are made at once. The products of many examples are large enough step by step, and their
  /// sums are still in the first caches when the step comes; those of few examples are joined over some steps.
  private func piece(_ batch: Int, _ timesteps: Int) -> Int {
    batch >= 16 ? min(timesteps, 1) : min(timesteps, max(16, (1 << 17) / max(batch * gates * units, 1)))
  }

  /// The working memory of a forward run.
  struct Memory {
    /// (steps of a piece, batch, gates x units): x K + b, which become gates.
    var sums: Floats
    /// (gates x units): zero, in the place of a bias that is not there.
    var noBias: Floats
    /// (steps of a piece, batch, channels): the inputs in the order of the sums.
    var gathered: Floats
    /// Each (batch, its width).
    var states: StatePointers
    /// (batch, units): the first state as the recurrent product sees it, behind recurrent dropout.
    var dropped: Floats
    /// (batch, units)
    var lastOutput: Floats
    /// What a step itself needs.
    var step: Floats
  }

  /// What a forward run leaves for the backward run, all by time and not by reading order.
  struct Tape {
    /// (batch, timesteps, gates x units): as the cell leaves them; the backward run may put gradients in their place.
    var gates: Floats
    /// The states before each step, each (batch, timesteps, units); the first behind recurrent dropout.
    var before: StatePointers
    /// (batch, timesteps, cellTape)
    var cell: Floats
    /// (batch, timesteps, channels): the inputs behind dropout, where there is any.
    var inputs: Floats
    /// (batch, channels) and (batch, units): 1 / (1 - rate) or 0, where there is dropout.
    var inputDropout: Floats
    var recurrentDropout: Floats
  }

  func layOut(tape: Floats, batch: Int, timesteps: Int, channels: Int) -> Tape {
    var memory = FloatCutter(tape)
    let steps = batch * timesteps
    return Tape(
      gates: memory.take(steps * gates * units),
      before: StatePointers(count: stateWidths.count) { memory.take(steps * stateWidths[$0]) },
      cell: memory.take(steps * cellTape), inputs: memory.take(steps * channels),
      inputDropout: memory.take(batch * channels), recurrentDropout: memory.take(batch * outputWidth))
  }

  private func layOut(scratch: Floats, batch: Int, timesteps: Int, channels: Int, dropsState: Bool) -> Memory {
    var memory = FloatCutter(scratch)
    let sums = memory.take(piece(batch, timesteps) * batch * gates * units)
    let noBias = memory.take(gates * units)
    let gathered = memory.take(piece(batch, timesteps) * batch * channels)
    let states = StatePointers(count: stateWidths.count) { memory.take(batch * stateWidths[$0]) }
    let dropped = memory.take(batch * outputWidth)
    let lastOutput = memory.take(batch * outputWidth)
    return Memory(
      sums: sums, noBias: noBias, gathered: gathered, states: states, dropped: dropsState ? dropped : states[0],
      lastOutput: lastOutput, step: memory.next)
  }

  // MARK: - Forward

  /// One step of some neighbouring examples.
  struct Step {
    var rows: Range<Int>
    /// The first example's x K + b, without gaps between the examples: to become the gates.
    var sums: Floats
    /// The first example's gates on the tape, and the floats to the next, to be filled; `nil` outside training.
    var gates: Floats?
    var gatesStride: Int
    /// The first example's part of the cell's tape, and the floats to the next; `nil` outside training.
    var tape: Floats?
    var tapeStride: Int
    /// See `multiplyPacked`.
    var fromTheEnd: Bool
  }

  /// Runs all steps.
  /// - Parameter bias: one row of the projection's width, or `nil`.
  /// - Parameter step: advances the states of the step's rows.
  func run(_ run: inout ForwardRun, bias: UnsafePointer<Float>?, step: (Memory, Step) -> Void) {
    let x = run.inputs[0]
    let (batch, timesteps) = (x.batch, x.shape[1])
    let width = gates * units
    let memory = layOut(
      scratch: run.scratch, batch: batch, timesteps: timesteps, channels: x.width,
      dropsState: run.tape != nil && options.recurrentDropout > 0)
    let tape = run.tape.map { layOut(tape: $0, batch: batch, timesteps: timesteps, channels: x.width) }
    let source = prepareInputs(x, tape, run.noise)
    if bias == nil { memory.noBias.update(repeating: 0, count: width) }
    let bias = bias ?? UnsafePointer(memory.noBias)
    start(memory, run)
    let outputs = run.outputs[0].floats
    let places = run.steps ?? StepPlaces(stride: outputWidth)
    // Without a mask every step's output is the new state.
    let isMasked = x.mask != nil && !options.ignoresMask
    let keepsOutput = isMasked || timesteps == 0
    let output = keepsOutput ? memory.lastOutput : memory.states[0]
    if keepsOutput, options.emitsState || run.continues && isCarried(run) {
      memory.lastOutput.update(from: memory.states[0], count: batch * outputWidth)
    } else if keepsOutput {
      memory.lastOutput.update(repeating: 0, count: batch * outputWidth)
    }
    let piece = piece(batch, timesteps)
    var times = 0..<0
    for position in 0..<timesteps {
      let time = options.goBackwards ? timesteps - 1 - position : position
      if !times.contains(time) {
        times = options.goBackwards ? max(time + 1 - piece, 0)..<time + 1 : time..<min(time + piece, timesteps)
        project(source, x, times, bias, run, memory)
      }
      remember(memory, tape, time, batch: batch, timesteps: timesteps)
      advance(
        memory, tape, x, time, sums: memory.sums + (time - times.lowerBound) * batch * width, batch: batch,
        fromTheEnd: run.fromTheEnd, step)
      run.fromTheEnd.toggle()
      if options.returnSequences {
        let place = places.isReversed ? timesteps - 1 - position : position
        for row in 0..<batch {
          let target = outputs + (row * timesteps + place) * places.stride
          if isMasked, isZeroed(x, row * timesteps + position) {
            target.update(repeating: 0, count: outputWidth)
            continue
          }
          target.update(from: output + row * outputWidth, count: outputWidth)
        }
      }
    }
    if !options.returnSequences { outputs.update(from: output, count: batch * outputWidth) }
    finish(memory, &run, batch: batch)
  }

  /// x K + b of some steps.
  private func project(
    _ source: UnsafePointer<Float>, _ x: Value, _ times: Range<Int>, _ bias: UnsafePointer<Float>, _ run: ForwardRun,
    _ memory: Memory
  ) {
    let (batch, timesteps, channels, width) = (x.batch, x.shape[1], x.width, gates * units)
    if let table = run.table {
      for time in times {
        for example in 0..<batch {
          (memory.sums + ((time - times.lowerBound) * batch + example) * width)
            .update(from: table.row(example * timesteps + time), count: width)
        }
      }
    } else if times.count == 1 || batch == 1 {
      multiplyPacked(
        rows: batch * times.count, columns: width, inner: channels, source + times.lowerBound * channels,
        step: batch == 1 ? channels : timesteps * channels, run.packed[0], from: bias, step: 0, into: memory.sums,
        step: width)
    } else {
      // One product reads the kernel once.
      for time in times {
        for example in 0..<batch {
          (memory.gathered + ((time - times.lowerBound) * batch + example) * channels)
            .update(from: source + (example * timesteps + time) * channels, count: channels)
        }
      }
      multiplyPacked(
        rows: batch * times.count, columns: width, inner: channels, memory.gathered, step: channels, run.packed[0],
        from: bias, step: 0, into: memory.sums, step: width)
    }
  }

  /// What a recurrent layer wants packed: its kernel first.
  func packedMatrices(_ recurrent: [PackedMatrix]) -> [PackedMatrix] {
    [PackedMatrix(parameter: 0, columns: 0..<gates * units, step: gates * units)] + recurrent
  }

  /// The kernel and the recurrent kernel, transposed.
  /// - Parameter columns: of the recurrent kernel, those that the states before a step go through.
  func backwardMatrices(columns: Int) -> [PackedMatrix] {
    [
      PackedMatrix(parameter: 0, columns: 0..<gates * units, step: gates * units, isTransposed: true),
      PackedMatrix(parameter: 1, rows: outputWidth, columns: 0..<columns, step: gates * units, isTransposed: true),
    ]
  }

  /// Whether an output is 0 whatever the state, see `RecurrentOptions.zeroesByPosition`.
  func isZeroed(_ x: Value, _ position: Int) -> Bool {
    guard options.zeroesByPosition, !options.ignoresMask, let mask = x.mask else { return false }
    return mask[position] == 0
  }

  /// The inputs behind dropout, which the tape keeps; outside training, the inputs themselves.
  private func prepareInputs(_ x: Value, _ tape: Tape?, _ noise: LayerNoise?) -> UnsafePointer<Float> {
    guard let tape else { return UnsafePointer(x.floats) }
    if options.recurrentDropout > 0 {
      fill(tape.recurrentDropout, rows: x.batch, width: outputWidth, rate: options.recurrentDropout, noise, stream: 3)
    }
    guard options.dropout > 0 else { return UnsafePointer(x.floats) }
    fill(tape.inputDropout, rows: x.batch, width: x.width, rate: options.dropout, noise, stream: 2)
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

  private func isCarried(_ run: ForwardRun) -> Bool { run.states.map { !$0.isEmpty } ?? false }

  private func start(_ memory: Memory, _ run: ForwardRun) {
    for index in stateWidths.indices {
      let (state, count) = (memory.states[index], run.inputs[0].batch * stateWidths[index])
      if run.inputs.count > index + 1 {
        state.update(from: run.inputs[index + 1].floats, count: count)
      } else if !(run.states?.start(index, state, count: count) ?? false) {
        state.update(repeating: 0, count: count)
      }
    }
  }

  /// Puts the states before a step on the tape, and the first one behind recurrent dropout beside the memory's states.
  private func remember(_ memory: Memory, _ tape: Tape?, _ time: Int, batch: Int, timesteps: Int) {
    guard let tape else { return }
    for row in 0..<batch {
      if options.recurrentDropout > 0 {
        let start = row * outputWidth
        Kernels.table.multiply(
          memory.dropped + start, memory.states[0] + start, tape.recurrentDropout + start, outputWidth)
      }
      let position = row * timesteps + time
      (tape.before[0] + position * outputWidth).update(from: memory.dropped + row * outputWidth, count: outputWidth)
      for state in 1..<max(stateWidths.count, 1) {
        let width = stateWidths[state]
        (tape.before[state] + position * width).update(from: memory.states[state] + row * width, count: width)
      }
    }
  }

  /// One step of all rows that are not masked, in runs of neighbours.
  private func advance(
    _ memory: Memory, _ tape: Tape?, _ x: Value, _ time: Int, sums: Floats, batch: Int,
    fromTheEnd: Bool, _ step: (Memory, Step) -> Void
  ) {
    let timesteps = x.shape[1]
    let width = gates * units
    func part(_ rows: Range<Int>) -> Step {
      let position = rows.lowerBound * timesteps + time
      return Step(
        rows: rows, sums: sums + rows.lowerBound * width, gates: tape.map { $0.gates + position * width },
        gatesStride: timesteps * width, tape: tape.map { $0.cell + position * cellTape },
        tapeStride: timesteps * cellTape, fromTheEnd: fromTheEnd)
    }
    guard let mask = x.mask, !options.ignoresMask else { return step(memory, part(0..<batch)) }
    func isValid(_ row: Int) -> Bool { mask[row * timesteps + time] != 0 }
    var row = 0
    while row < batch {
      guard isValid(row) else {
        if options.zeroOutputForMask, !options.zeroesByPosition {
          (memory.lastOutput + row * outputWidth).update(repeating: 0, count: outputWidth)
        }
        // Products over all steps pass by this one with factors of zero, which only numbers survive.
        (tape.map { $0.cell + (row * timesteps + time) * cellTape })?.update(repeating: 0, count: cellTape)
        row += 1
        continue
      }
      var end = row + 1
      while end < batch, isValid(end) { end += 1 }
      step(memory, part(row..<end))
      (memory.lastOutput + row * outputWidth)
        .update(from: memory.states[0] + row * outputWidth, count: (end - row) * outputWidth)
      row = end
    }
  }

  private func finish(_ memory: Memory, _ run: inout ForwardRun, batch: Int) {
    for index in stateWidths.indices {
      let (state, count) = (memory.states[index], batch * stateWidths[index])
      if options.returnState { run.outputs[index + 1].floats.update(from: state, count: count) }
      run.states?.keep(index, state, count: count)
    }
  }
}
