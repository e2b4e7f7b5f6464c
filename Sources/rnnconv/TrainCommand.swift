import ArgumentParser
import Foundation
import RNNConversion
import RNNCore
import RNNDatasets
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

  @Option(help: "Examples of one step.")
  var batchSize = 32

  @Option(help: "How often the data is gone through.")
  var epochs = 1

  @Flag(inversion: .prefixedNo, help: "Whether each epoch has an order of its own.")
  var shuffle = true

  @Option(help: "The seed of the weights, the order and the dropout.")
  var seed: UInt64 = 0

  @Option(help: "Threads; by default one for each core. The result is the same for any number.")
  var threads: Int?

  @Option(help: "Write the history of each epoch to this JSON file.")
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
    if (config == nil) == (model == nil), !resume { throw ValidationError("give either --config or --model") }
    for (name, value) in [("--batch-size", batchSize), ("--epochs", epochs), ("--threads", threads ?? 1)]
    where value <= 0 {
      throw ValidationError("\(name) must be positive")
    }
    if let checkpointEvery, checkpointEvery <= 0 { throw ValidationError("--checkpoint-every must be positive") }
  }

  func run() throws {
    try Kernels.checkEnvironment()
    let target = URL(fileURLWithPath: output)
    if !resume { try AtomicFile.checkDestination(target.path, replacing: force) }
    let start = try startingModel(target)
    let trainer = try Trainer(
      start.model, try compile.configuration(for: start.model), seed: start.position.seed,
      threads: threads ?? ProcessInfo.processInfo.activeProcessorCount)
    let set = try data.dataset(for: start.model)
    var bundle = set.training.text ?? start.model.text
    if bundle?.rules.length == nil { bundle?.rules.length = data.maxlen }
    try fit(trainer, set, start.position, target, bundle)
  }

  private func startingModel(_ target: URL) throws -> (model: NativeModel, position: FitPosition) {
    var position = FitPosition()
    position.seed = seed
    if resume {
      let model = try NativeModel(contentsOf: target)
      guard let saved = TrainingRecord.position(of: model) else {
        throw RNNError.usage("\(output) holds no interrupted training", remedy: "Use --model \(output) to train it on.")
      }
      guard saved.batchSize == batchSize else {
        throw RNNError.usage("the training was started with --batch-size \(saved.batchSize)")
      }
      return (model, saved)
    }
    if let model { return (try NativeModel(contentsOf: URL(fileURLWithPath: model)), position) }
    let url = URL(fileURLWithPath: config ?? "")
    let text = String(decoding: try InputFile.contents(of: url), as: UTF8.self)
    let described = try locating(url.path) { try KerasDescription(json: text) }
    var provenance = described.provenance
    provenance.source = url.lastPathComponent
    var native = NativeModel(
      spec: described.spec, parameters: try ParameterInitialization.parameters(for: described.spec, seed: seed),
      provenance: provenance)
    native.training = described.training
    return (native, position)
  }

  private func fit(
    _ trainer: Trainer, _ set: DataOptions.Loaded, _ start: FitPosition, _ target: URL, _ text: TextBundle?
  ) throws {
    var options = FitOptions()
    options.epochs = epochs
    options.batchSize = batchSize
    options.isShuffled = shuffle
    options.checkpointEvery = checkpointEvery
    let progress = TrainingProgress(epochs: epochs, examples: set.source.count, batchSize: batchSize)
    Interruption.watch()
    var events = Fit.Events()
    events.step = progress.step
    events.epoch = progress.epoch
    events.shouldStop = { Interruption.wasAsked }
    events.checkpoint = { trainer, position in
      try TrainingRecord.write(trainer, text, position, to: target)
    }
    Console.note("\(compile.summary(trainer.configuration)), \(set.source.count) examples")
    let result = try Fit(trainer, options, events: events).run(set.source, validation: set.validation, from: start)
    if result.wasStopped {
      Console.note("stopped; go on with the same command and --resume")
      return
    }
    try TrainingRecord.write(trainer, text, nil, to: target)
    if let history { try TrainingRecord.write(result.history, to: URL(fileURLWithPath: history)) }
    Console.note("\(target.relativePath): trained")
  }
}

/// Where the examples come from; for `train` and `evaluate` alike.
struct DataOptions: ParsableArguments {
  @Option(
    help: "Examples: .npz (Keras's imdb.npz, or arrays x and y), .txt (characters), .csv or .jsonl (text, label).")
  var data: String

  @Option(help: "Words: imdb_word_index.json for imdb.npz; for texts also a Keras Tokenizer.")
  var vocabulary: String?

  @Option(help: "Ids at or past this one are unknown; by default the embedding's rows.")
  var numWords: Int?

  @Option(help: "Timesteps of an example; by default the model's.")
  var maxlen: Int?

  @Option(help: "Examples to validate on after each epoch.")
  var validationData: String?

  @Option(help: "The fraction of the examples, from their end, to validate on.")
  var validationSplit: Double?

  struct Loaded {
    var training: Dataset
    var source: TrainingData
    var validation: TrainingData?
    /// What `evaluate` looks at: the test half of a published set, else everything.
    var evaluation: TrainingData
  }

  func dataset(for model: NativeModel) throws -> Loaded {
    var options = TrainingDataReader.Options()
    options.vocabulary = vocabulary
    options.numWords = numWords
    options.maxlen = maxlen
    options.text = model.text
    var set = try TrainingDataReader.dataset(data, for: model.spec, options)
    let own = set.evaluation
    if let validationSplit { set = try set.holdingOutLast(validationSplit) }
    if let validationData {
      set.validation = try TrainingDataReader.dataset(validationData, for: model.spec, options).training
    }
    return Loaded(
      training: set, source: TrainingData(set.training),
      validation: set.validation.map { TrainingData($0) },
      evaluation: TrainingData(own))
  }
}

/// What Keras's `compile` takes; for `train` and `evaluate` alike.
struct CompileOptions: ParsableArguments {
  @Option(help: "adam, adamw, sgd, rmsprop, adagrad or nadam; by default what the model was compiled with, else adam.")
  var optimizer: String?

  @Option(help: "The loss; by default what the model was compiled with, else one that fits the last layer.")
  var loss: String?

  @Option(help: "Metrics, separated by commas.")
  var metrics: String?

  @Option(help: "The learning rate.")
  var learningRate: Double?

  @Option(help: "The largest norm of a parameter's gradient.")
  var clipnorm: Double?

  func configuration(for model: NativeModel) throws -> TrainingConfiguration {
    var model = model
    if optimizer != nil || loss != nil, var json = (try? JSONValue(parsing: model.training ?? "{}"))?.object {
      // What the user names is not looked up in the file.
      if optimizer != nil { json["optimizer_config"] = .string("adam") }
      if loss != nil { json["loss"] = nil }
      model.training = JSONValue.object(json).text()
    }
    var configuration = try TrainingConfiguration(for: model)
    if let optimizer {
      configuration.optimizer = try Optimizer(keras: .string(optimizer), dialect: "keras3", version: nil)
    }
    if let loss { configuration.losses = try configuration.losses.map { _ in try Loss(keras: .string(loss)) } }
    if let metrics { configuration.metrics = metrics.split(separator: ",").map { .string(String($0)) } }
    if let learningRate { configuration.optimizer.learningRate = .constant(learningRate) }
    if let clipnorm { configuration.optimizer.clipNorm = clipnorm }
    return configuration
  }

  func summary(_ configuration: TrainingConfiguration) -> String {
    let losses = configuration.losses.map(\.kind.rawValue).joined(separator: ", ")
    return "\(configuration.optimizer.className) at \(configuration.optimizer.learningRate.value(at: 0)), \(losses)"
  }
}
