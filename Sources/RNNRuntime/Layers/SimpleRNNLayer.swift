import RNNCore

/// SimpleRNN (Elman 1990): h = activation(x K + h R + b), K (channels, units), R (units, units), b (units).
struct SimpleRNNLayer: UnaryLayer {
  let spec: SimpleRNNSpec

  /// The tape of a step: the sums, where the activation's derivative needs them.
  private var loop: RecurrentLoop {
    RecurrentLoop(
      options: spec.options, units: spec.units, gates: 1, stateWidths: spec.stateWidths,
      cellTape: spec.activation.needsInput ? spec.units : 0)
  }

  func plan(input: [Int], isMasked: Bool, isTraining: Bool) -> LayerPlan {
    loop.plan(input: input, isMasked: isMasked, stepScratch: 0, backwardStepScratch: 0)
  }

  func forward(_ run: inout ForwardRun) {
    let units = spec.units
    let recurrent = run.parameters[1]
    let bias = spec.options.useBias ? run.parameters[2] : nil
    loop.run(&run, bias: bias) { memory, step in
      let first = step.rows.lowerBound * units
      multiplyAdd(
        rows: step.rows.count, columns: units, inner: units, memory.dropped + first, step: units, recurrent,
        step: units, into: step.projected, step: step.stride)
      for row in 0..<step.rows.count {
        let sums = step.projected + row * step.stride
        if spec.activation.needsInput, let tape = step.tape {
          (tape + row * step.tapeStride).update(from: sums, count: units)
        }
        ActivationKernel.apply(spec.activation, sums, rows: 1, width: units)
        (memory.states[0] + first + row * units).update(from: sums, count: units)
      }
    }
  }

  /// d sums = activation'(sums) dh; all of dh before goes through R.
  func backward(_ run: BackwardRun) {
    let units = spec.units
    loop.runBackward(
      run, stepScratch: 0,
      throughRecurrent: { added, rows, recurrentTransposed in
        multiplyAdd(
          rows: rows.count, columns: units, inner: units, rows.stateSums, step: rows.stride, recurrentTransposed,
          step: units, into: added, step: units)
      },
      step: { step in
        ActivationGradient.apply(
          spec.activation, rows: 1, width: units, x: step.cell, y: step.gates, dy: step.states[0], dx: step.inputSums)
        step.states[0].update(repeating: 0, count: units)
      },
      finish: { tape, inputSums, _ in
        guard let gradients = run.parameterGradients else { return }
        let rows = run.inputs[0].rows
        multiplyTransposedAdd(
          rows: units, columns: units, inner: rows, tape.before[0], step: units, inputSums, step: units,
          into: gradients[1], step: units)
        if spec.options.useBias { addRows(inputSums, rows: rows, width: units, step: units, into: gradients[2]) }
      })
  }
}
