import RNNCore

/// Keras's names of activations, by generation. One table serves reading and writing.
enum KerasActivations {
  /// Names that mean the same in every generation that has them.
  private static let common: [(name: String, activation: Activation)] = [
    ("linear", .linear), ("relu", .relu), ("elu", .elu), ("softplus", .softplus), ("softsign", .softsign),
    ("tanh", .tanh), ("sigmoid", .sigmoid), ("softmax", .softmax),
  ]

  private static let sinceKeras2: [(name: String, activation: Activation)] = [
    ("selu", .selu), ("exponential", .exponential), ("silu", .silu), ("swish", .silu), ("gelu", .gelu),
    ("mish", .mish), ("relu6", .relu6), ("leaky_relu", .leakyRelu02), ("log_softmax", .logSoftmax),
  ]

  private static let sinceKeras3: [(name: String, activation: Activation)] = [
    ("celu", .celu), ("glu", .glu), ("hard_silu", .hardSilu), ("hard_swish", .hardSilu), ("hard_tanh", .hardTanh),
    ("hard_shrink", .hardShrink), ("soft_shrink", .softShrink), ("tanh_shrink", .tanhShrink),
    ("squareplus", .squareplus), ("sparse_plus", .sparsePlus), ("sparse_sigmoid", .sparseSigmoid),
    ("sparsemax", .sparsemax), ("log_sigmoid", .logSigmoid),
  ]

  /// The one name whose function changed: 0.2 x + 0.5 became x / 6 + 0.5.
  private static func hardSigmoid(_ generation: KerasGeneration) -> Activation {
    switch generation {
    case .keras1, .keras2: .hardSigmoidFifth
    case .keras3: .hardSigmoidSixth
    }
  }

  static func table(_ generation: KerasGeneration) -> [(name: String, activation: Activation)] {
    let own = [(name: "hard_sigmoid", activation: hardSigmoid(generation))]
    switch generation {
    case .keras1: return common + own
    case .keras2: return common + own + sinceKeras2
    case .keras3: return common + own + sinceKeras2 + sinceKeras3
    }
  }

  static func activation(named name: String, _ generation: KerasGeneration) -> Activation? {
    table(generation).first { $0.name == name }?.activation
  }

  /// The name in a generation, or `nil` where it has no such function.
  static func name(of activation: Activation, _ generation: KerasGeneration) -> String? {
    table(generation).first { $0.activation == activation }?.name
  }
}
