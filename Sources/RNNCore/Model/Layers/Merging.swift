/// `Add`, `Subtract`, `Multiply`, `Average`, `Maximum`, `Minimum`: element by element. Axes of size 1 are repeated; a
/// tensor of lower rank gains axes of size 1 behind the batch.
public struct MergeSpec: LayerConfiguration {
  public func runsStepByStep(inputs: [Shape]) -> Bool { true }

  public enum Function: String, Sendable, Codable, CaseIterable {
    case add, subtract, multiply, average, maximum, minimum
  }

  public var function: Function
  public var maskRule: MaskRule = .everyMask
  /// Whether masked numbers have no part in a product, maximum or minimum: Keras 3.
  public var skipsMasked = false

  public init(_ function: Function) {
    self.function = function
  }

  public var inputCounts: ClosedRange<Int> { function == .subtract ? 2...2 : 1...Int(Int16.max) }

  public func outputShapes(inputs: [Shape]) throws -> [Shape] {
    [try inputs.reduce([], Broadcasting.shape)]
  }
}

/// What mask the meeting of several masks gives.
public enum MaskRule: String, Sendable, Codable, CaseIterable {
  /// A step is valid where it is in every input that has a mask: Keras 1 and 2.
  case everyMask = "every"
  /// A step is valid where it is in any input; an input without a mask is valid everywhere: Keras 3.
  case anyMask = "any"
}

/// NumPy's rule for shapes that meet.
enum Broadcasting {
  /// Aligned at the last axis; an axis of size 1 is repeated.
  static func shape(_ left: Shape, _ right: Shape) throws -> Shape {
    let rank = max(left.count, right.count)
    let padded = [left, right].map { Array(repeating: 1, count: rank - $0.count) + $0 }
    return try (0..<rank).map { place in
      let (first, second) = (padded[0][place], padded[1][place])
      if first == 1 { return second }
      if second == 1 || second == nil { return first }
      guard let first else { return second }
      guard first == second else {
        throw RNNError.badData(
          "\(describe(shape: [nil] + left)) and \(describe(shape: [nil] + right)) do not go together")
      }
      return first
    }
  }
}

/// `Concatenate`: one behind the other along an axis.
public struct ConcatenateSpec: LayerConfiguration {
  public func runsStepByStep(inputs: [Shape]) -> Bool { Shape.areLast([axis], inputs[0]) }

  /// Counted with the batch as 0, or from the end.
  public var axis: Int
  public var maskRule: MaskRule = .everyMask

  public init(axis: Int) {
    self.axis = axis
  }

  public var inputCounts: ClosedRange<Int> { 1...Int(Int16.max) }

  public func outputShapes(inputs: [Shape]) throws -> [Shape] {
    let place = try inputs[0].place(ofAxis: axis)
    var result = inputs[0]
    for input in inputs.dropFirst() {
      guard input.count == result.count,
        zip(result, input).enumerated().allSatisfy({
          $0.offset == place || $0.element.0 == $0.element.1 || $0.element.0 == nil || $0.element.1 == nil
        })
      else {
        throw RNNError.badData(
          "\(describe(shape: [nil] + result)) and \(describe(shape: [nil] + input)) cannot stand one behind the other")
      }
      for index in result.indices where index != place { result[index] = result[index] ?? input[index] }
      if let size = result[place], let more = input[place] {
        let (sum, overflow) = size.addingReportingOverflow(more)
        guard !overflow else { throw RNNError.badData("the concatenated size overflows") }
        result[place] = sum
      } else {
        result[place] = nil
      }
    }
    return [result]
  }
}

/// `Dot`: the sum of products along one axis of each of two tensors, for each example; with `normalize`, of vectors of
/// length 1. The other axes stand one behind the other.
public struct DotSpec: LayerConfiguration {
  /// One axis of each tensor, counted with the batch as 0, or from the end.
  public var axes: [Int]
  public var normalize: Bool
  /// The least that a vector's square counts where its length is divided by: 1e-14 in Keras 3, 1e-12 before.
  public var epsilon = 1e-14

  public init(axes: [Int], normalize: Bool) {
    self.axes = axes
    self.normalize = normalize
  }

  public var inputCounts: ClosedRange<Int> { 2...2 }

  public func outputShapes(inputs: [Shape]) throws -> [Shape] {
    guard axes.count == 2 else { throw RNNError.badData("Dot needs an axis of each of its two inputs") }
    let (left, right) = (try inputs[0].place(ofAxis: axes[0]), try inputs[1].place(ofAxis: axes[1]))
    if let first = inputs[0][left], let second = inputs[1][right], first != second {
      throw RNNError.badData("the axes that Dot sums over have the sizes \(first) and \(second)")
    }
    var (rest, other) = (inputs[0], inputs[1])
    rest.remove(at: left)
    other.remove(at: right)
    let result = rest + other
    return [result.isEmpty ? [1] : result]
  }
}
