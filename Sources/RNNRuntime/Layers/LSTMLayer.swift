import CRNNKernels
import RNNCore

/// LSTM (Hochreiter and Schmidhuber 1997, with Gers's forget gate), as Keras computes it:
///
///     i, f, o = recurrentActivation(x K + h R + b)     g = activation(x K + h R + b)
///     c = f c + i g                                    h = o activation(c)
///
/// K (channels, 4 units), R (units, 4 units), b (4 units); blocks in the order i, f, g, o. Backwards, with d for the
/// gradients of h and c after the step:
///
///     do = dh activation(c)    dc += dh o activation'(c)    di = dc g    df = dc c before    dg = dc i
///
/// each times the derivative of its own activation, and dc before = dc f.
final class LSTMLayer: UnaryLayer {
  let spec: LSTMSpec
  private let loop: RecurrentLoop
  private let needsSums: Bool
  /// Whether the vector code for a whole step fits.
  private let isUsual: Bool

  /// The tape of a step: the new c, activation(c), and the gates' sums where an activation's derivative needs them.
  init(spec: LSTMSpec) {
    self.spec = spec
    needsSums = spec.activation.needsInput || spec.recurrentActivation.needsInput
    isUsual = spec.activation == .tanh && spec.recurrentActivation == .sigmoid
    loop = RecurrentLoop(
      options: spec.options, units: spec.units, gates: 4, stateWidths: spec.stateWidths,
      cellTape: 2 * spec.units + (needsSums ? 4 * spec.units : 0), sumsReplaceGates: isUsual)
  }

  func plan(input: [Int], isMasked: Bool, isTraining: Bool) -> LayerPlan {
    loop.plan(input: input, isMasked: isMasked, stepScratch: 0, backwardStepScratch: spec.units)
  }

  var packedMatrices: [PackedMatrix] {
    loop.packedMatrices([
      PackedMatrix(parameter: 1, rows: spec.units, columns: 0..<4 * spec.units, step: 4 * spec.units)
    ])
  }

  var writesInputGradient: Bool { loop.writesInputGradient }
  var placesSteps: Bool { loop.options.returnSequences }

  var backwardMatrices: [PackedMatrix] { loop.backwardMatrices(columns: 4 * spec.units) }

  /// The kernels': what they are products of stays on the tape.
  var leavableGradients: [Int] { isUsual ? [0, 1] : [] }

  func forward(_ run: inout ForwardRun) {
    let recurrent = run.packed[1]
    let bias = spec.options.useBias ? run.parameters[2] : nil
    loop.run(&run, bias: bias) { memory, step in advance(memory, step, recurrent) }
  }

  private func advance(
    _ memory: RecurrentLoop.Memory, _ step: RecurrentLoop.Step, _ recurrent: UnsafePointer<Float>
  ) {
    let units = spec.units
    let first = step.rows.lowerBound * units
    multiplyPacked(
      rows: step.rows.count, columns: 4 * units, inner: units, memory.dropped + first, step: units, recurrent,
      from: step.sums, step: 4 * units, into: step.sums, step: 4 * units, fromTheEnd: step.fromTheEnd)
    guard !isUsual else {
      return Kernels.table.lstm_step(
        step.rows.count, units, step.sums, 4 * units, memory.states[1] + first, memory.states[0] + first, step.gates,
        step.gatesStride, step.tape, step.tapeStride)
    }
    for row in 0..<step.rows.count {
      let i = step.sums + row * 4 * units
      let (f, g, o) = (i + units, i + 2 * units, i + 3 * units)
      let h = memory.states[0] + first + row * units
      let c = memory.states[1] + first + row * units
      let tape = step.tape.map { $0 + row * step.tapeStride }
      if needsSums, let tape { (tape + 2 * units).update(from: i, count: 4 * units) }
      ActivationKernel.apply(spec.recurrentActivation, i, rows: 2, width: units)
      ActivationKernel.apply(spec.activation, g, rows: 1, width: units)
      ActivationKernel.apply(spec.recurrentActivation, o, rows: 1, width: units)
      Kernels.table.lstm_cell(c, i, f, g, units)
      h.update(from: c, count: units)
      ActivationKernel.apply(spec.activation, h, rows: 1, width: units)
      if let tape {
        tape.update(from: c, count: units)
        (tape + units).update(from: h, count: units)
      }
      (step.gates.map { $0 + row * step.gatesStride })?.update(from: i, count: 4 * units)
      Kernels.table.multiply(h, h, o, units)
    }
  }

  func backward(_ run: BackwardRun) {
    let units = spec.units
    loop.runBackward(
      run, stepScratch: units,
      throughRecurrent: { added, rows, recurrentTransposed in
        multiplyPacked(
          rows: rows.count, columns: units, inner: 4 * units, rows.stateSums, step: rows.stride, recurrentTransposed,
          from: added, step: units, into: added, step: units)
      },
      step: stepBack,
      finish: { tape, inputSums, _ in
        guard let gradients = run.parameterGradients else { return }
        let rows = run.inputs[0].rows
        run.add(
          GradientProduct(
            parameter: 1, rows: units, columns: 4 * units, inner: rows, a: UnsafePointer(tape.before[0]),
            b: UnsafePointer(inputSums)))
        if spec.options.useBias {
          addRows(inputSums, rows: rows, width: 4 * units, step: 4 * units, into: gradients[2])
        }
      })
  }

  private func stepBack(_ step: RecurrentLoop.BackwardStep) {
    let units = spec.units
    let (i, f, g, o) = (step.gates, step.gates + units, step.gates + 2 * units, step.gates + 3 * units)
    let (c, squashed, sums) = (step.cell, step.cell + units, step.cell + 2 * units)
    let (dh, dc, cBefore) = (step.states[0], step.states[1], step.before[1])
    if isUsual {
      Kernels.table.lstm_gradient(dh, dc, step.gates, squashed, cBefore, units)
      return
    }
    let (di, df, dg, dO) = (
      step.inputSums, step.inputSums + units, step.inputSums + 2 * units, step.inputSums + 3 * units
    )
    for unit in 0..<units { step.scratch[unit] = dh[unit] * o[unit] }
    ActivationGradient.apply(
      spec.activation, rows: 1, width: units, x: c, y: squashed, dy: step.scratch, dx: step.scratch)
    for unit in 0..<units {
      dc[unit] += step.scratch[unit]
      di[unit] = dc[unit] * g[unit]
      df[unit] = dc[unit] * cBefore[unit]
      dg[unit] = dc[unit] * i[unit]
      dO[unit] = dh[unit] * squashed[unit]
      dc[unit] *= f[unit]
      dh[unit] = 0
    }
    let gate = spec.recurrentActivation
    ActivationGradient.apply(gate, rows: 2, width: units, x: sums, y: i, dy: di, dx: di)
    ActivationGradient.apply(spec.activation, rows: 1, width: units, x: sums + 2 * units, y: g, dy: dg, dx: dg)
    ActivationGradient.apply(gate, rows: 1, width: units, x: sums + 3 * units, y: o, dy: dO, dx: dO)
  }
}
