import RNNCore
import RNNRuntime
import RealModule

/// How gradients become steps. Formulas as Keras has them, by its generation: see layouts of Keras 2.2.4's
/// `optimizers.py` and Keras 3's `keras/src/optimizers`.
public struct Optimizer: Sendable, Equatable {
  public enum Rule: Sendable, Equatable {
    /// v = momentum v - rate g; p += v, or p += momentum v - rate g with Nesterov.
    case sgd(momentum: Double, nesterov: Bool)
    /// a = rho a + (1 - rho) g^2; p -= rate g / sqrt(a + epsilon).
    case rmsprop(rho: Double, momentum: Double, epsilon: Double, centered: Bool)
    /// a += g^2; p -= rate g / sqrt(a + epsilon).
    case adagrad(initial: Double, epsilon: Double)
    /// m, v the moments; p -= rate sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + epsilon).
    case adam(beta1: Double, beta2: Double, epsilon: Double, amsgrad: Bool)
    /// Adam with Nesterov momentum (Dozat 2016); `decay` is the exponent's factor of the momentum schedule.
    case nadam(beta1: Double, beta2: Double, epsilon: Double, decay: Double)
  }

  public var rule: Rule
  public var learningRate: LearningRate
  /// p -= rate x weightDecay x p before each step.
  public var weightDecay: Double?
  /// The norm of each gradient, or of all together, and the largest size of an element.
  public var clipNorm: Double?
  public var globalClipNorm: Double?
  public var clipValue: Double?
  /// Keras up to 2.3 and TensorFlow's legacy optimizers divide by sqrt(a) + epsilon instead of sqrt(a + epsilon).
  public var addsEpsilonOutside = false

  /// Factors such as 1 - beta are taken of beta as a float32 number (up to Keras 2.3, and TensorFlow's legacy
  /// optimizers); later ones compute them in double precision and round once.
  public var roundsFactors = false

  /// What an optimizer makes of an embedding's gradient, which arrives as one slice for each position of the batch.
  public enum Slices: String, Sendable, Equatable {
    /// Slices of one row are added up first.
    case added
    /// As `added`, but norms for clipping are taken over the slices (tf_keras).
    case normedApart
    /// Squares and norms are taken of each slice and then added up (Keras 3 on TensorFlow).
    case squaredApart
    /// As `normedApart`, and only rows that a batch touches take a step (TensorFlow's legacy optimizers, with momentum).
    case touchedRowsOnly
  }

  public var slices: Slices = .added
  /// tf_keras's Nadam multiplies its momentum product once for each parameter, by mistake.
  public var multipliesProductPerParameter = false

  public init(_ rule: Rule, learningRate: LearningRate) {
    self.rule = rule
    self.learningRate = learningRate
  }

  /// Keras 3's default.
  public static let adam: Optimizer = {
    var optimizer = Optimizer(
      .adam(beta1: 0.9, beta2: 0.999, epsilon: 1e-7, amsgrad: false), learningRate: .constant(0.001))
    optimizer.slices = .squaredApart
    return optimizer
  }()

  /// 1 - x, as this optimizer's Keras takes it.
  func rest(_ x: Double) -> Float { roundsFactors ? 1 - Float(x) : Float(1 - x) }

  /// The names of the state that each parameter has, in Keras 3's order.
  public var slotNames: [String] {
    switch rule {
    case .sgd(let momentum, _): momentum > 0 ? ["momentum"] : []
    case .rmsprop(_, let momentum, _, let centered):
      ["velocity"] + (momentum > 0 ? ["momentum"] : []) + (centered ? ["average_gradient"] : [])
    case .adagrad: ["accumulator"]
    case .adam(_, _, _, let amsgrad): ["momentum", "velocity"] + (amsgrad ? ["velocity_hat"] : [])
    case .nadam: ["momentum", "velocity"]
    }
  }

  /// What a slot starts with.
  func initialValue(ofSlot index: Int) -> Float {
    if case .adagrad(let initial, _) = rule { return Float(initial) }
    return 0
  }

  /// Keras's class name.
  public var className: String {
    switch rule {
    case .sgd: "SGD"
    case .rmsprop: "RMSprop"
    case .adagrad: "Adagrad"
    case .adam: weightDecay == nil ? "Adam" : "AdamW"
    case .nadam: "Nadam"
    }
  }
}

/// The numbers of one step, the same for every parameter.
struct OptimizerStep {
  var rate: Double
  /// Counted from 1.
  var time: Int
  /// Adam's rate with both corrections of its moments: rate sqrt(1 - beta2^t) / (1 - beta1^t).
  var alpha: Float = 0
  /// Nadam's products of its momenta up to this step and the next.
  var momentumProduct = 1.0
  var nextMomentumProduct = 1.0
}

extension Optimizer {
  /// Nadam's momentum at a step, counted from 1.
  func nadamMomentum(_ time: Int, beta1: Double, decay: Double) -> Double {
    beta1 * (1 - 0.5 * .pow(0.96, Double(time) * decay))
  }

  /// - Parameters:
  ///   - iteration: steps done so far.
  ///   - momentumProduct: Nadam's product so far; updated.
  func step(iteration: Int, momentumProduct: inout Double) -> OptimizerStep {
    var step = OptimizerStep(rate: learningRate.value(at: iteration), time: iteration + 1)
    if case .adam(let beta1, let beta2, _, _) = rule {
      // Powers of the float32 numbers, as every Keras takes them: 1 - 0.999 differs in the fifth digit.
      let (first, second) = (Double(Float(beta1)), Double(Float(beta2)))
      let time = Double(step.time)
      step.alpha = Float(step.rate * (1 - .pow(second, time)).squareRoot() / (1 - .pow(first, time)))
    }
    if case .nadam(let beta1, _, _, let decay) = rule {
      momentumProduct *= nadamMomentum(step.time, beta1: beta1, decay: decay)
      step.momentumProduct = momentumProduct
      step.nextMomentumProduct = momentumProduct * nadamMomentum(step.time + 1, beta1: beta1, decay: decay)
    }
    return step
  }

  /// One step of one parameter.
  /// - Parameters:
  ///   - p, g: parameter and gradient, `count` floats each.
  ///   - squares: taken for the gradient's square, where given.
  ///   - slots: the parameter's state, in the order of `slotNames`.
  func update(
    _ p: UnsafeMutablePointer<Float>, _ g: UnsafePointer<Float>, squares: UnsafePointer<Float>?,
    _ slots: [UnsafeMutablePointer<Float>], count: Int, _ step: OptimizerStep
  ) {
    let rate = Float(step.rate)
    if let weightDecay {
      let factor = Float(weightDecay) * rate
      for index in 0..<count { p[index] -= p[index] * factor }
    }
    switch rule {
    case .sgd(let momentum, let nesterov):
      sgd(p, g, slots.first, count, rate, Float(momentum), nesterov)
    case .rmsprop(let rho, let momentum, let epsilon, let centered):
      rmsprop(p, g, squares, slots, count, rate, rho, Float(momentum), Float(epsilon), centered)
    case .adagrad(_, let epsilon):
      for index in 0..<count {
        slots[0][index] += squares?[index] ?? g[index] * g[index]
        p[index] -= rate * g[index] / root(slots[0][index], Float(epsilon))
      }
    case .adam(let beta1, let beta2, let epsilon, let amsgrad):
      adam(p, g, squares, slots, count, step.alpha, rest(beta1), rest(beta2), Float(epsilon), amsgrad)
    case .nadam(let beta1, let beta2, let epsilon, let decay):
      nadam(p, g, squares, slots, count, step, beta1, beta2, Float(epsilon), decay)
    }
  }

  private func root(_ square: Float, _ epsilon: Float) -> Float {
    addsEpsilonOutside ? square.squareRoot() + epsilon : (square + epsilon).squareRoot()
  }

  private func sgd(
    _ p: UnsafeMutablePointer<Float>, _ g: UnsafePointer<Float>, _ velocity: UnsafeMutablePointer<Float>?,
    _ count: Int, _ rate: Float, _ momentum: Float, _ nesterov: Bool
  ) {
    guard let velocity else {
      for index in 0..<count { p[index] -= rate * g[index] }
      return
    }
    for index in 0..<count {
      velocity[index] = momentum * velocity[index] - rate * g[index]
      p[index] += nesterov ? momentum * velocity[index] - rate * g[index] : velocity[index]
    }
  }

  private func rmsprop(
    _ p: UnsafeMutablePointer<Float>, _ g: UnsafePointer<Float>, _ squares: UnsafePointer<Float>?,
    _ slots: [UnsafeMutablePointer<Float>], _ count: Int,
    _ rate: Float, _ decay: Double, _ momentum: Float, _ epsilon: Float, _ centered: Bool
  ) {
    let (rho, rest) = (Float(decay), rest(decay))
    for index in 0..<count {
      slots[0][index] = rho * slots[0][index] + rest * (squares?[index] ?? g[index] * g[index])
      var square = slots[0][index]
      if centered, let average = slots.last {
        average[index] = rho * average[index] + rest * g[index]
        square -= average[index] * average[index]
      }
      let change = rate * g[index] / root(square, epsilon)
      if momentum > 0 {
        slots[1][index] = momentum * slots[1][index] + change
        p[index] -= slots[1][index]
      } else {
        p[index] -= change
      }
    }
  }

  private func adam(
    _ p: UnsafeMutablePointer<Float>, _ g: UnsafePointer<Float>, _ squares: UnsafePointer<Float>?,
    _ slots: [UnsafeMutablePointer<Float>], _ count: Int,
    _ alpha: Float, _ keep1: Float, _ keep2: Float, _ epsilon: Float, _ amsgrad: Bool
  ) {
    let (m, v) = (slots[0], slots[1])
    if !amsgrad {
      return TrainingKernels.adam(
        p, g, squares: squares, m, v, count: count, alpha: alpha, keep1: keep1, keep2: keep2, epsilon: epsilon)
    }
    for index in 0..<count {
      m[index] += (g[index] - m[index]) * keep1
      v[index] += ((squares?[index] ?? g[index] * g[index]) - v[index]) * keep2
      slots[2][index] = Swift.max(slots[2][index], v[index])
      p[index] -= alpha * m[index] / (slots[2][index].squareRoot() + epsilon)
    }
  }

  private func nadam(
    _ p: UnsafeMutablePointer<Float>, _ g: UnsafePointer<Float>, _ squares: UnsafePointer<Float>?,
    _ slots: [UnsafeMutablePointer<Float>], _ count: Int,
    _ step: OptimizerStep, _ beta1: Double, _ beta2: Double, _ epsilon: Float, _ decay: Double
  ) {
    let now = nadamMomentum(step.time, beta1: beta1, decay: decay)
    let next = nadamMomentum(step.time + 1, beta1: beta1, decay: decay)
    let momentPart = Float(next / (1 - step.nextMomentumProduct))
    let gradientPart = Float((1 - now) / (1 - step.momentumProduct))
    let squarePart = Float(1 / (1 - .pow(beta2, Double(step.time))))
    let (m, v, rate) = (slots[0], slots[1], Float(step.rate))
    let (keep1, keep2) = (rest(beta1), rest(beta2))
    for index in 0..<count {
      m[index] += (g[index] - m[index]) * keep1
      v[index] += ((squares?[index] ?? g[index] * g[index]) - v[index]) * keep2
      let moment = momentPart * m[index] + gradientPart * g[index]
      p[index] -= rate * moment / ((v[index] * squarePart).squareRoot() + epsilon)
    }
  }
}
