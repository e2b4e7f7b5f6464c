import RNNCore
import RNNRuntime

/// Steps: forward, backward and the optimizer.
extension Trainer {
  /// Forward, backward and one step of the optimizer.
  /// - Throws: `badData` where the batch does not fit the model, or the loss or a gradient is no number; the model is
  ///   then as it was before the step.
  public func trainStep(_ batch: Batch) throws -> StepResult {
    let work = try shards(of: batch, trainingShards)
    let statistics = statistics
    for (layer, idle) in idleRows { idle.catchUp(work.ids(of: layer), configuration.optimizer, pool) }
    let pointers = prepareParameters()
    // The others' are written anew when the shards' are added up.
    for parameter in parameters.joined() where !hasShards(parameter) { parameter.clearGradient(pool) }
    try forEachShard(work.ranges.count) { shard in
      try work.forward(shard, passes[shard], pointers, seed: seed, step: UInt64(iteration))
    }
    let normalizers = work.normalizers(isClassic: isClassic)
    let results = SendableBox(work.ranges.map { _ in [GradientPass.EmbeddingGradient]() })
    try forEachShard(work.ranges.count) { shard in
      for layer in shardGradients[shard].indices {
        guard let gradients = shardGradients[shard][layer] else { continue }
        for (index, gradient) in gradients.enumerated() where !passes[shard].left[layer].contains(index) {
          gradient.update(repeating: 0, count: parameters[layer][index].count)
        }
      }
      results.set(work.backward(shard, passes[shard], pointers, shardGradients[shard], normalizers), at: shard)
    }
    let embeddings = results.values
    addUp(shards: work.ranges.count, embeddings)
    var loss = work.loss(normalizers)
    for parameter in parameters.joined() {
      guard let regularizer = penalty(of: parameter) else { continue }
      loss += regularizer.apply(
        parameter.values, count: parameter.count, scale: 1, gradient: parameter.isTrainable ? parameter.gradient : nil)
      // A penalty's gradient reaches every row.
      parameter.touchAllRows()
    }
    guard loss.isFinite, gradientsAreFinite() else {
      for pass in passes { pass.restoreStates() }
      restore(statistics)
      throw notFinite(loss, shards: work.ranges.count)
    }
    step(Array(embeddings.joined()))
    return result(loss, work, normalizers)
  }

  /// The moving statistics, which the forward run moves.
  private var statistics: [[Float]] {
    parameters.joined().filter(\.isStatistic).map { Array(UnsafeBufferPointer(start: $0.values, count: $0.count)) }
  }

  private func restore(_ statistics: [[Float]]) {
    for (parameter, values) in zip(parameters.joined().filter(\.isStatistic), statistics) {
      for (index, value) in values.enumerated() { parameter.values[index] = value }
    }
  }

  private func shards(of batch: Batch, _ count: Int) throws -> ShardedBatch {
    try ShardedBatch(
      batch, trained, configuration, takenOff: takenOff, activity: activityRegularizers, isClassic: isClassic,
      shards: count)
  }

  /// The loss without a step, and the predictions.
  public func evaluate(_ batch: Batch) throws -> StepResult {
    settle()
    let work = try shards(of: batch, evaluationShards)
    let pointers = prepareParameters()
    try forEachShard(work.ranges.count) { shard in
      try work.forward(shard, evaluations[shard], pointers, seed: nil, step: 0)
    }
    let normalizers = work.normalizers(isClassic: isClassic)
    var loss = work.loss(normalizers)
    for parameter in parameters.joined() {
      if let regularizer = penalty(of: parameter) {
        loss += regularizer.apply(parameter.values, count: parameter.count, scale: 1, gradient: nil)
      }
    }
    return result(loss, work, normalizers)
  }

  private func result(_ loss: Double, _ work: ShardedBatch, _ normalizers: [Double]) -> StepResult {
    StepResult(
      loss: loss, predictions: work.predictions(), outputLosses: work.outputLosses(normalizers), masks: work.masks())
  }

  /// Keras 3 leaves the penalties of frozen weights out.
  private func penalty(of parameter: TrainingParameter) -> Regularizer? {
    parameter.isTrainable || native.provenance.dialect != "keras3" ? parameter.regularizer : nil
  }

  private func forEachShard(_ count: Int, _ body: (Int) throws -> Void) throws {
    let workers = min(threads, count)
    let errors = SendableBox([(any Error)?](repeating: nil, count: count))
    pool.run(workers) { worker in
      // There and back, so that larger shards, which are the odd ones, do not all come to one worker.
      for shard in 0..<count where min(shard % (2 * workers), 2 * workers - 1 - shard % (2 * workers)) == worker {
        do { try body(shard) } catch { errors.set(error, at: shard) }
      }
    }
    if let error = errors.values.compactMap(\.self).first { throw error }
  }

  /// Whether the parameter's gradient is the sum of the shards'.
  private func hasShards(_ parameter: TrainingParameter) -> Bool { shardGradients[0][parameter.layer] != nil }

  /// Products that the shards left: every thread takes columns or rows of its own, and the shards in order.
  private func addProducts(shards: Int) {
    let products = passes.prefix(shards).flatMap(\.products)
    for (layer, left) in passes[0].left.enumerated() {
      for index in left {
        let parameter = parameters[layer][index]
        let products = products.filter { $0.layer == layer && $0.product.parameter == index }.map(\.product)
        guard let first = products.first else {
          parameter.clearGradient(pool)
          continue
        }
        func add(_ part: GradientProduct.Part) {
          first.clear(parameter.gradient, part)
          for product in products { product.add(to: parameter.gradient, part) }
        }
        // In whole groups of the product's columns, which are brought into order once.
        let groups = (first.columns + 63) / 64
        if groups >= threads {
          pool.cut(groups) {
            let columns = 64 * $0.lowerBound..<min(64 * $0.upperBound, first.columns)
            add(.init(rows: 0..<first.rows, columns: columns))
          }
        } else {
          pool.cut(first.rows) { add(.init(rows: $0, columns: 0..<first.columns)) }
        }
      }
    }
  }

  /// The shards' gradients, in order.
  private func addUp(shards: Int, _ embeddings: [[GradientPass.EmbeddingGradient]]) {
    addProducts(shards: shards)
    pool.cut(gradientParts.count) { parts in
      for part in gradientParts[parts] {
        let gradient = parameters[part.layer][part.index].gradient + part.range.lowerBound
        gradient.update(repeating: 0, count: part.range.count)
        for shard in 0..<shards {
          guard let gradients = shardGradients[shard][part.layer] else { continue }
          TrainingKernels.add(gradient, gradients[part.index] + part.range.lowerBound, count: part.range.count)
        }
      }
    }
    let parts = embeddings.joined().filter { parameters[$0.layer][0].isTrainable }
    // Every thread takes columns of its own, so that each sum is made in the order of the parts.
    pool.cut(parts.map(\.width).max() ?? 0) { columns in
      for part in parts { parameters[part.layer][0].add(part, columns: columns.clamped(to: 0..<part.width)) }
    }
    for part in parts { parameters[part.layer][0].touch(part.ids) }
  }

  private func step(_ slices: [GradientPass.EmbeddingGradient]) {
    let optimizer = configuration.optimizer
    let trainable = parameters.joined().filter(\.isTrainable)
    GradientClipping(optimizer, slices: slices).apply(trainable)
    var step = optimizer.step(iteration: iteration, momentumProduct: &momentumProduct)
    for (index, parameter) in trainable.enumerated() {
      // tf_keras counts, in Python and so once for each of its two traces of the step, which parameter comes when.
      let isCounted = index + 1 + trainable.count == iteration + 2
      if optimizer.multipliesProductPerParameter, index > 0, !isCounted {
        step = optimizer.step(iteration: iteration, momentumProduct: &momentumProduct)
      }
      update(parameter, step)
      parameter.constraint?.apply(parameter.values, shape: parameter.shape)
    }
    iteration += 1
  }

  private func update(_ parameter: TrainingParameter, _ step: OptimizerStep) {
    let optimizer = configuration.optimizer
    if let idle = idleRows[parameter.layer] { return idle.step(optimizer, step, pool) }
    guard optimizer.slices == .touchedRowsOnly, parameter.squares != nil else { return updateAll(parameter, step) }
    let width = parameter.count / max(parameter.shape[0], 1)
    for row in parameter.touchedRows {
      optimizer.update(
        parameter.values + row * width, parameter.gradient + row * width, squares: nil,
        parameter.slots.map { $0 + row * width }, count: width, step)
    }
  }

  /// Every element's step is its own, so that large parameters are cut among the threads without changing a bit.
  private func updateAll(_ parameter: TrainingParameter, _ step: OptimizerStep) {
    let optimizer = configuration.optimizer
    func update(_ part: Range<Int>) {
      let start = part.lowerBound
      optimizer.update(
        parameter.values + start, parameter.gradient + start, squares: parameter.squares(optimizer).map { $0 + start },
        parameter.slots.map { $0 + start }, count: part.count, step)
    }
    if parameter.count >= 1 << 14 { pool.cut(parameter.count, update) } else { update(0..<parameter.count) }
  }
}
