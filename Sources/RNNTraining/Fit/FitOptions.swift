/// How long and in what order a model is trained.
public struct FitOptions: Sendable {
  public var epochs = 1
  public var batchSize = 32
  public var isShuffled = true
  /// Weights of the classes of a single sparse or binary target.
  public var classWeights: [Int: Float]?
  /// The value that decides whether an epoch was better, by its name in the history; by default `val_loss`, or `loss`
  /// where nothing validates.
  public var monitor: String?
  public var earlyStopping: EarlyStopping?
  public var plateau: ReduceOnPlateau?
  /// Calls `Fit.Events.checkpoint` after so many steps.
  public var checkpointEvery: Int?

  public init() {}
}

/// The values of one epoch by their names in Keras's history.
public struct EpochHistory: Sendable, Equatable {
  public var values: [(name: String, value: Double)]

  public init(values: [(name: String, value: Double)]) {
    self.values = values
  }

  public static func == (left: EpochHistory, right: EpochHistory) -> Bool {
    left.values.map(\.name) == right.values.map(\.name) && left.values.map(\.value) == right.values.map(\.value)
  }

  public subscript(name: String) -> Double? { values.first { $0.name == name }?.value }
}
