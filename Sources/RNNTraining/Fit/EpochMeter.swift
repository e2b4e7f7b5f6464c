import RNNCore

/// The running values of an epoch: the loss as Keras shows it, the mean over examples of the batches' losses, and the
/// metrics.
struct EpochMeter {
  private var loss = 0.0
  private var examples = 0.0
  /// With the name of their output before their own, where there are several outputs.
  private var metrics: [(output: Int, prefix: String, metric: any Metric)] = []

  init(_ trainer: Trainer) throws {
    let configuration = trainer.configuration
    let names = trainer.native.spec.outputNames
    for (output, width) in trainer.outputWidths.enumerated() {
      for json in configuration.metrics {
        metrics.append(
          (
            output, names.count > 1 ? names[output] + "_" : "",
            try MetricFactory.make(
              json, outputWidth: width, isSparse: configuration.losses[output].hasSparseTargets,
              loss: configuration.losses[output].kind.rawValue, dialect: trainer.native.provenance.dialect,
              version: trainer.native.provenance.frameworkVersion)
          ))
      }
    }
  }

  mutating func add(_ result: Trainer.StepResult, _ batch: Trainer.Batch) {
    let count = Double(batch.inputs.first?.shape.first ?? 0)
    loss += result.loss * count
    examples += count
    for index in metrics.indices {
      let (values, shape) = result.predictions[metrics[index].output]
      metrics[index].metric.update(
        targets: batch.targets[metrics[index].output].floats(), predictions: values, width: shape[shape.count - 1])
    }
  }

  var values: [(name: String, value: Double)] {
    [(name: "loss", value: loss / max(examples, 1))]
      + metrics.map { (name: $0.prefix + $0.metric.name, value: $0.metric.value) }
  }

  /// Whether more of a value is better, for a name in the history; `nil` for a name that is not there.
  func isLargerBetter(_ name: String) -> Bool? {
    let bare = name.hasPrefix("val_") ? String(name.dropFirst(4)) : name
    if bare == "loss" { return false }
    return metrics.first { $0.prefix + $0.metric.name == bare }?.metric.isLargerBetter
  }

  /// Everything that `values` is made of.
  var sums: [Double] { [loss, examples] + metrics.flatMap(\.metric.sums) }

  /// Goes on from the sums of another meter.
  /// - Throws: `badData` where that had other metrics.
  mutating func restore(_ sums: [Double]) throws {
    let counts = metrics.map(\.metric.sums.count)
    guard sums.count == 2 + counts.reduce(0, +) else {
      throw RNNError.badData("the interrupted training measured other metrics")
    }
    (loss, examples) = (sums[0], sums[1])
    var start = 2
    for (index, count) in counts.enumerated() {
      metrics[index].metric.sums = Array(sums[start..<start + count])
      start += count
    }
  }
}
