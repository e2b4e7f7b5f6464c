import RNNCore
import RealModule

/// y = gamma (x - mean) / sqrt(variance + epsilon) + beta along one axis (Ioffe and Szegedy 2015).
///
/// Outside training, and in a frozen layer, mean and variance are the moving statistics. In training they are those of
/// the batch, over all axes but one, and the moving ones take a step towards them:
///
///     moving = momentum moving + (1 - momentum) batch
///
/// With `alwaysUsesBatch`, mean and variance are the batch's outside training, too. Then, with n positions a channel and x' = (x - mean) / sqrt(variance + epsilon),
///
///     dx = gamma / sqrt(variance + epsilon) (dy - sum(dy) / n - x' sum(dy x') / n)    dgamma = sum(dy x')
///
/// With `renorm` (Ioffe 2017), y = gamma (x' r + d) + beta in training, with the constants
///
///     r = sqrt(variance + epsilon) / deviation    d = (mean - moving mean) / deviation
///
/// of the renorm's own moving mean and deviation, within their bounds.
struct BatchNormalizationLayer: FormulaLayer {
  let spec: BatchNormalizationSpec
  let isFrozen: Bool

  private struct Parameters<Pointer> {
    var gamma: Pointer?
    var beta: Pointer?
    var mean: Pointer
    var variance: Pointer
    /// Moving deviation, and the renorm's own mean and deviation.
    var renorm: [Pointer]
  }

  private func split<Pointer>(_ parameters: [Pointer]) -> Parameters<Pointer> {
    let first = parameters.count - spec.statisticNames.count
    return Parameters(
      gamma: spec.scale ? parameters[0] : nil, beta: spec.center ? parameters[spec.scale ? 1 : 0] : nil,
      mean: parameters[first], variance: parameters[first + 1], renorm: Array(parameters[(first + 2)...]))
  }

  private func view(_ shape: [Int]) -> AxisView {
    AxisView(shape, place: AxisView.place(spec.axis, rank: shape.count))
  }

  /// r and d of a channel; 1 and 0 without renormalization.
  private func correction<Scalar: Real & BinaryFloatingPoint>(
    mean: Scalar, deviation: Scalar, _ own: [UnsafePointer<Scalar>], _ channel: Int
  ) -> (r: Scalar, d: Scalar) {
    guard let renorm = spec.renorm else { return (1, 0) }
    let moving = max(own[2][channel], Scalar.sqrt(Scalar(spec.epsilon)))
    let r = min(max(deviation / moving, Scalar(renorm.least ?? 0)), renorm.most.map { Scalar($0) } ?? .infinity)
    let bound = renorm.farthest.map { Scalar($0) } ?? .infinity
    return (r, min(max((mean - own[1][channel]) / moving, -bound), bound))
  }

  /// The tape, of each channel: mean and 1 / sqrt(variance + epsilon) as they were used, n, r and d.
  func plan(_ inputs: [PlannedInput], isTraining: Bool) -> LayerPlan {
    let channels = view(inputs[0].shape).size
    return LayerPlan(
      outputShapes: [inputs[0].shape], maskSource: inputs[0].mask == nil ? nil : 0, tape: 5 * channels,
      backwardScratch: 2 * channels)
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let parameters = split(run.parameters)
    let view = view(run.inputs[0].shape)
    let (x, y) = (run.inputs[0].values, run.outputs[0].values)
    if run.noise != nil && !isFrozen || spec.alwaysUsesBatch { return evaluateBatch(run) }
    for block in 0..<view.outer {
      for channel in 0..<view.size {
        let factor =
          (parameters.gamma?[channel] ?? 1) / Scalar.sqrt(parameters.variance[channel] + Scalar(spec.epsilon))
        let shift = (parameters.beta?[channel] ?? 0) - parameters.mean[channel] * factor
        let start = (block * view.size + channel) * view.inner
        for index in start..<start + view.inner { y[index] = x[index] * factor + shift }
      }
    }
  }

  /// With the batch's own statistics.
  private func evaluateBatch<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let parameters = split(run.parameters)
    let input = run.inputs[0]
    let view = view(input.shape)
    let perMask = max(input.count / max(elementCount(input.maskShape), 1), 1)
    for channel in 0..<view.size {
      let places = (0..<view.outer).flatMap { block in
        let start = (block * view.size + channel) * view.inner
        return start..<start + view.inner
      }
      let mask = spec.countsValidOnly ? input.mask : nil
      let counted = places.filter { place in mask.map { $0[place / perMask] != 0 } ?? true }
      let count = Scalar(counted.count) + (mask == nil ? 0 : 1e-7)
      let mean = counted.reduce(Scalar(0)) { $0 + input.values[$1] } / count
      var squares: Scalar = 0
      for place in counted { squares += (input.values[place] - mean) * (input.values[place] - mean) }
      let deviation = Scalar.sqrt(squares / count + Scalar(spec.epsilon))
      let (r, d) = correction(mean: mean, deviation: deviation, parameters.renorm, channel)
      for place in places {
        let value = (input.values[place] - mean) / deviation * r + d
        run.outputs[0].values[place] = value * (parameters.gamma?[channel] ?? 1) + (parameters.beta?[channel] ?? 0)
      }
    }
  }

  func forward(_ run: inout ForwardRun) {
    let parameters = split(run.parameters)
    let (x, y) = (run.inputs[0], run.outputs[0].floats)
    let view = view(x.shape)
    let usesBatch = run.isTraining && !isFrozen || spec.alwaysUsesBatch
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 5 * view.size) { memory in
      guard let base = run.tape ?? memory.baseAddress else { return }
      let (mean, scale, counts) = (base, base + view.size, base + 2 * view.size)
      let (r, d) = (base + 3 * view.size, base + 4 * view.size)
      r.update(repeating: 1, count: view.size)
      d.update(repeating: 0, count: view.size)
      if usesBatch {
        takeBatchStatistics(x, view, mean, scale, counts)
        for channel in 0..<view.size {
          let deviation = (scale[channel] + Float(spec.epsilon)).squareRoot()
          (r[channel], d[channel]) = correction(
            mean: mean[channel], deviation: deviation, parameters.renorm, channel)
        }
        if run.isTraining, !isFrozen { moveStatistics(parameters, view, mean, scale, counts) }
      } else {
        mean.update(from: parameters.mean, count: view.size)
        scale.update(from: parameters.variance, count: view.size)
      }
      for channel in 0..<view.size { scale[channel] = 1 / (scale[channel] + Float(spec.epsilon)).squareRoot() }
      for block in 0..<view.outer {
        for channel in 0..<view.size {
          let gamma = parameters.gamma?[channel] ?? 1
          let factor = gamma * r[channel] * scale[channel]
          let shift = (parameters.beta?[channel] ?? 0) + gamma * d[channel] - mean[channel] * factor
          let start = (block * view.size + channel) * view.inner
          for index in start..<start + view.inner { y[index] = x.floats[index] * factor + shift }
        }
      }
    }
  }

  /// Whether a position counts: with `countsValidOnly`, masked steps do not.
  private func weight(_ x: Value, _ element: Int) -> Bool {
    guard spec.countsValidOnly, let mask = x.mask else { return true }
    return mask[element / max(x.count / max(elementCount(x.maskShape), 1), 1)] != 0
  }

  /// Mean and variance of each channel, in double precision, and how many positions count.
  private func takeBatchStatistics(
    _ x: Value, _ view: AxisView, _ mean: Floats, _ variance: Floats, _ counts: Floats
  ) {
    for channel in 0..<view.size {
      var (sum, squares, count) = (0.0, 0.0, 0)
      func forEach(_ body: (Double) -> Void) {
        for block in 0..<view.outer {
          let start = (block * view.size + channel) * view.inner
          for index in start..<start + view.inner where weight(x, index) { body(Double(x.floats[index])) }
        }
      }
      forEach {
        sum += $0
        count += 1
      }
      // Keras divides masked sums by n + epsilon.
      let divisor = Double(count) + (spec.countsValidOnly && x.mask != nil ? 1e-7 : 0)
      let center = sum / divisor
      forEach { squares += ($0 - center) * ($0 - center) }
      mean[channel] = Float(center)
      variance[channel] = Float(squares / divisor)
      counts[channel] = Float(count)
    }
  }

  private func moveStatistics(
    _ parameters: Parameters<UnsafePointer<Float>>, _ view: AxisView, _ mean: Floats, _ variance: Floats,
    _ counts: Floats
  ) {
    let movingMean = UnsafeMutablePointer(mutating: parameters.mean)
    let movingVariance = UnsafeMutablePointer(mutating: parameters.variance)
    let kept = Float(spec.momentum)
    for channel in 0..<view.size {
      let correction = spec.correction.factor(count: Double(counts[channel]), epsilon: spec.epsilon)
      movingMean[channel] = movingMean[channel] * kept + mean[channel] * (1 - kept)
      movingVariance[channel] =
        movingVariance[channel] * kept + variance[channel] * Float(correction) * (1 - kept)
      guard let renorm = spec.renorm else { continue }
      let deviation = (variance[channel] + Float(spec.epsilon)).squareRoot()
      let own = parameters.renorm.map { UnsafeMutablePointer(mutating: $0) + channel }
      own[0].pointee = own[0].pointee * kept + deviation * (1 - kept)
      own[1].pointee = own[1].pointee * Float(renorm.momentum) + mean[channel] * (1 - Float(renorm.momentum))
      own[2].pointee = own[2].pointee * Float(renorm.momentum) + deviation * (1 - Float(renorm.momentum))
      // The moving variance is that of the moving deviation.
      movingVariance[channel] = max(own[0].pointee * own[0].pointee - Float(spec.epsilon), 0)
    }
  }

  func backward(_ run: BackwardRun) {
    let parameters = split(run.parameters)
    let x = run.inputs[0]
    let view = view(x.shape)
    let (mean, scale, counts) = (run.tape, run.tape + view.size, run.tape + 2 * view.size)
    let (r, d) = (run.tape + 3 * view.size, run.tape + 4 * view.size)
    let dy = run.outputGradients[0]
    let (sums, products) = (run.scratch, run.scratch + view.size)
    for channel in 0..<view.size {
      var (sum, product) = (0.0, 0.0)
      for block in 0..<view.outer {
        let start = (block * view.size + channel) * view.inner
        for index in start..<start + view.inner {
          sum += Double(dy[index])
          product += Double(dy[index]) * Double((x.floats[index] - mean[channel]) * scale[channel])
        }
      }
      (sums[channel], products[channel]) = (Float(sum), Float(product))
    }
    if let gradients = run.parameterGradients {
      let split = split(gradients)
      for channel in 0..<view.size {
        split.gamma?[channel] += r[channel] * products[channel] + d[channel] * sums[channel]
        split.beta?[channel] += sums[channel]
      }
    }
    guard let dx = run.inputGradients[0] else { return }
    let usesBatch = run.noise != nil && !isFrozen || spec.alwaysUsesBatch
    for block in 0..<view.outer {
      for channel in 0..<view.size {
        let factor = (parameters.gamma?[channel] ?? 1) * r[channel] * scale[channel]
        let start = (block * view.size + channel) * view.inner
        for index in start..<start + view.inner {
          guard usesBatch, weight(x, index) else {
            dx[index] += factor * dy[index]
            continue
          }
          let normal = (x.floats[index] - mean[channel]) * scale[channel]
          dx[index] +=
            factor * (dy[index] - sums[channel] / counts[channel] - normal * products[channel] / counts[channel])
        }
      }
    }
  }
}
