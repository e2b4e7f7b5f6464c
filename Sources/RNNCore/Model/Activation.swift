/// An element-wise or last-axis function, by its arithmetic and not by a framework's name for it.
///
/// The two hard sigmoids are different functions: Keras kept the name and changed the slope with version 3.
/// Formulas as in Keras 3.15 `keras/src/activations` and `keras/src/ops/nn.py`.
public enum Activation: String, Sendable, Codable, CaseIterable {
  /// x
  case linear
  /// max(x, 0)
  case relu
  /// min(max(x, 0), 6)
  case relu6
  /// x for x > 0, else 0.2 x
  case leakyRelu02 = "leaky_relu_0.2"
  /// x for x > 0, else exp(x) - 1
  case elu
  /// 1.0507009873554805 (x for x > 0, else 1.6732632423543772 (exp(x) - 1))
  case selu
  /// max(x, 0) + min(exp(x) - 1, 0)
  case celu
  /// 1 / (1 + exp(-x))
  case sigmoid
  /// log(sigmoid(x))
  case logSigmoid = "log_sigmoid"
  /// clip(0.2 x + 0.5, 0, 1): Keras 1 and 2, ONNX's default
  case hardSigmoidFifth = "hard_sigmoid_1/5"
  /// clip(x / 6 + 0.5, 0, 1): Keras 3, PyTorch
  case hardSigmoidSixth = "hard_sigmoid_1/6"
  /// tanh(x)
  case tanh
  /// clip(x, -1, 1)
  case hardTanh = "hard_tanh"
  /// x - tanh(x)
  case tanhShrink = "tanh_shrink"
  /// x where |x| > 0.5, else 0
  case hardShrink = "hard_shrink"
  /// sign(x) max(|x| - 0.5, 0)
  case softShrink = "soft_shrink"
  /// log(1 + exp(x))
  case softplus
  /// x / (1 + |x|)
  case softsign
  /// exp(x)
  case exponential
  /// x sigmoid(x)
  case silu
  /// x clip(x / 6 + 0.5, 0, 1)
  case hardSilu = "hard_silu"
  /// x Phi(x), with the error function
  case gelu
  /// x tanh(softplus(x))
  case mish
  /// (x + sqrt(x^2 + 4)) / 2
  case squareplus
  /// 0 for x <= -1, x for x >= 1, else (x + 1)^2 / 4
  case sparsePlus = "sparse_plus"
  /// 0 for x <= -1, 1 for x >= 1, else (x + 1) / 2
  case sparseSigmoid = "sparse_sigmoid"
  /// exp(x) / sum(exp(x)) over the last axis
  case softmax
  /// x - log(sum(exp(x))) over the last axis
  case logSoftmax = "log_softmax"
  /// Keras's sparsemax over the last axis, which is not quite that of Martins and Astudillo 2016
  case sparsemax
  /// First half of the last axis times the sigmoid of the second
  case glu

  /// Whether the function needs the whole last axis at once.
  public var isOverLastAxis: Bool {
    switch self {
    case .softmax, .logSoftmax, .sparsemax, .glu: true
    case .linear, .relu, .relu6, .leakyRelu02, .elu, .selu, .celu, .sigmoid, .logSigmoid, .hardSigmoidFifth,
      .hardSigmoidSixth, .tanh, .hardTanh, .tanhShrink, .hardShrink, .softShrink, .softplus, .softsign, .exponential,
      .silu, .hardSilu, .gelu, .mish, .squareplus, .sparsePlus, .sparseSigmoid:
      false
    }
  }
}
