import RNNCore

extension Loss {
  /// A loss as a Keras configuration names it: a string (any alias), or an object with its arguments.
  /// - Throws: `unsupported` for a loss that is not built in.
  public init(keras json: JSONValue) throws {
    let arguments = json["config"]
    let given =
      json.string ?? (json["class_name"]?.string == "function" ? json["config"]?.string : nil)
      ?? json["class_name"]?.string
    guard let given else { throw RNNError.unsupported("the loss is \(json.kind)") }
    let bare = Loss.plain(given)
    guard let kind = Loss.aliases[bare] ?? Kind.allCases.first(where: { Loss.plain($0.rawValue) == bare }) else {
      throw RNNError.unsupported("the loss '\(given)' is not built in", remedy: "Name another with --loss.")
    }
    self.init(kind)
    fromLogits = arguments?["from_logits"]?.bool ?? false
    labelSmoothing = arguments?["label_smoothing"]?.double ?? 0
    delta = arguments?["delta"]?.double ?? 1
    ignoredClass = arguments?["ignore_class"]?.integer
    if let given = arguments?["reduction"] { reduction = try Loss.reduction(given, of: self.kind) }
  }

  /// A name, or an object where the loss has arguments.
  var kerasConfig: JSONValue {
    var arguments: [(String, JSONValue)] = []
    if fromLogits { arguments.append(("from_logits", true)) }
    if labelSmoothing != 0 { arguments.append(("label_smoothing", .number(labelSmoothing))) }
    if delta != 1 { arguments.append(("delta", .number(delta))) }
    if let ignoredClass { arguments.append(("ignore_class", .integer(ignoredClass))) }
    if reduction != .mean { arguments.append(("reduction", .string(reduction.rawValue))) }
    if arguments.isEmpty { return .string(kind.rawValue) }
    let name = kind.rawValue.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    return ["class_name": .string(name), "config": .object(JSONObject(arguments))]
  }

  /// - Throws: `unsupported` where the rows' losses are not reduced at all.
  private static func reduction(_ json: JSONValue, of kind: Kind) throws -> Reduction {
    switch json.string {
    case "mean", "auto": return .mean
    case let name?:
      if let reduction = Reduction(rawValue: name) { return reduction }
    case nil: break
    }
    throw RNNError.unsupported(
      "the loss \(kind.rawValue) has the reduction \(json.text()), which is not built in",
      remedy: "Name a loss with --loss.")
  }

  private static func plain(_ name: String) -> String {
    let last = name.split(separator: ">").last.map(String.init) ?? name
    return last.lowercased().filter { $0 != "_" }
  }

  private static let aliases: [String: Kind] = [
    "mse": .meanSquaredError, "mae": .meanAbsoluteError, "mape": .meanAbsolutePercentageError,
    "msle": .meanSquaredLogarithmicError, "kld": .klDivergence, "kldivergence": .klDivergence,
    "kullbackleiblerdivergence": .klDivergence, "huberloss": .huber, "logcosh": .logCosh, "bce": .binaryCrossentropy,
    "cosineproximity": .cosineSimilarity,
  ]

  /// The loss that fits a last layer, where nothing names one.
  public static func fitting(_ activation: Activation) -> Loss {
    switch activation {
    case .sigmoid, .hardSigmoidFifth, .hardSigmoidSixth: Loss(.binaryCrossentropy)
    case .softmax: Loss(.sparseCategoricalCrossentropy)
    case .linear, .relu, .relu6, .leakyRelu02, .elu, .selu, .celu, .logSigmoid, .tanh, .hardTanh, .tanhShrink,
      .hardShrink, .softShrink, .softplus, .softsign, .exponential, .silu, .hardSilu, .gelu, .mish, .squareplus,
      .sparsePlus, .sparseSigmoid, .logSoftmax, .sparsemax, .glu, .leakyRelu, .scaledElu, .thresholdedRelu,
      .boundedRelu, .tanhGelu, .sigmoidTo2, .sigmoidTo1, .clipped:
      Loss(.meanSquaredError)
    }
  }
}
