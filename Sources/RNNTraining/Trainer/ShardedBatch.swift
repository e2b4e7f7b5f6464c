import RNNCore
import RNNRuntime

/// One batch, cut into shards, on its way through the model.
final class ShardedBatch: @unchecked Sendable {
  let batch: Range<Int>
  let ranges: [Range<Int>]
  private let graph: RuntimeGraph
  private let configuration: TrainingConfiguration
  /// By output; see `LogitOutputs`.
  private let takenOff: [Activation?]
  private let inputs: ModelInputs
  private let targets: [[Float]]
  private let targetRows: [Int]
  private let sampleWeights: [Float]?

  private let activity: [Int: Regularizer]
  private let activityScale: Double
  private let parts: [Part]

  /// What one shard leaves; only its own worker touches it.
  private final class Part {
    /// For each output: the row losses' gradients, before they are divided, and the sums that they need.
    var outputs: [OutputPart] = []
    var activityLoss = 0.0
  }

  private struct OutputPart {
    var gradient: [Float] = []
    var predictions: [Float] = []
    var shape: [Int] = []
    /// Sum of weight x loss, rows that count, rows whose weight is not 0, and the sum of the weights.
    var loss = 0.0
    var rows = 0.0
    var weighted = 0.0
    var weights = 0.0
    /// For each row, 1 where it is valid and 0 where it is masked; empty where nothing is masked.
    var mask: [Float] = []
  }

  /// - Parameters:
  ///   - activity: by call, the penalties of outputs.
  ///   - isClassic: whether these are sums over the batch (Keras 1 and 2) instead of means over its examples.
  /// - Throws: `badData` where inputs, targets or weights do not fit the model.
  init(
    _ given: Trainer.Batch, _ graph: RuntimeGraph, _ configuration: TrainingConfiguration, takenOff: [Activation?],
    activity: [Int: Regularizer], isClassic: Bool, shards: Int
  ) throws {
    self.activity = activity
    self.graph = graph
    self.configuration = configuration
    self.takenOff = takenOff
    inputs = try ModelInputs(given.inputs, graph)
    batch = 0..<inputs.batch
    guard !batch.isEmpty else { throw RNNError.badData("a batch of no examples") }
    guard given.targets.count == graph.spec.outputs.count else {
      throw RNNError.badData(
        "the model has \(graph.spec.outputs.count) outputs, the batch \(given.targets.count) targets")
    }
    for (index, target) in given.targets.enumerated() where target.shape.first != inputs.batch {
      throw RNNError.badData(
        "\(inputs.batch) examples go in, but the target '\(graph.outputNames[index])' is "
          + describe(shape: target.shape))
    }
    if let weights = given.sampleWeights, weights.count != inputs.batch {
      throw RNNError.badData("\(inputs.batch) examples go in with \(weights.count) weights")
    }
    activityScale = isClassic ? 1 : 1 / Double(inputs.batch)
    targets = given.targets.map { $0.floats() }
    targetRows = given.targets.map { $0.count / max($0.shape[0], 1) }
    sampleWeights = given.sampleWeights
    ranges = ShardedBatch.ranges(of: inputs.batch, shards: shards)
    parts = ranges.map { _ in Part() }
  }

  /// Which examples each shard takes.
  static func ranges(of batch: Int, shards: Int) -> [Range<Int>] {
    let count = min(shards, batch)
    return (0..<count).map { batch * $0 / count..<batch * ($0 + 1) / count }
  }

  /// The ids that an embedding reads right from the model's inputs.
  func ids(of layer: Int) -> [Int] {
    graph.spec.calls.filter { $0.layer == layer }.flatMap { call in
      call.inputs.flatMap { reference in
        graph.spec.inputs.firstIndex(of: reference.call).flatMap { inputs.ids(of: $0) } ?? []
      }
    }
  }

  // MARK: - Forward

  /// - Parameter seed: of dropout and noise; `nil` where nothing is trained.
  func forward(
    _ shard: Int, _ pass: GradientPass, _ parameters: [[UnsafePointer<Float>]], seed: UInt64?, step: UInt64
  ) throws {
    let range = ranges[shard]
    let outputs = try pass.forward(
      try inputs.slice(range), parameters: parameters, seed: seed, step: step, firstExample: range.lowerBound)
    parts[shard].outputs = try outputs.enumerated().map { index, output in
      try part(index, output.floats, output.shape, output.mask, range)
    }
    parts[shard].activityLoss = activity.sorted { $0.key < $1.key }.reduce(0) { sum, penalty in
      let (values, count) = pass.output(of: penalty.key)
      return sum + penalty.value.apply(values, count: count, scale: activityScale, gradient: nil)
    }
  }

  private func part(
    _ index: Int, _ floats: UnsafePointer<Float>, _ shape: [Int], _ mask: UnsafePointer<UInt8>?, _ range: Range<Int>
  ) throws -> OutputPart {
    var loss = configuration.losses[index]
    if takenOff[index] != nil { loss.fromLogits = true }
    let width = shape[shape.count - 1]
    let rows = shape.dropLast().reduce(1, *)
    let rowsPerExample = rows / max(shape[0], 1)
    let targetWidth = loss.hasSparseTargets ? 1 : width
    guard targetRows[index] == rowsPerExample * targetWidth else {
      throw RNNError.badData(
        "the target has \(targetRows[index]) numbers an example, the loss \(loss.kind.rawValue) needs "
          + "\(rowsPerExample * targetWidth)",
        at: "output '\(graph.outputNames[index])'")
    }
    var part = OutputPart(
      gradient: [Float](repeating: 0, count: rows * width),
      predictions: Array(UnsafeBufferPointer(start: floats, count: rows * width)), shape: shape)
    try targets[index].withUnsafeBufferPointer { target in
      try part.gradient.withUnsafeMutableBufferPointer { gradient in
        guard let target = target.baseAddress, let gradient = gradient.baseAddress else { return }
        for row in 0..<rows {
          let example = range.lowerBound + row / rowsPerExample
          // A mask of another length than the rows belongs to another axis.
          if let mask, shape.count == 3, mask[row] == 0 { continue }
          let start = target + (range.lowerBound * rowsPerExample + row) * targetWidth
          if loss.hasSparseTargets {
            if let ignored = loss.ignoredClass, start[0] == Float(ignored) { continue }
            try checkLabel(start[0], width, example, index)
          }
          let weight = sampleWeights?[example] ?? 1
          let value = loss.row(start, floats + row * width, width: width, gradient: gradient + row * width)
          part.loss += Double(weight) * value
          part.rows += 1
          part.weighted += weight != 0 ? 1 : 0
          part.weights += Double(weight)
          if weight != 1 { for column in 0..<width { gradient[row * width + column] *= weight } }
        }
      }
    }
    if let mask, shape.count == 3 { part.mask = (0..<rows).map { mask[$0] == 0 ? 0 : 1 } }
    finishPredictions(&part, index, width: width)
    return part
  }

  private func checkLabel(_ label: Float, _ classes: Int, _ example: Int, _ index: Int) throws {
    guard let number = Int(exactly: label), (0..<classes).contains(number) else {
      throw RNNError.badData(
        "the label \(label) of example \(example) lies outside the classes 0 ..< \(classes)",
        at: "output '\(graph.outputNames[index])'")
    }
  }

  /// Puts the activation that was taken off back on the predictions.
  private func finishPredictions(_ part: inout OutputPart, _ index: Int, width: Int) {
    guard let activation = takenOff[index] else { return }
    ActivationFunction.apply(activation, &part.predictions, width: width)
  }

  // MARK: - Sums

  /// What each output's sum of losses is divided by: all rows that count; up to Keras 2.3, those of non-zero weight; or
  /// what the loss's reduction says.
  func normalizers(isClassic: Bool) -> [Double] {
    configuration.losses.indices.map { index in
      let rows = parts.reduce(0) { $0 + $1.outputs[index].rows }
      let weighted = parts.reduce(0) { $0 + $1.outputs[index].weighted }
      switch configuration.losses[index].reduction {
      case .mean: return max(isClassic && sampleWeights != nil ? weighted : rows, 1e-12)
      case .sum: return 1
      case .weightedMean: return max(parts.reduce(0) { $0 + $1.outputs[index].weights }, 1e-12)
      }
    }
  }

  func loss(_ normalizers: [Double]) -> Double {
    let data = configuration.losses.indices.reduce(0.0) { sum, index in
      sum + configuration.lossWeights[index] * parts.reduce(0) { $0 + $1.outputs[index].loss } / normalizers[index]
    }
    return parts.reduce(data) { $0 + $1.activityLoss }
  }

  /// Each output's own loss, without the factor that it has in the sum.
  func outputLosses(_ normalizers: [Double]) -> [Double] {
    configuration.losses.indices.map { index in
      parts.reduce(0) { $0 + $1.outputs[index].loss } / normalizers[index]
    }
  }

  /// For each output the validity of its rows, 1 or 0; `nil` where nothing is masked.
  func masks() -> [[Float]?] {
    configuration.losses.indices.map { index in
      let mask = parts.flatMap { $0.outputs[index].mask }
      return mask.isEmpty ? nil : mask
    }
  }

  func predictions() -> [(values: [Float], shape: [Int])] {
    configuration.losses.indices.map { index in
      (
        parts.flatMap { $0.outputs[index].predictions },
        [batch.count] + parts[0].outputs[index].shape.dropFirst()
      )
    }
  }

  // MARK: - Backward

  func backward(
    _ shard: Int, _ pass: GradientPass, _ parameters: [[UnsafePointer<Float>]],
    _ gradients: [[UnsafeMutablePointer<Float>]?], _ normalizers: [Double]
  ) -> [GradientPass.EmbeddingGradient] {
    pass.backward(
      parameters: parameters, parameterGradients: gradients,
      outputGradients: { index, out in
        let scale = Float(configuration.lossWeights[index] / normalizers[index])
        let part = parts[shard].outputs[index].gradient
        for element in part.indices { out[element] = part[element] * scale }
      },
      callGradients: { call, values, count, out in
        guard let regularizer = activity[call] else { return }
        _ = regularizer.apply(values, count: count, scale: activityScale, gradient: out)
      })
  }
}
