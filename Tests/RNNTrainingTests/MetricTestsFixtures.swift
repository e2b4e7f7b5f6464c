import Foundation
import RNNContainers
import RNNCore
import RNNTestSupport
import RNNTraining
import Testing

/// A file of `fixtures/training/metrics/` and the configuration that it was made with.
struct MetricFixture: Sendable, CustomTestStringConvertible {
  let name: String
  /// A name, or JSON.
  let config: String
  let width: Int
  let isSparse: Bool

  init(_ name: String, _ config: String, _ width: Int = 1, isSparse: Bool = false) {
    self.name = name
    self.config = config
    self.width = width
    self.isSparse = isSparse
  }

  static let folder = Fixtures.folder.appendingPathComponent("training/metrics")

  var testDescription: String { name }

  static let all: [MetricFixture] = accuracies + areas + confusions("Precision") + confusions("Recall")

  private static let accuracies: [MetricFixture] = [
    MetricFixture("accuracy-binary", "accuracy"),
    MetricFixture("accuracy-categorical", "accuracy", 4),
    MetricFixture("accuracy-sparse-categorical", "accuracy", 4, isSparse: true),
    MetricFixture("accuracy-sparse-categorical-rank-3", "acc", 4, isSparse: true),
    MetricFixture("accuracy-multi-label", "binary_accuracy", 4),
    MetricFixture("binary_accuracy-half", "binary_accuracy"),
    MetricFixture("binary_accuracy-threshold-0.3", object("BinaryAccuracy", "\"threshold\": 0.3, \"name\": \"a\"")),
    MetricFixture("top_k_categorical_accuracy", "top_k_categorical_accuracy", 7),
    MetricFixture("top_k_categorical_accuracy-2", object("TopKCategoricalAccuracy", "\"k\": 2"), 7),
    MetricFixture(
      "sparse_top_k_categorical_accuracy-2", object("SparseTopKCategoricalAccuracy", "\"k\": 2"), 7, isSparse: true),
    MetricFixture("mean_absolute_error", "mae", 3),
    MetricFixture("mean_squared_error", "MeanSquaredError", 3),
  ]

  private static let areas: [MetricFixture] = [
    MetricFixture("auc", "auc"),
    MetricFixture("auc-ties", "AUC"),
    MetricFixture("auc-thresholds-7", object("AUC", "\"num_thresholds\": 7")),
    MetricFixture("auc_pr", object("AUC", "\"curve\": \"PR\"")),
    MetricFixture("auc_pr-ties", object("AUC", "\"curve\": \"pr\"")),
    MetricFixture("auc-multi-label-flat", "auc", 4),
    MetricFixture("auc-multi-label", object("AUC", "\"multi_label\": true"), 4),
    MetricFixture("auc_pr-multi-label", object("AUC", "\"curve\": \"PR\", \"multi_label\": true"), 4),
  ]

  private static func confusions(_ className: String) -> [MetricFixture] {
    let name = className.lowercased()
    return [
      MetricFixture(name, name),
      MetricFixture(name + "-threshold-0.3", object(className, "\"thresholds\": 0.3")),
      MetricFixture(name + "-two-thresholds", object(className, "\"thresholds\": [0.5, 0.3]")),
      MetricFixture(name + "-multi-label", className, 4),
      MetricFixture(name + "-multi-label-threshold-0.3", object(className, "\"thresholds\": [0.3]"), 4),
    ]
  }

  private static func object(_ className: String, _ config: String) -> String {
    "{\"module\": \"keras.metrics\", \"class_name\": \"\(className)\", \"config\": {\(config)}}"
  }

  func metric() throws -> any Metric {
    let json = config.hasPrefix("{") ? try JSONValue(parsing: config) : .string(config)
    return try MetricFactory.make(json, outputWidth: width, isSparse: isSparse)
  }

  func arrays() throws -> MetricArrays {
    MetricArrays(try NPZ.read(try Data(contentsOf: MetricFixture.folder.appendingPathComponent(name + ".npz"))))
  }

  /// One of the two batches that each array holds one behind the other.
  func update(_ metric: inout any Metric, _ arrays: MetricArrays, batch: Int, weighted: Bool) throws {
    func half(_ values: [Float]) -> [Float] {
      Array(values[values.count / 2 * batch..<values.count / 2 * (batch + 1)])
    }
    let predictions = half(try arrays.floats("y_pred"))
    var weights = half(try arrays.floats("sample_weight"))
    // A weight of a sequence counts for each of its steps.
    let steps = predictions.count / width / weights.count
    weights = weights.flatMap { [Float](repeating: $0, count: steps) }
    metric.update(
      targets: half(try arrays.floats("y_true")), predictions: predictions, width: width,
      weights: weighted ? weights : nil)
  }
}

struct MetricArrays {
  private let arrays: [(name: String, tensor: Tensor)]

  init(_ arrays: [(name: String, tensor: Tensor)]) {
    self.arrays = arrays
  }

  func floats(_ name: String) throws -> [Float] {
    try #require(arrays.first { $0.name == name }, "there is no '\(name)'").tensor.floats()
  }
}
