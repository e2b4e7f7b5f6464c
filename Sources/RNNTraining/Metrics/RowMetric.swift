/// A mean over rows: the accuracies and the regression errors.
public struct RowMetric: Metric, Equatable {
  /// What is measured of one row.
  public enum Measure: Sendable, Equatable {
    /// The share of elements where (prediction > threshold) is the target; exactly the threshold counts as 0.
    case binaryAccuracy(threshold: Float)
    /// Whether the largest prediction stands where the largest target stands; of equals, the first.
    case categoricalAccuracy
    /// Whether the largest prediction stands at the class id.
    case sparseCategoricalAccuracy
    /// Whether fewer than `count` predictions are larger than the target's.
    case topK(count: Int)
    /// The same for class ids.
    case sparseTopK(count: Int)
    case meanAbsoluteError
    case meanSquaredError
  }

  public let name: String
  public let measure: Measure
  private var mean = WeightedMean()

  public init(_ measure: Measure, name: String) {
    self.measure = measure
    self.name = name
  }

  /// Whether a target is one class id a row.
  public var hasSparseTargets: Bool {
    switch measure {
    case .sparseCategoricalAccuracy, .sparseTopK: true
    case .binaryAccuracy, .categoricalAccuracy, .topK, .meanAbsoluteError, .meanSquaredError: false
    }
  }

  public var value: Double { mean.value }

  public mutating func update(
    targets: UnsafeBufferPointer<Float>, predictions: UnsafeBufferPointer<Float>, width: Int, weights: [Float]?
  ) {
    let rows = MetricRows(targets, predictions, width, weights, hasSparseTargets: hasSparseTargets)
    for row in 0..<rows.count { mean.add(measured(row, rows), weight: rows.weight(row)) }
  }

  public mutating func reset() { mean = WeightedMean() }

  public var seesMask: Bool { true }

  public var isLargerBetter: Bool {
    switch measure {
    case .binaryAccuracy, .categoricalAccuracy, .sparseCategoricalAccuracy, .topK, .sparseTopK: true
    case .meanAbsoluteError, .meanSquaredError: false
    }
  }

  public var sums: [Double] {
    get { mean.sums }
    set { mean.sums = newValue }
  }

  public mutating func merge(_ other: RowMetric) { mean.merge(other.mean) }

  private func measured(_ row: Int, _ rows: MetricRows) -> Double {
    let prediction = rows.prediction(row)
    switch measure {
    case .binaryAccuracy(let threshold):
      return average(rows.target(row), prediction) { $0 == ($1 > threshold ? 1 : 0) ? 1 : 0 }
    case .categoricalAccuracy:
      return largest(rows.target(row)) == largest(prediction) ? 1 : 0
    case .sparseCategoricalAccuracy:
      return rows.targets[row] == Float(largest(prediction)) ? 1 : 0
    case .topK(let count):
      return isAmong(count, largest(rows.target(row)), prediction) ? 1 : 0
    case .sparseTopK(let count):
      // Keras makes ids whole by cutting their fraction off.
      guard let id = Int(exactly: rows.targets[row].rounded(.towardZero)) else { return 0 }
      return isAmong(count, id, prediction) ? 1 : 0
    case .meanAbsoluteError:
      return average(rows.target(row), prediction) { abs(Double($1) - Double($0)) }
    case .meanSquaredError:
      return average(rows.target(row), prediction) {
        let error = Double($1) - Double($0)
        return error * error
      }
    }
  }

  private typealias Row = Slice<UnsafeBufferPointer<Float>>

  private func average(_ targets: Row, _ predictions: Row, _ score: (Float, Float) -> Double) -> Double {
    zip(targets, predictions).reduce(0) { $0 + score($1.0, $1.1) } / Double(predictions.count)
  }

  /// The place of the largest element, the first of equals.
  private func largest(_ row: Row) -> Int {
    var best = row.startIndex
    for index in row.indices where row[index] > row[best] { best = index }
    return best - row.startIndex
  }

  /// TensorFlow's `in_top_k`: ties at the border count; an unknown class or a score that is not finite does not.
  private func isAmong(_ count: Int, _ id: Int, _ scores: Row) -> Bool {
    guard id >= 0, id < scores.count else { return false }
    let own = scores[scores.startIndex + id]
    guard own.isFinite else { return false }
    var larger = 0
    for score in scores {
      guard score.isFinite else { return false }
      if score > own { larger += 1 }
    }
    return larger < count
  }
}

/// The mean of numbers that were computed elsewhere: the loss.
public struct MeanMetric: Metric, Equatable {
  public let name: String
  private var mean = WeightedMean()

  public init(name: String = "loss") {
    self.name = name
  }

  public var value: Double { mean.value }

  public mutating func add(_ value: Double, weight: Double = 1) { mean.add(value, weight: weight) }

  /// The mean of all predictions, whatever the targets, as Keras's `Mean`.
  public mutating func update(
    targets: UnsafeBufferPointer<Float>, predictions: UnsafeBufferPointer<Float>, width: Int, weights: [Float]?
  ) {
    precondition(width > 0 && predictions.count % width == 0, "predictions are no rows of \(width)")
    for (index, prediction) in predictions.enumerated() {
      mean.add(Double(prediction), weight: weights.map { Double($0[index / width]) } ?? 1)
    }
  }

  public mutating func reset() { mean = WeightedMean() }

  public var seesMask: Bool { false }

  public var isLargerBetter: Bool { false }

  public var sums: [Double] {
    get { mean.sums }
    set { mean.sums = newValue }
  }

  public mutating func merge(_ other: MeanMetric) { mean.merge(other.mean) }
}
