import RNNCore

/// The layers that only training knows. Outside it they are the identity.
///
/// - dropout: y = x keep / (1 - rate), keep = 1 with probability 1 - rate, for each element;
/// - spatial dropout: the same, one keep for each example and channel;
/// - Gaussian noise: y = x + deviation N(0, 1);
/// - Gaussian dropout: y = x (1 + sqrt(rate / (1 - rate)) N(0, 1)).
struct NoiseLayer: RuntimeLayer {
  enum Kind {
    case dropout(rate: Float)
    case spatialDropout(rate: Float)
    case gaussianNoise(deviation: Float)
    case gaussianDropout(rate: Float)
  }

  let kind: Kind

  init(_ kind: Kind) {
    self.kind = kind
  }

  private var isActive: Bool {
    switch kind {
    case .dropout(let rate), .spatialDropout(let rate), .gaussianDropout(let rate): rate > 0
    case .gaussianNoise(let deviation): deviation > 0
    }
  }

  func plan(input: [Int], isMasked: Bool, isTraining: Bool) -> LayerPlan {
    LayerPlan(outputShapes: [input], passesMask: isMasked, isIdentity: !isTraining || !isActive)
  }

  func forward(_ run: inout ForwardRun) {
    let x = run.inputs[0]
    let y = run.outputs[0].floats
    guard isActive, let noise = run.noise else {
      // Planned for training and run without noise, as when gradients alone are wanted.
      if y != x.floats { y.update(from: x.floats, count: x.count) }
      return
    }
    for index in 0..<x.count {
      if case .gaussianNoise(let deviation) = kind {
        y[index] = x.floats[index] + deviation * noise.normal(element(index, x, noise))
      } else {
        y[index] = x.floats[index] * factor(index, x, noise)
      }
    }
  }

  func backward(_ run: BackwardRun) {
    guard let dx = run.inputGradients[0] else { return }
    let x = run.inputs[0]
    guard isActive, let noise = run.noise else { return Kernels.table.add(dx, run.outputGradients[0], x.count) }
    for index in 0..<x.count { dx[index] += run.outputGradients[0][index] * factor(index, x, noise) }
  }

  /// The element's number within the whole batch.
  private func element(_ index: Int, _ x: Value, _ noise: LayerNoise) -> Int {
    index + noise.firstExample * (x.count / max(x.batch, 1))
  }

  /// d y / d x.
  private func factor(_ index: Int, _ x: Value, _ noise: LayerNoise) -> Float {
    switch kind {
    case .dropout(let rate):
      return noise.uniform(element(index, x, noise)) >= rate ? 1 / (1 - rate) : 0
    case .spatialDropout(let rate):
      let perExample = x.count / max(x.batch, 1)
      let channel = (noise.firstExample + index / perExample) * x.width + index % x.width
      return noise.uniform(channel) >= rate ? 1 / (1 - rate) : 0
    case .gaussianNoise: return 1
    case .gaussianDropout(let rate):
      return 1 + (rate / (1 - rate)).squareRoot() * noise.normal(element(index, x, noise))
    }
  }
}
