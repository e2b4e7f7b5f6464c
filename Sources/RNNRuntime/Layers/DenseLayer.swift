import RNNCore

/// y[..., units] = f(x[..., channels] kernel[channels, units] + bias[units])
struct DenseLayer: RuntimeLayer {
  let spec: DenseSpec
  private let kernel: [Float]
  private let bias: [Float]

  init(_ spec: DenseSpec, _ weights: LayerWeights) {
    self.spec = spec
    kernel = weights.floats("kernel")
    bias = weights.floats("bias")
  }

  func plan(input: [Int], isMasked: Bool) -> LayerPlan {
    let rows = input.dropLast().reduce(1, *)
    let isGated = spec.activation == .glu
    return LayerPlan(
      outputShapes: [input.dropLast() + [isGated ? spec.units / 2 : spec.units]], passesMask: isMasked,
      scratch: isGated ? rows * spec.units : 0)
  }

  func forward(_ inputs: [Value], _ outputs: [Value], scratch: Floats, states: inout LayerStates?) {
    let x = inputs[0]
    let isGated = spec.activation == .glu
    let sums = isGated ? scratch : outputs[0].floats
    startRows(sums, rows: x.rows, width: spec.units, with: bias)
    kernel.withUnsafeBufferPointer { kernel in
      guard let kernel = kernel.baseAddress else { return }
      multiplyAdd(
        rows: x.rows, columns: spec.units, inner: x.width, x.floats, step: x.width, kernel, step: spec.units,
        into: sums, step: spec.units)
    }
    if isGated {
      ActivationKernel.applyGLU(sums, rows: x.rows, width: spec.units, out: outputs[0].floats)
    } else {
      ActivationKernel.apply(spec.activation, sums, rows: x.rows, width: spec.units)
    }
  }
}

/// Every row starts as the bias, or as zero where there is none.
func startRows(_ rows: Floats, rows count: Int, width: Int, with bias: [Float]) {
  guard !bias.isEmpty else { return rows.update(repeating: 0, count: count * width) }
  bias.withUnsafeBufferPointer { bias in
    guard let bias = bias.baseAddress else { return }
    for row in 0..<count { (rows + row * width).update(from: bias, count: width) }
  }
}
