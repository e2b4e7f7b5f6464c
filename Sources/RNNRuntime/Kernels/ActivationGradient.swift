import CRNNKernels
import RNNCore
import RealModule

extension Activation {
  /// Whether the derivative is taken from the function's input; otherwise its output suffices and no tape is needed.
  var needsInput: Bool {
    switch self {
    case .linear, .relu, .sigmoid, .tanh, .elu, .celu, .selu, .exponential, .softmax, .logSoftmax: false
    case .relu6, .leakyRelu02, .hardTanh, .logSigmoid, .hardSigmoidFifth, .hardSigmoidSixth, .tanhShrink, .hardShrink,
      .softShrink, .softplus, .softsign, .silu, .hardSilu, .gelu, .mish, .squareplus, .sparsePlus, .sparseSigmoid,
      .sparsemax, .glu, .leakyRelu, .scaledElu, .thresholdedRelu, .boundedRelu, .tanhGelu, .sigmoidTo2, .sigmoidTo1,
      .clipped:
      true
    }
  }
}

/// Derivatives of the activations, as TensorFlow takes them where a function has a corner.
enum ActivationGradient {
  /// dx <- f'(x) dy, for rows of `width` floats of x (half as many of y and dy for `glu`).
  /// - Parameters:
  ///   - x: the function's input; looked at only where `needsInput` says so.
  ///   - y: its output.
  static func apply(
    _ activation: Activation, rows: Int, width: Int, x: UnsafePointer<Float>, y: UnsafePointer<Float>,
    dy: UnsafePointer<Float>, dx: Floats
  ) {
    let count = rows * width
    switch activation {
    case .linear: dx.update(from: dy, count: count)
    case .relu: Kernels.table.relu_gradient(dx, y, dy, count)
    case .sigmoid: Kernels.table.sigmoid_gradient(dx, y, dy, count)
    case .tanh: Kernels.table.tanh_gradient(dx, y, dy, count)
    case .softmax, .logSoftmax, .sparsemax, .glu:
      let half = activation == .glu ? width / 2 : width
      for row in 0..<rows {
        NaiveActivation.rowGradient(
          activation, x: x + row * width, y: y + row * half, dy: dy + row * half, width: width, dx: dx + row * width)
      }
    case .relu6, .leakyRelu02, .elu, .selu, .celu, .logSigmoid, .hardSigmoidFifth, .hardSigmoidSixth, .hardTanh,
      .tanhShrink, .hardShrink, .softShrink, .softplus, .softsign, .exponential, .silu, .hardSilu, .gelu, .mish,
      .squareplus, .sparsePlus, .sparseSigmoid, .leakyRelu, .scaledElu, .thresholdedRelu, .boundedRelu, .tanhGelu,
      .sigmoidTo2, .sigmoidTo1, .clipped:
      let readsInput = activation.needsInput
      for index in 0..<count {
        dx[index] = dy[index] * NaiveActivation.derivative(activation, x: readsInput ? x[index] : 0, y: y[index])
      }
    }
  }
}

extension NaiveActivation {
  /// f'(x) of the element-wise functions, from x or, where that suffices, from y = f(x).
  static func derivative<Scalar: Real & BinaryFloatingPoint>(_ activation: Activation, x: Scalar, y: Scalar) -> Scalar {
    switch activation {
    case .linear: 1
    case .relu: y > 0 ? 1 : 0
    case .relu6: x > 0 && x < 6 ? 1 : 0
    case .leakyRelu02: x > 0 ? 1 : Scalar(0.2)
    case .elu: y > 0 ? 1 : y + 1
    // Keras adds max(x, 0) and min(e^x - 1, 0), and both have slope 1 at 0.
    case .celu: y > 0 ? 1 : y == 0 ? 2 : y + 1
    case .selu: y >= 0 ? Scalar(1.0507009873554805) : y + Scalar(1.0507009873554805 * 1.6732632423543772)
    case .sigmoid: y * (1 - y)
    case .logSigmoid: 1 / (1 + .exp(x))
    case .hardSigmoidFifth: abs(x) < Scalar(2.5) ? Scalar(0.2) : 0
    case .hardSigmoidSixth: abs(x) < 3 ? 1 / 6 : 0
    case .tanh: 1 - y * y
    case .hardTanh: abs(x) <= 1 ? 1 : 0
    case .tanhShrink: .pow(.tanh(x), 2)
    case .hardShrink, .softShrink: abs(x) > Scalar(0.5) ? 1 : 0
    case .softplus: 1 / (1 + .exp(-x))
    case .softsign: 1 / ((1 + abs(x)) * (1 + abs(x)))
    case .exponential: y
    case .silu: siluDerivative(x)
    case .hardSilu: x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + Scalar(0.5)
    case .gelu: geluDerivative(x)
    case .mish: mishDerivative(x)
    case .squareplus: Scalar(0.5) * (1 + x / .sqrt(x * x + 4))
    case .sparsePlus: x <= -1 ? 0 : x >= 1 ? 1 : (x + 1) / 2
    case .sparseSigmoid: abs(x) < 1 ? Scalar(0.5) : 0
    case .leakyRelu(let slope): x > 0 ? 1 : Scalar(slope)
    case .scaledElu(let alpha): x > 0 ? 1 : Scalar(alpha) * .exp(x)
    case .thresholdedRelu(let theta): x > Scalar(theta) ? 1 : 0
    case .boundedRelu(let ceiling, let slope, let threshold):
      if x <= Scalar(threshold) { Scalar(slope) } else { ceiling.map { x > 0 && x < Scalar($0) } ?? true ? 1 : 0 }
    case .tanhGelu: tanhGeluDerivative(x)
    case .sigmoidTo2: 4 * sigmoidOf(x) * (1 - sigmoidOf(x))
    case .sigmoidTo1: 2 * sigmoidOf(x) * (1 - sigmoidOf(x))
    case .clipped(let inner, let bound): abs(x) > Scalar(bound) ? 0 : derivative(inner, x: x, y: y)
    case .softmax, .logSoftmax, .sparsemax, .glu: 0
    }
  }

  private static func tanhGeluDerivative<Scalar: Real & BinaryFloatingPoint>(_ x: Scalar) -> Scalar {
    let squashed = Scalar.tanh(geluArgument(x))
    let slope: Scalar = .sqrt(2 / .pi) * (1 + 3 * Scalar(0.044715) * x * x)
    return Scalar(0.5) * (1 + squashed) + Scalar(0.5) * x * (1 - squashed * squashed) * slope
  }

  private static func sigmoidOf<Scalar: Real & BinaryFloatingPoint>(_ x: Scalar) -> Scalar { 1 / (1 + .exp(-x)) }

  private static func siluDerivative<Scalar: Real & BinaryFloatingPoint>(_ x: Scalar) -> Scalar {
    let gate = sigmoidOf(x)
    return gate * (1 + x * (1 - gate))
  }

  private static func geluDerivative<Scalar: Real & BinaryFloatingPoint>(_ x: Scalar) -> Scalar {
    let below = Scalar(0.5) * (1 + .erf(x / .sqrt(2)))
    let density: Scalar = .exp(-x * x / 2) / .sqrt(2 * .pi)
    return below + x * density
  }

  private static func mishDerivative<Scalar: Real & BinaryFloatingPoint>(_ x: Scalar) -> Scalar {
    let squashed = Scalar.tanh((x < 0 ? 0 : x) + .log(onePlus: .exp(-abs(x))))
    return squashed + x * sigmoidOf(x) * (1 - squashed * squashed)
  }

  /// dx <- transposed(Jacobian) dy of one last axis, for the functions that need it whole.
  static func rowGradient(
    _ activation: Activation, x: UnsafePointer<Float>, y: UnsafePointer<Float>, dy: UnsafePointer<Float>, width: Int,
    dx: Floats
  ) {
    switch activation {
    case .softmax:
      var product: Float = 0
      for index in 0..<width { product += dy[index] * y[index] }
      for index in 0..<width { dx[index] = y[index] * (dy[index] - product) }
    case .logSoftmax:
      var sum: Float = 0
      for index in 0..<width { sum += dy[index] }
      for index in 0..<width { dx[index] = dy[index] - .exp(y[index]) * sum }
    case .glu:
      let half = width / 2
      for index in 0..<half {
        let gate = 1 / (1 + Float.exp(-x[half + index]))
        dx[index] = dy[index] * gate
        dx[half + index] = dy[index] * x[index] * gate * (1 - gate)
      }
    case .sparsemax: sparsemaxGradient(x: x, y: y, dy: dy, width: width, dx: dx)
    case .linear, .relu, .relu6, .leakyRelu02, .elu, .selu, .celu, .sigmoid, .logSigmoid, .hardSigmoidFifth,
      .hardSigmoidSixth, .tanh, .hardTanh, .tanhShrink, .hardShrink, .softShrink, .softplus, .softsign, .exponential,
      .silu, .hardSilu, .gelu, .mish, .squareplus, .sparsePlus, .sparseSigmoid, .leakyRelu, .scaledElu,
      .thresholdedRelu,
      .boundedRelu, .tanhGelu, .sigmoidTo2, .sigmoidTo1, .clipped:
      for index in 0..<width { dx[index] = dy[index] * derivative(activation, x: x[index], y: y[index]) }
    }
  }

  /// Of Keras's sparsemax: its threshold weighs the j-th largest input by the members of the support from j on.
  private static func sparsemaxGradient(
    x: UnsafePointer<Float>, y: UnsafePointer<Float>, dy: UnsafePointer<Float>, width: Int, dx: Floats
  ) {
    let order = (0..<width).sorted { x[$0] > x[$1] }
    var cumulative: Float = 0
    var isInSupport: [Bool] = []
    for (position, index) in order.enumerated() {
      cumulative += x[index]
      isInSupport.append(x[index] - (cumulative - 1) / Float(position + 1) > 0)
    }
    let support = Float(isInSupport.filter(\.self).count)
    var passed: Float = 0
    for index in 0..<width where y[index] > 0 { passed += dy[index] }
    var members: Float = 0
    for position in (0..<width).reversed() {
      if isInSupport[position] { members += 1 }
      let index = order[position]
      dx[index] = (y[index] > 0 ? dy[index] : 0) - passed * members / support
    }
  }
}
