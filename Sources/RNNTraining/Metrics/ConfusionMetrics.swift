/// Precision or recall, at one threshold or several, over all elements.
public struct ConfusionMetric: Metric, Equatable {
  public enum Kind: String, Sendable, CaseIterable {
    /// True positives of all predicted positives.
    case precision
    /// True positives of all positives.
    case recall
  }

  public let name: String
  public let kind: Kind
  private var counts: ConfusionCounts

  /// - Parameter thresholds: in 0 ... 1, not empty.
  public init(_ kind: Kind, thresholds: [Double] = [0.5], name: String? = nil) {
    precondition(!thresholds.isEmpty, "\(kind) needs a threshold")
    self.kind = kind
    self.name = name ?? kind.rawValue
    counts = ConfusionCounts(
      thresholds: thresholds.map(Float.init),
      search: ConfusionCounts.areEven(thresholds) ? .buckets(hasEnds: false) : .each)
  }

  /// At each threshold.
  public var values: [Double] {
    counts.points().map { point in
      switch kind {
      case .precision: ConfusionCounts.ratio(point.truePositives, point.truePositives + point.falsePositives)
      case .recall: ConfusionCounts.ratio(point.truePositives, point.truePositives + point.falseNegatives)
      }
    }
  }

  /// At the first threshold.
  public var value: Double { values[0] }

  public mutating func update(
    targets: UnsafeBufferPointer<Float>, predictions: UnsafeBufferPointer<Float>, width: Int, weights: [Float]?
  ) {
    counts.add(MetricRows(targets, predictions, width, weights, hasSparseTargets: false))
  }

  public mutating func reset() { counts.reset() }

  public var seesMask: Bool { false }

  public var isLargerBetter: Bool { true }

  public var sums: [Double] {
    get { counts.sums }
    set { counts.sums = newValue }
  }

  public mutating func merge(_ other: ConfusionMetric) { counts.merge(other.counts) }
}
