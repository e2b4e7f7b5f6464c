import RNNCore

/// A Keras architecture without weights: what a model that is trained from scratch starts from.
public struct KerasDescription: Sendable {
  public var spec: ModelSpec
  /// Optimizer, loss and metrics as JSON text, where the description has them.
  public var training: String?
  public var provenance: Provenance

  /// - Parameter json: the text of `model.to_json()`, `model_config` or a `.keras` archive's `config.json`.
  /// - Throws: `badData` or `unsupported`, as an import does.
  public init(json text: String, generation: KerasGeneration? = nil) throws {
    let json = try JSONValue(parsing: text)
    let era = KerasEra(version: json["keras_version"]?.string, architecture: json, override: generation)
    let architecture = try KerasArchitecture(json, era: era)
    guard !architecture.lacksInputShape else {
      throw RNNError.badData(
        "the architecture states no input shape", remedy: "Give the first layer an input shape, or add an InputLayer.")
    }
    var settled = architecture.spec
    try KerasArchitecture.settleInputs(&settled, architecture.notes)
    spec = settled
    training = json["compile_config"].flatMap { $0.object?.isEmpty != false ? nil : $0.text() }
    provenance = Provenance(
      source: "", container: "JSON", framework: "Keras", dialect: era.generation.rawValue)
    provenance.frameworkVersion = era.version
    provenance.decisions = ["\(era.generation.rawValue): \(era.reason)"]
    _ = try spec.shapes()
  }
}
