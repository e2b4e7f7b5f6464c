import Foundation
import RNNCore
import RNNRuntime

/// A model in training. Not for several threads at once; it uses `threads` of its own.
///
/// The same seed gives the same bits for any number of threads: a batch is cut into a fixed number of shards, and their
/// gradients are added up in order.
public final class Trainer {
  /// One batch.
  public struct Batch {
    /// One for each input and output, examples first.
    public var inputs: [Tensor]
    public var targets: [Tensor]
    /// One weight an example.
    public var sampleWeights: [Float]?

    public init(inputs: [Tensor], targets: [Tensor], sampleWeights: [Float]? = nil) {
      self.inputs = inputs
      self.targets = targets
      self.sampleWeights = sampleWeights
    }
  }

  /// What one step gave.
  public struct StepResult {
    /// The loss with all penalties, before the step.
    public var loss: Double
    /// For each output its predictions (behind its activation), row-major, with their shape.
    public var predictions: [(values: [Float], shape: [Int])]
    /// For each output its own loss, without penalties and without its factor in the sum.
    public var outputLosses: [Double] = []
    /// For each output whether its rows count, 1 or 0; `nil` where nothing is masked.
    public var masks: [[Float]?] = []
  }

  /// How many shards a batch is cut into, whatever the number of threads.
  static let shardCount = 4

  public private(set) var configuration: TrainingConfiguration
  public let seed: UInt64
  /// The threads it uses: as many as were given, at most 4.
  public var threads: Int { pool.threads }
  /// Steps done.
  public internal(set) var iteration = 0

  let native: NativeModel
  let parameters: [[TrainingParameter]]
  var momentumProduct = 1.0
  /// What training was started with, for those who take it up again; see `TrainingCheckpoint`.
  let compiled: JSONValue
  let pool: WorkerPool
  let trained: RuntimeGraph
  /// By output, the activation that its loss comes before; see `LogitOutputs`.
  let takenOff: [Activation?]
  let passes: [GradientPass]
  let evaluations: [GradientPass]
  let shardGradients: [[[UnsafeMutablePointer<Float>]?]]
  /// Owns what they point to.
  private let shardMemory: [FloatMemory]
  let activityRegularizers: [Int: Regularizer]
  let isClassic: Bool
  /// By layer, for the embeddings whose rows may wait.
  let idleRows: [Int: IdleRows]

  /// - Parameter checkpoint: where the model's training was interrupted, to take it up again.
  /// - Throws: `unsupported` for what the configuration names and is not built in; `badData` for an optimizer's state or
  ///   recurrent states that do not fit the model.
  public convenience init(
    _ model: NativeModel, _ configuration: TrainingConfiguration, seed: UInt64 = 0, threads: Int = 1,
    resuming checkpoint: TrainingCheckpoint? = nil
  ) throws {
    try self.init(model, configuration, seed: seed, threads: threads, resuming: checkpoint, mayWait: true)
  }

  /// - Parameter mayWait: whether rows of embeddings that no batch reads put their steps off; the bits are the same.
  init(
    _ model: NativeModel, _ configuration: TrainingConfiguration, seed: UInt64, threads: Int,
    resuming checkpoint: TrainingCheckpoint? = nil, mayWait: Bool
  ) throws {
    let shapes = try model.validate()
    native = model
    self.configuration = configuration
    self.seed = seed
    // More threads than shards would wait for the others.
    pool = WorkerPool(threads: min(threads, Trainer.shardCount))
    let version = model.provenance.frameworkVersion ?? ""
    isClassic =
      OptimizerEra(
        dialect: model.provenance.dialect, version: version, isCustom: false, config: .null
      ).isClassic
    activityRegularizers = try Trainer.activityRegularizers(model.spec)
    let logits = LogitOutputs.apply(
      model.spec, configuration.losses, watched: activityRegularizers.keys, isClassic: isClassic)
    takenOff = logits.takenOff
    trained = RuntimeGraph(logits.spec)
    var tensors: [String: [NativeModel.Parameter]] = [:]
    for parameter in model.parameters { tensors[parameter.layer, default: []].append(parameter) }
    parameters = try model.spec.layers.enumerated().map { index, layer in
      try (tensors[layer.name] ?? []).map { parameter in
        try TrainingParameter(
          parameter.tensor, layer: index, spec: layer, name: parameter.name, optimizer: configuration.optimizer)
      }
    }
    let trainable = model.spec.layers.map(\.isTrainable)
    let graph = trained
    passes = (0..<Trainer.shardCount).map { _ in GradientPass(graph, trainable: trainable) }
    evaluations = (0..<Trainer.shardCount).map { _ in GradientPass(graph, trainable: trainable) }
    var memory: [FloatMemory] = []
    shardGradients = (0..<Trainer.shardCount).map { _ in
      model.spec.layers.enumerated().map { index, layer in
        guard layer.isTrainable, layer.spec.kind != .embedding else { return nil }
        return shapes.parameters[index].map { shape in
          let count = shape.shape.reduce(1, *)
          memory.append(FloatMemory(count, repeating: 0))
          return memory[memory.count - 1].base
        }
      }
    }
    compiled = checkpoint?.compiled ?? configuration.kerasConfig(for: model)
    shardMemory = memory
    idleRows = mayWait ? Trainer.idleRows(parameters, model.spec, configuration.optimizer) : [:]
    try restoreOptimizer()
    if let checkpoint {
      momentumProduct = checkpoint.momentumProduct
      try restoreStates(checkpoint.position)
    }
  }

  /// Rows may wait where nothing but Adam's own formula moves them, and where what a batch reads is known beforehand.
  private static func idleRows(
    _ parameters: [[TrainingParameter]], _ spec: ModelSpec, _ optimizer: Optimizer
  ) -> [Int: IdleRows] {
    // Without an epsilon, rows at rest would become 0 / 0.
    guard case .adam(_, _, let epsilon, let amsgrad) = optimizer.rule, epsilon > 0, !amsgrad,
      optimizer.weightDecay == nil,
      optimizer.slices != .touchedRowsOnly
    else { return [:] }
    var result: [Int: IdleRows] = [:]
    for (index, layer) in spec.layers.enumerated() where layer.spec.kind == .embedding && layer.isTrainable {
      let calls = spec.calls.filter { $0.layer == index }
      guard let table = parameters[index].first, table.regularizer == nil, table.constraint == nil,
        calls.allSatisfy({ $0.inputs.allSatisfy { spec.inputs.contains($0.call) } })
      else { continue }
      result[index] = IdleRows(table)
    }
    return result
  }

  /// Brings every parameter up to date.
  func settle() {
    for idle in idleRows.values { idle.settle(configuration.optimizer, pool) }
  }

  private static func activityRegularizers(_ spec: ModelSpec) throws -> [Int: Regularizer] {
    var result: [Int: Regularizer] = [:]
    for (index, call) in spec.calls.enumerated() {
      guard let carried = spec.layers[call.layer].carried else { continue }
      let json = try JSONValue(parsing: carried)["activity_regularizer"]
      result[index] = try locating("layer '\(spec.layers[call.layer].name)'") { try Regularizer(keras: json) }
    }
    return result
  }

  var pointers: [[UnsafePointer<Float>]] {
    parameters.map { $0.map { UnsafePointer($0.values) } }
  }

  /// The last axis of each output.
  var outputWidths: [Int] {
    guard let shapes = try? native.spec.shapes() else { return [] }
    return native.spec.outputs.map { (shapes.outputs[$0.call][$0.output].last ?? nil) ?? 1 }
  }

  /// The learning rate of the next step. Setting it puts a constant one in the place of a schedule.
  public var learningRate: Double {
    get { configuration.optimizer.learningRate.value(at: iteration) }
    set { configuration.optimizer.learningRate = .constant(newValue) }
  }

  /// Whether any layer carries its states from batch to batch.
  public var isStateful: Bool { native.spec.layers.contains { $0.spec.isStateful } }

  /// Lets stateful layers start from rest again, as before an epoch.
  public func resetStates() {
    for pass in passes + evaluations { pass.resetStates() }
  }
}

/// A value that several workers fill, each its own place.
final class SendableBox<Element>: @unchecked Sendable {
  private var storage: [Element]
  private let lock = NSLock()

  init(_ values: [Element]) {
    storage = values
  }

  var values: [Element] { lock.withLock { storage } }

  func set(_ value: Element, at index: Int) { lock.withLock { storage[index] = value } }
}
