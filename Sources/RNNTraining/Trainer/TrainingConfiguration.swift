import RNNCore

/// How a model is trained: what Keras's `compile` takes.
public struct TrainingConfiguration: Sendable, Equatable {
  public var optimizer: Optimizer
  /// One for each output.
  public var losses: [Loss]
  /// Factors of the outputs' losses.
  public var lossWeights: [Double]
  /// Names or Keras configurations.
  public var metrics: [JSONValue]

  public init(optimizer: Optimizer, losses: [Loss], metrics: [JSONValue] = []) {
    self.optimizer = optimizer
    self.losses = losses
    self.metrics = metrics
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
    let losses = try model.spec.outputs.enumerated().map { index, reference in
      if let given = TrainingConfiguration.part(json["loss"], names[index], index), !given.isNull {
        return try Loss(keras: given)
      }
      let spec = model.spec.layers[model.spec.calls[reference.call].layer].spec
      return Loss.fitting(spec.activations.first ?? .linear, units: 2)
    }
    self.init(
      optimizer: optimizer, losses: losses,
      metrics: TrainingConfiguration.isCompiled(model)
        ? TrainingConfiguration.flat(json["metrics"]) : TrainingConfiguration.metrics(fitting: losses))
    lossWeights = names.indices.map { index in
      TrainingConfiguration.part(json["loss_weights"], names[index], index)?.double ?? 1
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

  /// The entry for one output: the same for all, or by position or name.
  private static func part(_ value: JSONValue?, _ name: String, _ index: Int) -> JSONValue? {
    guard let value else { return nil }
    if let list = value.array { return list.indices.contains(index) ? list[index] : nil }
    if let object = value.object, object["class_name"] == nil { return object[name] }
    return value
  }

  private static func flat(_ value: JSONValue?) -> [JSONValue] {
    guard let value, !value.isNull else { return [] }
    if let list = value.array { return list.flatMap { flat($0) } }
    if let object = value.object, object["class_name"] == nil { return object.members.flatMap { flat($0.value) } }
    return [value]
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
    if old?.metrics != metrics || json["metrics"] == nil { json["metrics"] = .array(metrics) }
    let key = json["optimizer_config"] == nil && json["optimizer"] != nil ? "optimizer" : "optimizer_config"
    if old?.optimizer != optimizer || json[key] == nil {
      json[key] = optimizer.kerasConfig(over: json[key], provenance: model.provenance)
    }
    return .object(json)
  }
}
