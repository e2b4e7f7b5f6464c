import ArgumentParser
import Foundation
import RNNConversion
import RNNCore
import RNNDialects
import RNNRuntime
import RNNTraining

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Train a model, from scratch or from where it stands.")

  @Option(help: "An architecture to train from scratch: the text of a Keras model.to_json().")
  var config: String?

  @Option(help: "A .rnn to train on, with its optimizer's state.")
  var model: String?

  @OptionGroup var data: DataOptions

  @OptionGroup var compile: CompileOptions

  @Option(help: "Examples of one step. (default: 32)")
  var batchSize: Int?

  @Option(help: "How often the data is gone through. (default: 1)")
  var epochs: Int?

  @Flag(inversion: .prefixedNo, help: "Whether each epoch has an order of its own. (default: --shuffle)")
  var shuffle: Bool?

  @Option(help: "The seed of the weights, the order and the dropout. (default: 0)")
  var seed: UInt64?

  @Option(
    help: "Threads, at most one for each core and 4 in all, the default. The result is the same for any number.")
  var threads: Int?

  @Option(help: "Weights of the classes, as 0=1,1=2.5; a class that is not named has 1.")
  var classWeights: String?

  @OptionGroup var monitoring: MonitorOptions

  @Option(help: "Write the history of the epochs to this file, .json or .csv.")
  var history: String?

  @Option(help: "Write the model every so many steps.")
  var checkpointEvery: Int?

  @Flag(help: "Go on from the output file, where a training was interrupted.")
  var resume = false

  @Option(name: [.short, .customLong("output")], help: "The .rnn file to write.")
  var output: String

  @Flag(help: "Replace an existing file.")
  var force = false

  func validate() throws {
    if config != nil && model != nil || config == nil && model == nil && !resume {
      throw ValidationError("give either --config or --model")
    }
    for (name, value) in [
      ("--batch-size", batchSize), ("--epochs", epochs), ("--threads", threads),
      ("--checkpoint-every", checkpointEvery),
    ] where value ?? 1 <= 0 {
      throw ValidationError("\(name) must be positive")
    }
    if let history, HistoryFile(path: history) == nil {
      throw ValidationError("--history must end in .json or .csv")
    }
    _ = try classes()
  }

  func run() throws {
    try Kernels.checkEnvironment()
    let target = URL(fileURLWithPath: output)
    try OutputFiles.check(
      [("--output", output), ("--best", monitoring.best), ("--history", history)],
      besides: [config, model == output ? nil : model, data.data, data.validationData, data.vocabulary])
    if !resume { try AtomicFile.checkDestination(target.path, replacing: force) }
    try monitoring.checkDestination(replacing: force || resume)
    let history = history.flatMap { HistoryFile(path: $0) }
    try history?.checkDestination(replacing: force || resume)
    let start = try resume ? TrainingStart.resumed(self, from: target) : TrainingStart.fresh(self)
    let set = try data.dataset(for: start.model)
    let configuration =
      try start.configuration ?? compile.configuration(for: start.model, targets: set.training.training.targetShapes)
    let trainer = try Trainer(
      start.model, configuration, seed: seed ?? start.checkpoint?.position.seed ?? 0,
      // More than there are cores would only wait for each other.
      threads: min(threads ?? .max, ProcessInfo.processInfo.activeProcessorCount), resuming: start.checkpoint)
    var words = TrainedFile.Words(text: set.training.text ?? start.model.text, classes: set.training.classes)
    if words.text?.rules.length == nil { words.text?.rules.length = data.maxlen }
    let options = try fitOptions(start.checkpoint?.position.options)
    let left = trainer.isStateful ? set.source.count % options.batchSize : 0
    let progress = TrainingProgress(
      epochs: options.epochs, examples: set.source.count - left, batchSize: options.batchSize)
    // An error does not end a line that is being written over.
    defer { progress.finish() }
    Interruption.listen()
    var events = Fit.Events()
    events.step = progress.step
    events.epoch = { epoch, lines in
      progress.epoch(epoch, lines[lines.count - 1])
      try history?.write(lines)
    }
    events.improved = { trainer, line in try monitoring.writeBest(trainer, words) }
    events.shouldStop = { Interruption.wasAsked }
    events.checkpoint = { trainer, position in
      try TrainedFile.write(try trainer.checkpoint(at: position), words, to: target)
    }
    Console.note("\(compile.summary(trainer.configuration)), \(Console.count(set.source.count, "example"))")
    if left > 0 { Console.note("\(Console.count(left, "example")) fill no batch and are left out") }
    let end = try Fit(trainer, options, events: events).run(
      set.source, validation: set.validation, from: start.checkpoint?.position
    ).end
    progress.finish()
    switch end {
    case .interrupted:
      Console.note("\(target.relativePath): stopped after step \(trainer.iteration). To go on:")
      return Console.note("  " + Interruption.command)
    case .stoppedEarly:
      Console.note("stopped early: \(Console.count(options.earlyStopping?.patience ?? 0, "epoch")) without improvement")
    case .finished: break
    }
    try TrainedFile.write(try trainer.trainedModel(), words, to: target)
    Console.note("\(target.relativePath): trained")
  }

  /// What the command says, over what an interrupted training was started with.
  private func fitOptions(_ saved: FitOptions?) throws -> FitOptions {
    var options = saved ?? FitOptions()
    options.epochs = epochs ?? options.epochs
    options.batchSize = batchSize ?? options.batchSize
    options.isShuffled = shuffle ?? options.isShuffled
    options.classWeights = try classes() ?? options.classWeights
    options.checkpointEvery = checkpointEvery
    monitoring.apply(to: &options)
    return options
  }

  private func classes() throws -> [Int: Float]? {
    guard let classWeights else { return nil }
    var weights: [Int: Float] = [:]
    for part in classWeights.split(separator: ",", omittingEmptySubsequences: false) {
      let sides = part.split(separator: "=", omittingEmptySubsequences: false)
      guard sides.count == 2, let label = Int(sides[0]), let weight = Float(sides[1]), label >= 0, weight >= 0,
        weight.isFinite, weights.updateValue(weight, forKey: label) == nil
      else { throw ValidationError("--class-weights needs pairs of a class and its weight, such as 0=1,1=2.5") }
    }
    return weights
  }
}
