import CRNNKernels
import RNNCore

/// GRU (Cho et al. 2014), as Keras computes it:
///
///     z, r = recurrentActivation(x K + b + h R + b')
///     reset after:   n = activation(x K + b + r (h R + b'))
///     reset before:  n = activation(x K + b + (r h) R)
///     h = z h + (1 - z) n
///
/// K (channels, 3 units), R (units, 3 units); blocks in the order z, r, n. Reset after: b (2, 3 units), row 1 is b';
/// reset before: b (3 units), no b'. Backwards, with dh after the step:
///
///     dz = dh (h before - n)    dn = dh (1 - z)    dh before = dh z + what went through R
///     reset after:   dr = dn (h R + b')            the product's gradient is dn r
///     reset before:  dr = (dn transposed(R)) h     dh before += (dn transposed(R)) r
///
/// each times the derivative of its own activation.
final class GRULayer: UnaryLayer {
  let spec: GRUSpec
  private let loop: RecurrentLoop
  private let needsSums: Bool
  /// Whether the vector code for a whole step fits.
  private let isUsual: Bool

  /// The tape of a step: what the reset gate multiplied (reset after: h R + b' of n; reset before: r h), h before
  /// recurrent dropout, and the sums where an activation's derivative needs them.
  init(spec: GRUSpec) {
    self.spec = spec
    needsSums = spec.activation.needsInput || spec.recurrentActivation.needsInput
    isUsual = spec.resetAfter && spec.activation == .tanh && spec.recurrentActivation == .sigmoid
    loop = RecurrentLoop(
      options: spec.options, units: spec.units, gates: 3, stateWidths: spec.stateWidths,
      cellTape: 2 * spec.units + (needsSums ? 3 * spec.units : 0), hasStateSums: true)
  }

  func plan(input: [Int], isMasked: Bool, isTraining: Bool) -> LayerPlan {
    loop.plan(
      input: input, isMasked: isMasked, stepScratch: 3 * spec.units, backwardStepScratch: spec.units)
  }

  /// Reset before the product: that of z and r, and that of n.
  var packedMatrices: [PackedMatrix] {
    let units = spec.units
    let parts = spec.resetAfter ? [0..<3 * units] : [0..<2 * units, 2 * units..<3 * units]
    return loop.packedMatrices(
      parts.map { PackedMatrix(parameter: 1, rows: units, columns: $0, step: 3 * units) })
  }

  var writesInputGradient: Bool { loop.writesInputGradient }
  var placesSteps: Bool { loop.options.returnSequences }

  /// Reset before the product: what goes through n's part does not go through h.
  var backwardMatrices: [PackedMatrix] {
    loop.backwardMatrices(columns: spec.resetAfter ? 3 * spec.units : 2 * spec.units)
  }

  func forward(_ run: inout ForwardRun) {
    let packed = run.packed
    let bias = spec.options.useBias ? run.parameters[2] : nil
    let recurrentBias = spec.resetAfter ? bias.map { $0 + 3 * spec.units } : nil
    loop.run(&run, bias: bias) { memory, step in
      if spec.resetAfter {
        advanceResettingAfter(memory, step, packed[1], recurrentBias)
      } else {
        advanceResettingBefore(memory, step, packed)
      }
    }
  }

  private func advanceResettingAfter(
    _ memory: RecurrentLoop.Memory, _ step: RecurrentLoop.Step, _ recurrent: UnsafePointer<Float>,
    _ recurrentBias: UnsafePointer<Float>?
  ) {
    let units = spec.units
    let (rows, first) = (step.rows.count, step.rows.lowerBound * units)
    // h R + b', apart from x K + b: the reset gate comes between.
    let products = memory.step + step.rows.lowerBound * 3 * units
    multiplyPacked(
      rows: rows, columns: 3 * units, inner: units, memory.dropped + first, step: units, recurrent,
      from: recurrentBias ?? UnsafePointer(memory.noBias), step: 0, into: products, step: 3 * units,
      fromTheEnd: step.fromTheEnd)
    guard !isUsual else {
      return Kernels.table.gru_step(
        rows, units, step.sums, 3 * units, products, 3 * units, memory.states[0] + first, step.gates,
        step.gatesStride, step.tape, step.tapeStride)
    }
    for row in 0..<rows {
      let (z, inner) = (step.sums + row * 3 * units, products + row * 3 * units)
      let (r, n) = (z + units, z + 2 * units)
      let h = memory.states[0] + first + row * units
      let tape = step.tape.map { $0 + row * step.tapeStride }
      tape?.update(from: inner + 2 * units, count: units)
      (tape.map { $0 + units })?.update(from: h, count: units)
      Kernels.table.add(z, inner, 2 * units)
      if needsSums, let tape { (tape + 2 * units).update(from: z, count: 2 * units) }
      ActivationKernel.apply(spec.recurrentActivation, z, rows: 2, width: units)
      // r itself stays, for the backward pass.
      Kernels.table.multiply(inner, r, inner + 2 * units, units)
      Kernels.table.add(n, inner, units)
      if needsSums, let tape { (tape + 4 * units).update(from: n, count: units) }
      ActivationKernel.apply(spec.activation, n, rows: 1, width: units)
      (step.gates.map { $0 + row * step.gatesStride })?.update(from: z, count: 3 * units)
      Kernels.table.gru_state(h, z, n, units)
    }
  }

  private func advanceResettingBefore(
    _ memory: RecurrentLoop.Memory, _ step: RecurrentLoop.Step, _ packed: [UnsafePointer<Float>]
  ) {
    let units = spec.units
    let (rows, first) = (step.rows.count, step.rows.lowerBound * units)
    multiplyPacked(
      rows: rows, columns: 2 * units, inner: units, memory.dropped + first, step: units, packed[1],
      from: step.sums, step: 3 * units, into: step.sums, step: 3 * units)
    for row in 0..<rows {
      let z = step.sums + row * 3 * units
      let tape = step.tape.map { $0 + row * step.tapeStride }
      if needsSums, let tape { (tape + 2 * units).update(from: z, count: 2 * units) }
      ActivationKernel.apply(spec.recurrentActivation, z, rows: 2, width: units)
      Kernels.table.multiply(memory.step + row * units, z + units, memory.dropped + first + row * units, units)
      if let tape {
        tape.update(from: memory.step + row * units, count: units)
        (tape + units).update(from: memory.states[0] + first + row * units, count: units)
      }
    }
    multiplyPacked(
      rows: rows, columns: units, inner: units, memory.step, step: units, packed[2],
      from: step.sums + 2 * units, step: 3 * units, into: step.sums + 2 * units, step: 3 * units)
    for row in 0..<rows {
      let z = step.sums + row * 3 * units
      if needsSums, let tape = step.tape {
        (tape + row * step.tapeStride + 4 * units).update(from: z + 2 * units, count: units)
      }
      ActivationKernel.apply(spec.activation, z + 2 * units, rows: 1, width: units)
      (step.gates.map { $0 + row * step.gatesStride })?.update(from: z, count: 3 * units)
      Kernels.table.gru_state(memory.states[0] + first + row * units, z, z + 2 * units, units)
    }
  }

  func backward(_ run: BackwardRun) {
    let units = spec.units
    loop.runBackward(
      run, stepScratch: units, throughRecurrent: throughRecurrent,
      step: { stepBack($0, run.parameters[1]) },
      finish: { tape, inputSums, stateSums in
        guard let gradients = run.parameterGradients else { return }
        addRecurrentGradients(run, tape, stateSums, gradients)
        guard spec.options.useBias else { return }
        let rows = run.inputs[0].rows
        addRows(inputSums, rows: rows, width: 3 * units, step: 3 * units, into: gradients[2])
        if spec.resetAfter {
          addRows(stateSums, rows: rows, width: 3 * units, step: 3 * units, into: gradients[2] + 3 * units)
        }
      })
  }

  /// Reset before: n's part of the recurrent kernel saw r h, which the tape keeps; everything else saw h.
  private func addRecurrentGradients(
    _ run: BackwardRun, _ tape: RecurrentLoop.Tape, _ stateSums: Floats, _ gradients: [Floats]
  ) {
    let (units, rows) = (spec.units, run.inputs[0].rows)
    let columns = spec.resetAfter ? 3 * units : 2 * units
    multiplyTransposedAdd(
      rows: units, columns: columns, inner: rows, tape.before[0], step: units, stateSums, step: 3 * units,
      into: gradients[1], step: 3 * units)
    if !spec.resetAfter {
      multiplyTransposedAdd(
        rows: units, columns: units, inner: rows, tape.cell, step: loop.cellTape, stateSums + 2 * units,
        step: 3 * units, into: gradients[1] + 2 * units, step: 3 * units)
    }
  }

  private func throughRecurrent(
    _ added: Floats, _ rows: RecurrentLoop.BackwardRows, _ recurrentTransposed: UnsafePointer<Float>
  ) {
    let units = spec.units
    multiplyPacked(
      rows: rows.count, columns: units, inner: spec.resetAfter ? 3 * units : 2 * units, rows.stateSums,
      step: rows.stride, recurrentTransposed, from: added, step: units, into: added, step: units)
    guard !spec.resetAfter else { return }
    // What came through r h, left in the scratch by the step.
    for row in 0..<rows.count {
      Kernels.table.add(added + row * units, rows.scratch + row * rows.scratchStride, units)
    }
  }

  private func stepBack(_ step: RecurrentLoop.BackwardStep, _ recurrent: UnsafePointer<Float>) {
    let units = spec.units
    let (z, r, n) = (step.gates, step.gates + units, step.gates + 2 * units)
    let (product, hBefore, sums) = (step.cell, step.cell + units, step.cell + 2 * units)
    let dh = step.states[0]
    let (dz, dr, dn) = (step.inputSums, step.inputSums + units, step.inputSums + 2 * units)
    for unit in 0..<units {
      dz[unit] = dh[unit] * (hBefore[unit] - n[unit])
      dn[unit] = dh[unit] * (1 - z[unit])
      dh[unit] *= z[unit]
    }
    ActivationGradient.apply(spec.activation, rows: 1, width: units, x: sums + 2 * units, y: n, dy: dn, dx: dn)
    if spec.resetAfter {
      for unit in 0..<units {
        dr[unit] = dn[unit] * product[unit]
        step.stateSums[2 * units + unit] = dn[unit] * r[unit]
      }
    } else {
      // d (r h) = dn transposed(R of n)
      for row in 0..<units {
        var sum: Float = 0
        let weights = recurrent + row * 3 * units + 2 * units
        for unit in 0..<units { sum += dn[unit] * weights[unit] }
        dr[row] = sum * step.before[0][row]
        step.scratch[row] = sum * r[row]
        step.stateSums[2 * units + row] = dn[row]
      }
    }
    ActivationGradient.apply(spec.recurrentActivation, rows: 2, width: units, x: sums, y: z, dy: dz, dx: dz)
    step.stateSums.update(from: step.inputSums, count: 2 * units)
  }
}
