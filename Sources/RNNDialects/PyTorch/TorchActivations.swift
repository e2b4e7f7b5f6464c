import RNNCore

/// PyTorch's activations: by the words that people say, and by the classes of modules.
public enum TorchActivations {
  /// What `--activations` takes.
  public static let names: [(name: String, activation: Activation)] = [
    ("linear", .linear), ("relu", .relu), ("tanh", .tanh), ("sigmoid", .sigmoid), ("softmax", .softmax),
    ("log_softmax", .logSoftmax), ("relu6", .relu6), ("leaky_relu", .leakyRelu(slope: 0.01)), ("elu", .elu),
    ("selu", .selu), ("celu", .celu), ("gelu", .gelu), ("silu", .silu), ("mish", .mish), ("softplus", .softplus),
    ("softsign", .softsign), ("hardsigmoid", .hardSigmoidSixth), ("hardswish", .hardSilu), ("hardtanh", .hardTanh),
    ("logsigmoid", .logSigmoid), ("tanhshrink", .tanhShrink), ("glu", .glu),
  ]

  /// What `--activations` gives: `fc1=relu,fc2=linear`, or the functions alone in the order of the modules.
  public static func list(_ text: String) throws -> [(module: String?, activation: Activation)] {
    try text.split(separator: ",").map { part in
      let words = part.split(separator: "=", maxSplits: 1).map { String($0.filter { $0 != " " }) }
      return (words.count == 2 ? words[0] : nil, try named(words.last ?? ""))
    }
  }

  /// - Throws: `usage` naming all that there are.
  public static func named(_ name: String) throws -> Activation {
    if let known = names.first(where: { $0.name == name }) { return known.activation }
    throw RNNError.usage(
      "no activation is called '\(name)'", remedy: "There are " + names.map(\.name).joined(separator: ", ") + ".")
  }

  /// The function that a module of `torch.nn.modules.activation` applies; along the axis that `dim` says where it
  /// runs along one; `nil` for any other module, or for one with numbers that no function here has.
  static func activation(of module: TorchModule) -> Activation? {
    guard module.className.hasPrefix("torch.nn.modules.activation.") else { return nil }
    func number(_ field: String) -> Double? { module.fields[field]?.double }
    switch module.className.split(separator: ".").last.map(String.init) ?? "" {
    case "ReLU": return .relu
    case "ReLU6": return .relu6
    case "Tanh": return .tanh
    case "Sigmoid": return .sigmoid
    case "Softmax": return .softmax
    case "LogSoftmax": return .logSoftmax
    case "LeakyReLU": return .leakyRelu(slope: number("negative_slope") ?? 0.01)
    case "ELU": return number("alpha") == 1 ? .elu : .scaledElu(alpha: number("alpha") ?? 1)
    case "SELU": return .selu
    case "CELU": return number("alpha") == 1 ? .celu : nil
    case "GELU": return module.fields["approximate"]?.string == "tanh" ? .tanhGelu : .gelu
    case "SiLU": return .silu
    case "Mish": return .mish
    case "Softplus": return number("beta") == 1 ? .softplus : nil
    case "Softsign": return .softsign
    case "Hardsigmoid": return .hardSigmoidSixth
    case "Hardswish": return .hardSilu
    case "Hardtanh": return number("min_val") == -1 && number("max_val") == 1 ? .hardTanh : nil
    case "LogSigmoid": return .logSigmoid
    case "Tanhshrink": return .tanhShrink
    case "GLU": return .glu
    case _: return nil
    }
  }
}
