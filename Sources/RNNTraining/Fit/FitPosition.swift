import RNNCore

/// Where a fit stands: what a checkpoint keeps, beside the model, so that training goes on to the same bits.
public struct FitPosition: Sendable, Equatable {
  /// Epochs done.
  public var epoch = 0
  /// Batches done in this epoch.
  public var batch = 0
  public var seed: UInt64 = 0
  public var batchSize = 0
  /// How many epochs there were to be.
  public var epochs = 0
  /// Examples of the data set.
  public var examples = 0
  public var isShuffled = true
  /// The epochs done.
  public var history: [EpochHistory] = []
  /// The sums of the unfinished epoch's loss and metrics.
  public var running: [Double] = []
  /// What early stopping, the plateau and the search for the best epoch remember.
  public var stopping = Watch()
  public var plateau = Watch()
  public var best = Watch()

  public init() {}

  /// - Throws: `usage` where the fit would not be the one that was interrupted.
  func check(_ options: FitOptions, seed: UInt64, examples: Int) throws {
    let differences: [(String, String, String)] = [
      ("a batch size of", String(batchSize), String(options.batchSize)), ("the seed", String(self.seed), String(seed)),
      ("a number of examples of", String(self.examples), String(examples)),
      ("shuffling", isShuffled ? "on" : "off", options.isShuffled ? "on" : "off"),
    ]
    for (what, saved, given) in differences where saved != given {
      throw RNNError.usage(
        "the interrupted training has \(what) \(saved), this one \(given)",
        remedy: "Go on with what it was started with.")
    }
  }
}

// MARK: - As JSON

extension FitPosition {
  public var json: JSONValue {
    func value(_ watch: Watch) -> JSONValue {
      [
        "best": watch.best.map(JSONValue.number) ?? .null, "wait": .integer(watch.wait),
        "cooldown": .integer(watch.cooldown),
      ]
    }
    return [
      "epoch": .integer(epoch), "batch": .integer(batch),
      // A string: not every reader of JSON has integers of 64 bits without a sign.
      "seed": .string(String(seed)), "batch_size": .integer(batchSize), "epochs": .integer(epochs),
      "examples": .integer(examples), "shuffle": .bool(isShuffled),
      "history": .array(
        history.map { .object(JSONObject($0.values.map { ($0.name, .number($0.value)) })) }),
      "running": .array(running.map(JSONValue.number)), "early_stopping": value(stopping), "plateau": value(plateau),
      "best": value(best),
    ]
  }

  /// `nil` where a part is missing or no number.
  public init?(_ json: JSONValue) {
    func watch(_ key: String) -> Watch? {
      guard let json = json[key], let wait = json["wait"]?.integer, let cooldown = json["cooldown"]?.integer,
        let best = json["best"], best.isNull || best.double != nil
      else { return nil }
      var watch = Watch()
      (watch.best, watch.wait, watch.cooldown) = (best.double, wait, cooldown)
      return watch
    }
    guard let epoch = json["epoch"]?.integer, let batch = json["batch"]?.integer, epoch >= 0, batch >= 0,
      let seed = json["seed"]?.string.flatMap({ UInt64($0) }), let batchSize = json["batch_size"]?.integer,
      let epochs = json["epochs"]?.integer, let examples = json["examples"]?.integer,
      let isShuffled = json["shuffle"]?.bool,
      let lines = json["history"]?.array, let running = json["running"]?.array,
      let stopping = watch("early_stopping"), let plateau = watch("plateau"), let best = watch("best")
    else { return nil }
    self.epoch = epoch
    self.batch = batch
    self.seed = seed
    self.batchSize = batchSize
    self.epochs = epochs
    self.examples = examples
    self.isShuffled = isShuffled
    self.running = running.compactMap(\.double)
    (self.stopping, self.plateau, self.best) = (stopping, plateau, best)
    history = lines.map { line in
      EpochHistory(values: (line.object?.members ?? []).map { ($0.key, $0.value.double ?? .nan) })
    }
  }
}
