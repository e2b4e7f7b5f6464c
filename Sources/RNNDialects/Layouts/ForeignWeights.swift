import RNNCore

/// Weights of a framework that names no architecture with them: the architecture then gives their layers.
public struct ForeignWeights: Sendable {
  public var dialect: WeightDialect
  /// By names without the container's groups, in the file's order.
  public var entries: [(name: String, tensor: Tensor)]
  /// The group of the checkpoint that holds them.
  public var group = ""
  /// The names that a weight was made of, where it is none of the file's own.
  public var sources: [String: [String]] = [:]
  /// What TensorFlow 1's cells add to the forget gate when they run; no checkpoint says it.
  public var forgetBias: Double?

  /// - Throws: `badData` where the checkpoint holds no weights, or such that do not fit together.
  public init(_ checkpoint: Checkpoint, _ dialect: WeightDialect) throws {
    self.dialect = dialect
    if dialect.name == WeightDialect.pytorch.name {
      let state = try TorchStateDict(checkpoint)
      (entries, group, sources) = (state.entries, state.group, state.sources)
    } else {
      entries = checkpoint.entries.map { ($0.path, $0.tensor) }
    }
  }

  /// Where in the checkpoint a weight comes from.
  func paths(_ name: String) -> [String] { (sources[name] ?? [name]).map { CheckpointPath.join(group, $0) } }

  /// Whether a tensor of the checkpoint belongs to the weights.
  func holds(_ path: String) -> Bool { CheckpointPath.parent(of: path) == group || dialect.separator == "/" }
}
