// Arithmetic that stands in a graph by itself, as Keras 3's `Operation` nodes and TensorFlow's lambda layers have it.
// Axes count the batch as 0, or from the end.

/// A function of every number that no activation is.
public struct UnarySpec: ShapeKeepingLayer {
  public func runsStepByStep(inputs: [Shape]) -> Bool { true }

  public enum Function: String, Sendable, Codable, CaseIterable {
    case absolute, negative, log, log1p, expm1, sqrt, rsqrt, square, reciprocal, sign, sin, cos, floor, ceil, round
    case logicalNot = "logical_not"
    /// Between `low` and `high`
    case clip
    /// 0 where |x| is at most `low`, else x
    case hardShrink = "hard_shrink"
    /// 0 where |x| is at most `low`, else x moved towards 0 by that
    case softShrink = "soft_shrink"
    /// x above `low`, else `high`
    case threshold
    /// x above 0, else `low` (exp(x / `low`) - 1)
    case celu
    /// (x + sqrt(x^2 + `low`)) / 2
    case squareplus
  }

  public var function: Function
  /// The bounds of `clip`; a threshold, and what stands below it; a function's one number.
  public var low: Double?
  public var high: Double?

  public init(_ function: Function) {
    self.function = function
  }
}

/// A function of two tensors, or of a tensor and a constant, element by element; NumPy's rule where shapes differ.
/// Comparisons give 1 and 0.
public struct BinarySpec: LayerConfiguration {
  public func runsStepByStep(inputs: [Shape]) -> Bool { constant?.shape.isEmpty ?? true }

  public enum Function: String, Sendable, Codable, CaseIterable {
    case add, subtract, multiply, divide, power, maximum, minimum
    case squaredDifference = "squared_difference"
    case equal
    case notEqual = "not_equal"
    case greater
    case greaterEqual = "greater_equal"
    case less
    case lessEqual = "less_equal"
    case logicalAnd = "logical_and"
    case logicalOr = "logical_or"
  }

  /// What a file holds in the place of a tensor; its shape may leave leading axes out.
  public struct Constant: Sendable, Equatable, Codable {
    public var shape: [Int]
    public var values: [Double]

    public init(shape: [Int], values: [Double]) {
      self.shape = shape
      self.values = values
    }
  }

  public var function: Function
  public var constant: Constant?
  /// Whether the constant is the first operand.
  public var isConstantFirst = false

  public init(_ function: Function, constant: Constant? = nil, isConstantFirst: Bool = false) {
    self.function = function
    self.constant = constant
    self.isConstantFirst = isConstantFirst
  }

  public var inputCounts: ClosedRange<Int> { constant == nil ? 2...2 : 1...1 }

  public func outputShapes(inputs: [Shape]) throws -> [Shape] {
    guard let constant else {
      guard inputs[0].count == inputs[1].count else {
        throw RNNError.badData(
          "\(describe(shape: [nil] + inputs[0])) and \(describe(shape: [nil] + inputs[1])) have different ranks")
      }
      return [try Broadcasting.shape(inputs[0], inputs[1])]
    }
    guard constant.shape.reduce(1, { $0 &* $1 }) == constant.values.count, constant.shape.allSatisfy({ $0 >= 0 }) else {
      throw RNNError.badData("a constant of shape \(constant.shape) holds \(constant.values.count) numbers")
    }
    var shape = constant.shape
    if shape.count == inputs[0].count + 1, shape[0] == 1 { shape.removeFirst() }
    guard shape.count <= inputs[0].count else { throw RNNError.badData("a constant has a batch of its own") }
    return [try Broadcasting.shape(inputs[0], shape)]
  }
}

/// `where`: the first choice where the condition is not 0, else the second; NumPy's rule where shapes differ. A choice
/// may be a number.
public struct SelectSpec: LayerConfiguration {
  public func runsStepByStep(inputs: [Shape]) -> Bool { true }

  /// In the place of a tensor.
  public var first: Double?
  public var second: Double?

  public init(first: Double? = nil, second: Double? = nil) {
    self.first = first
    self.second = second
  }

  public var inputCounts: ClosedRange<Int> {
    let count = 1 + (first == nil ? 1 : 0) + (second == nil ? 1 : 0)
    return count...count
  }

  public func outputShapes(inputs: [Shape]) throws -> [Shape] {
    guard inputs.allSatisfy({ $0.count == inputs[0].count }) else {
      throw RNNError.badData("a condition and choices of different ranks")
    }
    return [try inputs.dropFirst().reduce(inputs[0]) { try Broadcasting.shape($0, $1) }]
  }
}

/// The sum, or product, of a number and all before it on an axis.
public struct CumulativeSpec: ShapeKeepingLayer {
  public enum Function: String, Sendable, Codable, CaseIterable {
    case sum, product
  }

  public var function: Function
  public var axis: Int
  /// Whether a number itself is left out.
  public var isExclusive = false
  /// Whether all behind it are meant.
  public var goesBackwards = false

  public init(_ function: Function, axis: Int) {
    self.function = function
    self.axis = axis
  }

  public func outputShapes(inputs: [Shape]) throws -> [Shape] {
    _ = try inputs[0].place(ofAxis: axis)
    return [inputs[0]]
  }
}

/// A value of a whole axis, or several.
public struct ReductionSpec: SingleInputLayer {
  public enum Function: String, Sendable, Codable, CaseIterable {
    case sum, mean, maximum, minimum, product, any, all
    /// The mean of squared distances from the mean
    case variance
    /// Its root
    case deviation
  }

  public var function: Function
  public var axes: [Int]
  public var keepDims: Bool

  public init(_ function: Function, axes: [Int], keepDims: Bool) {
    self.function = function
    self.axes = axes
    self.keepDims = keepDims
  }

  public func outputShape(input: Shape) throws -> Shape {
    let places = try Set(axes.map { try input.place(ofAxis: $0) })
    guard !places.isEmpty else { throw RNNError.badData("no axis to go over") }
    return input.enumerated().filter { keepDims || !places.contains($0.offset) }
      .map { places.contains($0.offset) ? 1 : $0.element }
  }
}

/// `x[:, 1:3, -1]`: for each axis behind the batch a range, or one position, which takes the axis away; a new axis of size
/// 1, or an ellipsis for all axes that nothing else is said of.
public struct SliceSpec: SingleInputLayer {
  public struct Range: Sendable, Equatable, Codable {
    public var start: Int?
    public var stop: Int?
    public var step: Int
    /// Whether only `start` is taken and the axis goes.
    public var isIndex: Bool
    public var isNewAxis = false
    public var isEllipsis = false

    public init(start: Int? = nil, stop: Int? = nil, step: Int = 1, isIndex: Bool = false) {
      self.start = start
      self.stop = stop
      self.step = step
      self.isIndex = isIndex
    }

    public static var newAxis: Range {
      var range = Range()
      range.isNewAxis = true
      return range
    }

    public static var ellipsis: Range {
      var range = Range()
      range.isEllipsis = true
      return range
    }

    /// The positions of an axis, as Python counts them.
    public func positions(of size: Int) throws -> [Int] {
      let bounds = try bounds(of: size)
      return (0..<bounds.count).map { bounds.start + $0 * bounds.step }
    }

    /// The first position, how far it is to the next, and how many there are.
    func bounds(of size: Int) throws -> (start: Int, step: Int, count: Int) {
      func fromEnd(_ value: Int) -> Int { value < 0 ? value + size : value }
      func clamped(_ value: Int) -> Int { Swift.max(0, Swift.min(size, fromEnd(value))) }
      if isIndex {
        let place = fromEnd(start ?? 0)
        guard (0..<size).contains(place) else {
          throw RNNError.badData("the position \(start ?? 0) lies outside an axis of \(size)")
        }
        return (place, 1, 1)
      }
      guard step != 0, step.magnitude <= SizeLimit.dimension else {
        throw RNNError.badData("a slice with the step \(step)")
      }
      let isForward = step > 0
      let first = isForward ? clamped(start ?? 0) : start.map { Swift.min(fromEnd($0), size - 1) } ?? size - 1
      let last = isForward ? clamped(stop ?? size) : stop.map { Swift.max(fromEnd($0), -1) } ?? -1
      let distance = isForward ? last - first : first - last
      return (first, step, distance > 0 ? (distance - 1) / Int(step.magnitude) + 1 : 0)
    }
  }

  public var ranges: [Range]

  public init(ranges: [Range]) {
    self.ranges = ranges
  }

  /// What is taken of each axis behind the batch, new axes in between.
  /// - Throws: `badData` where there are fewer axes.
  public func items(rank: Int) throws -> [Range] {
    let stated = ranges.filter { !$0.isNewAxis && !$0.isEllipsis }.count
    guard stated <= rank, ranges.filter(\.isEllipsis).count <= 1 else {
      throw RNNError.badData("a slice of more axes than there are")
    }
    let rest = Array(repeating: Range(), count: rank - stated)
    guard let place = ranges.firstIndex(where: \.isEllipsis) else { return ranges + rest }
    return ranges[..<place] + rest + ranges[(place + 1)...]
  }

  public func outputShape(input: Shape) throws -> Shape {
    var sizes = input[...]
    var result: Shape = []
    for range in try items(rank: input.count) {
      if range.isNewAxis {
        result.append(1)
        continue
      }
      let size = sizes.removeFirst()
      if range.isIndex { continue }
      result.append(range == Range() ? size : try size.map { try range.bounds(of: $0).count })
    }
    return result
  }
}

/// Axes of size 1 more.
public struct ExpandDimsSpec: SingleInputLayer, UntouchingLayer {
  /// Their places in the output, the batch axis counted.
  public var axes: [Int]

  public init(axes: [Int]) {
    self.axes = axes
  }

  public init(axis: Int) {
    self.init(axes: [axis])
  }

  public func outputShape(input: Shape) throws -> Shape {
    let rank = input.count + axes.count
    let places = Set(axes.map { $0 < 0 ? $0 + rank : $0 - 1 })
    guard places.count == axes.count, !axes.isEmpty, places.allSatisfy((0..<rank).contains) else {
      throw RNNError.badData("the axes \(axes) cannot be added to \(describe(shape: [nil] + input))")
    }
    var sizes = input[...]
    return (0..<rank).map { places.contains($0) ? 1 : sizes.removeFirst() }
  }
}

/// Axes of size 1 fewer.
public struct SqueezeSpec: SingleInputLayer, UntouchingLayer {
  public var axes: [Int]

  public init(axes: [Int]) {
    self.axes = axes
  }

  public func outputShape(input: Shape) throws -> Shape {
    let places = try Set(axes.map { try input.place(ofAxis: $0) })
    for place in places where input[place] != 1 {
      throw RNNError.badData("the axis \(place + 1) of \(describe(shape: [nil] + input)) is not of size 1")
    }
    return input.enumerated().filter { !places.contains($0.offset) }.map(\.element)
  }
}

/// Tensors of one shape, side by side along a new axis.
public struct StackSpec: LayerConfiguration {
  public var axis: Int

  public init(axis: Int) {
    self.axis = axis
  }

  public var inputCounts: ClosedRange<Int> { 1...Int(Int16.max) }

  public func outputShapes(inputs: [Shape]) throws -> [Shape] {
    guard inputs.allSatisfy({ $0 == inputs[0] }) else { throw RNNError.badData("tensors of different shapes to stack") }
    var shape = try ExpandDimsSpec(axis: axis).outputShape(input: inputs[0])
    shape[axis < 0 ? axis + shape.count : axis - 1] = inputs.count
    return [shape]
  }
}

/// The matrix product of the last two axes, for each example and for whatever stands between.
public struct MatrixProductSpec: LayerConfiguration {
  public var transposesFirst = false
  public var transposesSecond = false

  public init() {}

  public var inputCounts: ClosedRange<Int> { 2...2 }

  public func outputShapes(inputs: [Shape]) throws -> [Shape] {
    let (left, right) = (inputs[0], inputs[1])
    guard left.count >= 2, left.count == right.count, left.dropLast(2) == right.dropLast(2) else {
      throw RNNError.badData(
        "\(describe(shape: [nil] + left)) and \(describe(shape: [nil] + right)) cannot be multiplied")
    }
    let (rows, inner) =
      transposesFirst ? (left[left.count - 1], left[left.count - 2]) : (left[left.count - 2], left[left.count - 1])
    let (other, columns) =
      transposesSecond
      ? (right[right.count - 1], right[right.count - 2]) : (right[right.count - 2], right[right.count - 1])
    guard inner == other || inner == nil || other == nil else {
      throw RNNError.badData("a product over axes of \(inner ?? 0) and \(other ?? 0)")
    }
    return [left.dropLast(2) + [rows, columns]]
  }
}
