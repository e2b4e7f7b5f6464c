/// A distribution whose deviation follows from the number of a weight's inputs and outputs.
public struct VarianceScaling: Sendable, Equatable {
  /// Which number divides the scale.
  public enum Mode: String, Sendable, CaseIterable {
    case inputs = "fan_in"
    case outputs = "fan_out"
    case average = "fan_avg"
  }

  public enum Distribution: String, Sendable, CaseIterable {
    case uniform
    case truncatedNormal = "truncated_normal"
    case untruncatedNormal = "untruncated_normal"
  }

  public var scale: Double
  public var mode: Mode
  public var distribution: Distribution
  /// Keras 3: the axes that make up the inputs and the outputs; both or none.
  public var inputAxes: [Int]?
  public var outputAxes: [Int]?
  public var rules: KerasRules

  public init(
    scale: Double = 1, mode: Mode = .inputs, distribution: Distribution = .truncatedNormal, rules: KerasRules = .later
  ) {
    self.scale = scale
    self.mode = mode
    self.distribution = distribution
    self.rules = rules
  }

  /// The deviation that is left of a normal of deviation 1 cut at -2 and 2.
  static let truncatedDeviation = 0.87962566103423978

  /// The distribution of a weight of this shape: its deviation is sqrt(scale / fan). (Keras 2 before 2.2 did not make
  /// up for what truncation takes away.)
  public func distribution(over shape: [Int]) -> Initializer {
    let (inputs, outputs) = fans(shape)
    let fan: Double =
      switch mode {
      case .inputs: inputs
      case .outputs: outputs
      case .average: (inputs + outputs) / 2
      }
    let variance = scale / max(1, fan)
    switch distribution {
    case .uniform:
      let limit = (3 * variance).squareRoot()
      return .uniform(minimum: -limit, maximum: limit)
    case .truncatedNormal:
      return .truncatedNormal(mean: 0, deviation: variance.squareRoot() / VarianceScaling.truncatedDeviation)
    case .untruncatedNormal:
      return .normal(mean: 0, deviation: variance.squareRoot())
    }
  }

  /// Inputs and outputs of a weight. A matrix has its axes' sizes; of a kernel, the window multiplies both.
  public func fans(_ shape: [Int]) -> (inputs: Double, outputs: Double) {
    let count = Double(shape.reduce(1, *))
    if let inputAxes, let outputAxes {
      return (product(shape, inputAxes), product(shape, outputAxes))
    }
    if shape.count == 2 { return (Double(shape[0]), Double(shape[1])) }
    switch rules {
    case .keras1:
      // Kernels are taken for (outputs, inputs, window...), even that of Convolution1D, which is (window, 1, inputs,
      // outputs).
      guard shape.count == 4 || shape.count == 5 else { return (count.squareRoot(), count.squareRoot()) }
      return (count / Double(max(shape[0], 1)), count / Double(max(shape[1], 1)))
    case .keras2, .later:
      guard shape.count > 2 else {
        let fan = rules == .keras2 ? count.squareRoot() : count
        return (fan, fan)
      }
      let window = shape.dropLast(2).reduce(1, *)
      return (Double(shape[shape.count - 2] * window), Double(shape[shape.count - 1] * window))
    }
  }

  /// Axes count from the end where they are negative; those that are not there do not count.
  private func product(_ shape: [Int], _ axes: [Int]) -> Double {
    axes.reduce(1) { product, axis in
      let index = axis < 0 ? axis + shape.count : axis
      return shape.indices.contains(index) ? product * Double(shape[index]) : product
    }
  }
}
