import RNNCore
import RealModule

/// A loss of one row (one last axis) of targets and predictions, with its gradient; formulas as Keras 3's
/// `keras/src/losses/losses.py` and `keras/src/backend/tensorflow/nn.py`.
public struct Loss: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable, Codable {
    case binaryCrossentropy = "binary_crossentropy"
    case categoricalCrossentropy = "categorical_crossentropy"
    case sparseCategoricalCrossentropy = "sparse_categorical_crossentropy"
    case meanSquaredError = "mean_squared_error"
    case meanAbsoluteError = "mean_absolute_error"
    case meanAbsolutePercentageError = "mean_absolute_percentage_error"
    case meanSquaredLogarithmicError = "mean_squared_logarithmic_error"
    case huber
    case logCosh = "log_cosh"
    case poisson
    case hinge
    case squaredHinge = "squared_hinge"
    case categoricalHinge = "categorical_hinge"
    case klDivergence = "kl_divergence"
    case cosineSimilarity = "cosine_similarity"
  }

  public var kind: Kind
  /// The predictions are logits: the sigmoid or softmax belongs to the loss.
  public var fromLogits = false
  /// s: targets become y (1 - s) + s / classes (one half, for binary ones).
  public var labelSmoothing: Double = 0
  /// Huber's.
  public var delta: Double = 1
  /// Rows of this class count for nothing, as if they were masked; of sparse targets.
  public var ignoredClass: Int?

  /// What becomes of the rows' losses.
  public enum Reduction: String, Sendable {
    /// Divided by the number of rows that count.
    case mean = "sum_over_batch_size"
    case sum
    /// Divided by the sum of their weights.
    case weightedMean = "mean_with_sample_weight"
  }

  public var reduction = Reduction.mean

  public init(_ kind: Kind) {
    self.kind = kind
  }

  /// Whether a target is one class id a row instead of a row of the predictions' width.
  public var hasSparseTargets: Bool { kind == .sparseCategoricalCrossentropy }

  /// Keras keeps probabilities between these, which are float32 numbers: the upper one is 1.2e-7 away from 1.
  private static let epsilon = 1e-7
  private static let upper = Double(1 - Float(1e-7))

  /// The loss of one row, and d loss / d prediction.
  /// - Parameters:
  ///   - target: `width` numbers, or one class id.
  ///   - prediction, gradient: `width` numbers.
  public func row(
    _ target: UnsafePointer<Float>, _ prediction: UnsafePointer<Float>, width: Int,
    gradient: UnsafeMutablePointer<Float>
  ) -> Double {
    if fromLogits, kind == .sparseCategoricalCrossentropy || kind == .categoricalCrossentropy {
      return softmaxLoss(target, prediction, width: width, gradient: gradient)
    }
    let y = targets(target, width)
    let p = (0..<width).map { Double(prediction[$0]) }
    let (value, slopes): (Double, [Double]) =
      switch kind {
      case .binaryCrossentropy: binary(y, p)
      case .categoricalCrossentropy, .sparseCategoricalCrossentropy: categorical(y, p)
      case .klDivergence: divergence(y, p)
      case .cosineSimilarity: cosine(y, p)
      case .categoricalHinge: categoricalHinge(y, p)
      case .meanSquaredError, .meanAbsoluteError, .meanAbsolutePercentageError, .meanSquaredLogarithmicError, .huber,
        .logCosh, .poisson, .hinge, .squaredHinge:
        mean(y, p)
      }
    for index in 0..<width { gradient[index] = Float(slopes[index]) }
    return value
  }

  /// The targets of one row as the loss takes them.
  private func targets(_ target: UnsafePointer<Float>, _ width: Int) -> [Double] {
    switch kind {
    case .sparseCategoricalCrossentropy:
      var y = [Double](repeating: 0, count: width)
      let label = Int(target[0])
      if y.indices.contains(label) { y[label] = 1 }
      return y
    case .binaryCrossentropy:
      return (0..<width).map { Double(target[$0]) * (1 - labelSmoothing) + labelSmoothing / 2 }
    case .categoricalCrossentropy:
      return (0..<width).map { Double(target[$0]) * (1 - labelSmoothing) + labelSmoothing / Double(width) }
    case .meanSquaredError, .meanAbsoluteError, .meanAbsolutePercentageError, .meanSquaredLogarithmicError, .huber,
      .logCosh, .poisson, .hinge, .squaredHinge, .categoricalHinge, .klDivergence, .cosineSimilarity:
      return (0..<width).map { Double(target[$0]) }
    }
  }
}

// MARK: - Cross-entropies

extension Loss {
  /// Mean over the row of -y log p - (1 - y) log(1 - p); from logits z: max(z, 0) - z y + log(1 + e^-|z|).
  private func binary(_ y: [Double], _ p: [Double]) -> (Double, [Double]) {
    let count = Double(y.count)
    var sum = 0.0
    var slopes: [Double] = []
    for (y, p) in zip(y, p) {
      if fromLogits {
        sum += Swift.max(p, 0) - p * y + .log(onePlus: .exp(-abs(p)))
        slopes.append((1 / (1 + .exp(-p)) - y) / count)
      } else {
        let bounded = Swift.min(Swift.max(p, Loss.epsilon), Loss.upper)
        sum -= y * .log(bounded) + (1 - y) * .log(1 - bounded)
        let isInside = p >= Loss.epsilon && p <= Loss.upper
        slopes.append(isInside ? ((1 - y) / (1 - bounded) - y / bounded) / count : 0)
      }
    }
    return (sum / count, slopes)
  }

  /// -sum of y log p, p the softmax of the logits. Without arrays: a language model takes it for every character.
  private func softmaxLoss(
    _ target: UnsafePointer<Float>, _ logits: UnsafePointer<Float>, width: Int, gradient: UnsafeMutablePointer<Float>
  ) -> Double {
    let isSparse = hasSparseTargets
    let label = isSparse ? Int(target[0]) : -1
    let (kept, spread) = (1 - labelSmoothing, labelSmoothing / Double(width))
    func y(_ index: Int) -> Double { isSparse ? (index == label ? 1 : 0) : Double(target[index]) * kept + spread }
    return withUnsafeTemporaryAllocation(of: Double.self, capacity: width) { powers in
      let highest = Double((0..<width).reduce(-Float.infinity) { Swift.max($0, logits[$1]) })
      var (total, mass) = (0.0, 0.0)
      for index in 0..<width {
        powers[index] = .exp(Double(logits[index]) - highest)
        total += powers[index]
        mass += y(index)
      }
      let logarithm = Double.log(total)
      var value = 0.0
      for index in 0..<width {
        // A class that cannot be may have a logit of -infinity.
        let y = y(index)
        if y != 0 { value -= y * (Double(logits[index]) - highest - logarithm) }
        gradient[index] = Float(mass * powers[index] / total - y)
      }
      return value
    }
  }

  /// -sum of y log p, p brought to the sum 1.
  private func categorical(_ y: [Double], _ p: [Double]) -> (Double, [Double]) {
    if kind == .sparseCategoricalCrossentropy { return sparse(y, p) }
    let total = p.reduce(0, +)
    let shares = p.map { $0 / total }
    var value = 0.0
    // d loss / d share.
    let inner = zip(y, shares).map { y, share -> Double in
      let bounded = Swift.min(Swift.max(share, Loss.epsilon), Loss.upper)
      value -= y * .log(bounded)
      return share >= Loss.epsilon && share <= Loss.upper ? -y / bounded : 0
    }
    let projection = zip(inner, shares).reduce(0) { $0 + $1.0 * $1.1 }
    return (value, inner.map { ($0 - projection) / total })
  }

  /// TensorFlow takes sparse targets through the logarithms of the bounded probabilities as logits.
  private func sparse(_ y: [Double], _ p: [Double]) -> (Double, [Double]) {
    let bounded = p.map { Swift.min(Swift.max($0, Loss.epsilon), Loss.upper) }
    let total = bounded.reduce(0, +)
    let value = zip(y, bounded).reduce(0) { $0 - $1.0 * .log($1.1 / total) }
    let slopes = p.indices.map { index -> Double in
      guard p[index] >= Loss.epsilon, p[index] <= Loss.upper else { return 0 }
      return (bounded[index] / total - y[index]) / bounded[index]
    }
    return (value, slopes)
  }

  /// Sum of y log(y / p), both bounded to 1e-7 ... 1.
  private func divergence(_ y: [Double], _ p: [Double]) -> (Double, [Double]) {
    var sum = 0.0
    let slopes = zip(y, p).map { y, p -> Double in
      let boundedY = Swift.min(Swift.max(y, Loss.epsilon), 1)
      let boundedP = Swift.min(Swift.max(p, Loss.epsilon), 1)
      sum += boundedY * .log(boundedY / boundedP)
      return p >= Loss.epsilon && p <= 1 ? -boundedY / boundedP : 0
    }
    return (sum, slopes)
  }

  /// -cos of the angle between both; vectors are divided by max(length, sqrt(1e-12)).
  private func cosine(_ y: [Double], _ p: [Double]) -> (Double, [Double]) {
    let squares = p.reduce(0) { $0 + $1 * $1 }
    let lengthY = Swift.max(y.reduce(0) { $0 + $1 * $1 }, 1e-12).squareRoot()
    let lengthP = Swift.max(squares, 1e-12).squareRoot()
    let product = zip(y, p).reduce(0) { $0 + $1.0 * $1.1 } / (lengthY * lengthP)
    let isLong = squares >= 1e-12
    return (
      -product, zip(y, p).map { -$0 / (lengthY * lengthP) + (isLong ? product * $1 / (lengthP * lengthP) : 0) }
    )
  }

  /// max(0, 1 + largest wrong score - score of the right class)
  private func categoricalHinge(_ y: [Double], _ p: [Double]) -> (Double, [Double]) {
    let positive = zip(y, p).reduce(0) { $0 + $1.0 * $1.1 }
    let scores = zip(y, p).map { (1 - $0) * $1 }
    let negative = scores.max() ?? 0
    guard negative - positive + 1 >= 0 else { return (0, y.map { _ in 0 }) }
    let ties = Double(scores.filter { $0 == negative }.count)
    return (
      negative - positive + 1,
      zip(y, scores).map { y, score in (score == negative ? (1 - y) / ties : 0) - y }
    )
  }
}

// MARK: - Means over the row

extension Loss {
  private func mean(_ y: [Double], _ p: [Double]) -> (Double, [Double]) {
    let count = Double(y.count)
    let labels = kind == .hinge || kind == .squaredHinge ? Loss.signed(y) : y
    var sum = 0.0
    var slopes: [Double] = []
    for (y, p) in zip(labels, p) {
      let (value, slope) = element(y, p)
      sum += value
      slopes.append(slope / count)
    }
    return (sum / count, slopes)
  }

  /// Keras turns labels 0 and 1 into -1 and 1 where a target holds nothing else.
  private static func signed(_ y: [Double]) -> [Double] {
    y.allSatisfy { $0 == 0 || $0 == 1 } ? y.map { 2 * $0 - 1 } : y
  }

  /// One element's loss and slope.
  private func element(_ y: Double, _ p: Double) -> (Double, Double) {
    let error = p - y
    switch kind {
    case .meanSquaredError: return (error * error, 2 * error)
    case .meanAbsoluteError: return (abs(error), sign(error))
    case .meanAbsolutePercentageError:
      let scale = 100 / Swift.max(abs(y), Loss.epsilon)
      return (abs(error) * scale, sign(error) * scale)
    case .meanSquaredLogarithmicError:
      let (one, other) = (Swift.max(p, Loss.epsilon), Swift.max(y, Loss.epsilon))
      let difference: Double = .log(onePlus: one) - .log(onePlus: other)
      return (difference * difference, p >= Loss.epsilon ? 2 * difference / (1 + one) : 0)
    case .huber:
      return abs(error) <= delta
        ? (error * error / 2, error) : (delta * abs(error) - delta * delta / 2, delta * sign(error))
    case .logCosh:
      return (error + .log(onePlus: .exp(-2 * error)) - .log(2), .tanh(error))
    case .poisson: return (p - y * .log(p + Loss.epsilon), 1 - y / (p + Loss.epsilon))
    case .hinge: return y * p <= 1 ? (1 - y * p, -y) : (0, 0)
    case .squaredHinge:
      let margin = Swift.max(1 - y * p, 0)
      return (margin * margin, -2 * margin * y)
    case .binaryCrossentropy, .categoricalCrossentropy, .sparseCategoricalCrossentropy, .categoricalHinge,
      .klDivergence, .cosineSimilarity:
      return (0, 0)
    }
  }

  private func sign(_ x: Double) -> Double { x > 0 ? 1 : x < 0 ? -1 : 0 }
}
