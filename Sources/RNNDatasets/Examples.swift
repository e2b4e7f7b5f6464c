import Foundation
import RNNCore

/// Rows of a data set: inputs and the targets that belong to them. The first dimension of every array counts the rows.
public struct Examples: Sendable, Equatable {
  /// In the model's order: (rows, ...).
  public let inputs: [Tensor]
  /// In the order of the model's outputs: (rows, ...).
  public let targets: [Tensor]
  /// How much each row counts, (rows); `nil` where all count the same.
  public let weights: Tensor?
  /// Rows.
  public let count: Int
  /// For each input that is stored as ids and meant as one-hot vectors, their length; else `nil`. `slice` makes the
  /// vectors: for a whole text they would take hundreds of times its size.
  public let inputDepths: [Int?]
  /// The same for the targets.
  public let targetDepths: [Int?]

  /// - Parameters:
  ///   - inputDepths: for each input `nil`, or the length of the one-hot vectors that its int32 ids stand for; empty
  ///     where every input is as stored.
  ///   - targetDepths: the same for the targets.
  ///   - weights: one number a row.
  /// - Throws: `badData` where the arrays differ in their rows, there is no input, an id has no place in its vector, or a
  ///   weight is negative or no number.
  public init(
    inputs: [Tensor], targets: [Tensor], inputDepths: [Int?] = [], targetDepths: [Int?] = [], weights: Tensor? = nil
  ) throws {
    let arrays = inputs + targets
    guard let first = inputs.first else { throw RNNError.badData("the data has no inputs") }
    for array in arrays + (weights.map { [$0] } ?? []) {
      guard let rows = array.shape.first else { throw RNNError.badData("an array of the data is a single number") }
      guard rows == first.shape[0] else {
        throw RNNError.badData(
          "the arrays differ in their rows: "
            + (arrays + (weights.map { [$0] } ?? [])).map { describe(shape: $0.shape) }.joined(separator: ", "),
          remedy: "The first dimension counts the examples, and must be the same for all.")
      }
    }
    let inputDepths = inputDepths.isEmpty ? inputs.map { _ in nil } : inputDepths
    let targetDepths = targetDepths.isEmpty ? targets.map { _ in nil } : targetDepths
    guard inputDepths.count == inputs.count, targetDepths.count == targets.count else {
      throw RNNError(.internalError, "there are not as many depths as arrays")
    }
    for (array, depth) in zip(arrays, inputDepths + targetDepths) {
      if let depth { try Examples.checkIDs(of: array, below: depth) }
    }
    if let weights { try Examples.check(weights: weights) }
    self.init(
      inputs: inputs, targets: targets, weights: weights, count: first.shape[0], inputDepths: inputDepths,
      targetDepths: targetDepths)
  }

  private init(
    inputs: [Tensor], targets: [Tensor], weights: Tensor?, count: Int, inputDepths: [Int?], targetDepths: [Int?]
  ) {
    self.inputs = inputs
    self.targets = targets
    self.weights = weights
    self.count = count
    self.inputDepths = inputDepths
    self.targetDepths = targetDepths
  }

  private static func check(weights: Tensor) throws {
    guard weights.count == weights.shape[0] else {
      throw RNNError.badData(
        "the weights of the examples are \(describe(shape: weights.shape)), expected one number each")
    }
    if let wrong = weights.floats().firstIndex(where: { !($0 >= 0 && $0.isFinite) }) {
      throw RNNError.badData("the weight of example \(wrong) is \(weights.floats()[wrong])")
    }
  }

  private static func checkIDs(of tensor: Tensor, below depth: Int) throws {
    guard tensor.dtype == .int32, depth > 0 else {
      throw RNNError(.internalError, "one-hot vectors of length \(depth) cannot be made of \(tensor)")
    }
    if let wrong = tensor.firstID(notBelow: depth) {
      throw RNNError.badData("the id \(wrong) has no place among \(depth)")
    }
  }

  /// The shapes of one input and of one target as `slice` gives them, without the rows.
  public var inputShapes: [[Int]] { zip(inputs, inputDepths).map(Examples.rowShape) }
  public var targetShapes: [[Int]] { zip(targets, targetDepths).map(Examples.rowShape) }

  private static func rowShape(_ tensor: Tensor, _ depth: Int?) -> [Int] {
    tensor.shape.dropFirst() + (depth.map { [$0] } ?? [])
  }

  // MARK: - Batches

  /// These rows, in this order, as a batch: one-hot vectors are float32, everything else is as stored.
  /// - Throws: `usage` for a row that is not there.
  public func slice(rows: [Int]) throws -> Examples {
    if let wrong = rows.first(where: { $0 < 0 || $0 >= count }) {
      throw RNNError.usage("row \(wrong) is asked for, but there are \(count)")
    }
    if let first = rows.first, zip(rows, rows.dropFirst()).allSatisfy({ $1 == $0 + 1 }) {
      return try slice(range: first..<first + rows.count)
    }
    return try batch(of: rows.count) { try $0.gathering(rows) }
  }

  /// A run of rows; what is as stored is not copied.
  /// - Throws: `usage` for rows that are not there.
  public func slice(range: Range<Int>) throws -> Examples {
    guard range.lowerBound >= 0, range.upperBound <= count else {
      throw RNNError.usage("rows \(range) are asked for, but there are \(count)")
    }
    return try batch(of: range.count) { try $0.rows(range) }
  }

  private func batch(of count: Int, _ choose: (Tensor) throws -> Tensor) throws -> Examples {
    func made(_ tensors: [Tensor], _ depths: [Int?]) throws -> [Tensor] {
      try zip(tensors, depths).map { tensor, depth in
        let chosen = try choose(tensor)
        return try depth.map { try chosen.oneHot(depth: $0) } ?? chosen
      }
    }
    return Examples(
      inputs: try made(inputs, inputDepths), targets: try made(targets, targetDepths),
      weights: try weights.map(choose), count: count, inputDepths: inputs.map { _ in nil },
      targetDepths: targets.map { _ in nil })
  }

  /// A run of rows that stay as they are stored.
  func stored(_ range: Range<Int>) throws -> Examples {
    Examples(
      inputs: try inputs.map { try $0.rows(range) }, targets: try targets.map { try $0.rows(range) },
      weights: try weights?.rows(range), count: range.count, inputDepths: inputDepths, targetDepths: targetDepths)
  }
}
