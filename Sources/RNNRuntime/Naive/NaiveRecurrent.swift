import RNNCore
import RealModule

/// The recurrent layers, step by step. The equations stand with `LSTMLayer`, `GRULayer` and `SimpleRNNLayer`.
enum NaiveRecurrent {
  static func lstm<Scalar: Real & BinaryFloatingPoint>(
    _ inputs: [NaiveTensor<Scalar>], _ spec: LSTMSpec, _ weights: LayerWeights, _ noise: LayerNoise?
  ) throws -> [NaiveTensor<Scalar>] {
    let units = spec.units
    let kernel = NaiveMatrix<Scalar>(try weights.tensor("kernel"))
    let recurrent = NaiveMatrix<Scalar>(try weights.tensor("recurrent_kernel"))
    let bias: [Scalar] = NaiveLayers.bias(weights, 4 * units)
    return run(inputs, spec.options, widths: spec.stateWidths, noise) { x, states, dropped in
      let sums = recurrent.product(dropped, addedTo: kernel.product(x, addedTo: bias))
      let gates = blocks(sums, units)
      let i = NaiveActivation.row(spec.recurrentActivation, gates[0])
      let f = NaiveActivation.row(spec.recurrentActivation, gates[1])
      let g = NaiveActivation.row(spec.activation, gates[2])
      let o = NaiveActivation.row(spec.recurrentActivation, gates[3])
      let c = (0..<units).map { f[$0] * states[1][$0] + i[$0] * g[$0] }
      let squashed = NaiveActivation.row(spec.activation, c)
      return [(0..<units).map { o[$0] * squashed[$0] }, c]
    }
  }

  static func gru<Scalar: Real & BinaryFloatingPoint>(
    _ inputs: [NaiveTensor<Scalar>], _ spec: GRUSpec, _ weights: LayerWeights, _ noise: LayerNoise?
  ) throws -> [NaiveTensor<Scalar>] {
    let units = spec.units
    let kernel = NaiveMatrix<Scalar>(try weights.tensor("kernel"))
    let recurrent = NaiveMatrix<Scalar>(try weights.tensor("recurrent_kernel"))
    let biases: [Scalar] = NaiveLayers.bias(weights, 6 * units)
    let (bias, recurrentBias) = (Array(biases[..<(3 * units)]), Array(biases[(biases.count - 3 * units)...]))
    return run(inputs, spec.options, widths: spec.stateWidths, noise) { x, states, dropped in
      let h = states[0]
      let fromInput = blocks(kernel.product(x, addedTo: bias), units)
      let n: [Scalar]
      let z: [Scalar]
      if spec.resetAfter {
        let fromState = blocks(recurrent.product(dropped, addedTo: recurrentBias), units)
        z = NaiveActivation.row(spec.recurrentActivation, sum(fromInput[0], fromState[0]))
        let r = NaiveActivation.row(spec.recurrentActivation, sum(fromInput[1], fromState[1]))
        n = NaiveActivation.row(spec.activation, (0..<units).map { fromInput[2][$0] + r[$0] * fromState[2][$0] })
      } else {
        z = NaiveActivation.row(
          spec.recurrentActivation, recurrent.product(dropped, addedTo: fromInput[0], columns: 0..<units))
        let r = NaiveActivation.row(
          spec.recurrentActivation, recurrent.product(dropped, addedTo: fromInput[1], columns: units..<2 * units))
        n = NaiveActivation.row(
          spec.activation,
          recurrent.product(
            (0..<units).map { r[$0] * dropped[$0] }, addedTo: fromInput[2], columns: 2 * units..<3 * units))
      }
      return [(0..<units).map { z[$0] * h[$0] + (1 - z[$0]) * n[$0] }]
    }
  }

  static func simple<Scalar: Real & BinaryFloatingPoint>(
    _ inputs: [NaiveTensor<Scalar>], _ spec: SimpleRNNSpec, _ weights: LayerWeights, _ noise: LayerNoise?
  ) throws -> [NaiveTensor<Scalar>] {
    let kernel = NaiveMatrix<Scalar>(try weights.tensor("kernel"))
    let recurrent = NaiveMatrix<Scalar>(try weights.tensor("recurrent_kernel"))
    let bias: [Scalar] = NaiveLayers.bias(weights, spec.units)
    return run(inputs, spec.options, widths: spec.stateWidths, noise) { x, _, dropped in
      [NaiveActivation.row(spec.activation, recurrent.product(dropped, addedTo: kernel.product(x, addedTo: bias)))]
    }
  }

  /// The equations stand with `LSTMVariantSpec`.
  static func variant<Scalar: Real & BinaryFloatingPoint>(
    _ inputs: [NaiveTensor<Scalar>], _ spec: LSTMVariantSpec, _ weights: LayerWeights, _ noise: LayerNoise?
  ) throws -> [NaiveTensor<Scalar>] {
    let units = spec.units
    let kernel = NaiveMatrix<Scalar>(try weights.tensor("kernel"))
    let recurrent = NaiveMatrix<Scalar>(try weights.tensor("recurrent_kernel"))
    let bias: [Scalar] = NaiveLayers.bias(weights, spec.blocks.count * units)
    let gateNames = spec.blocks.filter { $0 != .candidate }
    let peepholes =
      spec.peepholes ? blocks(NaiveMatrix<Scalar>(try weights.tensor("peephole_kernel")).values, units) : []
    let projection = spec.projection == nil ? nil : NaiveMatrix<Scalar>(try weights.tensor("projection_kernel"))
    func clip(_ values: [Scalar], _ limit: Double?) -> [Scalar] {
      guard let limit else { return values }
      return values.map { min(max($0, Scalar(-limit)), Scalar(limit)) }
    }
    return run(inputs, spec.options, widths: spec.stateWidths, noise) { x, states, dropped in
      let sums = blocks(recurrent.product(dropped, addedTo: kernel.product(x, addedTo: bias)), units)
      func gate(_ kind: LSTMVariantSpec.Block, _ function: Activation, cell: [Scalar]?) -> [Scalar]? {
        guard let block = spec.blocks.firstIndex(of: kind) else { return nil }
        var sum = sums[block]
        if let cell, let row = gateNames.firstIndex(of: kind), spec.peepholes {
          sum = self.sum(sum, product(peepholes[row], cell))
        }
        if kind == .forget { sum = sum.map { $0 + Scalar(spec.forgetBias) } }
        return NaiveActivation.row(function, clip(sum, spec.sumClip))
      }
      let input = gate(.input, spec.recurrentActivation, cell: states[1])
      let forget = gate(.forget, spec.recurrentActivation, cell: states[1])
      let ones = Array(repeating: Scalar(1), count: units)
      let i = input ?? forget.map { zip(ones, $0).map { $0 - $1 } } ?? ones
      let f = forget ?? (spec.forgetGate == .none ? ones : zip(ones, i).map { $0 - $1 })
      let g = gate(.candidate, spec.activation, cell: nil) ?? ones
      let c = clip(sum(product(f, states[1]), product(i, g)), spec.cellClip)
      let o = gate(.output, spec.recurrentActivation, cell: c) ?? ones
      let m = product(o, NaiveActivation.row(spec.outputActivation, c))
      guard let projection else { return [m, c] }
      let h = projection.product(m, addedTo: Array(repeating: 0, count: projection.columns))
      return [clip(h, spec.projectionClip), c]
    }
  }

  /// - Parameter step: the new states from one step's input, the old states, and the first of these as the recurrent
  ///   product sees it, behind recurrent dropout.
  private static func run<Scalar: Real & BinaryFloatingPoint>(
    _ inputs: [NaiveTensor<Scalar>], _ options: RecurrentOptions, widths: [Int], _ noise: LayerNoise?,
    _ step: ([Scalar], [[Scalar]], [Scalar]) -> [[Scalar]]
  ) -> [NaiveTensor<Scalar>] {
    let x = inputs[0]
    let (batch, timesteps) = (x.shape[0], x.shape[1])
    var outputs: [Scalar] = []
    let units = widths[0]
    var finals: [[Scalar]] = widths.map { _ in [] }
    for example in 0..<batch {
      var states = widths.enumerated().map { index, width in
        inputs.count > index + 1 ? inputs[index + 1].row(example) : Array(repeating: Scalar(0), count: width)
      }
      let keep: [Scalar] = NaiveNoise.factors(example, width: x.width, rate: options.dropout, noise, stream: 2)
      let keepState: [Scalar] = NaiveNoise.factors(
        example, width: units, rate: options.recurrentDropout, noise, stream: 3)
      var output = options.emitsState ? states[0] : Array(repeating: Scalar(0), count: units)
      for position in 0..<timesteps {
        let time = example * timesteps + (options.goBackwards ? timesteps - 1 - position : position)
        if options.ignoresMask || x.mask?[time] ?? true {
          states = step(product(x.row(time), keep), states, product(states[0], keepState))
          output = states[0]
        } else if options.zeroOutputForMask, !options.zeroesByPosition {
          output = Array(repeating: 0, count: units)
        }
        let isZeroed = options.zeroesByPosition && !(x.mask?[example * timesteps + position] ?? true)
        if options.returnSequences { outputs += isZeroed && !options.ignoresMask ? output.map { _ in 0 } : output }
      }
      if !options.returnSequences { outputs += output }
      for index in widths.indices { finals[index] += states[index] }
    }
    let shape = options.returnSequences ? [batch, timesteps, units] : [batch, units]
    let output = NaiveTensor(
      shape: shape, values: outputs, mask: options.returnSequences ? x.mask : nil,
      maskShape: options.returnSequences ? x.maskShape : nil)
    guard options.returnState else { return [output] }
    return [output] + zip(finals, widths).map { NaiveTensor(shape: [batch, $1], values: $0) }
  }

  private static func blocks<Scalar>(_ values: [Scalar], _ units: Int) -> [[Scalar]] {
    stride(from: 0, to: values.count, by: units).map { Array(values[$0..<$0 + units]) }
  }

  private static func product<Scalar: FloatingPoint>(_ left: [Scalar], _ right: [Scalar]) -> [Scalar] {
    zip(left, right).map { $0 * $1 }
  }

  private static func sum<Scalar: FloatingPoint>(_ left: [Scalar], _ right: [Scalar]) -> [Scalar] {
    zip(left, right).map { $0 + $1 }
  }
}
