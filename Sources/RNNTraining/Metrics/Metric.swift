/// A number about predictions that adds up over batches, as Keras's metric of the same name.
///
/// Sums are kept in Double and added in the order of the calls: the same batches, merged in the same order, give the
/// same bits.
public protocol Metric: Sendable {
  /// As Keras's history has it.
  var name: String { get }

  /// Adds one batch.
  /// - Parameters:
  ///   - targets: as many as predictions, or one class id a row.
  ///   - predictions: rows of `width` numbers.
  ///   - width: the last axis of the predictions.
  ///   - weights: one a row; `nil` for 1 each.
  mutating func update(
    targets: UnsafeBufferPointer<Float>, predictions: UnsafeBufferPointer<Float>, width: Int, weights: [Float]?)

  /// Of everything since the last reset; 0 where nothing counts.
  var value: Double { get }

  mutating func reset()

  /// Whether more of it is better.
  var isLargerBetter: Bool { get }

  /// Whether masked rows count for nothing: Keras's means over rows; its areas and counts see every row.
  var seesMask: Bool { get }

  /// Everything that `value` is made of: what a checkpoint keeps in the middle of an epoch. Always as many.
  var sums: [Double] { get set }

  /// Adds what another metric of the same configuration has seen.
  mutating func merge(_ other: Self)
}

extension Metric {
  /// `merge` where both types are hidden; nothing happens between metrics of different types.
  /// - Returns: whether the types agree.
  @discardableResult
  public mutating func merge(any other: any Metric) -> Bool {
    guard let other = other as? Self else { return false }
    merge(other)
    return true
  }

  /// A batch from arrays.
  public mutating func update(targets: [Float], predictions: [Float], width: Int, weights: [Float]? = nil) {
    targets.withUnsafeBufferPointer { targets in
      predictions.withUnsafeBufferPointer { predictions in
        update(targets: targets, predictions: predictions, width: width, weights: weights)
      }
    }
  }
}

/// What one batch consists of, checked once for all metrics.
struct MetricRows {
  let targets: UnsafeBufferPointer<Float>
  let predictions: UnsafeBufferPointer<Float>
  let width: Int
  let weights: [Float]?
  let count: Int

  /// - Parameter hasSparseTargets: whether a target is one class id a row.
  init(
    _ targets: UnsafeBufferPointer<Float>, _ predictions: UnsafeBufferPointer<Float>, _ width: Int,
    _ weights: [Float]?, hasSparseTargets: Bool
  ) {
    precondition(width > 0 && predictions.count % width == 0, "predictions are no rows of \(width)")
    let count = predictions.count / width
    let needed = hasSparseTargets ? count : predictions.count
    precondition(targets.count == needed, "\(targets.count) targets, expected \(needed)")
    precondition(weights.map { $0.count == count } ?? true, "expected one weight for each of \(count) rows")
    self.targets = targets
    self.predictions = predictions
    self.width = width
    self.weights = weights
    self.count = count
  }

  func weight(_ row: Int) -> Double { weights.map { Double($0[row]) } ?? 1 }

  func prediction(_ row: Int) -> Slice<UnsafeBufferPointer<Float>> {
    predictions[row * width..<(row + 1) * width]
  }

  /// A row of the targets that has the predictions' width.
  func target(_ row: Int) -> Slice<UnsafeBufferPointer<Float>> { targets[row * width..<(row + 1) * width] }
}

/// sum of w x / sum of w.
struct WeightedMean: Sendable, Equatable {
  private var total = 0.0
  private var weight = 0.0

  /// 0 where nothing was added, as Keras's `divide_no_nan`.
  var value: Double { weight == 0 ? 0 : total / weight }

  mutating func add(_ value: Double, weight: Double) {
    total += value * weight
    self.weight += weight
  }

  var sums: [Double] {
    get { [total, weight] }
    set { (total, weight) = (newValue[0], newValue[1]) }
  }

  mutating func merge(_ other: WeightedMean) {
    total += other.total
    weight += other.weight
  }
}
