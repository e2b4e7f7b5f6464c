/// `BatchNormalization`: gamma (x - mean) / sqrt(variance + epsilon) + beta along one axis, with moving statistics, or
/// in training those of the batch.
public struct BatchNormalizationSpec: SingleInputLayer {
  public func runsStepByStep(inputs: [Shape]) -> Bool { !alwaysUsesBatch && Shape.areLast([axis], inputs[0]) }

  public var keepsMask: Bool { true }

  /// Counted with the batch as 0, or from the end.
  public var axis: Int
  public var epsilon: Double
  /// The fraction of a moving statistic that a training step keeps.
  public var momentum: Double
  public var center = true
  public var scale = true
  /// What the batch's variance is multiplied with on its way into the moving one.
  public var correction: VarianceCorrection = .none
  /// Whether masked steps have no part in the batch's statistics.
  public var countsValidOnly = false
  /// Whether the batch's statistics serve outside training, too: Keras 1's mode 2.
  public var alwaysUsesBatch = false
  /// Batch renormalization, where it is used.
  public var renorm: Renorm?

  /// In training what is normalised with the batch's statistics is multiplied by r and moved by d, which lead to the moving
  /// ones and count as constants (Ioffe 2017).
  public struct Renorm: Sendable, Equatable, Codable {
    /// Bounds of r and of |d|; `nil` for none.
    public var least: Double?
    public var most: Double?
    public var farthest: Double?
    /// The fraction of its own moving statistics that a training step keeps.
    public var momentum: Double

    public init(momentum: Double) {
      self.momentum = momentum
    }
  }

  /// n is the number of positions.
  public enum VarianceCorrection: String, Sendable, Codable, CaseIterable {
    /// 1: tf.keras, Keras 3
    case none = "1"
    /// n / (n - (1 + epsilon)): Keras 2.1 to 2.3
    case sample = "n / (n - 1 - epsilon)"

    public func factor(count: Double, epsilon: Double) -> Double {
      switch self {
      case .none: 1
      case .sample: count / (count - 1 - epsilon)
      }
    }
  }

  public init(axis: Int, epsilon: Double, momentum: Double) {
    self.axis = axis
    self.epsilon = epsilon
    self.momentum = momentum
  }

  public var parameterNames: [String] {
    (scale ? ["gamma"] : []) + (center ? ["beta"] : []) + statisticNames
  }
  public var statisticNames: [String] {
    ["moving_mean", "moving_variance"] + (renorm == nil ? [] : ["moving_stddev", "renorm_mean", "renorm_stddev"])
  }
  public var needsWholeBatch: Bool { alwaysUsesBatch }
  public func outputShape(input: Shape) throws -> Shape { input }

  /// gamma, beta, moving mean, moving variance and those of `renorm`, each of the axis's size.
  public func parameterShapes(input: Shape) throws -> [ParameterShape] {
    guard let size = input[try input.place(ofAxis: axis)] else {
      throw RNNError.badData("BatchNormalization needs a known size of the axis \(axis)")
    }
    return parameterNames.map { ParameterShape($0, [size]) }
  }
}

/// `LayerNormalization`: gamma (x - mean) / sqrt(variance + epsilon) + beta, mean and variance over the given axes of
/// each example, and what is near to it.
public struct LayerNormalizationSpec: SingleInputLayer {
  public func runsStepByStep(inputs: [Shape]) -> Bool { Shape.areLast(axes, inputs[0]) }

  public var keepsMask: Bool { form != .rootMeanSquare }

  /// Counted with the batch as 0, or from the end.
  public var axes: [Int]
  public var epsilon: Double
  public var center = true
  public var scale = true
  public var form: Form = .centered

  public enum Form: String, Sendable, Codable, CaseIterable {
    case centered
    /// x / sqrt(mean(x x) + epsilon): `RMSNormalization`; gamma stands along the last axes
    case rootMeanSquare = "rms"
    /// x / sqrt(variance + epsilon): Keras 3's `rms_scaling`
    case uncentered
    /// (x - mean) / (sqrt(variance + epsilon) + epsilon): Keras 1's `BatchNormalization` with mode 1
    case doubleEpsilon = "double_epsilon"
  }

  public init(axes: [Int], epsilon: Double) {
    self.axes = axes
    self.epsilon = epsilon
  }

  public var parameterNames: [String] { (scale ? ["gamma"] : []) + (center ? ["beta"] : []) }

  public func outputShape(input: Shape) throws -> Shape {
    guard !axes.isEmpty else { throw RNNError.badData("LayerNormalization has no axis") }
    let places = try axes.map { try input.place(ofAxis: $0) }
    // Keras lays the scale of a root mean square along the last axes, whatever was normalised.
    guard form != .rootMeanSquare || zip(places.map { input[$0] }, input.suffix(places.count)).allSatisfy(==) else {
      throw RNNError.badData(
        "RMSNormalization over the axes \(axes) has a scale that does not fit the last axes of "
          + describe(shape: [nil] + input))
    }
    return input
  }

  /// gamma and beta, of the axes' sizes in their order.
  public func parameterShapes(input: Shape) throws -> [ParameterShape] {
    guard !parameterNames.isEmpty else { return [] }
    let shape = try axes.map { axis -> Int in
      guard let size = input[try input.place(ofAxis: axis)] else {
        throw RNNError.badData("LayerNormalization needs a known size of the axis \(axis)")
      }
      return size
    }
    return parameterNames.map { ParameterShape($0, shape) }
  }
}

/// `UnitNormalization`: x / sqrt(max(sum of squares over the axes, epsilon)).
public struct UnitNormalizationSpec: ShapeKeepingLayer {
  public func runsStepByStep(inputs: [Shape]) -> Bool { Shape.areLast(axes, inputs[0]) }

  public var keepsMask: Bool { true }

  /// Counted with the batch as 0, or from the end.
  public var axes: [Int]
  /// 1e-24 in Keras 3, 1e-12 before.
  public var epsilon: Double

  public init(axes: [Int], epsilon: Double) {
    self.axes = axes
    self.epsilon = epsilon
  }

  public func outputShapes(inputs: [Shape]) throws -> [Shape] {
    for axis in axes { _ = try inputs[0].place(ofAxis: axis) }
    return [inputs[0]]
  }
}

/// `GroupNormalization`: the channels in groups, each group of each example with its own mean and variance over all
/// positions.
public struct GroupNormalizationSpec: SingleInputLayer {
  public var keepsMask: Bool { true }

  /// -1: a group for each channel.
  public var groups: Int
  /// Of the channels; counted with the batch as 0, or from the end.
  public var axis: Int
  public var epsilon: Double
  public var center = true
  public var scale = true

  public init(groups: Int, axis: Int, epsilon: Double) {
    self.groups = groups
    self.axis = axis
    self.epsilon = epsilon
  }

  public var parameterNames: [String] { (scale ? ["gamma"] : []) + (center ? ["beta"] : []) }

  private func channels(_ input: Shape) throws -> Int {
    guard let size = input[try input.place(ofAxis: axis)] else {
      throw RNNError.badData("GroupNormalization needs a known size of the axis \(axis)")
    }
    return size
  }

  public func outputShape(input: Shape) throws -> Shape {
    let channels = try channels(input)
    guard groups == -1 || (groups > 0 && channels % groups == 0) else {
      throw RNNError.badData("\(groups) groups do not divide \(channels) channels evenly")
    }
    return input
  }

  /// gamma and beta (channels).
  public func parameterShapes(input: Shape) throws -> [ParameterShape] {
    let channels = try channels(input)
    return parameterNames.map { ParameterShape($0, [channels]) }
  }
}
