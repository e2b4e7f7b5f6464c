import Foundation

/// How long and in what order a model is trained.
public struct FitOptions: Sendable {
  public var epochs = 1
  public var batchSize = 32
  public var isShuffled = true
  /// Weights of the classes of a single sparse or binary target.
  public var classWeights: [Int: Float]?
  /// Stops after so many epochs in which the watched value did not get better.
  public var patience: Int?
  /// Multiplies the learning rate by `factor` after so many epochs without improvement.
  public var plateau: (patience: Int, factor: Double)?
  /// Keeps the weights of the best epoch instead of the last.
  public var keepsBest = false
  /// Calls `Fit.Events.checkpoint` after so many steps.
  public var checkpointEvery: Int?

  public init() {}
}

/// Where a fit stands: what a checkpoint keeps so that training goes on to the same bits.
public struct FitPosition: Sendable, Equatable, Codable {
  public var epoch = 0
  /// Batches done in this epoch.
  public var batch = 0
  public var seed: UInt64 = 0
  public var batchSize = 0

  public init() {}
}

/// The values of one epoch by their names in Keras's history.
public struct EpochHistory: Sendable, Equatable {
  public var values: [(name: String, value: Double)]

  public static func == (left: EpochHistory, right: EpochHistory) -> Bool {
    left.values.map(\.name) == right.values.map(\.name) && left.values.map(\.value) == right.values.map(\.value)
  }

  public subscript(name: String) -> Double? { values.first { $0.name == name }?.value }
}
