// Layers that make raw data into what a network reads. Nothing trains them.

/// `Rescaling`: y = x scale + offset. Each is one number, or one a position of the last axes.
public struct RescalingSpec: ShapeKeepingLayer {
  public func runsStepByStep(inputs: [Shape]) -> Bool { scale.shape.count <= 1 && offset.shape.count <= 1 }

  public var scale: BinarySpec.Constant
  public var offset: BinarySpec.Constant

  public init(scale: BinarySpec.Constant, offset: BinarySpec.Constant) {
    self.scale = scale
    self.offset = offset
  }

  public var keepsMask: Bool { true }

  public func outputShapes(inputs: [Shape]) throws -> [Shape] {
    for constant in [scale, offset] {
      let shape = try BinarySpec(.multiply, constant: constant).outputShapes(inputs: inputs)
      guard shape == inputs else {
        throw RNNError.badData(
          "a constant of shape \(constant.shape) does not fit \(describe(shape: [nil] + inputs[0]))")
      }
    }
    return inputs
  }
}

/// `Normalization`: y = (x - mean) / max(sqrt(variance), epsilon), or back; mean and variance are what `adapt` found, or
/// what somebody stated.
public struct NormalizationSpec: ShapeKeepingLayer {
  public func runsStepByStep(inputs: [Shape]) -> Bool { axes == [-1] || axes == [inputs[0].count] }

  /// Those that have a mean each; the batch counts as 0.
  public var axes: [Int]
  /// Whether y = x max(sqrt(variance), epsilon) + mean.
  public var isInverse = false
  /// Stated ones; otherwise they are parameters.
  public var mean: BinarySpec.Constant?
  public var variance: BinarySpec.Constant?

  /// Keras's own, `backend.epsilon()`.
  public static let epsilon = 1e-7

  public init(axes: [Int]) {
    self.axes = axes
  }

  public var keepsMask: Bool { true }

  public var parameterNames: [String] { mean == nil ? ["mean", "variance"] : [] }

  public var statisticNames: [String] { parameterNames }

  public func outputShapes(inputs: [Shape]) throws -> [Shape] {
    let shape = try statisticsShape(inputs[0])
    guard (mean == nil) == (variance == nil), mean?.shape == variance?.shape else {
      throw RNNError.badData("a mean without its variance, or one of another shape")
    }
    for constant in [mean, variance].compactMap(\.self) {
      guard constant.shape.count <= shape.count, constant.shape.reduce(1, { $0 &* $1 }) == constant.values.count,
        zip(constant.shape.reversed(), shape.reversed()).allSatisfy({ $0 == $1 || $0 == 1 })
      else { throw RNNError.badData("statistics of shape \(constant.shape), where the input has \(shape)") }
    }
    return inputs
  }

  /// The shape of the mean.
  public func statisticsShape(_ input: Shape) throws -> [Int] {
    let places = try axes.map { try input.place(ofAxis: $0) }.sorted()
    guard Set(places).count == places.count else { throw RNNError.badData("the axes \(axes) name one twice") }
    return try places.map { place in
      guard let size = input[place] else { throw RNNError.badData("the axis \(place + 1) has no known length") }
      return size
    }
  }

  public func parameterShapes(inputs: [Shape]) throws -> [ParameterShape] {
    guard mean == nil else { return [] }
    let shape = try statisticsShape(inputs[0])
    return parameterNames.map { ParameterShape($0, shape) }
  }
}

/// `Discretization`: the number of boundaries that are at most x, or that id's place in a vector.
public struct DiscretizationSpec: SingleInputLayer {
  /// In ascending order; a bin holds its lower one.
  public var boundaries: [Double]
  /// `nil` hands the ids on.
  public var mode: TokenCountsSpec.Mode?

  public init(boundaries: [Double], mode: TokenCountsSpec.Mode? = nil) {
    self.boundaries = boundaries
    self.mode = mode
  }

  public func outputShape(input: Shape) throws -> Shape {
    guard zip(boundaries, boundaries.dropFirst()).allSatisfy({ $0 <= $1 }) else {
      throw RNNError.badData("bin_boundaries that do not ascend")
    }
    return try mode.map { try $0.shape(input, size: boundaries.count + 1) } ?? input
  }
}

/// `IntegerLookup`: the place of a whole number in a vocabulary, or that id's place in a vector.
public struct IntegerLookupSpec: SingleInputLayer {
  /// In the order of their ids.
  public var vocabulary: [Int]
  /// What has the id 0.
  public var maskToken: Int?
  /// Whether all that is unknown has an id of its own, before the vocabulary.
  public var hasUnknown: Bool
  /// `nil` hands the ids on.
  public var mode: TokenCountsSpec.Mode?
  /// Of the vectors; the number of ids, or more.
  public var size: Int

  public init(vocabulary: [Int], maskToken: Int?, hasUnknown: Bool) {
    self.vocabulary = vocabulary
    self.maskToken = maskToken
    self.hasUnknown = hasUnknown
    size = vocabulary.count + (maskToken == nil ? 0 : 1) + (hasUnknown ? 1 : 0)
  }

  public func outputShape(input: Shape) throws -> Shape { try mode.map { try $0.shape(input, size: size) } ?? input }
}
