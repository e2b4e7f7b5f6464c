import RealModule

/// The area under a curve through the points of many thresholds, as Keras's `AUC`.
public struct AUCMetric: Metric, Equatable {
  public enum Curve: String, Sendable, CaseIterable {
    /// True positive rate over false positive rate.
    case roc = "ROC"
    /// Precision over recall.
    case precisionRecall = "PR"
  }

  /// The height between two points. For the precision-recall curve, interpolation is that of Davis and Goadrich 2006.
  public enum Summation: String, Sendable, CaseIterable {
    case interpolation
    case minoring
    case majoring
  }

  public let name: String
  public let curve: Curve
  public let summation: Summation
  /// Weights of the columns: of their areas where these are averaged, else of their elements.
  public let labelWeights: [Float]?
  /// Predictions pass a sigmoid first.
  public let fromLogits: Bool
  private let averagesLabels: Bool
  private var counts: ConfusionCounts

  /// - Parameters:
  ///   - count: of thresholds, at least 2, evenly in 0 ... 1.
  ///   - thresholds: instead, in 0 ... 1; the ends are added.
  ///   - labels: averages the areas of so many columns; `nil` throws all elements together.
  public init(
    curve: Curve = .roc, count: Int = 200, thresholds: [Double]? = nil, summation: Summation = .interpolation,
    labels: Int? = nil, labelWeights: [Float]? = nil, fromLogits: Bool = false, name: String = "auc"
  ) {
    precondition(count >= 2, "an area needs two thresholds")
    let inner = thresholds?.sorted() ?? (1..<count - 1).map { Double($0) / Double(count - 1) }
    let isEven = thresholds == nil || ConfusionCounts.areEven([0] + inner + [1])
    counts = ConfusionCounts(
      thresholds: ([-1e-7] + inner + [1 + 1e-7]).map(Float.init), search: isEven ? .buckets(hasEnds: true) : .each,
      labels: labels ?? 1)
    averagesLabels = labels != nil
    self.curve = curve
    self.summation = summation
    self.labelWeights = labelWeights
    self.fromLogits = fromLogits
    self.name = name
  }

  public mutating func update(
    targets: UnsafeBufferPointer<Float>, predictions: UnsafeBufferPointer<Float>, width: Int, weights: [Float]?
  ) {
    let fromLogits = fromLogits
    counts.add(
      MetricRows(targets, predictions, width, weights, hasSparseTargets: false),
      columnWeights: averagesLabels ? nil : labelWeights
    ) { fromLogits ? 1 / (1 + Float.exp(-$0)) : $0 }
  }

  public mutating func reset() { counts.reset() }

  public var seesMask: Bool { false }

  public var isLargerBetter: Bool { true }

  public var sums: [Double] {
    get { counts.sums }
    set { counts.sums = newValue }
  }

  public mutating func merge(_ other: AUCMetric) { counts.merge(other.counts) }

  public var value: Double {
    let areas = (0..<counts.labels).map { area(counts.points($0)) }
    guard averagesLabels, let labelWeights else { return areas.reduce(0, +) / Double(areas.count) }
    let weights = labelWeights.map(Double.init)
    return ConfusionCounts.ratio(zip(areas, weights).reduce(0) { $0 + $1.0 * $1.1 }, weights.reduce(0, +))
  }

  /// Points run from the lowest threshold, where all is positive, to the highest.
  private func area(_ points: [ConfusionCounts.Point]) -> Double {
    zip(points, points.dropFirst()).reduce(0) { sum, pair in
      if curve == .precisionRecall, summation == .interpolation { return sum + interpolated(pair.0, pair.1) }
      let (one, other) = (position(pair.0), position(pair.1))
      let height =
        switch summation {
        case .interpolation: (one.y + other.y) / 2
        case .minoring: min(one.y, other.y)
        case .majoring: max(one.y, other.y)
        }
      return sum + (one.x - other.x) * height
    }
  }

  private func position(_ point: ConfusionCounts.Point) -> (x: Double, y: Double) {
    let recall = ConfusionCounts.ratio(point.truePositives, point.truePositives + point.falseNegatives)
    switch curve {
    case .roc:
      return (ConfusionCounts.ratio(point.falsePositives, point.falsePositives + point.trueNegatives), recall)
    case .precisionRecall:
      return (recall, ConfusionCounts.ratio(point.truePositives, point.truePositives + point.falsePositives))
    }
  }

  /// The area between a point and that of the next higher threshold, true and predicted positives going in line:
  /// slope x (dTP + intercept x log(P / P')) / positives.
  private func interpolated(_ low: ConfusionCounts.Point, _ high: ConfusionCounts.Point) -> Double {
    let rise = low.truePositives - high.truePositives
    let (lowAll, highAll) = (low.truePositives + low.falsePositives, high.truePositives + high.falsePositives)
    let slope = ConfusionCounts.ratio(rise, max(lowAll - highAll, 0))
    let intercept = high.truePositives - slope * highAll
    let logarithm: Double = lowAll > 0 && highAll > 0 ? .log(lowAll / highAll) : 0
    return ConfusionCounts.ratio(
      slope * (rise + intercept * logarithm), max(high.truePositives + high.falseNegatives, 0))
  }
}
