import RNNCore
import RNNTraining
import Testing

/// Names and configurations of metrics, as files hold them.
struct MetricFactoryTests {
  @Test func namesAreThoseOfTheHistory() throws {
    for name in [
      "accuracy", "acc", "ACC", "mae", "MAE", "mse", "MSE", "mean_absolute_error", "MeanAbsoluteError",
      "mean_squared_error", "binary_accuracy", "categorical_accuracy", "CategoricalAccuracy", "auc", "AUC",
      "precision", "Recall", "top_k_categorical_accuracy", "sparse_top_k_categorical_accuracy", "mean",
    ] {
      let metric = try MetricFactory.make(.string(name), outputWidth: 1, isSparse: false)
      #expect(metric.name == name)
    }
    let named: JSONValue = ["class_name": "AUC", "config": ["name": "auc_2", "dtype": "float32"]]
    #expect(try MetricFactory.make(named, outputWidth: 1, isSparse: false).name == "auc_2")
    let unnamed: JSONValue = ["class_name": "MeanAbsoluteError", "config": [:]]
    #expect(try MetricFactory.make(unnamed, outputWidth: 1, isSparse: false).name == "mean_absolute_error")
    let function: JSONValue = ["module": "builtins", "class_name": "function", "config": "mae"]
    #expect(try MetricFactory.make(function, outputWidth: 1, isSparse: false).name == "mean_absolute_error")
  }

  @Test func accuracyFollowsTheShapes() throws {
    #expect(try measure(1, false, "binary_crossentropy") == .binaryAccuracy(threshold: 0.5))
    #expect(try measure(4, false, "binary_crossentropy") == .categoricalAccuracy)
    #expect(try measure(4, true, "sparse_categorical_crossentropy") == .sparseCategoricalAccuracy)
    #expect(try measure(4, true, nil, "keras2", "2.3.0-tf") == .sparseCategoricalAccuracy)
    #expect(try measure(4, false, "binary_crossentropy", "keras2", "2.15.0") == .categoricalAccuracy)
  }

  @Test func accuracyOnceFollowedTheLoss() throws {
    for (dialect, version) in [("keras1", "1.2.2"), ("keras2", "2.2.4"), ("keras1", nil)] {
      #expect(try measure(1, true, "mse", dialect, version) == .binaryAccuracy(threshold: 0.5))
      #expect(try measure(4, false, "BinaryCrossentropy", dialect, version) == .binaryAccuracy(threshold: 0.5))
      #expect(
        try measure(4, true, "sparse_categorical_crossentropy", dialect, version) == .sparseCategoricalAccuracy)
      #expect(try measure(4, false, "categorical_crossentropy", dialect, version) == .categoricalAccuracy)
    }
  }

  private func measure(
    _ width: Int, _ isSparse: Bool, _ loss: String?, _ dialect: String = "keras3", _ version: String? = nil
  ) throws -> RowMetric.Measure? {
    let metric = try MetricFactory.make(
      "accuracy", outputWidth: width, isSparse: isSparse, loss: loss, dialect: dialect, version: version)
    return (metric as? RowMetric)?.measure
  }

  @Test func wrappedFunctionsAreRead() throws {
    let functions: [JSONValue] = [
      "categorical_accuracy", ["module": "builtins", "class_name": "function", "config": "categorical_accuracy"],
    ]
    for function in functions {
      let config: JSONValue = [
        "class_name": "MeanMetricWrapper", "config": ["name": "accuracy", "dtype": "float32", "fn": function],
      ]
      let metric = try MetricFactory.make(config, outputWidth: 4, isSparse: false)
      #expect(metric.name == "accuracy")
      #expect((metric as? RowMetric)?.measure == .categoricalAccuracy)
    }
  }

  @Test(arguments: [
    ("fmeasure", "fmeasure"), ("Custom>Mine", "Custom>Mine"),
    ("{\"class_name\": \"F1Score\", \"config\": {}}", "F1Score"),
    ("{\"class_name\": \"Precision\", \"config\": {\"top_k\": 3, \"class_id\": null}}", "top_k"),
    ("{\"class_name\": \"MeanMetricWrapper\", \"config\": {\"fn\": \"fmeasure\"}}", "fmeasure"),
    ("{\"class_name\": \"AUC\", \"config\": {\"curve\": \"PRGAIN\"}}", "PRGAIN"),
    ("7", "a number"),
  ])
  func unknownOnesAreNamed(_ text: String, _ named: String) throws {
    let config = (try? JSONValue(parsing: text)) ?? .string(text)
    let error = #expect(throws: RNNError.self) {
      _ = try MetricFactory.make(config, outputWidth: 1, isSparse: false)
    }
    #expect(error?.reason == .unsupported && error?.what.contains(named) == true)
  }

  @Test(arguments: [
    "{\"class_name\": \"AUC\", \"config\": {\"num_thresholds\": 1}}",
    "{\"class_name\": \"AUC\", \"config\": {\"multi_label\": true, \"num_labels\": 3}}",
    "{\"class_name\": \"AUC\", \"config\": {\"label_weights\": [1, 2]}}",
    "{\"class_name\": \"Recall\", \"config\": {\"thresholds\": [1.5]}}",
    "{\"class_name\": \"Recall\", \"config\": {\"thresholds\": []}}",
    "{\"class_name\": \"BinaryAccuracy\", \"config\": {\"threshold\": \"half\"}}",
  ])
  func damagedOnesAreRefused(_ text: String) throws {
    let config = try JSONValue(parsing: text)
    let error = #expect(throws: RNNError.self) {
      _ = try MetricFactory.make(config, outputWidth: 4, isSparse: false)
    }
    #expect(error?.reason == .badData)
  }

  @Test func targetsMustFit() throws {
    for (name, isSparse) in [
      ("sparse_categorical_accuracy", false), ("sparse_top_k_categorical_accuracy", false), ("mae", true),
      ("auc", true), ("categorical_accuracy", true),
    ] {
      let error = #expect(throws: RNNError.self) {
        try MetricFactory.make(.string(name), outputWidth: 4, isSparse: isSparse)
      }
      #expect(error?.what.contains(name) == true)
      #expect(throws: Never.self) { try MetricFactory.make(.string(name), outputWidth: 4, isSparse: !isSparse) }
      #expect(throws: Never.self) { try MetricFactory.make(.string(name), outputWidth: 1, isSparse: isSparse) }
    }
    #expect(throws: Never.self) { try MetricFactory.make("mean", outputWidth: 4, isSparse: true) }
  }
}
