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
/// reset before: b (3 units), no b'.
struct GRULayer: RuntimeLayer {
  let spec: GRUSpec
  private let kernel: [Float]
  private let recurrentKernel: [Float]
  private let bias: [Float]
  private let recurrentBias: [Float]

  init(_ spec: GRUSpec, _ weights: LayerWeights) {
    self.spec = spec
    kernel = weights.floats("kernel")
    recurrentKernel = weights.floats("recurrent_kernel")
    let bias = weights.floats("bias")
    self.bias = Array(bias.prefix(3 * spec.units))
    recurrentBias = Array(bias.dropFirst(3 * spec.units))
  }

  private var loop: RecurrentLoop { RecurrentLoop(options: spec.options, units: spec.units, stateCount: 1) }

  func plan(input: [Int], isMasked: Bool) -> LayerPlan {
    loop.plan(input: input, isMasked: isMasked, gates: 3, stepScratch: 3 * spec.units)
  }

  func forward(_ inputs: [Value], _ outputs: [Value], scratch: Floats, states: inout LayerStates?) {
    recurrentKernel.withUnsafeBufferPointer { recurrentKernel in
      guard let recurrent = recurrentKernel.baseAddress else { return }
      loop.run(
        inputs, outputs, scratch: scratch, states: &states, gates: 3, kernel: kernel, bias: bias
      ) { memory, rows, projected, step in
        if spec.resetAfter {
          advanceResettingAfter(memory, rows, projected, step: step, recurrent)
        } else {
          advanceResettingBefore(memory, rows, projected, step: step, recurrent)
        }
      }
    }
  }

  private func advanceResettingAfter(
    _ memory: RecurrentLoop.Memory, _ rows: Range<Int>, _ projected: Floats, step: Int,
    _ recurrent: UnsafePointer<Float>
  ) {
    let units = spec.units
    let hidden = memory.states[0] + rows.lowerBound * units
    startRows(memory.step, rows: rows.count, width: 3 * units, with: recurrentBias)
    multiplyAdd(
      rows: rows.count, columns: 3 * units, inner: units, hidden, step: units, recurrent, step: 3 * units,
      into: memory.step, step: 3 * units)
    for row in 0..<rows.count {
      let (z, inner) = (projected + row * step, memory.step + row * 3 * units)
      let (r, n) = (z + units, z + 2 * units)
      Kernels.table.add(z, inner, 2 * units)
      ActivationKernel.apply(spec.recurrentActivation, z, rows: 2, width: units)
      Kernels.table.multiply(r, r, inner + 2 * units, units)
      Kernels.table.add(n, r, units)
      ActivationKernel.apply(spec.activation, n, rows: 1, width: units)
      Kernels.table.gru_state(hidden + row * units, z, n, units)
    }
  }

  private func advanceResettingBefore(
    _ memory: RecurrentLoop.Memory, _ rows: Range<Int>, _ projected: Floats, step: Int,
    _ recurrent: UnsafePointer<Float>
  ) {
    let units = spec.units
    let hidden = memory.states[0] + rows.lowerBound * units
    multiplyAdd(
      rows: rows.count, columns: 2 * units, inner: units, hidden, step: units, recurrent, step: 3 * units,
      into: projected, step: step)
    for row in 0..<rows.count {
      let z = projected + row * step
      ActivationKernel.apply(spec.recurrentActivation, z, rows: 2, width: units)
      Kernels.table.multiply(memory.step + row * units, z + units, hidden + row * units, units)
    }
    multiplyAdd(
      rows: rows.count, columns: units, inner: units, memory.step, step: units, recurrent + 2 * units,
      step: 3 * units, into: projected + 2 * units, step: step)
    for row in 0..<rows.count {
      let z = projected + row * step
      ActivationKernel.apply(spec.activation, z + 2 * units, rows: 1, width: units)
      Kernels.table.gru_state(hidden + row * units, z, z + 2 * units, units)
    }
  }
}
