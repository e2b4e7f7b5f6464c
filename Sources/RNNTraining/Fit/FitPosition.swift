import RNNCore

/// Where a fit stands: what a checkpoint keeps, beside the model, so that training goes on to the same bits.
public struct FitPosition: Sendable, Equatable {
  public var options = FitOptions()
  public var seed: UInt64 = 0
  /// Examples that train, and that validate.
  public var examples = 0
  public var validationExamples = 0
  /// Epochs done.
  public var epoch = 0
  /// Batches done in this epoch.
  public var batch = 0
  /// The epochs done.
  public var history: [EpochHistory] = []
  /// The sums of the unfinished epoch's loss and metrics.
  public var running: [Double] = []
  /// What early stopping, the plateau and the search for the best epoch remember.
  public var stopping = MonitorState()
  public var plateau = MonitorState()
  public var best = MonitorState()

  public init() {}

  /// - Throws: `usage` where the fit would not be the one that was interrupted.
  func check(_ given: FitOptions, seed: UInt64, examples: Int, validationExamples: Int) throws {
    let differences: [(name: String, saved: JSONValue?, given: JSONValue?)] =
      (options.json.object?.keys ?? []).filter { $0 != "epochs" }.map { ($0, options.json[$0], given.json[$0]) } + [
        ("seed", .string("\(self.seed)"), .string("\(seed)")),
        ("a number of examples of", .integer(self.examples), .integer(examples)),
        ("a number of validation examples of", .integer(self.validationExamples), .integer(validationExamples)),
      ]
    for (name, saved, given) in differences where saved != given {
      throw RNNError.usage(
        "the interrupted training was started with \(name.replacing("_", with: " ")) \(saved?.text() ?? "none"), "
          + "not \(given?.text() ?? "none")",
        remedy: "Go on with what it was started with.")
    }
    guard given.epochs > epoch else {
      throw RNNError.usage(
        "the interrupted training has done \(epoch) epochs, and \(given.epochs) are asked for",
        remedy: "Give a larger --epochs.")
    }
  }
}

// MARK: - As JSON

extension FitPosition {
  public var json: JSONValue {
    func value(_ state: MonitorState) -> JSONValue {
      [
        "best": state.best.map(JSONValue.number) ?? .null, "wait": .integer(state.wait),
        "cooldown": .integer(state.cooldown),
      ]
    }
    return [
      "options": options.json,
      // A string: not every reader of JSON has integers of 64 bits without a sign.
      "seed": .string(String(seed)), "examples": .integer(examples),
      "validation_examples": .integer(validationExamples), "epoch": .integer(epoch), "batch": .integer(batch),
      "history": .array(
        history.map { .object(JSONObject($0.values.map { ($0.name, .number($0.value)) })) }),
      "running": .array(running.map(JSONValue.number)), "early_stopping": value(stopping), "plateau": value(plateau),
      "best": value(best),
    ]
  }

  /// `nil` where a part is missing or no such thing.
  public init?(_ json: JSONValue) {
    func count(_ json: JSONValue, _ key: String) -> Int? {
      json[key]?.integer.flatMap { (0...FitOptions.most).contains($0) ? $0 : nil }
    }
    func state(_ key: String) -> MonitorState? {
      guard let json = json[key], let wait = count(json, "wait"), let cooldown = count(json, "cooldown"),
        let best = json["best"], best.isNull || best.double != nil
      else { return nil }
      var state = MonitorState()
      (state.best, state.wait, state.cooldown) = (best.double, wait, cooldown)
      return state
    }
    guard let options = json["options"].flatMap({ FitOptions($0) }),
      let seed = json["seed"]?.string.flatMap({ UInt64($0) }), let examples = count(json, "examples"),
      let validationExamples = count(json, "validation_examples"), let epoch = count(json, "epoch"),
      let batch = count(json, "batch"), let lines = json["history"]?.array, let running = json["running"]?.doubles,
      let stopping = state("early_stopping"), let plateau = state("plateau"), let best = state("best")
    else { return nil }
    (self.options, self.seed) = (options, seed)
    (self.examples, self.validationExamples) = (examples, validationExamples)
    (self.epoch, self.batch) = (epoch, batch)
    (self.stopping, self.plateau, self.best) = (stopping, plateau, best)
    self.running = running
    history = lines.map { line in
      EpochHistory(values: (line.object?.members ?? []).map { ($0.key, $0.value.double ?? .nan) })
    }
    // The meter says whether there are as many sums as it has.
    guard history.count == epoch else { return nil }
  }
}
