import RNNCore

/// The running values of an epoch: the loss as Keras shows it, the mean over examples of the batches' losses; the losses of
/// several outputs; and the metrics.
struct EpochMeter {
  private struct Measured {
    var output: Int
    /// In the history.
    var name: String
    var metric: any Metric
    /// Whether the examples' weights count.
    var isWeighted: Bool
  }

  private var loss = 0.0
  private var examples = 0.0
  private var batches = 0.0
  /// Keras 3 shows the losses of outputs where there are several, as means over batches; Keras 2 where there are several
  /// outputs, as means over examples.
  private let isKeras3: Bool
  /// The outputs whose own loss is shown, by the names of these, and their sums.
  private var outputLosses: [(output: Int, name: String, sum: Double)] = []
  private var metrics: [Measured] = []

  /// - Throws: `unsupported` naming a metric that is not built in.
  init(_ trainer: Trainer) throws {
    let configuration = trainer.configuration
    let names = trainer.native.spec.outputNames
    isKeras3 = trainer.native.provenance.dialect == "keras3"
    let lossy = names.indices.filter { configuration.lossWeights[$0] != 0 }
    if (isKeras3 ? lossy : Array(names.indices)).count > 1 {
      outputLosses = lossy.map { ($0, names[$0] + "_loss", 0) }
    }
    for (isWeighted, lists) in [(false, configuration.metrics), (true, configuration.weightedMetrics)] {
      for (output, width) in trainer.outputWidths.enumerated() {
        for json in lists[output] {
          let metric = try MetricFactory.make(
            json, outputWidth: width, isSparse: configuration.losses[output].hasSparseTargets,
            loss: configuration.losses[output].kind.rawValue, dialect: trainer.native.provenance.dialect,
            version: trainer.native.provenance.frameworkVersion)
          let prefix = names.count > 1 ? names[output] + "_" : ""
          metrics.append(
            Measured(
              output: output, name: freeName(metric.name, prefix, isWeighted), metric: metric, isWeighted: isWeighted))
        }
      }
    }
  }

  /// As Keras 3 names metrics that have the same name: `accuracy`, `accuracy_1`, and `weighted_accuracy` where only the
  /// weights differ.
  private func freeName(_ name: String, _ prefix: String, _ isWeighted: Bool) -> String {
    let taken = Set(values.map(\.name))
    let base = isWeighted && taken.contains(prefix + name) ? prefix + "weighted_" + name : prefix + name
    return ([base] + (1...(taken.count + 1)).map { "\(base)_\($0)" }).first { !taken.contains($0) } ?? base
  }

  mutating func add(_ result: Trainer.StepResult, _ batch: Trainer.Batch) {
    let count = Double(batch.inputs.first?.shape.first ?? 0)
    loss += result.loss * count
    examples += count
    batches += 1
    for index in outputLosses.indices {
      outputLosses[index].sum += result.outputLosses[outputLosses[index].output] * (isKeras3 ? 1 : count)
    }
    for index in metrics.indices {
      let output = metrics[index].output
      let (values, shape) = result.predictions[output]
      let rows = shape.dropLast().reduce(1, *)
      var weights = metrics[index].metric.seesMask ? result.masks[output] : nil
      if metrics[index].isWeighted, let given = batch.sampleWeights {
        let rowsPerExample = rows / max(given.count, 1)
        weights = (0..<rows).map { given[$0 / rowsPerExample] * (weights?[$0] ?? 1) }
      }
      metrics[index].metric.update(
        targets: batch.targets[output].floats(), predictions: values, width: shape[shape.count - 1], weights: weights)
    }
  }

  var values: [(name: String, value: Double)] {
    let own = outputLosses.map { (name: $0.name, value: $0.sum / max(isKeras3 ? batches : examples, 1)) }
    return [(name: "loss", value: loss / max(examples, 1))] + own
      + metrics.map { (name: $0.name, value: $0.metric.value) }
  }

  /// Whether more of a value is better, for a name in the history; `nil` for a name that is not there.
  func isLargerBetter(_ name: String) -> Bool? {
    let bare = name.hasPrefix("val_") ? String(name.dropFirst(4)) : name
    if bare == "loss" || outputLosses.contains(where: { $0.name == bare }) { return false }
    return metrics.first { $0.name == bare }?.metric.isLargerBetter
  }

  /// Everything that `values` is made of.
  var sums: [Double] { [loss, examples, batches] + outputLosses.map(\.sum) + metrics.flatMap(\.metric.sums) }

  /// Goes on from the sums of another meter.
  /// - Throws: `badData` where that had other metrics.
  mutating func restore(_ sums: [Double]) throws {
    let counts = metrics.map(\.metric.sums.count)
    guard sums.count == 3 + outputLosses.count + counts.reduce(0, +) else {
      throw RNNError.badData("the interrupted training measured other metrics")
    }
    (loss, examples, batches) = (sums[0], sums[1], sums[2])
    var rest = sums.dropFirst(3)
    for index in outputLosses.indices { outputLosses[index].sum = rest.removeFirst() }
    for (index, count) in counts.enumerated() {
      metrics[index].metric.sums = Array(rest.prefix(count))
      rest = rest.dropFirst(count)
    }
  }
}
