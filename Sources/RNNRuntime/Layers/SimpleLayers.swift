import RNNCore

/// Inputs, and the layers that only training knows.
struct IdentityLayer: RuntimeLayer {
  func plan(input: [Int], isMasked: Bool) -> LayerPlan {
    LayerPlan(outputShapes: [input], passesMask: isMasked, isIdentity: true)
  }

  func forward(_ inputs: [Value], _ outputs: [Value], scratch: Floats, states: inout LayerStates?) {}
}

/// (batch, ...) -> (batch, product): the same floats under another shape; the mask ends here.
struct FlattenLayer: RuntimeLayer {
  func plan(input: [Int], isMasked: Bool) -> LayerPlan {
    LayerPlan(outputShapes: [[input[0], input.dropFirst().reduce(1, *)]], isIdentity: true)
  }

  func forward(_ inputs: [Value], _ outputs: [Value], scratch: Floats, states: inout LayerStates?) {}
}

/// y = f(x)
struct ActivationLayer: RuntimeLayer {
  let activation: Activation

  init(_ spec: ActivationSpec) {
    activation = spec.activation
  }

  func plan(input: [Int], isMasked: Bool) -> LayerPlan {
    guard activation == .glu else { return LayerPlan(outputShapes: [input], passesMask: isMasked) }
    return LayerPlan(
      outputShapes: [input.dropLast() + [input[input.count - 1] / 2]], passesMask: isMasked,
      scratch: input.reduce(1, *))
  }

  func forward(_ inputs: [Value], _ outputs: [Value], scratch: Floats, states: inout LayerStates?) {
    let x = inputs[0]
    if activation == .glu {
      scratch.update(from: x.floats, count: x.count)
      ActivationKernel.applyGLU(scratch, rows: x.rows, width: x.width, out: outputs[0].floats)
    } else {
      outputs[0].floats.update(from: x.floats, count: x.count)
      ActivationKernel.apply(activation, outputs[0].floats, rows: x.rows, width: x.width)
    }
  }
}

/// mask[b, t] = any channel of x[b, t] differs from the mask value; masked steps become zero.
struct MaskingLayer: RuntimeLayer {
  let maskValue: Float

  init(_ spec: MaskingSpec) {
    maskValue = Float(spec.maskValue)
  }

  func plan(input: [Int], isMasked: Bool) -> LayerPlan {
    LayerPlan(outputShapes: [input], makesMask: true)
  }

  func forward(_ inputs: [Value], _ outputs: [Value], scratch: Floats, states: inout LayerStates?) {
    let x = inputs[0]
    for row in 0..<x.rows {
      let source = x.floats + row * x.width
      let isValid = (0..<x.width).contains { source[$0] != maskValue }
      outputs[0].mask?[row] = isValid ? 1 : 0
      for channel in 0..<x.width { outputs[0].floats[row * x.width + channel] = isValid ? source[channel] : 0 }
    }
  }
}
