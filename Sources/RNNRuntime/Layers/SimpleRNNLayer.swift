import RNNCore

/// SimpleRNN (Elman 1990): h = activation(x K + h R + b), K (channels, units), R (units, units), b (units).
struct SimpleRNNLayer: RuntimeLayer {
  let spec: SimpleRNNSpec
  private let kernel: [Float]
  private let recurrentKernel: [Float]
  private let bias: [Float]

  init(_ spec: SimpleRNNSpec, _ weights: LayerWeights) {
    self.spec = spec
    kernel = weights.floats("kernel")
    recurrentKernel = weights.floats("recurrent_kernel")
    bias = weights.floats("bias")
  }

  private var loop: RecurrentLoop { RecurrentLoop(options: spec.options, units: spec.units, stateCount: 1) }

  func plan(input: [Int], isMasked: Bool) -> LayerPlan {
    loop.plan(input: input, isMasked: isMasked, gates: 1, stepScratch: 0)
  }

  func forward(_ inputs: [Value], _ outputs: [Value], scratch: Floats, states: inout LayerStates?) {
    let units = spec.units
    recurrentKernel.withUnsafeBufferPointer { recurrentKernel in
      guard let recurrent = recurrentKernel.baseAddress else { return }
      loop.run(
        inputs, outputs, scratch: scratch, states: &states, gates: 1, kernel: kernel, bias: bias
      ) { memory, rows, projected, step in
        let hidden = memory.states[0] + rows.lowerBound * units
        multiplyAdd(
          rows: rows.count, columns: units, inner: units, hidden, step: units, recurrent, step: units,
          into: projected, step: step)
        for row in 0..<rows.count {
          ActivationKernel.apply(spec.activation, projected + row * step, rows: 1, width: units)
          (hidden + row * units).update(from: projected + row * step, count: units)
        }
      }
    }
  }
}
