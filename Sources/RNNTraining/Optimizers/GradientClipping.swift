/// Clipping of gradients before a step, as Keras does it: of each gradient's norm, of all together, or of each element.
struct GradientClipping {
  private let optimizer: Optimizer

  init(_ optimizer: Optimizer) {
    self.optimizer = optimizer
  }

  func apply(_ parameters: [TrainingParameter]) {
    if let limit = optimizer.clipNorm {
      for parameter in parameters { scale(parameter, limit, norm(of: parameter).squareRoot()) }
    }
    if let limit = optimizer.globalClipNorm {
      let total = parameters.reduce(0) { $0 + norm(of: $1) }.squareRoot()
      for parameter in parameters { scale(parameter, limit, total) }
    }
    if let limit = optimizer.clipValue {
      let bound = Float(limit)
      for parameter in parameters {
        for index in 0..<parameter.count {
          parameter.gradient[index] = Swift.min(Swift.max(parameter.gradient[index], -bound), bound)
        }
      }
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

  private func scale(_ parameter: TrainingParameter, _ limit: Double, _ norm: Double) {
    guard norm > limit else { return }
    let factor = Float(limit / norm)
    for index in 0..<parameter.count {
      parameter.gradient[index] *= factor
      parameter.squares?[index] *= factor * factor
    }
  }
}
