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

  /// The tape holds d y / d x of each element.
  func plan(input: [Int], isMasked: Bool, isTraining: Bool) -> LayerPlan {
    let isIdentity = !isTraining || !isActive
    return LayerPlan(
      outputShapes: [input], passesMask: isMasked, isIdentity: isIdentity, tape: isIdentity ? 0 : input.reduce(1, *))
  }

  func forward(_ run: inout ForwardRun) {
    let x = run.inputs[0]
    let y = run.outputs[0].floats
    guard isActive, let noise = run.noise, let factors = run.tape else {
      // Planned for training and run without noise, as when gradients alone are wanted.
      if y != x.floats { y.update(from: x.floats, count: x.count) }
      return
    }
    let perExample = x.count / max(x.batch, 1)
    let first = noise.firstExample * perExample
    switch kind {
    case .dropout(let rate):
      noise.uniform(first, into: factors, count: x.count)
      return Kernels.table.dropout(y, x.floats, factors, x.count, rate, 1 / (1 - rate))
    case .spatialDropout(let rate):
      for example in 0..<x.batch {
        let row = factors + example * perExample
        noise.uniform((noise.firstExample + example) * x.width, into: row, count: x.width)
        keep(row, x.width, rate)
        for step in stride(from: x.width, to: perExample, by: x.width) {
          (row + step).update(from: row, count: x.width)
        }
      }
    case .gaussianDropout(let rate):
      let deviation = (rate / (1 - rate)).squareRoot()
      for index in 0..<x.count { factors[index] = 1 + deviation * noise.normal(first + index) }
    case .gaussianNoise(let deviation):
      for index in 0..<x.count {
        factors[index] = 1
        y[index] = x.floats[index] + deviation * noise.normal(first + index)
      }
      return
    }
    Kernels.table.multiply(y, x.floats, factors, x.count)
  }

  private func keep(_ factors: Floats, _ count: Int, _ rate: Float) {
    let kept = 1 / (1 - rate)
    for index in 0..<count { factors[index] = factors[index] >= rate ? kept : 0 }
  }

  func backward(_ run: BackwardRun) {
    guard let dx = run.inputGradients[0] else { return }
    let count = run.inputs[0].count
    guard isActive, run.noise != nil else { return Kernels.table.add(dx, run.outputGradients[0], count) }
    Kernels.table.multiply_accumulate(dx, run.outputGradients[0], run.tape, count)
  }
}
