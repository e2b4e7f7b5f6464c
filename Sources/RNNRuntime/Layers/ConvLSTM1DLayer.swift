import RNNCore

/// ConvLSTM (Shi et al. 2015) over rows, with * for a convolution along them:
///
///     i, f, o = recurrentActivation(x * K + h * R + b)     g = activation(x * K + h * R + b)
///     c = f c + i g                                        h = o activation(c)
///
/// K (taps, channels, 4 filters), R (taps, filters, 4 filters), b (4 filters); blocks i, f, g, o. The input's convolutions
/// of all steps run together, those of the state step by step. Masks, and what is returned, are those of an LSTM whose
/// states are (windows, filters); a mask may have a row for each window, which then keeps its state alone.
struct ConvLSTM1DLayer: UnaryLayer {
  let spec: ConvLSTM1DSpec

  /// The sizes of one run.
  private struct Sizes {
    let batch: Int
    let steps: Int
    let rows: Int
    let channels: Int
    let windows: Int
    let filters: Int

    init(_ input: [Int], _ spec: ConvLSTM1DSpec) throws {
      (batch, steps, rows, channels) = (input[0], input[1], input[2], input[3])
      filters = spec.filters
      windows = try WindowGeometry(
        timesteps: rows, size: spec.kernelSize, stride: spec.strides, dilation: spec.dilationRate, padding: spec.padding
      ).outputLength
    }

    /// Floats of one example's state.
    var state: Int { windows * filters }
    /// Floats of one example's sums of a step.
    var sums: Int { 4 * state }
    func line(_ count: Int) -> Int { FloatMemory.lines(count) }
  }

  private var inputConvolution: Conv1DLayer { Conv1DLayer(spec: spec.inputConvolution) }
  private var stateConvolution: Conv1DLayer { Conv1DLayer(spec: spec.stateConvolution) }

  func plan(_ inputs: [PlannedInput], isTraining: Bool) throws -> LayerPlan {
    if !spec.options.ignoresMask, let mask = inputs[0].mask, mask.count > 2 {
      let windows = try Sizes(inputs[0].shape, spec).windows
      guard mask[2] == windows else {
        throw RNNError.badData("a mask of \(mask[2]) rows, where a state of ConvLSTM1D has \(windows)")
      }
    }
    return try plan(input: inputs[0].shape, isMasked: inputs[0].mask != nil, isTraining: isTraining)
  }

  func plan(input: [Int], isMasked: Bool, isTraining: Bool) throws -> LayerPlan {
    let sizes = try Sizes(input, spec)
    let state = [sizes.batch, sizes.windows, sizes.filters]
    let output = spec.options.returnSequences ? [sizes.batch, sizes.steps] + state.dropFirst() : state
    let inner = try inputConvolution.plan(
      input: [sizes.batch * sizes.steps, sizes.rows, sizes.channels], isMasked: false, isTraining: isTraining)
    let recurrent = try stateConvolution.plan(
      input: [sizes.batch, sizes.windows, sizes.filters], isMasked: false, isTraining: isTraining)
    let all = sizes.batch * sizes.steps
    let inputs = all * sizes.rows * sizes.channels
    return LayerPlan(
      outputShapes: [output] + (spec.options.returnState ? [state, state] : []),
      maskSource: isMasked && spec.options.returnSequences ? 0 : nil,
      scratch: sizes.line(all * sizes.sums) + 4 * sizes.line(sizes.batch * sizes.state)
        + sizes.line(sizes.batch * sizes.sums) + max(inner.scratch, recurrent.scratch),
      // Gates, sums before them, h as the product saw it, c before, c after: for each step; inputs behind dropout, masks.
      tape: 2 * sizes.line(all * sizes.sums) + 3 * sizes.line(all * sizes.state) + sizes.line(inputs)
        + sizes.line(sizes.batch * sizes.rows * sizes.channels) + sizes.line(sizes.batch * sizes.state),
      backwardScratch: sizes.line(all * sizes.sums) + 4 * sizes.line(sizes.batch * sizes.state)
        + sizes.line(sizes.batch * sizes.sums) + sizes.line(inputs)
        + max(inner.backwardScratch, recurrent.backwardScratch))
  }

  private struct Tape {
    var gates: Floats
    var sums: Floats
    var before: Floats
    var cellBefore: Floats
    var cell: Floats
    var inputs: Floats
    var inputDropout: Floats
    var stateDropout: Floats

    init(_ memory: Floats, _ sizes: Sizes) {
      var cutter = FloatCutter(memory)
      let all = sizes.batch * sizes.steps
      gates = cutter.take(all * sizes.sums)
      sums = cutter.take(all * sizes.sums)
      before = cutter.take(all * sizes.state)
      cellBefore = cutter.take(all * sizes.state)
      cell = cutter.take(all * sizes.state)
      inputs = cutter.take(all * sizes.rows * sizes.channels)
      inputDropout = cutter.take(sizes.batch * sizes.rows * sizes.channels)
      stateDropout = cutter.take(sizes.batch * sizes.state)
    }
  }

  private func isValid(_ x: Value, _ example: Int, _ time: Int, window: Int, _ sizes: Sizes) -> Bool {
    guard !spec.options.ignoresMask, let mask = x.mask else { return true }
    let step = example * sizes.steps + time
    return mask[x.maskShape.count > 2 ? step * sizes.windows + window : step] != 0
  }

  /// Factors of dropout, one for each element of an example, the same at every step.
  private func fill(_ factors: Floats, _ count: Int, batch: Int, rate: Double, _ noise: LayerNoise?, stream: UInt32) {
    guard rate > 0, let noise else { return factors.update(repeating: 1, count: batch * count) }
    for index in 0..<batch * count {
      let kept = noise.uniform(noise.firstExample * count + index, stream: stream) >= Float(rate)
      factors[index] = kept ? 1 / (1 - Float(rate)) : 0
    }
  }

  func forward(_ run: inout ForwardRun) throws {
    let x = run.inputs[0]
    let sizes = try Sizes(x.shape, spec)
    let (batch, steps) = (sizes.batch, sizes.steps)
    let tape = run.tape.map { Tape($0, sizes) }
    var memory = FloatCutter(run.scratch)
    let projected = memory.take(batch * steps * sizes.sums)
    let (h, c) = (memory.take(batch * sizes.state), memory.take(batch * sizes.state))
    let (dropped, output) = (memory.take(batch * sizes.state), memory.take(batch * sizes.state))
    let product = memory.take(batch * sizes.sums)
    var source = x.floats
    if let tape {
      let frame = sizes.rows * sizes.channels
      fill(tape.inputDropout, frame, batch: batch, rate: spec.options.dropout, run.noise, stream: 2)
      fill(tape.stateDropout, sizes.state, batch: batch, rate: spec.options.recurrentDropout, run.noise, stream: 3)
      for example in 0..<batch {
        for step in 0..<steps {
          let start = (example * steps + step) * frame
          Kernels.table.multiply(tape.inputs + start, x.floats + start, tape.inputDropout + example * frame, frame)
        }
      }
      source = tape.inputs
    }
    var inner = ForwardRun(
      inputs: [Value(floats: source, shape: [batch * steps, sizes.rows, sizes.channels])],
      outputs: [Value(floats: projected, shape: [batch * steps, sizes.windows, 4 * sizes.filters])],
      parameters: spec.options.useBias ? [run.parameters[0], run.parameters[2]] : [run.parameters[0]],
      scratch: memory.next)
    try inputConvolution.forward(&inner)
    for (index, state) in [h, c].enumerated() {
      let count = batch * sizes.state
      if run.inputs.count > index + 1 {
        state.update(from: run.inputs[index + 1].floats, count: count)
      } else if !(run.states?.start(index, state, count: count) ?? false) {
        state.update(repeating: 0, count: count)
      }
    }
    if run.continues, let states = run.states, !states.isEmpty {
      output.update(from: h, count: batch * sizes.state)
    } else {
      output.update(repeating: 0, count: batch * sizes.state)
    }
    for position in 0..<steps {
      let time = spec.options.goBackwards ? steps - 1 - position : position
      for index in 0..<batch * sizes.state { dropped[index] = h[index] * (tape?.stateDropout[index] ?? 1) }
      var recurrent = ForwardRun(
        inputs: [Value(floats: dropped, shape: [batch, sizes.windows, sizes.filters])],
        outputs: [Value(floats: product, shape: [batch, sizes.windows, 4 * sizes.filters])],
        parameters: [run.parameters[1]], scratch: memory.next)
      try stateConvolution.forward(&recurrent)
      for example in 0..<batch {
        let place = (example * steps + time) * sizes.state
        let state = example * sizes.state
        if let tape {
          (tape.before + place).update(from: dropped + state, count: sizes.state)
          (tape.cellBefore + place).update(from: c + state, count: sizes.state)
        }
        let sums = projected + 4 * place
        Kernels.table.add(sums, product + example * sizes.sums, sizes.sums)
        if let tape { (tape.sums + 4 * place).update(from: sums, count: sizes.sums) }
        for window in 0..<sizes.windows {
          let first = state + window * sizes.filters
          if isValid(x, example, time, window: window, sizes) {
            advance(sums + 4 * window * sizes.filters, h + first, c + first)
            (output + first).update(from: h + first, count: sizes.filters)
          } else if spec.options.zeroOutputForMask {
            (output + first).update(repeating: 0, count: sizes.filters)
          }
        }
        if let tape {
          (tape.gates + 4 * place).update(from: sums, count: sizes.sums)
          (tape.cell + place).update(from: c + state, count: sizes.state)
        }
      }
      if spec.options.returnSequences {
        for example in 0..<batch {
          (run.outputs[0].floats + (example * steps + position) * sizes.state)
            .update(from: output + example * sizes.state, count: sizes.state)
        }
      }
    }
    if !spec.options.returnSequences { run.outputs[0].floats.update(from: output, count: batch * sizes.state) }
    if spec.options.returnState {
      run.outputs[1].floats.update(from: h, count: batch * sizes.state)
      run.outputs[2].floats.update(from: c, count: batch * sizes.state)
    }
    run.states?.keep(0, h, count: batch * sizes.state)
    run.states?.keep(1, c, count: batch * sizes.state)
  }

  /// One step of one window; the sums become the gates.
  private func advance(_ gates: Floats, _ h: Floats, _ c: Floats) {
    let filters = spec.filters
    ActivationKernel.apply(spec.recurrentActivation, gates, rows: 2, width: filters)
    ActivationKernel.apply(spec.activation, gates + 2 * filters, rows: 1, width: filters)
    ActivationKernel.apply(spec.recurrentActivation, gates + 3 * filters, rows: 1, width: filters)
    for filter in 0..<filters {
      c[filter] = gates[filters + filter] * c[filter] + gates[filter] * gates[2 * filters + filter]
      h[filter] = c[filter]
    }
    ActivationKernel.apply(spec.activation, h, rows: 1, width: filters)
    for filter in 0..<filters { h[filter] *= gates[3 * filters + filter] }
  }

  func backward(_ run: BackwardRun) {
    let x = run.inputs[0]
    guard let sizes = try? Sizes(x.shape, spec) else { return }
    let (batch, steps) = (sizes.batch, sizes.steps)
    let tape = Tape(run.tape, sizes)
    var memory = FloatCutter(run.scratch)
    let dSums = memory.take(batch * steps * sizes.sums)
    let (dh, dc) = (memory.take(batch * sizes.state), memory.take(batch * sizes.state))
    let (carried, through) = (memory.take(batch * sizes.state), memory.take(batch * sizes.state))
    let stepSums = memory.take(batch * sizes.sums)
    let dInputs = memory.take(x.count)
    dSums.update(repeating: 0, count: batch * steps * sizes.sums)
    let count = batch * sizes.state
    for (index, state) in [dh, dc].enumerated() {
      if spec.options.returnState {
        state.update(from: run.outputGradients[index + 1], count: count)
      } else {
        state.update(repeating: 0, count: count)
      }
    }
    if spec.options.returnSequences {
      carried.update(repeating: 0, count: count)
    } else {
      carried.update(from: run.outputGradients[0], count: count)
    }
    for position in (0..<steps).reversed() {
      let time = spec.options.goBackwards ? steps - 1 - position : position
      stepSums.update(repeating: 0, count: batch * sizes.sums)
      for example in 0..<batch {
        let state = example * sizes.state
        let place = (example * steps + time) * sizes.state
        if spec.options.returnSequences {
          Kernels.table.add(
            carried + state, run.outputGradients[0] + (example * steps + position) * sizes.state, sizes.state)
        }
        for window in 0..<sizes.windows {
          let first = window * sizes.filters
          if isValid(x, example, time, window: window, sizes) {
            Kernels.table.add(dh + state + first, carried + state + first, sizes.filters)
            stepBack(tape, place + first, dh + state + first, dc + state + first, dSums + 4 * (place + first))
          } else if !spec.options.zeroOutputForMask {
            // The output is that of an earlier step.
            continue
          }
          (carried + state + first).update(repeating: 0, count: sizes.filters)
        }
        (stepSums + example * sizes.sums).update(from: dSums + 4 * place, count: sizes.sums)
      }
      addThroughState(run, tape, time, stepSums, through, memory.next, sizes)
      for index in 0..<count { dh[index] += through[index] * tape.stateDropout[index] }
    }
    for (index, state) in [dh, dc].enumerated() where run.inputs.count > index + 1 {
      if let gradient = run.inputGradients[index + 1] { Kernels.table.add(gradient, state, count) }
    }
    dInputs.update(repeating: 0, count: x.count)
    let frames = [batch * steps, sizes.rows, sizes.channels]
    inputConvolution.backward(
      BackwardRun(
        inputs: [Value(floats: tape.inputs, shape: frames)],
        outputs: [Value(floats: tape.sums, shape: [batch * steps, sizes.windows, 4 * sizes.filters])],
        parameters: spec.options.useBias ? [run.parameters[0], run.parameters[2]] : [run.parameters[0]],
        scratch: memory.next, tape: tape.sums, noise: nil, outputGradients: [dSums],
        inputGradients: [run.inputGradients[0] == nil ? nil : dInputs],
        parameterGradients: run.parameterGradients.map { spec.options.useBias ? [$0[0], $0[2]] : [$0[0]] }))
    guard let dx = run.inputGradients[0] else { return }
    let frame = sizes.rows * sizes.channels
    for example in 0..<batch {
      for step in 0..<steps {
        let start = (example * steps + step) * frame
        Kernels.table.multiply_accumulate(dx + start, dInputs + start, tape.inputDropout + example * frame, frame)
      }
    }
  }

  /// What goes back through the state's convolution of a step, into `through` and the recurrent kernel's gradient.
  private func addThroughState(
    _ run: BackwardRun, _ tape: Tape, _ time: Int, _ stepSums: Floats, _ through: Floats, _ scratch: Floats,
    _ sizes: Sizes
  ) {
    through.update(repeating: 0, count: sizes.batch * sizes.state)
    for example in 0..<sizes.batch {
      let before = tape.before + (example * sizes.steps + time) * sizes.state
      let sums = stepSums + example * sizes.sums
      stateConvolution.backward(
        BackwardRun(
          inputs: [Value(floats: before, shape: [1, sizes.windows, sizes.filters])],
          outputs: [Value(floats: sums, shape: [1, sizes.windows, 4 * sizes.filters])],
          parameters: [run.parameters[1]], scratch: scratch, tape: sums, noise: nil, outputGradients: [sums],
          inputGradients: [through + example * sizes.state], parameterGradients: run.parameterGradients.map { [$0[1]] })
      )
    }
  }

  /// One step of one window, as in `LSTMLayer`: dh and dc become those before the step, without what goes through R.
  private func stepBack(_ tape: Tape, _ place: Int, _ dh: Floats, _ dc: Floats, _ d: Floats) {
    let filters = spec.filters
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * filters) { memory in
      guard let squashed = memory.baseAddress else { return }
      let through = squashed + filters
      let (gates, sums, cell) = (tape.gates + 4 * place, tape.sums + 4 * place, tape.cell + place)
      squashed.update(from: cell, count: filters)
      ActivationKernel.apply(spec.activation, squashed, rows: 1, width: filters)
      for filter in 0..<filters { through[filter] = dh[filter] * gates[3 * filters + filter] }
      ActivationGradient.apply(
        spec.activation, rows: 1, width: filters, x: cell, y: squashed, dy: through, dx: through)
      for filter in 0..<filters {
        dc[filter] += through[filter]
        d[filter] = dc[filter] * gates[2 * filters + filter]
        d[filters + filter] = dc[filter] * tape.cellBefore[place + filter]
        d[2 * filters + filter] = dc[filter] * gates[filter]
        d[3 * filters + filter] = dh[filter] * squashed[filter]
        dc[filter] *= gates[filters + filter]
        dh[filter] = 0
      }
      let gate = spec.recurrentActivation
      ActivationGradient.apply(gate, rows: 2, width: filters, x: sums, y: gates, dy: d, dx: d)
      let (g, o) = (2 * filters, 3 * filters)
      ActivationGradient.apply(
        spec.activation, rows: 1, width: filters, x: sums + g, y: gates + g, dy: d + g, dx: d + g)
      ActivationGradient.apply(gate, rows: 1, width: filters, x: sums + o, y: gates + o, dy: d + o, dx: d + o)
    }
  }
}
