import RNNCore

/// y[..., units] = f(x[..., channels] kernel[channels, units] + bias[units])
struct DenseLayer: UnaryLayer {
  let spec: DenseSpec

  func plan(input: [Int], isMasked: Bool, isTraining: Bool) -> LayerPlan {
    let rows = input.dropLast().reduce(1, *)
    let channels = input[input.count - 1]
    let isGated = spec.activation == .glu
    let sums = rows * spec.units
    return LayerPlan(
      outputShapes: [input.dropLast() + [isGated ? spec.units / 2 : spec.units]], maskSource: isMasked ? 0 : nil,
      scratch: isGated ? sums : 0, tape: spec.activation.needsInput ? sums : 0,
      backwardScratch: sums + channels * spec.units)
  }

  func forward(_ run: inout ForwardRun) {
    let x = run.inputs[0]
    let rows = x.rows
    let sums = spec.activation == .glu ? run.scratch : run.outputs[0].floats
    if let table = run.table {
      for row in 0..<rows { (sums + row * spec.units).update(from: table.row(row), count: spec.units) }
    } else {
      startRows(sums, rows: rows, width: spec.units, with: spec.useBias ? run.parameters[1] : nil)
      multiplyAdd(
        rows: rows, columns: spec.units, inner: x.width, x.floats, step: x.width, run.parameters[0],
        step: spec.units, into: sums, step: spec.units)
    }
    finishSums(spec.activation, sums, rows: rows, width: spec.units, out: run.outputs[0].floats, tape: run.tape)
  }

  /// dz = f'(z) dy, dkernel += transposed(x) dz, dbias += sum of dz, dx += dz transposed(kernel)
  func backward(_ run: BackwardRun) {
    let x = run.inputs[0]
    let dz = run.scratch
    ActivationGradient.apply(
      spec.activation, rows: x.rows, width: spec.units, x: run.tape, y: run.outputs[0].floats,
      dy: run.outputGradients[0], dx: dz)
    if let gradients = run.parameterGradients {
      multiplyTransposedAdd(
        rows: x.width, columns: spec.units, inner: x.rows, x.floats, step: x.width, dz, step: spec.units,
        into: gradients[0], step: spec.units)
      if spec.useBias { addRows(dz, rows: x.rows, width: spec.units, step: spec.units, into: gradients[1]) }
    }
    if let dx = run.inputGradients[0] {
      let transposed = dz + x.rows * spec.units
      transpose(run.parameters[0], rows: x.width, columns: spec.units, into: transposed)
      multiplyAdd(
        rows: x.rows, columns: x.width, inner: spec.units, dz, step: spec.units, transposed, step: x.width,
        into: dx, step: x.width)
    }
  }
}
