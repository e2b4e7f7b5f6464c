import RNNCore

/// y = f(x)
struct ActivationLayer: UnaryLayer {
  let activation: Activation

  func plan(input: [Int], isMasked: Bool, isTraining: Bool) -> LayerPlan {
    guard activation == .glu else {
      return LayerPlan(outputShapes: [input], maskSource: isMasked ? 0 : nil, backwardScratch: input.reduce(1, *))
    }
    let count = input.reduce(1, *)
    return LayerPlan(
      outputShapes: [input.dropLast() + [input[input.count - 1] / 2]], maskSource: isMasked ? 0 : nil, scratch: count,
      backwardScratch: count)
  }

  func forward(_ run: inout ForwardRun) {
    let x = run.inputs[0]
    if activation == .glu {
      run.scratch.update(from: x.floats, count: x.count)
      ActivationKernel.applyGLU(run.scratch, rows: x.rows, width: x.width, out: run.outputs[0].floats)
    } else {
      run.outputs[0].floats.update(from: x.floats, count: x.count)
      ActivationKernel.apply(activation, run.outputs[0].floats, rows: x.rows, width: x.width)
    }
  }

  /// dx += f'(x) dy
  func backward(_ run: BackwardRun) {
    guard let dx = run.inputGradients[0] else { return }
    let x = run.inputs[0]
    ActivationGradient.apply(
      activation, rows: x.rows, width: x.width, x: x.floats, y: run.outputs[0].floats, dy: run.outputGradients[0],
      dx: run.scratch)
    Kernels.table.add(dx, run.scratch, x.count)
  }
}

/// mask[b, t] = any channel of x[b, t] differs from the mask value; masked steps become zero.
struct MaskingLayer: UnaryLayer {
  let maskValue: Float

  init(_ spec: MaskingSpec) {
    maskValue = Float(spec.maskValue)
  }

  func plan(input: [Int], isMasked: Bool, isTraining: Bool) -> LayerPlan {
    LayerPlan(outputShapes: [input], ownMask: input.dropLast())
  }

  func forward(_ run: inout ForwardRun) {
    let x = run.inputs[0]
    let y = run.outputs[0]
    for row in 0..<x.rows {
      let source = x.floats + row * x.width
      let isValid = (0..<x.width).contains { source[$0] != maskValue }
      y.mask?[row] = isValid ? 1 : 0
      for channel in 0..<x.width { y.floats[row * x.width + channel] = isValid ? source[channel] : 0 }
    }
  }

  /// dx += dy where the step is valid.
  func backward(_ run: BackwardRun) {
    guard let dx = run.inputGradients[0] else { return }
    let x = run.inputs[0]
    for row in 0..<x.rows where run.outputs[0].mask?[row] != 0 {
      Kernels.table.add(dx + row * x.width, run.outputGradients[0] + row * x.width, x.width)
    }
  }
}
