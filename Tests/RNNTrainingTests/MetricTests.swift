import Foundation
import RNNContainers
import RNNCore
import RNNTestSupport
import Testing

@testable import RNNTraining

/// Every metric against Keras 3.15's, after one and after two batches, with and without weights.
struct MetricTests {
  @Test(arguments: MetricFixture.all)
  func agreesWithKeras(_ fixture: MetricFixture) throws {
    let arrays = try fixture.arrays()
    for (weighted, first, both) in [(false, "first", "value"), (true, "first_weighted", "value_weighted")] {
      var metric = try fixture.metric()
      try fixture.update(&metric, arrays, batch: 0, weighted: weighted)
      expectClose(try arrays.floats(first), values(metric), fixture.name)
      try fixture.update(&metric, arrays, batch: 1, weighted: weighted)
      expectClose(try arrays.floats(both), values(metric), fixture.name)
    }
  }

  @Test(arguments: MetricFixture.all)
  func shardsMergeIntoTheWhole(_ fixture: MetricFixture) throws {
    let arrays = try fixture.arrays()
    var (one, other) = (try fixture.metric(), try fixture.metric())
    try fixture.update(&one, arrays, batch: 0, weighted: true)
    try fixture.update(&other, arrays, batch: 1, weighted: true)
    let isMerged = one.merge(any: other)
    #expect(isMerged)
    expectClose(try arrays.floats("value_weighted"), values(one), fixture.name)
    one.reset()
    try fixture.update(&one, arrays, batch: 0, weighted: false)
    expectClose(try arrays.floats("first"), values(one), fixture.name)
  }

  @Test func everyFixtureIsTested() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: MetricFixture.folder.path)
    #expect(Set(files.filter { $0.hasSuffix(".npz") }) == Set(MetricFixture.all.map { $0.name + ".npz" }))
    #expect(MetricFixture.all.count >= 30)
  }

  private func values(_ metric: any Metric) -> [Double] { (metric as? ConfusionMetric)?.values ?? [metric.value] }

  /// 1e-6: Keras sums weights and areas in float32, some 200 terms of at most a few times 1e-8 each.
  private func expectClose(_ expected: [Float], _ found: [Double], _ name: String) {
    let isOne = expected.count == 1
    #expect(isOne || expected.count == found.count)
    for (expected, found) in zip(expected, found) {
      #expect(abs(Double(expected) - found) <= 1e-6, "\(name): \(found), Keras has \(expected)")
    }
  }
}

/// What a metric says of hand-made batches.
struct MetricValueTests {
  @Test func nothingIsZero() throws {
    for name in ["accuracy", "mae", "mse", "auc", "precision", "recall", "mean"] {
      let metric = try MetricFactory.make(.string(name), outputWidth: 1, isSparse: false)
      #expect(metric.value == 0, "\(name)")
    }
  }

  @Test func halfIsNotAboveHalf() {
    var metric = RowMetric(.binaryAccuracy(threshold: 0.5), name: "accuracy")
    metric.update(targets: [0, 1, 0, 1], predictions: [0.5, 0.5, Float(0.5).nextUp, Float(0.5).nextUp], width: 1)
    #expect(metric.value == 0.5)
  }

  @Test func rowsOfSeveralLabelsCountByTheirShare() {
    var metric = RowMetric(.binaryAccuracy(threshold: 0.5), name: "accuracy")
    metric.update(targets: [1, 1, 0, 0], predictions: [0.9, 0.1, 0.1, 0.2], width: 2, weights: [1, 3])
    #expect(metric.value == 0.875, "a half of weight 1, and 1 of weight 3")
  }

  @Test func tiesAtTheBorderAreAmongTheTop() {
    var metric = RowMetric(.sparseTopK(count: 1), name: "top")
    metric.update(targets: [1, 5], predictions: [0.5, 0.5, 0.5, 0.5, 0.5, 0.5], width: 3)
    #expect(metric.value == 0.5, "an unknown class is never among the top")
  }

  @Test func numbersThatAreNoneDoNotStopAMetric() throws {
    for name in ["accuracy", "sparse_top_k_categorical_accuracy", "auc", "precision", "recall"] {
      var metric = try MetricFactory.make(.string(name), outputWidth: 1, isSparse: false)
      metric.update(targets: [.nan, 1, 1e30], predictions: [.nan, .infinity, -.infinity], width: 1)
      #expect(metric.value.isFinite, "\(name)")
    }
  }

  @Test func perfectAndInvertedAreas() {
    for curve in AUCMetric.Curve.allCases {
      var metric = AUCMetric(curve: curve)
      metric.update(targets: [0, 0, 1, 1], predictions: [0.1, 0.2, 0.8, 0.9], width: 1)
      #expect(abs(metric.value - 1) < 1e-12, "\(curve)")
    }
    var metric = AUCMetric(fromLogits: true)
    metric.update(targets: [1, 1, 0, 0], predictions: [-3, -2, 2, 3], width: 1)
    #expect(metric.value == 0)
  }

  @Test func summationsEncloseEachOther() {
    let values = [AUCMetric.Summation.minoring, .interpolation, .majoring].map { summation in
      var metric = AUCMetric(count: 5, summation: summation)
      metric.update(targets: [0, 1, 0, 1, 1, 0], predictions: [0.1, 0.3, 0.4, 0.45, 0.9, 0.7], width: 1)
      return metric.value
    }
    #expect(values[0] < values[1] && values[1] < values[2])
  }

  @Test func unevenThresholdsCompareOneByOne() {
    var metric = AUCMetric(thresholds: [0.7, 0.2])
    metric.update(targets: [0, 1, 1, 0], predictions: [0.2, 0.21, 0.7, 0.1], width: 1)
    // Above 0.2: the two positives; above 0.7: nothing.
    #expect(metric.value == 1)
  }

  @Test func labelWeightsWeighTheAreas() {
    let targets: [Float] = [0, 1, 1, 0]
    let predictions: [Float] = [0.1, 0.1, 0.9, 0.9]
    for (weights, expected) in [([1, 0], 1.0), ([0, 1], 0), ([3, 1], 0.75)] as [([Float], Double)] {
      var metric = AUCMetric(labels: 2, labelWeights: weights)
      metric.update(targets: targets, predictions: predictions, width: 2)
      #expect(metric.value == expected)
    }
  }

  @Test func theLossIsAMean() {
    var (one, other) = (MeanMetric(), MeanMetric())
    one.add(2, weight: 32)
    other.add(5, weight: 16)
    one.merge(other)
    #expect(one.name == "loss" && one.value == 3)
    let isMerged = one.merge(any: AUCMetric())
    #expect(!isMerged && one.value == 3)
  }
}
