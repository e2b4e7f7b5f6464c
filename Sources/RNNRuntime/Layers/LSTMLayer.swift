import CRNNKernels
import RNNCore

/// LSTM (Hochreiter and Schmidhuber 1997, with Gers's forget gate), as Keras computes it:
///
///     i, f, o = recurrentActivation(x K + h R + b)     g = activation(x K + h R + b)
///     c = f c + i g                                    h = o activation(c)
///
/// K (channels, 4 units), R (units, 4 units), b (4 units); blocks in the order i, f, g, o.
struct LSTMLayer: RuntimeLayer {
  let spec: LSTMSpec
  private let kernel: [Float]
  private let recurrentKernel: [Float]
  private let bias: [Float]

  init(_ spec: LSTMSpec, _ weights: LayerWeights) {
    self.spec = spec
    kernel = weights.floats("kernel")
    recurrentKernel = weights.floats("recurrent_kernel")
    bias = weights.floats("bias")
  }

  private var loop: RecurrentLoop { RecurrentLoop(options: spec.options, units: spec.units, stateCount: 2) }

  func plan(input: [Int], isMasked: Bool) -> LayerPlan {
    loop.plan(input: input, isMasked: isMasked, gates: 4, stepScratch: 0)
  }

  func forward(_ inputs: [Value], _ outputs: [Value], scratch: Floats, states: inout LayerStates?) {
    recurrentKernel.withUnsafeBufferPointer { recurrentKernel in
      guard let recurrent = recurrentKernel.baseAddress else { return }
      loop.run(
        inputs, outputs, scratch: scratch, states: &states, gates: 4, kernel: kernel, bias: bias
      ) { memory, rows, projected, step in
        advance(memory, rows, projected, step: step, recurrent)
      }
    }
  }

  private func advance(
    _ memory: RecurrentLoop.Memory, _ rows: Range<Int>, _ gates: Floats, step: Int,
    _ recurrent: UnsafePointer<Float>
  ) {
    let units = spec.units
    let hidden = memory.states[0] + rows.lowerBound * units
    multiplyAdd(
      rows: rows.count, columns: 4 * units, inner: units, hidden, step: units, recurrent, step: 4 * units,
      into: gates, step: step)
    for row in 0..<rows.count {
      let (i, h) = (gates + row * step, hidden + row * units)
      let c = memory.states[1] + (rows.lowerBound + row) * units
      let (f, g, o) = (i + units, i + 2 * units, i + 3 * units)
      ActivationKernel.apply(spec.recurrentActivation, i, rows: 2, width: units)
      ActivationKernel.apply(spec.activation, g, rows: 1, width: units)
      ActivationKernel.apply(spec.recurrentActivation, o, rows: 1, width: units)
      Kernels.table.lstm_cell(c, i, f, g, units)
      h.update(from: c, count: units)
      ActivationKernel.apply(spec.activation, h, rows: 1, width: units)
      Kernels.table.multiply(h, h, o, units)
    }
  }
}
