/// An element-wise or last-axis function, by its arithmetic and not by a framework's name for it.
///
/// The two hard sigmoids are different functions: Keras kept the name and changed the slope with version 3.
/// Formulas as in Keras 3.15 `keras/src/activations` and `keras/src/ops/nn.py`. Files hold a function by its name,
/// with its parameters behind it in parentheses where it has any (`leaky_relu(0.3)`).
public indirect enum Activation: Sendable, Hashable {
  /// x
  case linear
  /// max(x, 0)
  case relu
  /// min(max(x, 0), 6)
  case relu6
  /// x for x > 0, else 0.2 x
  case leakyRelu02
  /// x for x > 0, else exp(x) - 1
  case elu
  /// 1.0507009873554805 (x for x > 0, else 1.6732632423543772 (exp(x) - 1))
  case selu
  /// max(x, 0) + min(exp(x) - 1, 0)
  case celu
  /// 1 / (1 + exp(-x))
  case sigmoid
  /// log(sigmoid(x))
  case logSigmoid
  /// clip(0.2 x + 0.5, 0, 1): Keras 1 and 2, ONNX's default
  case hardSigmoidFifth
  /// clip(x / 6 + 0.5, 0, 1): Keras 3, PyTorch
  case hardSigmoidSixth
  /// tanh(x)
  case tanh
  /// clip(x, -1, 1)
  case hardTanh
  /// x - tanh(x)
  case tanhShrink
  /// x where |x| > 0.5, else 0
  case hardShrink
  /// sign(x) max(|x| - 0.5, 0)
  case softShrink
  /// log(1 + exp(x))
  case softplus
  /// x / (1 + |x|)
  case softsign
  /// exp(x)
  case exponential
  /// x sigmoid(x)
  case silu
  /// x clip(x / 6 + 0.5, 0, 1)
  case hardSilu
  /// x Phi(x), with the error function
  case gelu
  /// x tanh(softplus(x))
  case mish
  /// (x + sqrt(x^2 + 4)) / 2
  case squareplus
  /// 0 for x <= -1, x for x >= 1, else (x + 1)^2 / 4
  case sparsePlus
  /// 0 for x <= -1, 1 for x >= 1, else (x + 1) / 2
  case sparseSigmoid
  /// exp(x) / sum(exp(x)) over the last axis
  case softmax
  /// x - log(sum(exp(x))) over the last axis
  case logSoftmax
  /// Keras's sparsemax over the last axis, which is not quite that of Martins and Astudillo 2016
  case sparsemax
  /// First half of the last axis times the sigmoid of the second
  case glu

  /// x for x > 0, else slope x: the layer LeakyReLU
  case leakyRelu(slope: Double)
  /// x for x > 0, else alpha (exp(x) - 1): the layer ELU
  case scaledElu(alpha: Double)
  /// x for x > theta, else 0: the layer ThresholdedReLU
  case thresholdedRelu(theta: Double)
  /// (x for x > threshold, else 0; with a ceiling between 0 and that) + slope min(x - threshold, 0): the layer ReLU
  case boundedRelu(ceiling: Double?, slope: Double, threshold: Double)
  /// x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))): GELU without the error function
  case tanhGelu
  /// 4 sigmoid(x) - 2: what the LSTM of 1997 squashes its input with
  case sigmoidTo2
  /// 2 sigmoid(x) - 1: what the LSTM of 1997 squashes its state with
  case sigmoidTo1
  /// f(x between -bound and bound), of a function of one element: what ONNX's recurrent nodes do with `clip`
  case clipped(Activation, bound: Double)

  /// Whether the function needs the whole last axis at once.
  public var isOverLastAxis: Bool {
    switch self {
    case .softmax, .logSoftmax, .sparsemax, .glu: true
    case .leakyRelu, .scaledElu, .thresholdedRelu, .boundedRelu, .tanhGelu, .sigmoidTo2, .sigmoidTo1, .clipped, .linear,
      .relu,
      .relu6, .leakyRelu02, .elu,
      .selu, .celu, .sigmoid, .logSigmoid, .hardSigmoidFifth,
      .hardSigmoidSixth, .tanh, .hardTanh, .tanhShrink, .hardShrink, .softShrink, .softplus, .softsign, .exponential,
      .silu, .hardSilu, .gelu, .mish, .squareplus, .sparsePlus, .sparseSigmoid:
      false
    }
  }
}

extension Activation: CaseIterable {
  private static let names: [(activation: Activation, name: String)] = [
    (.linear, "linear"),
    (.relu, "relu"),
    (.relu6, "relu6"),
    (.leakyRelu02, "leaky_relu_0.2"),
    (.elu, "elu"),
    (.selu, "selu"),
    (.celu, "celu"),
    (.sigmoid, "sigmoid"),
    (.logSigmoid, "log_sigmoid"),
    (.hardSigmoidFifth, "hard_sigmoid_1/5"),
    (.hardSigmoidSixth, "hard_sigmoid_1/6"),
    (.tanh, "tanh"),
    (.hardTanh, "hard_tanh"),
    (.tanhShrink, "tanh_shrink"),
    (.hardShrink, "hard_shrink"),
    (.softShrink, "soft_shrink"),
    (.softplus, "softplus"),
    (.softsign, "softsign"),
    (.exponential, "exponential"),
    (.silu, "silu"),
    (.hardSilu, "hard_silu"),
    (.gelu, "gelu"),
    (.mish, "mish"),
    (.squareplus, "squareplus"),
    (.sparsePlus, "sparse_plus"),
    (.sparseSigmoid, "sparse_sigmoid"),
    (.softmax, "softmax"),
    (.logSoftmax, "log_softmax"),
    (.sparsemax, "sparsemax"),
    (.glu, "glu"),
    (.tanhGelu, "gelu_tanh"),
    (.sigmoidTo2, "sigmoid_-2_2"),
    (.sigmoidTo1, "sigmoid_-1_1"),
  ]

  /// The functions without parameters.
  public static let allCases = names.map(\.activation)

  public var name: String {
    switch self {
    case .leakyRelu(let slope): "leaky_relu(\(slope))"
    case .scaledElu(let alpha): "elu(\(alpha))"
    case .thresholdedRelu(let theta): "thresholded_relu(\(theta))"
    case .boundedRelu(let ceiling, let slope, let threshold):
      "relu(\(ceiling.map { "\($0)" } ?? "none"), \(slope), \(threshold))"
    case .clipped(let inner, let bound): "clip(\(bound), \(inner.name))"
    case .linear, .relu, .relu6, .leakyRelu02, .elu, .selu, .celu, .sigmoid, .logSigmoid, .hardSigmoidFifth,
      .hardSigmoidSixth, .tanh, .hardTanh, .tanhShrink, .hardShrink, .softShrink, .softplus, .softsign, .exponential,
      .silu, .hardSilu, .gelu, .mish, .squareplus, .sparsePlus, .sparseSigmoid, .softmax, .logSoftmax, .sparsemax, .glu,
      .tanhGelu, .sigmoidTo2, .sigmoidTo1:
      Activation.names.first { $0.activation == self }?.name ?? ""
    }
  }

  public init?(named text: String) {
    if let known = Activation.names.first(where: { $0.name == text }) {
      self = known.activation
      return
    }
    guard let open = text.firstIndex(of: "("), text.hasSuffix(")") else { return nil }
    if text.hasPrefix("clip(") {
      let parts = text.dropFirst(5).dropLast().split(separator: ",", maxSplits: 1).map { $0.drop { $0 == " " } }
      guard parts.count == 2, let bound = Double(parts[0]), !parts[1].hasPrefix("clip("),
        let inner = Activation(named: String(parts[1])), !inner.isOverLastAxis
      else { return nil }
      self = .clipped(inner, bound: bound)
      return
    }
    let words = text[text.index(after: open)...].dropLast().split(separator: ",")
      .map { $0.drop { $0 == " " } }
    let numbers = words.map { Double($0) }
    switch (String(text[..<open]), numbers.count) {
    case ("leaky_relu", 1): self = .leakyRelu(slope: numbers[0] ?? .nan)
    case ("elu", 1): self = .scaledElu(alpha: numbers[0] ?? .nan)
    case ("thresholded_relu", 1): self = .thresholdedRelu(theta: numbers[0] ?? .nan)
    case ("relu", 3):
      self = .boundedRelu(ceiling: numbers[0], slope: numbers[1] ?? .nan, threshold: numbers[2] ?? .nan)
    case _: return nil
    }
    // Only a ceiling may be missing, and says so.
    let mayLack = if case .boundedRelu = self { words[0] == "none" } else { false }
    guard numbers.dropFirst(mayLack ? 1 : 0).allSatisfy({ $0 != nil }) else { return nil }
  }
}

extension Activation: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let activation = Activation(named: text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "no activation is called '\(text)'")
    }
    self = activation
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(name)
  }
}
