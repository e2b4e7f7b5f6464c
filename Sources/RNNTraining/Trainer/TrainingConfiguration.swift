import RNNCore

/// How a model is trained: what Keras's `compile` takes.
public struct TrainingConfiguration: Sendable, Equatable {
  public var optimizer: Optimizer
  /// One for each output.
  public var losses: [Loss]
  /// Factors of the outputs' losses.
  public var lossWeights: [Double]
  /// For each output, names or Keras configurations.
  public var metrics: [[JSONValue]]
  /// The same, measured with the examples' weights.
  public var weightedMetrics: [[JSONValue]]

  /// - Parameter metrics: of every output.
  public init(optimizer: Optimizer, losses: [Loss], metrics: [JSONValue] = []) {
    self.optimizer = optimizer
    self.losses = losses
    self.metrics = losses.map { _ in metrics }
    weightedMetrics = losses.map { _ in [] }
    lossWeights = losses.map { _ in 1 }
  }

  /// What the model was compiled with, else Adam, losses that fit the last layers, and the metrics of these.
  /// - Throws: `unsupported` for an optimizer or a loss that is not built in.
  public init(for model: NativeModel) throws {
    let json = try model.training.map { try JSONValue(parsing: $0) } ?? .null
    let provenance = model.provenance
    var optimizer = Optimizer.adam
    if let given = json["optimizer_config"] ?? json["optimizer"], !given.isNull {
      optimizer = try Optimizer(
        keras: given, dialect: provenance.dialect, version: provenance.frameworkVersion)
    }
    let names = model.spec.outputNames
    let plain = model.spec.plain
    let lastActivations = plain.outputs.map { reference in
      plain.layers[plain.calls[plain.source(of: reference.call)].layer].spec.activations.first ?? .linear
    }
    let losses = try names.indices.map { index in
      if let given = TrainingConfiguration.part(json["loss"], names[index], index), !given.isNull {
        return try Loss(keras: given)
      }
      // An output that was compiled without a loss is trained through the others.
      if TrainingConfiguration.isByOutput(json["loss"]) { return Loss(.meanSquaredError) }
      return Loss.fitting(lastActivations[index])
    }
    self.init(optimizer: optimizer, losses: losses, metrics: TrainingConfiguration.metrics(fitting: losses))
    if TrainingConfiguration.isCompiled(model) {
      let isKeras3 = provenance.dialect == "keras3"
      func read(_ key: String) -> [[JSONValue]] {
        names.indices.map { TrainingConfiguration.metrics(json[key], names, $0, isKeras3: isKeras3) }
      }
      (metrics, weightedMetrics) = (read("metrics"), read("weighted_metrics"))
    }
    lossWeights = names.indices.map { index in
      let loss = TrainingConfiguration.part(json["loss"], names[index], index)
      if TrainingConfiguration.isByOutput(json["loss"]), loss.map(\.isNull) ?? true { return 0 }
      return TrainingConfiguration.part(json["loss_weights"], names[index], index)?.double ?? 1
    }
  }

  /// Whether the model's file says how it is trained.
  public static func isCompiled(_ model: NativeModel) -> Bool {
    guard let json = try? JSONValue(parsing: model.training ?? "{}") else { return false }
    return ["loss", "optimizer", "optimizer_config", "metrics"].contains { json[$0].map { !$0.isNull } ?? false }
  }

  /// What people look at where nothing names a metric: the accuracy of classes.
  public static func metrics(fitting losses: [Loss]) -> [JSONValue] {
    let areOfClasses = losses.allSatisfy { loss in
      switch loss.kind {
      case .binaryCrossentropy, .categoricalCrossentropy, .sparseCategoricalCrossentropy: true
      case .meanSquaredError, .meanAbsoluteError, .meanAbsolutePercentageError, .meanSquaredLogarithmicError, .huber,
        .logCosh, .poisson, .hinge, .squaredHinge, .categoricalHinge, .klDivergence, .cosineSimilarity:
        false
      }
    }
    return areOfClasses ? ["accuracy"] : []
  }

  /// Where a class id is expected and the targets are rows of the output's width, takes them for one-hot rows.
  /// - Parameter targets: the shapes of one example.
  public mutating func fitLosses(to targets: [[Int]], of spec: ModelSpec) throws {
    let shapes = try spec.shapes()
    for (index, reference) in spec.outputs.enumerated() where targets.indices.contains(index) {
      let output = shapes.outputs[reference.call][reference.output]
      guard losses[index].kind == .sparseCategoricalCrossentropy, targets[index].count == output.count,
        let width = output.last, let width, width > 1, targets[index].last == width
      else { continue }
      losses[index].kind = .categoricalCrossentropy
    }
  }

  /// Whether there is an entry for each output.
  private static func isByOutput(_ value: JSONValue?) -> Bool {
    value?.array != nil || value?.object.map { $0["class_name"] == nil } ?? false
  }

  /// The entry for one output: the same for all, or by position or name.
  private static func part(_ value: JSONValue?, _ name: String, _ index: Int) -> JSONValue? {
    guard let value else { return nil }
    if let list = value.array { return list.indices.contains(index) ? list[index] : nil }
    if let object = value.object, object["class_name"] == nil { return object[name] }
    return value
  }

  /// The metrics of one output. Keras 2 measures a plain list's on every output, Keras 3 takes one as long as there are
  /// outputs by position; lists in a list go by position, and objects by name.
  private static func metrics(
    _ value: JSONValue?, _ names: [String], _ index: Int, isKeras3: Bool
  ) -> [JSONValue] {
    guard let value else { return [] }
    let isByPosition =
      names.count > 1
      && value.array.map { list in
        list.contains { $0.array != nil || $0.isNull } || isKeras3 && list.count == names.count
      } == true
    let own: JSONValue? =
      if let object = value.object, object["class_name"] == nil {
        object[names[index]]
      } else if isByPosition, let list = value.array { list.indices.contains(index) ? list[index] : nil } else { value }
    return flat(own)
  }

  private static func flat(_ value: JSONValue?) -> [JSONValue] {
    guard let value, !value.isNull else { return [] }
    return value.array.map { $0.flatMap { flat($0) } } ?? [value]
  }

  /// As a Keras `training_config`: the words of the model's file where they still hold, for they say more than ours
  /// (which Keras's formulas are meant, for one), and ours elsewhere.
  public func kerasConfig(for model: NativeModel) -> JSONValue {
    var json = (try? JSONValue(parsing: model.training ?? "{}"))?.object ?? JSONObject()
    json[TrainingCheckpoint.key] = nil
    let old = try? TrainingConfiguration(for: model)
    if old?.losses != losses || json["loss"] == nil {
      json["loss"] = losses.count == 1 ? losses[0].kerasConfig : .array(losses.map(\.kerasConfig))
    }
    if old?.lossWeights != lossWeights { json["loss_weights"] = .array(lossWeights.map(JSONValue.number)) }
    if old?.metrics != metrics || json["metrics"] == nil {
      json["metrics"] = .array(metrics.count == 1 ? metrics[0] : metrics.map(JSONValue.array))
    }
    if old?.weightedMetrics != weightedMetrics {
      json["weighted_metrics"] = .array(
        weightedMetrics.count == 1 ? weightedMetrics[0] : weightedMetrics.map(JSONValue.array))
    }
    // Keras opens no file without these.
    for key in ["loss_weights", "weighted_metrics"] where json[key] == nil { json[key] = .null }
    let key = json["optimizer_config"] == nil && json["optimizer"] != nil ? "optimizer" : "optimizer_config"
    if old?.optimizer != optimizer || json[key] == nil {
      json[key] = optimizer.kerasConfig(over: json[key], provenance: model.provenance)
    }
    return .object(json)
  }
}
