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

  /// The same for a step of training: a layer that looks at the whole batch leaves it whole.
  let trainingShards: Int
  let evaluationShards: Int

  public private(set) var configuration: TrainingConfiguration
  public let seed: UInt64
  /// The threads it uses: as many as were given, at most 4.
  public var threads: Int { pool.threads }
  /// Steps done.
  public internal(set) var iteration = 0

  let native: NativeModel
  /// The model without wrappers and models inside; parameters, states and gradients go by its layers and calls.
  let plain: ModelSpec
  let parameters: [[TrainingParameter]]
  var momentumProduct = 1.0
  /// What training was started with, for those who take it up again; see `TrainingCheckpoint`.
  let compiled: JSONValue
  let pool: WorkerPool
  let trained: RuntimeGraph
  /// By output, the activation that its loss comes before; see `LogitOutputs`.
  let takenOff: [Activation?]
  /// The parameters as products read them, for all passes.
  private let packed: PackedParameters
  let passes: [GradientPass]
  let evaluations: [GradientPass]
  /// By shard, layer and parameter; where the passes leave a gradient's products, the parameter's own gradient.
  let shardGradients: [[[UnsafeMutablePointer<Float>]?]]
  /// Owns what they point to.
  private let shardMemory: [FloatMemory]
  /// The gradients that are sums of the shards', in pieces that stay in a cache.
  let gradientParts: [GradientPart]
  let activityRegularizers: [Int: Regularizer]
  let isClassic: Bool
  /// By layer, for the embeddings whose rows may wait.
  let idleRows: [Int: IdleRows]

  /// A piece of a parameter's gradient.
  struct GradientPart {
    var layer: Int
    var index: Int
    var range: Range<Int>
  }

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
    let plain = model.spec.plain
    self.plain = plain
    self.configuration = configuration
    self.seed = seed
    // More threads than shards would wait for the others.
    pool = WorkerPool(threads: min(threads, Trainer.shardCount))
    let version = model.provenance.frameworkVersion ?? ""
    isClassic =
      OptimizerEra(
        dialect: model.provenance.dialect, version: version, isCustom: false, config: .null
      ).isClassic
    activityRegularizers = try Trainer.activityRegularizers(plain)
    let logits = LogitOutputs.apply(
      plain, configuration.losses, watched: activityRegularizers.keys, isClassic: isClassic)
    takenOff = logits.takenOff
    trained = RuntimeGraph(logits.spec, outputNames: model.spec.outputNames)
    let tensors = model.tensorsByPath
    parameters = try plain.layers.enumerated().map { index, layer in
      try layer.spec.parameterNames.compactMap { name in
        try tensors[NativeModel.path(layer: layer.name, parameter: name)].map { tensor in
          try TrainingParameter(tensor, layer: index, spec: layer, name: name, optimizer: configuration.optimizer)
        }
      }
    }
    let looksAtBatch = plain.layers.contains { layer in
      layer.spec.configuration.needsWholeBatch
        || layer.isTrainable && !layer.spec.configuration.statisticNames.isEmpty
    }
    trainingShards = looksAtBatch ? 1 : Trainer.shardCount
    evaluationShards = trained.needsWholeBatch ? 1 : Trainer.shardCount
    let trainable = plain.layers.map(\.isTrainable)
    let graph = trained
    let packed = PackedParameters(graph, isTraining: true, threads: pool.threads)
    self.packed = packed
    let passes = (0..<Trainer.shardCount).map { _ in
      GradientPass(graph, trainable: trainable, packed: packed, leavesProducts: true)
    }
    self.passes = passes
    let left = passes[0].left
    evaluations = (0..<Trainer.shardCount).map { _ in GradientPass(graph, trainable: trainable, packed: packed) }
    var memory: [FloatMemory] = []
    let parameters = parameters
    shardGradients = (0..<Trainer.shardCount).map { _ in
      plain.layers.enumerated().map { index, layer in
        guard layer.isTrainable, layer.spec.kind != .embedding else { return nil }
        return shapes.parameters[index].enumerated().map { place, shape in
          if left[index].contains(place) { return parameters[index][place].gradient }
          let count = shape.shape.reduce(1, *)
          memory.append(FloatMemory(count, repeating: 0))
          return memory[memory.count - 1].base
        }
      }
    }
    compiled = checkpoint?.compiled ?? configuration.kerasConfig(for: model)
    shardMemory = memory
    var parts: [GradientPart] = []
    for (layer, gradients) in shardGradients[0].enumerated() where gradients != nil {
      for (index, parameter) in parameters[layer].enumerated() where !left[layer].contains(index) {
        for start in stride(from: 0, to: parameter.count, by: 1 << 13) {
          let end = min(start + (1 << 13), parameter.count)
          parts.append(GradientPart(layer: layer, index: index, range: start..<end))
        }
      }
    }
    gradientParts = parts
    idleRows = mayWait ? Trainer.idleRows(parameters, plain, configuration.optimizer) : [:]
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
      let config = try JSONValue(parsing: carried)
      // The layer ActivityRegularization has the factors themselves.
      let isOwn = spec.layers[call.layer].spec.kind == .activityRegularization
      let factors: JSONValue = [
        "class_name": "L1L2", "config": ["l1": config["l1"] ?? 0, "l2": config["l2"] ?? 0],
      ]
      let json = isOwn ? factors : config["activity_regularizer"]
      result[index] = try locating("layer '\(spec.layers[call.layer].name)'") { try Regularizer(keras: json) }
    }
    return result
  }

  /// The parameters for a run of the passes.
  func prepareParameters() -> [[UnsafePointer<Float>]] {
    let pointers = parameters.map { $0.map { UnsafePointer($0.values) } }
    pool.run(pool.threads) { packed.pack(pointers, part: $0, of: pool.threads) }
    return pointers
  }

  /// The last axis of each output.
  var outputWidths: [Int] {
    guard let shapes = try? plain.shapes() else { return [] }
    return plain.outputs.map { (shapes.outputs[$0.call][$0.output].last ?? nil) ?? 1 }
  }

  /// The learning rate of the next step. Setting it puts a constant one in the place of a schedule.
  public var learningRate: Double {
    get { configuration.optimizer.learningRate.value(at: iteration) }
    set { configuration.optimizer.learningRate = .constant(newValue) }
  }

  /// Whether any layer carries its states from batch to batch.
  public var isStateful: Bool { plain.layers.contains { $0.spec.isStateful } }

  /// Lets stateful layers start from rest again, as before an epoch.
  public func resetStates() {
    for pass in passes + evaluations { pass.resetStates() }
  }
}
