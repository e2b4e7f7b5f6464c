import RNNCore
import RealModule

/// The naive functions: one element or one last axis at a time, in any precision. The reference of the fast ones.
enum NaiveActivation {
  /// f(x) for the element-wise functions; those over the last axis give `nil`.
  static func value<Scalar: Real & BinaryFloatingPoint>(_ activation: Activation, _ x: Scalar) -> Scalar? {
    switch activation {
    case .linear: x
    case .relu: x < 0 ? 0 : x
    case .relu6: clip(x, 0, 6)
    case .leakyRelu02: x > 0 ? x : Scalar(0.2) * x
    case .elu, .celu: x > 0 ? x : .expMinusOne(x)
    case .selu:
      Scalar(1.0507009873554805) * (x > 0 ? x : Scalar(1.6732632423543772) * .expMinusOne(x))
    case .sigmoid: sigmoid(x)
    case .logSigmoid: -softplus(-x)
    case .hardSigmoidFifth: clip(Scalar(0.2) * x + Scalar(0.5), 0, 1)
    case .hardSigmoidSixth: clip(x / 6 + Scalar(0.5), 0, 1)
    case .tanh: .tanh(x)
    case .hardTanh: clip(x, -1, 1)
    case .tanhShrink: x - .tanh(x)
    case .hardShrink: abs(x) > Scalar(0.5) ? x : (x.isNaN ? x : 0)
    case .softShrink: x > Scalar(0.5) ? x - Scalar(0.5) : x < Scalar(-0.5) ? x + Scalar(0.5) : (x.isNaN ? x : 0)
    case .softplus: softplus(x)
    case .softsign: x / (1 + abs(x))
    case .exponential: .exp(x)
    case .silu: x * sigmoid(x)
    case .hardSilu: x * clip(x / 6 + Scalar(0.5), 0, 1)
    case .gelu: Scalar(0.5) * x * (1 + .erf(x / .sqrt(2)))
    case .mish: x * .tanh(softplus(x))
    case .squareplus: (x + .sqrt(x * x + 4)) / 2
    case .sparsePlus: x <= -1 ? 0 : x >= 1 ? x : (x + 1) * (x + 1) / 4
    case .sparseSigmoid: clip((x + 1) / 2, 0, 1)
    case .leakyRelu(let slope): x > 0 ? x : Scalar(slope) * x
    case .scaledElu(let alpha): x > 0 ? x : Scalar(alpha) * .expMinusOne(x)
    case .thresholdedRelu(let theta): x > Scalar(theta) || x.isNaN ? x : 0
    case .boundedRelu(let ceiling, let slope, let threshold):
      boundedRelu(x, ceiling.map { Scalar($0) }, Scalar(slope), Scalar(threshold))
    case .tanhGelu: Scalar(0.5) * x * (1 + .tanh(geluArgument(x)))
    case .sigmoidTo2: 4 * sigmoid(x) - 2
    case .sigmoidTo1: 2 * sigmoid(x) - 1
    case .clipped(let inner, let bound): value(inner, clip(x, Scalar(-bound), Scalar(bound)))
    case .softmax, .logSoftmax, .sparsemax, .glu: nil
    }
  }

  /// f of one last axis; for element-wise functions, of each element.
  static func row<Scalar: Real & BinaryFloatingPoint>(_ activation: Activation, _ x: [Scalar]) -> [Scalar] {
    switch activation {
    case .softmax:
      let highest = maximum(x)
      let powers = x.map { Scalar.exp($0 - highest) }
      let sum = powers.reduce(0, +)
      return powers.map { $0 / sum }
    case .logSoftmax:
      let highest = maximum(x)
      let logSum = Scalar.log(x.reduce(0) { $0 + Scalar.exp($1 - highest) })
      return x.map { $0 - highest - logSum }
    case .sparsemax: return sparsemax(x)
    case .glu:
      let half = x.count / 2
      return (0..<half).map { x[$0] * sigmoid(x[half + $0]) }
    case .linear, .relu, .relu6, .leakyRelu02, .elu, .selu, .celu, .sigmoid, .logSigmoid, .hardSigmoidFifth,
      .hardSigmoidSixth, .tanh, .hardTanh, .tanhShrink, .hardShrink, .softShrink, .softplus, .softsign, .exponential,
      .silu, .hardSilu, .gelu, .mish, .squareplus, .sparsePlus, .sparseSigmoid, .leakyRelu, .scaledElu,
      .thresholdedRelu,
      .boundedRelu, .tanhGelu, .sigmoidTo2, .sigmoidTo1, .clipped:
      return x.map { value(activation, $0) ?? $0 }
    }
  }

  /// NaN stays NaN, unlike with `min` and `max`.
  private static func clip<Scalar: BinaryFloatingPoint>(_ x: Scalar, _ low: Scalar, _ high: Scalar) -> Scalar {
    x < low ? low : x > high ? high : x
  }

  static func boundedRelu<Scalar: BinaryFloatingPoint>(
    _ x: Scalar, _ ceiling: Scalar?, _ slope: Scalar, _ threshold: Scalar
  ) -> Scalar {
    if x.isNaN { return x }
    let above = x > threshold ? x : 0
    let clipped = ceiling.map { min(max(above, 0), $0) } ?? above
    return clipped - slope * max(threshold - x, 0)
  }

  /// sqrt(2 / pi) (x + 0.044715 x^3)
  static func geluArgument<Scalar: Real & BinaryFloatingPoint>(_ x: Scalar) -> Scalar {
    .sqrt(2 / .pi) * (x + Scalar(0.044715) * x * x * x)
  }

  private static func sigmoid<Scalar: Real & BinaryFloatingPoint>(_ x: Scalar) -> Scalar {
    1 / (1 + .exp(-x))
  }

  private static func softplus<Scalar: Real & BinaryFloatingPoint>(_ x: Scalar) -> Scalar {
    // max(x, 0) + log(1 + e^-|x|) neither overflows nor cancels.
    (x < 0 ? 0 : x) + .log(onePlus: .exp(-abs(x)))
  }

  private static func maximum<Scalar: BinaryFloatingPoint>(_ x: [Scalar]) -> Scalar {
    x.reduce(-.infinity) { $1 > $0 || $1.isNaN ? $1 : $0 }
  }

  /// Keras's own: it sums the cumulative sums of the support where Martins and Astudillo (2016) take the last one, so
  /// that rows with a support of two or more differ from the published function. The framework is the judge.
  private static func sparsemax<Scalar: BinaryFloatingPoint>(_ x: [Scalar]) -> [Scalar] {
    var cumulative: Scalar = 0
    var sum: Scalar = 0
    var support: Scalar = 0
    for (index, value) in x.sorted(by: >).enumerated() {
      cumulative += value
      guard value - (cumulative - 1) / Scalar(index + 1) > 0 else { continue }
      sum += cumulative
      support += 1
    }
    let threshold = (sum - 1) / support
    return x.map { $0 - threshold < 0 ? 0 : $0 - threshold }
  }
}
