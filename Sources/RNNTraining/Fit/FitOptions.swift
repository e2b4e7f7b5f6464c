import RNNCore

/// How long and in what order a model is trained.
public struct FitOptions: Sendable, Equatable {
  public var epochs = 1
  public var batchSize = 32
  public var isShuffled = true
  /// Weights of the classes of a single sparse or binary target.
  public var classWeights: [Int: Float]?
  /// The value that decides whether an epoch was better, by its name in the history; by default `val_loss`, or `loss`
  /// where nothing validates.
  public var monitor: String?
  public var earlyStopping: EarlyStopping?
  public var plateau: ReduceOnPlateau?
  /// Calls `Fit.Events.checkpoint` after so many steps.
  public var checkpointEvery: Int?

  public init() {}
}

// MARK: - As JSON

/// For checkpoints; how often they are written is no part of a training.
extension FitOptions {
  /// No training has more of anything.
  static let most = 1 << 40

  public var json: JSONValue {
    [
      "epochs": .integer(epochs), "batch_size": .integer(batchSize), "shuffle": .bool(isShuffled),
      "class_weights": classWeights.map { weights in
        .object(JSONObject(weights.sorted { $0.key < $1.key }.map { ("\($0.key)", .number(Double($0.value))) }))
      } ?? .null,
      "monitor": monitor.map(JSONValue.string) ?? .null,
      "early_stopping": earlyStopping.map {
        ["patience": .integer($0.patience), "min_delta": .number($0.minDelta)]
      } ?? .null,
      "plateau": plateau.map {
        [
          "patience": .integer($0.patience), "factor": .number($0.factor), "min_delta": .number($0.minDelta),
          "cooldown": .integer($0.cooldown), "min_lr": .number($0.minimum),
        ]
      } ?? .null,
    ]
  }

  /// `nil` where a part is missing or no such thing.
  public init?(_ json: JSONValue) {
    func count(_ json: JSONValue?, _ key: String) -> Int? {
      json?[key]?.integer.flatMap { (0...FitOptions.most).contains($0) ? $0 : nil }
    }
    guard let epochs = count(json, "epochs"), let batchSize = count(json, "batch_size"), batchSize > 0,
      let isShuffled = json["shuffle"]?.bool
    else { return nil }
    (self.epochs, self.batchSize, self.isShuffled) = (epochs, batchSize, isShuffled)
    monitor = json["monitor"]?.string
    if let weights = json["class_weights"]?.object {
      let pairs = weights.members.compactMap { member in
        Int(member.key).flatMap { key in member.value.double.map { (key, Float($0)) } }
      }
      classWeights = Dictionary(pairs) { first, _ in first }
    }
    if let given = json["early_stopping"], !given.isNull {
      guard let patience = count(given, "patience"), let minDelta = given["min_delta"]?.double else { return nil }
      earlyStopping = EarlyStopping(patience: patience, minDelta: minDelta)
    }
    if let given = json["plateau"], !given.isNull {
      guard let patience = count(given, "patience"), let cooldown = count(given, "cooldown"),
        let factor = given["factor"]?.double, let minDelta = given["min_delta"]?.double,
        let minimum = given["min_lr"]?.double
      else { return nil }
      plateau = ReduceOnPlateau(
        patience: patience, factor: factor, minDelta: minDelta, cooldown: cooldown, minimum: minimum)
    }
  }
}
