import Foundation
import RNNConversion
import RNNCore
import RNNDialects
import RNNTraining

/// What `train` begins with.
struct TrainingStart {
  var model: NativeModel
  /// `nil` for a new training, whose data have a say.
  var configuration: TrainingConfiguration?
  /// Where an interrupted training stands; `nil` for a new one.
  var checkpoint: TrainingCheckpoint?

  static func fresh(_ command: TrainCommand) throws -> TrainingStart {
    // A training that was interrupted is taken up with --resume only.
    var model = TrainingCheckpoint.removed(from: try named(command) ?? drawn(command))
    // An optimizer that the user names starts from rest.
    if command.compile.optimizer != nil { model.optimizerSlots = [] }
    return TrainingStart(model: model)
  }

  /// The model of `--model`.
  private static func named(_ command: TrainCommand) throws -> NativeModel? {
    try command.model.map { try NativeModel(contentsOf: URL(fileURLWithPath: $0)) }
  }

  /// The model that `--config` describes, with weights drawn from its initializers.
  private static func drawn(_ command: TrainCommand) throws -> NativeModel {
    let url = URL(fileURLWithPath: command.config ?? "")
    let described = try description(url)
    var provenance = described.provenance
    provenance.source = url.lastPathComponent
    var native = NativeModel(
      spec: described.spec,
      parameters: try ParameterInitialization.parameters(for: described.spec, seed: command.seed ?? 0),
      provenance: provenance)
    native.training = described.training
    return native
  }

  private static func description(_ url: URL) throws -> KerasDescription {
    let text = String(decoding: try InputFile.contents(of: url), as: UTF8.self)
    return try locating(url.path) { try KerasDescription(json: text) }
  }

  /// - Throws: `usage` where the file holds no interrupted training, or the command names another one.
  static func resumed(_ command: TrainCommand, from target: URL) throws -> TrainingStart {
    let model = try NativeModel(contentsOf: target)
    guard let checkpoint = try locating(command.output, { try TrainingCheckpoint(of: model) }) else {
      throw RNNError.usage(
        "\(command.output) holds no interrupted training", remedy: "Use --model \(command.output) to train it on.")
    }
    let spec = try command.config.map { try description(URL(fileURLWithPath: $0)).spec } ?? named(command)?.spec
    if let spec, spec != model.spec {
      throw RNNError.usage(
        "\(command.output) is the checkpoint of another model than \(command.config ?? command.model ?? "")",
        remedy: "Resume it with its own, or train anew with --force and without --resume.")
    }
    let started = checkpoint.started(model)
    let (given, saved) = try (command.compile.configuration(for: started), TrainingConfiguration(for: started))
    guard given == saved else {
      let (saved, given) = (command.compile.summary(saved), command.compile.summary(given))
      throw RNNError.usage(
        "the interrupted training was started with \(saved), not with \(saved == given ? "other metrics" : given)",
        remedy: "Go on with the optimizer, loss, metrics, rate and clipping that it was started with.")
    }
    return TrainingStart(
      model: model, configuration: try TrainingConfiguration(for: model), checkpoint: checkpoint)
  }
}
