import RNNCore

/// SimpleRNN (Elman 1990): h = activation(x K + h R + b), K (channels, units), R (units, units), b (units).
final class SimpleRNNLayer: UnaryLayer {
  let spec: SimpleRNNSpec
  private let loop: RecurrentLoop

  /// The tape of a step: the sums, where the activation's derivative needs them.
  init(spec: SimpleRNNSpec) {
    self.spec = spec
    loop = RecurrentLoop(
      options: spec.options, units: spec.units, gates: 1, stateWidths: spec.stateWidths,
      cellTape: spec.activation.needsInput ? spec.units : 0)
  }

  func plan(input: [Int], isMasked: Bool, isTraining: Bool) -> LayerPlan {
    loop.plan(input: input, isMasked: isMasked, stepScratch: 0, backwardStepScratch: 0)
  }

  var packedMatrices: [PackedMatrix] {
    loop.packedMatrices([PackedMatrix(parameter: 1, rows: spec.units, columns: 0..<spec.units, step: spec.units)])
  }

  var writesInputGradient: Bool { loop.writesInputGradient }
  var placesSteps: Bool { loop.options.returnSequences }

  var backwardMatrices: [PackedMatrix] { loop.backwardMatrices(columns: spec.units) }

  func forward(_ run: inout ForwardRun) {
    let units = spec.units
    let recurrent = run.packed[1]
    let bias = spec.options.useBias ? run.parameters[2] : nil
    loop.run(&run, bias: bias) { memory, step in
      let (rows, first) = (step.rows.count, step.rows.lowerBound * units)
      multiplyPacked(
        rows: rows, columns: units, inner: units, memory.dropped + first, step: units, recurrent,
        from: step.sums, step: units, into: step.sums, step: units, fromTheEnd: step.fromTheEnd)
      if spec.activation.needsInput, let tape = step.tape {
        for row in 0..<rows { (tape + row * step.tapeStride).update(from: step.sums + row * units, count: units) }
      }
      ActivationKernel.apply(spec.activation, step.sums, rows: rows, width: units)
      (memory.states[0] + first).update(from: step.sums, count: rows * units)
      if let gates = step.gates {
        for row in 0..<rows { (gates + row * step.gatesStride).update(from: step.sums + row * units, count: units) }
      }
    }
  }

  /// d sums = activation'(sums) dh; all of dh before goes through R.
  func backward(_ run: BackwardRun) {
    let units = spec.units
    loop.runBackward(
      run, stepScratch: 0,
      throughRecurrent: { added, rows, recurrentTransposed in
        multiplyPacked(
          rows: rows.count, columns: units, inner: units, rows.stateSums, step: rows.stride, recurrentTransposed,
          from: added, step: units, into: added, step: units)
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
