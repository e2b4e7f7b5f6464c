/// Weighted counts of right and wrong decisions at several thresholds; a prediction is positive strictly above one.
struct ConfusionCounts: Sendable, Equatable {
  /// How a prediction finds the thresholds below it.
  enum Search: Sendable, Equatable {
    /// By comparing with each.
    case each
    /// By ceil(p x (thresholds - 1)) - 1 in float32, p bounded to 0 ... 1: Keras's short cut for even thresholds,
    /// whose rounding decides where a prediction equals one. `hasEnds`: the outer ones lie outside 0 ... 1.
    case buckets(hasEnds: Bool)
  }

  /// The counts at one threshold.
  struct Point: Sendable, Equatable {
    var truePositives = 0.0
    var falsePositives = 0.0
    var falseNegatives = 0.0
    var trueNegatives = 0.0
  }

  let thresholds: [Float]
  let search: Search
  /// Kept apart for each of so many labels; 1 throws all elements together.
  let labels: Int
  /// By label, then threshold: positives among the elements that `search` puts there.
  private var trues: [Double]
  private var falses: [Double]
  /// By label.
  private var positives: [Double]
  private var negatives: [Double]

  init(thresholds: [Float], search: Search, labels: Int = 1) {
    self.thresholds = thresholds
    self.search = search
    self.labels = labels
    trues = [Double](repeating: 0, count: labels * thresholds.count)
    falses = trues
    positives = [Double](repeating: 0, count: labels)
    negatives = positives
  }

  /// - Parameter columnWeights: for each column of a row.
  mutating func add(_ rows: MetricRows, columnWeights: [Float]? = nil, transform: (Float) -> Float = { $0 }) {
    precondition(labels == 1 || labels == rows.width, "predictions of \(rows.width) columns, expected \(labels)")
    for index in rows.predictions.indices {
      let (row, column) = index.quotientAndRemainder(dividingBy: rows.width)
      add(
        rows.targets[index] != 0, transform(rows.predictions[index]), label: labels == 1 ? 0 : column,
        weight: rows.weight(row) * (columnWeights.map { Double($0[column]) } ?? 1))
    }
  }

  private mutating func add(_ target: Bool, _ prediction: Float, label: Int, weight: Double) {
    if target { positives[label] += weight } else { negatives[label] += weight }
    let first = label * thresholds.count
    switch search {
    case .each:
      for (index, threshold) in thresholds.enumerated() where prediction > threshold {
        if target { trues[first + index] += weight } else { falses[first + index] += weight }
      }
    case .buckets(let hasEnds):
      guard let index = bucket(prediction, hasEnds) else { return }
      if target { trues[first + index] += weight } else { falses[first + index] += weight }
    }
  }

  /// The last threshold below a prediction.
  private func bucket(_ prediction: Float, _ hasEnds: Bool) -> Int? {
    guard !prediction.isNaN else { return nil }
    let place = (min(max(prediction, 0), 1) * Float(thresholds.count - 1)).rounded(.up) - 1
    if place < 0 { return hasEnds ? 0 : nil }
    return Int(place)
  }

  /// One label's counts at every threshold.
  func points(_ label: Int = 0) -> [Point] {
    var result = [Point](repeating: Point(), count: thresholds.count)
    var sums = (trues: 0.0, falses: 0.0)
    for index in thresholds.indices.reversed() {
      let place = label * thresholds.count + index
      switch search {
      case .each: sums = (trues[place], falses[place])
      case .buckets: sums = (sums.trues + trues[place], sums.falses + falses[place])
      }
      result[index] = Point(
        truePositives: sums.trues, falsePositives: sums.falses, falseNegatives: positives[label] - sums.trues,
        trueNegatives: negatives[label] - sums.falses)
    }
    return result
  }

  mutating func merge(_ other: ConfusionCounts) {
    precondition(labels == other.labels && thresholds == other.thresholds, "metrics of different configurations")
    for index in trues.indices {
      trues[index] += other.trues[index]
      falses[index] += other.falses[index]
    }
    for index in positives.indices {
      positives[index] += other.positives[index]
      negatives[index] += other.negatives[index]
    }
  }

  /// All counts, end to end.
  var sums: [Double] {
    get { trues + falses + positives + negatives }
    set {
      var rest = newValue[...]
      for part in [\Self.trues, \.falses, \.positives, \.negatives] as [WritableKeyPath<Self, [Double]>] {
        let count = self[keyPath: part].count
        self[keyPath: part] = Array(rest.prefix(count))
        rest = rest.dropFirst(count)
      }
    }
  }

  mutating func reset() { self = ConfusionCounts(thresholds: thresholds, search: search, labels: labels) }

  /// Keras's test for even thresholds: at least three, within 1e-7 (and 1e-5 relative) of k / (count - 1).
  static func areEven(_ thresholds: [Double]) -> Bool {
    guard thresholds.count >= 3 else { return false }
    return thresholds.enumerated().allSatisfy { index, threshold in
      let even = Double(Float(index) / Float(thresholds.count - 1))
      return abs(threshold - even) <= 1e-7 + 1e-5 * even
    }
  }

  /// `divide_no_nan`
  static func ratio(_ part: Double, _ whole: Double) -> Double { whole == 0 ? 0 : part / whole }
}
