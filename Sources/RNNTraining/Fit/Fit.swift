import Foundation
import RNNCore

/// The fit loop.
public struct Fit {
  /// What happens on the way, for whoever watches.
  public struct Events {
    /// After each step: epoch, batches done, batches of an epoch, and the running values.
    public var step: (Int, Int, Int, EpochHistory) -> Void = { _, _, _, _ in }
    /// After each epoch.
    public var epoch: (Int, EpochHistory) -> Void = { _, _ in }
    /// Every `FitOptions.checkpointEvery` steps, and when the fit is asked to stop.
    public var checkpoint: (Trainer, FitPosition) throws -> Void = { _, _ in }
    /// Asked after each step.
    public var shouldStop: () -> Bool = { false }

    public init() {}
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
  /// - Returns: the history of the epochs that were finished, and whether it was asked to stop early.
  public func run(
    _ training: some BatchSource, validation: (any BatchSource)? = nil, from start: FitPosition = FitPosition()
  ) throws -> (history: [EpochHistory], wasStopped: Bool) {
    guard training.count > 0 else { throw RNNError.badData("there is nothing to train on") }
    guard options.batchSize > 0 else { throw RNNError.usage("the batch size must be positive") }
    var history: [EpochHistory] = []
    var position = start
    position.seed = trainer.seed
    position.batchSize = options.batchSize
    var best: (value: Double, epoch: Int, model: NativeModel)?
    var sinceBest = 0
    while position.epoch < options.epochs {
      guard let values = try epoch(training, &position) else { return (history, true) }
      var all = values
      if let validation {
        all += try evaluate(validation).values.map { (name: "val_" + $0.name, value: $0.value) }
      }
      let line = EpochHistory(values: all)
      history.append(line)
      events.epoch(position.epoch, line)
      position.epoch += 1
      position.batch = 0
      let watched = line["val_loss"] ?? line["loss"] ?? .infinity
      if watched < best?.value ?? .infinity {
        best = (watched, position.epoch, try trainer.trainedModel())
        sinceBest = 0
      } else {
        sinceBest += 1
      }
      if let plateau = options.plateau, sinceBest > 0, sinceBest % plateau.patience == 0 {
        trainer.scaleLearningRate(by: plateau.factor)
      }
      if let patience = options.patience, sinceBest >= patience { break }
    }
    if options.keepsBest, let best { try trainer.load(best.model) }
    return (history, false)
  }

  /// One epoch, or what is left of it; `nil` where it was asked to stop.
  private func epoch(
    _ training: some BatchSource, _ position: inout FitPosition
  ) throws -> [(name: String, value: Double)]? {
    let rows = order(training.count, epoch: position.epoch)
    guard !rows.isEmpty else {
      throw RNNError.badData(
        "\(training.count) examples fill no batch of \(options.batchSize)",
        remedy: "A stateful model needs whole batches: choose a smaller --batch-size.")
    }
    if position.batch == 0 { trainer.resetStates() }
    let batches = (rows.count + options.batchSize - 1) / options.batchSize
    var meter = try EpochMeter(trainer)
    while position.batch < batches {
      let start = position.batch * options.batchSize
      let part = Array(rows[start..<min(start + options.batchSize, rows.count)])
      var batch = try training.batch(rows: part)
      weigh(&batch)
      let result = try trainer.trainStep(batch)
      meter.add(result, batch)
      position.batch += 1
      events.step(position.epoch, position.batch, batches, EpochHistory(values: meter.values))
      if events.shouldStop() {
        try events.checkpoint(trainer, position)
        return nil
      }
      if let every = options.checkpointEvery, trainer.iteration % every == 0 {
        try events.checkpoint(trainer, position)
      }
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
    guard source.count > 0 else { throw RNNError.badData("there is nothing to evaluate") }
    var meter = try EpochMeter(trainer)
    trainer.resetStates()
    let rows = trainer.isStateful ? order(source.count, epoch: 0) : Array(0..<source.count)
    for start in stride(from: 0, to: rows.count, by: options.batchSize) {
      let batch = try source.batch(rows: Array(rows[start..<min(start + options.batchSize, rows.count)]))
      meter.add(try trainer.evaluate(batch), batch)
    }
    return EpochHistory(values: meter.values)
  }

  private func weigh(_ batch: inout Trainer.Batch) {
    guard let weights = options.classWeights, let labels = batch.targets.first?.floats() else { return }
    let rows = batch.targets[0].shape[0]
    guard labels.count == rows else { return }
    let given = batch.sampleWeights
    batch.sampleWeights = (0..<rows).map { (weights[Int(labels[$0])] ?? 1) * (given?[$0] ?? 1) }
  }
}

/// The running values of an epoch: the loss as Keras shows it, the mean over examples of the batches' losses, and the
/// metrics.
struct EpochMeter {
  private var loss = 0.0
  private var examples = 0.0
  /// With the name of their output before their own, where there are several outputs.
  private var metrics: [(output: Int, prefix: String, metric: any Metric)] = []

  init(_ trainer: Trainer) throws {
    let configuration = trainer.configuration
    let names = trainer.native.spec.outputNames
    for (output, width) in trainer.outputWidths.enumerated() {
      for json in configuration.metrics {
        metrics.append(
          (
            output, names.count > 1 ? names[output] + "_" : "",
            try MetricFactory.make(
              json, outputWidth: width, isSparse: configuration.losses[output].hasSparseTargets,
              loss: configuration.losses[output].kind.rawValue, dialect: trainer.native.provenance.dialect,
              version: trainer.native.provenance.frameworkVersion)
          ))
      }
    }
  }

  mutating func add(_ result: Trainer.StepResult, _ batch: Trainer.Batch) {
    let count = Double(batch.inputs.first?.shape.first ?? 0)
    loss += result.loss * count
    examples += count
    for index in metrics.indices {
      let (values, shape) = result.predictions[metrics[index].output]
      metrics[index].metric.update(
        targets: batch.targets[metrics[index].output].floats(), predictions: values, width: shape[shape.count - 1])
    }
  }

  var values: [(name: String, value: Double)] {
    [(name: "loss", value: loss / max(examples, 1))]
      + metrics.map { (name: $0.prefix + $0.metric.name, value: $0.metric.value) }
  }
}
