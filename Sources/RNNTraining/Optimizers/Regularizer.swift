import RNNCore

/// A penalty on a weight or an output: l1 sum |w| + l2 sum w^2.
struct Regularizer: Sendable, Equatable {
  var l1: Double
  var l2: Double

  /// - Throws: `unsupported` for one that is not built in.
  init?(keras json: JSONValue?) throws {
    guard let json, !json.isNull else { return nil }
    let name = json.string ?? json["class_name"]?.string ?? json["name"]?.string ?? ""
    let config = json["config"] ?? json
    switch name.lowercased() {
    // A name alone has Keras's default strength.
    case "l1": (l1, l2) = (config["l1"]?.double ?? 0.01, 0)
    case "l2": (l1, l2) = (0, config["l2"]?.double ?? 0.01)
    case "l1l2", "l1_l2", "weightregularizer":
      (l1, l2) = (config["l1"]?.double ?? 0, config["l2"]?.double ?? 0)
    default: throw RNNError.unsupported("the regularizer '\(name)' is not built in")
    }
  }

  /// The penalty; adds `scale` times its gradient.
  func apply(
    _ w: UnsafePointer<Float>, count: Int, scale: Double, gradient: UnsafeMutablePointer<Float>?
  ) -> Double {
    var sum = 0.0
    let (first, second) = (Float(l1 * scale), Float(2 * l2 * scale))
    for index in 0..<count {
      let value = w[index]
      sum += l1 * Double(abs(value)) + l2 * Double(value) * Double(value)
      let sign: Float = value > 0 ? 1 : value < 0 ? -1 : 0
      gradient?[index] += first * sign + second * value
    }
    return sum * scale
  }
}

/// What a weight is brought back to after each step.
enum Constraint: Sendable, Equatable {
  case nonNegative
  /// Norms over the axes at most `value`.
  case maxNorm(value: Double, axes: [Int])
  case unitNorm(axes: [Int])
  /// Norms over the axes moved by `rate` towards the bounds.
  case minMaxNorm(minimum: Double, maximum: Double, rate: Double, axes: [Int])

  /// - Throws: `unsupported` for one that is not built in.
  init?(keras json: JSONValue?) throws {
    guard let json, !json.isNull else { return nil }
    let name = json.string ?? json["class_name"]?.string ?? json["name"]?.string ?? ""
    let config = json["config"] ?? json
    let stated = config["axis"] ?? .null
    let axis = stated.isNull ? 0 : stated
    guard let axes = axis.integer.map({ [$0] }) ?? axis.integers else {
      throw RNNError.badData("the axis of a constraint is \(axis.text())")
    }
    switch name.lowercased().filter({ $0 != "_" }) {
    case "nonneg": self = .nonNegative
    case "maxnorm": self = .maxNorm(value: (config["max_value"] ?? config["m"])?.double ?? 2, axes: axes)
    case "unitnorm": self = .unitNorm(axes: axes)
    case "minmaxnorm":
      self = .minMaxNorm(
        minimum: config["min_value"]?.double ?? 0, maximum: config["max_value"]?.double ?? 1,
        rate: config["rate"]?.double ?? 1, axes: axes)
    default: throw RNNError.unsupported("the constraint '\(name)' is not built in")
    }
  }

  private static let epsilon: Float = 1e-7

  func apply(_ w: UnsafeMutablePointer<Float>, shape: [Int]) {
    let count = shape.reduce(1, *)
    switch self {
    case .nonNegative: for index in 0..<count where w[index] < 0 { w[index] = 0 }
    case .maxNorm(let value, let axes):
      scale(w, shape, axes) { norm in min(norm, Float(value)) / (Constraint.epsilon + norm) }
    case .unitNorm(let axes): scale(w, shape, axes) { 1 / (Constraint.epsilon + $0) }
    case .minMaxNorm(let minimum, let maximum, let rate, let axes):
      scale(w, shape, axes) { norm in
        let bounded = min(max(norm, Float(minimum)), Float(maximum))
        return (Float(rate) * bounded + (1 - Float(rate)) * norm) / (Constraint.epsilon + norm)
      }
    }
  }

  private func scale(_ w: UnsafeMutablePointer<Float>, _ shape: [Int], _ axes: [Int], _ factor: (Float) -> Float) {
    let reduced = Set(axes.map { $0 < 0 ? $0 + shape.count : $0 })
    guard reduced.isSubset(of: shape.indices) else { return }
    // Each element belongs to the norm of its place along the axes that stay.
    var groups = [0]
    var count = 1
    for (axis, length) in shape.enumerated() {
      let isReduced = reduced.contains(axis)
      groups = groups.flatMap { group in (0..<length).map { isReduced ? group : group * length + $0 } }
      if !isReduced { count *= length }
    }
    var squares = [Float](repeating: 0, count: count)
    for (index, group) in groups.enumerated() { squares[group] += w[index] * w[index] }
    let factors = squares.map { factor($0.squareRoot()) }
    for (index, group) in groups.enumerated() { w[index] *= factors[group] }
  }
}
