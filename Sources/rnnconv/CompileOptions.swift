import ArgumentParser
import RNNCore
import RNNTraining

/// What Keras's `compile` takes; for `train` and `evaluate` alike.
struct CompileOptions: ParsableArguments {
  @Option(help: "adam, adamw, sgd, rmsprop, adagrad or nadam; by default what the model was compiled with, else adam.")
  var optimizer: String?

  @Option(help: "The loss; by default what the model was compiled with, else one that fits the last layer.")
  var loss: String?

  @Option(
    help: "Metrics, separated by commas; by default what the model was compiled with, else the accuracy of classes.")
  var metrics: String?

  @Option(help: "The learning rate.")
  var learningRate: Double?

  @Option(help: "The largest norm of a parameter's gradient.")
  var clipnorm: Double?

  func validate() throws {
    for (name, value) in [("--learning-rate", learningRate), ("--clipnorm", clipnorm)] {
      guard let value, !(value > 0 && Float(value).isFinite) else { continue }
      throw ValidationError("\(name) must be positive")
    }
  }

  /// - Parameter targets: the shapes of one example's, which decide where nothing names a loss.
  func configuration(for model: NativeModel, targets: [[Int]]) throws -> TrainingConfiguration {
    var configuration = try configuration(for: model)
    if loss == nil, !TrainingConfiguration.isCompiled(model) {
      try configuration.fitLosses(to: targets, of: model.spec)
    }
    return configuration
  }

  func configuration(for model: NativeModel) throws -> TrainingConfiguration {
    let isCompiled = TrainingConfiguration.isCompiled(model)
    var model = model
    if optimizer != nil || loss != nil, var json = (try? JSONValue(parsing: model.training ?? "{}"))?.object {
      // What the user names is not looked up in the file.
      if optimizer != nil { (json["optimizer_config"], json["optimizer"]) = ("adam", nil) }
      if loss != nil { json["loss"] = nil }
      model.training = JSONValue.object(json).text()
    }
    var configuration = try TrainingConfiguration(for: model)
    if let optimizer {
      configuration.optimizer = try Optimizer(keras: .string(optimizer), dialect: "keras3", version: nil)
    }
    if let loss { configuration.losses = try configuration.losses.map { _ in try Loss(keras: .string(loss)) } }
    let named = metrics.map { list in
      list.split(separator: ",").map { JSONValue.string($0.trimmingCharacters(in: .whitespaces)) }
    }
    if let metrics = named ?? (isCompiled ? nil : TrainingConfiguration.metrics(fitting: configuration.losses)) {
      configuration.metrics = configuration.losses.map { _ in metrics }
      configuration.weightedMetrics = configuration.losses.map { _ in [] }
    }
    if let learningRate { configuration.optimizer.learningRate = .constant(learningRate) }
    if let clipnorm { configuration.optimizer.clipNorm = clipnorm }
    return configuration
  }

  func summary(_ configuration: TrainingConfiguration) -> String {
    let losses = configuration.losses.map(\.kind.rawValue).joined(separator: ", ")
    // Keras keeps rates as float32: 0.001 and not what that is in double precision.
    let rate = Float(configuration.optimizer.learningRate.value(at: 0))
    let clips = [
      ("clipnorm", configuration.optimizer.clipNorm), ("global_clipnorm", configuration.optimizer.globalClipNorm),
      ("clipvalue", configuration.optimizer.clipValue),
    ].compactMap { name, value in value.map { ", \(name) \(Float($0))" } }.joined()
    return "\(configuration.optimizer.className) at \(rate)\(clips), \(losses)"
  }
}
