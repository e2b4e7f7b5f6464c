import RNNCore

/// The layers that only training knows. Outside it they are the identity.
///
/// - dropout: y = x keep / (1 - rate), keep = 1 with probability 1 - rate, for each element;
/// - spatial dropout: the same, one keep for each example and channel;
/// - Gaussian noise: y = x + deviation N(0, 1);
/// - Gaussian dropout: y = x (1 + sqrt(rate / (1 - rate)) N(0, 1));
/// - alpha dropout: y = a (x keep + s (1 - keep)) + b, where s is what SELU makes of minus infinity, and a and b keep mean
///   and variance (Klambauer et al. 2017).
struct NoiseLayer: UnaryLayer {
  enum Kind {
    case dropout(rate: Float)
    case spatialDropout(rate: Float)
    case gaussianNoise(deviation: Float)
    case gaussianDropout(rate: Float)
    case alphaDropout(rate: Float)
  }

  let kind: Kind

  init(_ kind: Kind) {
    self.kind = kind
  }

  private var isActive: Bool {
    switch kind {
    case .dropout(let rate), .spatialDropout(let rate), .gaussianDropout(let rate), .alphaDropout(let rate): rate > 0
    case .gaussianNoise(let deviation): deviation > 0
    }
  }

  /// The tape holds d y / d x of each element.
  func plan(input: [Int], isMasked: Bool, isTraining: Bool) -> LayerPlan {
    let isIdentity = !isTraining || !isActive
    return LayerPlan(
      outputShapes: [input], maskSource: isMasked ? 0 : nil, isIdentity: isIdentity,
      tape: isIdentity ? 0 : input.reduce(1, *))
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
    case .alphaDropout(let rate):
      let alpha = AlphaDropout(rate: rate)
      for index in 0..<x.count {
        let isKept = noise.uniform(first + index) >= rate
        factors[index] = isKept ? alpha.factor : 0
        y[index] = (isKept ? alpha.factor * x.floats[index] : alpha.factor * AlphaDropout.floor) + alpha.shift
      }
      return
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

  var writesInputGradient: Bool { true }

  func backward(_ run: BackwardRun) {
    guard let dx = run.inputGradients[0] else { return }
    let count = run.inputs[0].count
    guard isActive, run.noise != nil else {
      if run.isFirstInputGradient { return dx.update(from: run.outputGradients[0], count: count) }
      return Kernels.table.add(dx, run.outputGradients[0], count)
    }
    if run.isFirstInputGradient {
      Kernels.table.multiply(dx, run.outputGradients[0], run.tape, count)
    } else {
      Kernels.table.multiply_accumulate(dx, run.outputGradients[0], run.tape, count)
    }
  }
}

/// What alpha dropout multiplies and adds.
struct AlphaDropout {
  /// SELU's value far to the left: minus its two constants.
  static let floor = Float(-1.6732632423543772 * 1.0507009873554805)

  let factor: Float
  let shift: Float

  init(rate: Float) {
    let floor = AlphaDropout.floor
    factor = 1 / ((1 - rate) * (1 + rate * floor * floor)).squareRoot()
    shift = -factor * floor * rate
  }
}
