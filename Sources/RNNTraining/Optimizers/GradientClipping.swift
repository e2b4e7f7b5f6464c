import RNNRuntime

/// Clipping of gradients before a step, as Keras does it: of each gradient's norm, of all together, or of each element.
///
/// An embedding's gradient arrives in slices, and TensorFlow bounds the elements of each slice before it adds them up.
struct GradientClipping {
  private let optimizer: Optimizer
  private let slices: [GradientPass.EmbeddingGradient]

  init(_ optimizer: Optimizer, slices: [GradientPass.EmbeddingGradient]) {
    self.optimizer = optimizer
    self.slices = slices
  }

  func apply(_ parameters: [TrainingParameter]) {
    var factors = [Float](repeating: 1, count: parameters.count)
    // Keras takes a limit of 0 for none.
    if let limit = optimizer.clipNorm, limit > 0 {
      for index in parameters.indices {
        factors[index] = scale(parameters[index], limit, norm(of: parameters[index]).squareRoot())
      }
    }
    if let limit = optimizer.globalClipNorm, limit > 0 {
      let total = parameters.reduce(0) { $0 + norm(of: $1) }.squareRoot()
      for index in parameters.indices { factors[index] = scale(parameters[index], limit, total) }
    }
    if let limit = optimizer.clipValue, limit > 0 {
      for (parameter, factor) in zip(parameters, factors) { bound(parameter, Float(limit), factor) }
    }
  }

  /// The square of the norm.
  private func norm(of parameter: TrainingParameter) -> Double {
    var sum = 0.0
    if let squares = parameter.squares {
      for index in 0..<parameter.count { sum += Double(squares[index]) }
      return sum
    }
    for index in 0..<parameter.count { sum += Double(parameter.gradient[index]) * Double(parameter.gradient[index]) }
    return sum
  }

  /// - Returns: the factor that the gradient was multiplied by.
  private func scale(_ parameter: TrainingParameter, _ limit: Double, _ norm: Double) -> Float {
    guard norm > limit else { return 1 }
    let factor = Float(limit / norm)
    for index in 0..<parameter.count {
      parameter.gradient[index] *= factor
      parameter.squares?[index] *= factor * factor
    }
    return factor
  }

  private func bound(_ parameter: TrainingParameter, _ limit: Float, _ factor: Float) {
    guard parameter.name == "embeddings", parameter.regularizer == nil else {
      for index in 0..<parameter.count {
        parameter.gradient[index] = Swift.min(Swift.max(parameter.gradient[index], -limit), limit)
      }
      return
    }
    parameter.clearTouchedRows()
    for part in slices where part.layer == parameter.layer {
      parameter.add(part) { Swift.min(Swift.max($0 * factor, -limit), limit) }
    }
  }
}
