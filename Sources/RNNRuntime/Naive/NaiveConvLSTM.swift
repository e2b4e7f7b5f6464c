import RNNCore
import RealModule

/// ConvLSTM step by step; the equations stand with `ConvLSTM1DLayer`.
enum NaiveConvLSTM {
  static func forward<Scalar: Real & BinaryFloatingPoint>(
    _ inputs: [NaiveTensor<Scalar>], _ spec: ConvLSTM1DSpec, _ weights: LayerWeights, _ noise: LayerNoise?
  ) throws -> [NaiveTensor<Scalar>] {
    let x = inputs[0]
    let (batch, steps) = (x.shape[0], x.shape[1])
    let frame = Array(x.shape.dropFirst(2))
    let frameSize = frame.reduce(1, *)
    let bias: [Scalar] = NaiveLayers.bias(weights, 4 * spec.filters)
    let kernel = NaiveMatrix<Scalar>(try weights.tensor("kernel"))
    let recurrent = NaiveMatrix<Scalar>(try weights.tensor("recurrent_kernel"))
    let windows = try spec.inputConvolution.outputShape(input: frame.map { $0 })[0] ?? 0
    let size = windows * spec.filters
    var outputs: [Scalar] = []
    var finals: [[Scalar]] = [[], []]
    for example in 0..<batch {
      var (h, c) = (Array(repeating: Scalar(0), count: size), Array(repeating: Scalar(0), count: size))
      if inputs.count > 1 {
        h = Array(inputs[1].values[example * size..<(example + 1) * size])
        c = Array(inputs[2].values[example * size..<(example + 1) * size])
      }
      let keep: [Scalar] = NaiveNoise.factors(
        example, width: frameSize, rate: spec.options.dropout, noise, stream: 2)
      let keepState: [Scalar] = NaiveNoise.factors(
        example, width: size, rate: spec.options.recurrentDropout, noise, stream: 3)
      var output = Array(repeating: Scalar(0), count: size)
      for position in 0..<steps {
        let time = example * steps + (spec.options.goBackwards ? steps - 1 - position : position)
        let isValid = valid(x, time, windows, spec)
        if isValid.contains(true) {
          let values = zip(x.values[time * frameSize..<(time + 1) * frameSize], keep).map { $0 * $1 }
          let fromInput = try NaiveConvolution.forward(
            NaiveTensor(shape: [1] + frame, values: values), spec.inputConvolution, kernel: kernel, bias: bias)
          let fromState = try NaiveConvolution.forward(
            NaiveTensor(shape: [1, windows, spec.filters], values: zip(h, keepState).map { $0 * $1 }),
            spec.stateConvolution, kernel: recurrent, bias: Array(repeating: 0, count: 4 * spec.filters))
          let next = advance(zip(fromInput.values, fromState.values).map { $0 + $1 }, c, spec, windows)
          for index in 0..<size where isValid[index / spec.filters] {
            (h[index], c[index], output[index]) = (next.h[index], next.c[index], next.h[index])
          }
        }
        if spec.options.zeroOutputForMask {
          for index in 0..<size where !isValid[index / spec.filters] { output[index] = 0 }
        }
        if spec.options.returnSequences { outputs += output }
      }
      if !spec.options.returnSequences { outputs += output }
      finals[0] += h
      finals[1] += c
    }
    let state = [batch, windows, spec.filters]
    let isSequence = spec.options.returnSequences
    let first = NaiveTensor(
      shape: isSequence ? [batch, steps] + state.dropFirst() : state, values: outputs, mask: isSequence ? x.mask : nil,
      maskShape: isSequence ? x.maskShape : nil)
    return [first] + (spec.options.returnState ? finals.map { NaiveTensor(shape: state, values: $0) } : [])
  }

  /// Whether each window's state moves at a step.
  private static func valid<Scalar>(
    _ x: NaiveTensor<Scalar>, _ time: Int, _ windows: Int, _ spec: ConvLSTM1DSpec
  ) -> [Bool] {
    guard !spec.options.ignoresMask, let mask = x.mask else { return Array(repeating: true, count: windows) }
    let hasRows = x.maskShape?.count ?? 2 > 2
    return (0..<windows).map { mask[hasRows ? time * windows + $0 : time] }
  }

  private static func advance<Scalar: Real & BinaryFloatingPoint>(
    _ sums: [Scalar], _ c: [Scalar], _ spec: ConvLSTM1DSpec, _ windows: Int
  ) -> (h: [Scalar], c: [Scalar]) {
    let filters = spec.filters
    var (newH, newC): ([Scalar], [Scalar]) = ([], [])
    for window in 0..<windows {
      let gates = (0..<4).map { gate -> [Scalar] in
        let start = (window * 4 + gate) * filters
        return NaiveActivation.row(
          gate == 2 ? spec.activation : spec.recurrentActivation, Array(sums[start..<start + filters]))
      }
      let cell = (0..<filters).map { gates[1][$0] * c[window * filters + $0] + gates[0][$0] * gates[2][$0] }
      newC += cell
      newH += zip(gates[3], NaiveActivation.row(spec.activation, cell)).map { $0 * $1 }
    }
    return (newH, newC)
  }
}
