import RNNCore

/// The fit loop.
public struct Fit {
  /// What happens on the way, for whoever watches.
  public struct Events {
    /// After each step: epoch, batches done, batches of an epoch, and the running values.
    public var step: (Int, Int, Int, EpochHistory) -> Void = { _, _, _, _ in }
    /// After each epoch, with all that are done.
    public var epoch: (Int, [EpochHistory]) throws -> Void = { _, _ in }
    /// After each epoch that is the best so far.
    public var improved: (Trainer, EpochHistory) throws -> Void = { _, _ in }
    /// Every `FitOptions.checkpointEvery` steps, and when the fit is asked to stop.
    public var checkpoint: (Trainer, FitPosition) throws -> Void = { _, _ in }
    /// Asked after each step.
    public var shouldStop: () -> Bool = { false }

    public init() {}
  }

  /// How a fit ended.
  public enum End: Sendable, Equatable {
    case finished
    /// Nothing got better for as long as early stopping waits.
    case stoppedEarly
    /// As `Events.shouldStop` asked.
    case interrupted
  }

  private let trainer: Trainer
  private let options: FitOptions
  private let events: Events

  public init(_ trainer: Trainer, _ options: FitOptions, events: Events = Events()) {
    self.trainer = trainer
    self.options = options
    self.events = events
  }

  /// Trains.
  /// - Parameter start: where to go on; the beginning by default.
  /// - Returns: the history of the epochs that were finished, those before `start` included, and how it ended.
  /// - Throws: `usage` where `start` belongs to another fit or the monitored value does not exist; what the trainer and
  ///   the data throw.
  public func run(
    _ training: some BatchSource, validation: (any BatchSource)? = nil, from start: FitPosition? = nil
  ) throws -> (history: [EpochHistory], end: End) {
    try check(training, "train on")
    if let validation { try check(validation, "validate on") }
    let monitor = try monitor(isValidated: validation != nil)
    var position = start ?? FitPosition()
    let validationExamples = validation?.count ?? 0
    try start?.check(
      options, seed: trainer.seed, examples: training.count, validationExamples: validationExamples)
    (position.options, position.seed) = (options, trainer.seed)
    (position.examples, position.validationExamples) = (training.count, validationExamples)
    while position.epoch < options.epochs {
      guard var values = try epoch(training, &position) else { return (position.history, .interrupted) }
      if let validation {
        values += try evaluate(validation).values.map { (name: "val_" + $0.name, value: $0.value) }
      }
      // Where the rate may change, Keras's history has it, too.
      if options.plateau != nil { values.append(("learning_rate", trainer.learningRate)) }
      let line = EpochHistory(values: values)
      position.history.append(line)
      try events.epoch(position.epoch, position.history)
      let stops = try judge(line, monitor, &position)
      position.epoch += 1
      position.batch = 0
      position.running = []
      if stops { return (position.history, .stoppedEarly) }
    }
    return (position.history, .finished)
  }

  /// - Parameter purpose: what the examples are for, in words.
  private func check(_ source: some BatchSource, _ purpose: String) throws {
    guard options.batchSize > 0 else { throw RNNError.usage("the batch size must be positive") }
    guard source.count > 0 else { throw RNNError.badData("there is nothing to \(purpose)") }
    guard !trainer.isStateful || source.count >= options.batchSize else {
      throw RNNError.badData(
        "the \(source.count) examples to \(purpose) fill no batch of \(options.batchSize)",
        remedy: "A stateful model needs whole batches: choose a smaller --batch-size.")
    }
  }

  // MARK: - Monitoring epochs

  private typealias Monitor = (name: String, isLargerBetter: Bool)

  private func monitor(isValidated: Bool) throws -> Monitor {
    if case .constant = trainer.configuration.optimizer.learningRate {
    } else if options.plateau != nil {
      throw RNNError.usage("a learning rate that follows a schedule cannot be lowered on a plateau")
    }
    let name = options.monitor ?? (isValidated ? "val_loss" : "loss")
    let meter = try EpochMeter(trainer)
    guard let isLargerBetter = meter.isLargerBetter(name), isValidated || !name.hasPrefix("val_") else {
      let names = meter.values.map(\.name)
      let all = names + (isValidated ? names.map { "val_" + $0 } : [])
      throw RNNError.usage(
        "there is no value '\(name)' to watch", remedy: "Name one of \(all.joined(separator: ", ")).")
    }
    return (name, isLargerBetter)
  }

  /// - Returns: whether training stops.
  private func judge(_ line: EpochHistory, _ monitor: Monitor, _ position: inout FitPosition) throws -> Bool {
    let value = line[monitor.name] ?? .nan
    if position.best.isImproved(by: value, minDelta: 0, isLargerBetter: monitor.isLargerBetter) {
      position.best.best = value
      try events.improved(trainer, line)
    }
    if let plateau = options.plateau,
      let rate = plateau.rate(
        after: value, rate: trainer.learningRate, isLargerBetter: monitor.isLargerBetter, &position.plateau)
    {
      trainer.learningRate = rate
    }
    return options.earlyStopping?.stops(
      after: position.epoch, value: value, isLargerBetter: monitor.isLargerBetter, &position.stopping) ?? false
  }

  // MARK: - Epochs

  /// One epoch, or what is left of it; `nil` where it was asked to stop.
  private func epoch(
    _ training: some BatchSource, _ position: inout FitPosition
  ) throws -> [(name: String, value: Double)]? {
    let rows = order(training.count, epoch: position.epoch)
    let size = min(options.batchSize, rows.count)
    let batches = (rows.count - 1) / size + 1
    guard position.batch <= batches else {
      throw RNNError.badData("the interrupted training stands behind batch \(position.batch) of \(batches)")
    }
    var meter = try EpochMeter(trainer)
    if position.batch == 0 {
      trainer.resetStates()
    } else {
      try meter.restore(position.running)
    }
    while position.batch < batches {
      let start = position.batch * size
      let part = Array(rows[start..<min(start + size, rows.count)])
      var batch = try training.batch(rows: part)
      try weigh(&batch)
      let result = try naming(part, training) { try trainer.trainStep(batch) }
      meter.add(result, batch)
      position.batch += 1
      events.step(position.epoch, position.batch, batches, EpochHistory(values: meter.values))
      let shouldStop = events.shouldStop()
      if shouldStop || options.checkpointEvery.map({ trainer.iteration % $0 == 0 }) ?? false {
        position.running = meter.sums
        try events.checkpoint(trainer, position)
      }
      if shouldStop { return nil }
    }
    return meter.values
  }

  private func order(_ count: Int, epoch: Int) -> [Int] {
    trainer.isStateful
      ? EpochOrder.streams(count: count, batchSize: options.batchSize)
      : EpochOrder.rows(count: count, isShuffled: options.isShuffled, seed: trainer.seed, epoch: epoch)
  }

  /// Loss and metrics without training.
  public func evaluate(_ source: some BatchSource) throws -> EpochHistory {
    try check(source, "evaluate")
    var meter = try EpochMeter(trainer)
    trainer.resetStates()
    let rows = trainer.isStateful ? order(source.count, epoch: 0) : Array(0..<source.count)
    let size = min(options.batchSize, rows.count)
    for start in stride(from: 0, to: rows.count, by: size) {
      let part = Array(rows[start..<min(start + size, rows.count)])
      let batch = try source.batch(rows: part)
      meter.add(try naming(part, source) { try trainer.evaluate(batch) }, batch)
    }
    return EpochHistory(values: meter.values)
  }

  /// Runs a batch; where an example of it is to blame for an error, that one is named by its place in the data.
  private func naming<Result>(
    _ rows: [Int], _ source: some BatchSource, _ run: () throws -> Result
  ) throws -> Result {
    do {
      return try run()
    } catch let error as RNNError where error.reason == .badData && rows.count > 1 {
      let causes = rows.lazy.compactMap { row -> (any Error)? in
        do {
          let single = try source.batch(rows: [row])
          _ = try locating("example \(row) of the data") { try trainer.evaluate(single) }
          return nil
        } catch { return error }
      }
      // Where every example fails, it is not the examples' fault.
      let found = Array(causes.prefix(rows.count))
      throw found.count == rows.count ? error : found.first ?? error
    }
  }

  private func weigh(_ batch: inout Trainer.Batch) throws {
    guard let weights = options.classWeights, let labels = batch.targets.first?.floats() else { return }
    let rows = batch.targets[0].shape[0]
    guard labels.count == rows, batch.targets.count == 1 else {
      throw RNNError.usage("weights of classes need one target of one number an example")
    }
    let given = batch.sampleWeights
    batch.sampleWeights = (0..<rows).map { row in
      (Int(exactly: labels[row]).flatMap { weights[$0] } ?? 1) * (given?[row] ?? 1)
    }
  }
}
