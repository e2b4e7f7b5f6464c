import RNNCore

/// Metrics by their names and configurations in Keras.
public enum MetricFactory {
  /// - Parameters:
  ///   - keras: a name (any alias), or an object as Keras 2 or 3 writes it.
  ///   - outputWidth: the last axis of the predictions, which decides what "accuracy" is.
  ///   - isSparse: whether a target is one class id a row.
  ///   - loss: its name in any form; Keras up to 2.3 chooses "accuracy" by it, later ones by the shapes.
  ///   - dialect, version: which Keras chooses; `keras1`, `keras2` or `keras3`.
  /// - Throws: `unsupported` naming a metric that is not built in or does not take such targets, or an argument that is
  ///   not carried.
  public static func make(
    _ keras: JSONValue, outputWidth: Int, isSparse: Bool, loss: String? = nil, dialect: String = "keras3",
    version: String? = nil
  ) throws -> any Metric {
    guard let given = keras.string ?? functionName(keras) ?? keras["class_name"]?.string else {
      throw RNNError.unsupported("a metric is \(keras.kind)")
    }
    var arguments = MetricArguments(metric: given, keras["class_name"] == "function" ? nil : keras["config"]?.object)
    if plain(given) == "meanmetricwrapper" {
      return try wrapped(&arguments, outputWidth: outputWidth, isSparse: isSparse)
    }
    let kind: Kind
    if plain(given) == "accuracy" && keras.string != nil || plain(given) == "acc" {
      kind = accuracy(
        outputWidth, isSparse: isSparse, loss: loss.map(plain),
        isClassic: KerasRules(dialect: dialect, version: version) != .later)
    } else {
      kind = try self.kind(given)
    }
    // Keras 3 names a metric as it was given; before, one that was given by its class had the class's own name.
    let isNamed = keras.object == nil && (dialect == "keras3" || given.first?.isUppercase != true)
    let name = try arguments.name() ?? (isNamed ? given : kind.rawValue)
    let metric = try kind.metric(name: name, &arguments, outputWidth)
    try kind.check(name, outputWidth, isSparse: isSparse)
    try arguments.finish()
    return metric
  }

  /// A function around which Keras 2 or 3 wrote `MeanMetricWrapper`; its arguments stand beside it.
  private static func wrapped(_ arguments: inout MetricArguments, outputWidth: Int, isSparse: Bool) throws
    -> any Metric
  {
    let function = arguments.value("fn")
    guard let given = function?.string ?? function.flatMap(functionName) ?? function?["class_name"]?.string else {
      throw RNNError.unsupported("a metric wraps \(function?.kind ?? "nothing")")
    }
    let kind = try self.kind(given)
    let name = try arguments.name() ?? kind.rawValue
    let metric = try kind.metric(name: name, &arguments, outputWidth)
    try kind.check(name, outputWidth, isSparse: isSparse)
    try arguments.finish()
    return metric
  }

  private static func functionName(_ json: JSONValue) -> String? {
    json["class_name"] == "function" ? json["config"]?.string : nil
  }

  private static func kind(_ given: String) throws -> Kind {
    let bare = plain(given)
    guard let kind = aliases[bare] ?? Kind.allCases.first(where: { plain($0.rawValue) == bare }) else {
      throw RNNError.unsupported("the metric '\(given)' is not built in", remedy: "Train without it.")
    }
    return kind
  }

  /// Without a package in front, capitals and underscores.
  private static func plain(_ name: String) -> String {
    (name.split(separator: ">").last.map(String.init) ?? name).lowercased().filter { $0 != "_" }
  }

  private static let aliases: [String: Kind] = ["mae": .meanAbsoluteError, "mse": .meanSquaredError]

  private static func accuracy(_ width: Int, isSparse: Bool, loss: String?, isClassic: Bool) -> Kind {
    if width == 1 || isClassic && loss == "binarycrossentropy" { return .binaryAccuracy }
    if isClassic { return loss == "sparsecategoricalcrossentropy" ? .sparseCategoricalAccuracy : .categoricalAccuracy }
    return isSparse ? .sparseCategoricalAccuracy : .categoricalAccuracy
  }
}

extension MetricFactory {
  /// By their names in Keras 3.
  enum Kind: String, CaseIterable {
    case binaryAccuracy = "binary_accuracy"
    case categoricalAccuracy = "categorical_accuracy"
    case sparseCategoricalAccuracy = "sparse_categorical_accuracy"
    case topKCategoricalAccuracy = "top_k_categorical_accuracy"
    case sparseTopKCategoricalAccuracy = "sparse_top_k_categorical_accuracy"
    case meanAbsoluteError = "mean_absolute_error"
    case meanSquaredError = "mean_squared_error"
    case auc
    case precision
    case recall
    case mean

    /// Whether a target is one class id a row; `nil` where targets do not matter.
    private var hasSparseTargets: Bool? {
      switch self {
      case .sparseCategoricalAccuracy, .sparseTopKCategoricalAccuracy: true
      case .binaryAccuracy, .categoricalAccuracy, .topKCategoricalAccuracy, .meanAbsoluteError, .meanSquaredError,
        .auc, .precision, .recall:
        false
      case .mean: nil
      }
    }

    /// - Throws: `unsupported` where the metric does not take the targets that the loss takes.
    func check(_ name: String, _ width: Int, isSparse: Bool) throws {
      guard width > 1, let hasSparseTargets, hasSparseTargets != isSparse else { return }
      let (own, given) = hasSparseTargets ? ("class ids", "rows of \(width)") : ("rows of \(width)", "class ids")
      throw RNNError.unsupported(
        "the metric '\(name)' compares with \(own), but the targets are \(given)", remedy: "Train without it.")
    }

    func metric(name: String, _ arguments: inout MetricArguments, _ width: Int) throws -> any Metric {
      switch self {
      case .binaryAccuracy:
        RowMetric(.binaryAccuracy(threshold: Float(try arguments.double("threshold") ?? 0.5)), name: name)
      case .categoricalAccuracy: RowMetric(.categoricalAccuracy, name: name)
      case .sparseCategoricalAccuracy: RowMetric(.sparseCategoricalAccuracy, name: name)
      case .topKCategoricalAccuracy: RowMetric(.topK(count: try arguments.int("k") ?? 5), name: name)
      case .sparseTopKCategoricalAccuracy:
        RowMetric(.sparseTopK(count: try arguments.int("k") ?? 5), name: name)
      case .meanAbsoluteError: RowMetric(.meanAbsoluteError, name: name)
      case .meanSquaredError: RowMetric(.meanSquaredError, name: name)
      case .auc: try AUCMetric(&arguments, width: width, name: name)
      case .precision: ConfusionMetric(.precision, thresholds: try arguments.thresholds() ?? [0.5], name: name)
      case .recall: ConfusionMetric(.recall, thresholds: try arguments.thresholds() ?? [0.5], name: name)
      case .mean: MeanMetric(name: name)
      }
    }
  }
}
