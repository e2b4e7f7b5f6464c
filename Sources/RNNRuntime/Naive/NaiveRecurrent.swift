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
    return run(inputs, spec.options, units: units, stateCount: 2, noise) { x, states, dropped in
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
    return run(inputs, spec.options, units: units, stateCount: 1, noise) { x, states, dropped in
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
    return run(inputs, spec.options, units: spec.units, stateCount: 1, noise) { x, _, dropped in
      [NaiveActivation.row(spec.activation, recurrent.product(dropped, addedTo: kernel.product(x, addedTo: bias)))]
    }
  }

  /// - Parameter step: the new states from one step's input, the old states, and the first of these as the recurrent
  ///   product sees it, behind recurrent dropout.
  private static func run<Scalar: Real & BinaryFloatingPoint>(
    _ inputs: [NaiveTensor<Scalar>], _ options: RecurrentOptions, units: Int, stateCount: Int,
    _ noise: LayerNoise?, _ step: ([Scalar], [[Scalar]], [Scalar]) -> [[Scalar]]
  ) -> [NaiveTensor<Scalar>] {
    let x = inputs[0]
    let (batch, timesteps) = (x.shape[0], x.shape[1])
    var outputs: [Scalar] = []
    var finals: [[Scalar]] = Array(repeating: [], count: stateCount)
    for example in 0..<batch {
      var states = (0..<stateCount).map { index in
        inputs.count > index + 1 ? inputs[index + 1].row(example) : Array(repeating: Scalar(0), count: units)
      }
      let keep: [Scalar] = NaiveNoise.factors(example, width: x.width, rate: options.dropout, noise, stream: 2)
      let keepState: [Scalar] = NaiveNoise.factors(
        example, width: units, rate: options.recurrentDropout, noise, stream: 3)
      var output = Array(repeating: Scalar(0), count: units)
      for position in 0..<timesteps {
        let time = example * timesteps + (options.goBackwards ? timesteps - 1 - position : position)
        if options.ignoresMask || x.mask?[time] ?? true {
          states = step(product(x.row(time), keep), states, product(states[0], keepState))
          output = states[0]
        } else if options.zeroOutputForMask {
          output = Array(repeating: 0, count: units)
        }
        if options.returnSequences { outputs += output }
      }
      if !options.returnSequences { outputs += output }
      for index in 0..<stateCount { finals[index] += states[index] }
    }
    let shape = options.returnSequences ? [batch, timesteps, units] : [batch, units]
    let output = NaiveTensor(shape: shape, values: outputs, mask: options.returnSequences ? x.mask : nil)
    guard options.returnState else { return [output] }
    return [output] + finals.map { NaiveTensor(shape: [batch, units], values: $0) }
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
