import RNNCore

/// Reads one metric's arguments and keeps account of them, so that none is overlooked.
struct MetricArguments {
  private let metric: String
  private let config: JSONObject
  private var unread: Set<String>

  init(metric: String, _ config: JSONObject?) {
    self.metric = metric
    self.config = config ?? JSONObject()
    unread = Set(self.config.keys)
  }

  /// `nil` also where the value is null.
  mutating func value(_ key: String) -> JSONValue? {
    unread.remove(key)
    guard let value = config[key], !value.isNull else { return nil }
    return value
  }

  mutating func name() throws -> String? {
    guard let value = value("name") else { return nil }
    guard let name = value.string else { throw wrong("name", value, "a string") }
    return name
  }

  mutating func double(_ key: String) throws -> Double? {
    guard let value = value(key) else { return nil }
    guard let number = value.double else { throw wrong(key, value, "a number") }
    return number
  }

  mutating func int(_ key: String, atLeast least: Int = 1) throws -> Int? {
    guard let value = value(key) else { return nil }
    guard let number = value.integer, number >= least else {
      throw wrong(key, value, "a whole number from \(least)")
    }
    return number
  }

  mutating func bool(_ key: String) throws -> Bool {
    guard let value = value(key) else { return false }
    guard let flag = value.bool else { throw wrong(key, value, "true or false") }
    return flag
  }

  mutating func string(_ key: String) throws -> String? {
    guard let value = value(key) else { return nil }
    guard let text = value.string else { throw wrong(key, value, "a string") }
    return text
  }

  /// A list of numbers, or a single one.
  mutating func doubles(_ key: String) throws -> [Double]? {
    guard let value = value(key) else { return nil }
    guard let numbers = value.double.map({ [$0] }) ?? value.doubles, !numbers.isEmpty else {
      throw wrong(key, value, "numbers")
    }
    return numbers
  }

  mutating func thresholds() throws -> [Double]? {
    let thresholds = try doubles("thresholds")
    guard thresholds?.allSatisfy({ $0 >= 0 && $0 <= 1 }) ?? true else {
      throw RNNError.badData("\(metric): thresholds must lie in 0 ... 1")
    }
    return thresholds
  }

  /// - Throws: `unsupported` naming every argument that nothing has read and that is not null.
  func finish() throws {
    let ignored: Set<String> = ["dtype", "from_sorted_ids"]
    let left = config.members.filter {
      unread.contains($0.key) && !ignored.contains($0.key) && !$0.value.isNull
    }
    guard left.isEmpty, config["from_sorted_ids"]?.bool != true else {
      let names = left.isEmpty ? "from_sorted_ids" : left.map(\.key).joined(separator: ", ")
      throw RNNError.unsupported("the metric '\(metric)' with the argument \(names) is not supported")
    }
  }

  func wrong(_ key: String, _ value: JSONValue, _ expected: String) -> RNNError {
    .badData("\(metric): the argument '\(key)' is \(value.kind) (\(value.text())), expected \(expected)")
  }
}

extension AUCMetric {
  /// - Parameter width: of the predictions, the number of labels that `multi_label` averages.
  init(_ arguments: inout MetricArguments, width: Int, name: String) throws {
    let curve = try arguments.string("curve") ?? "ROC"
    let summation = try arguments.string("summation_method") ?? "interpolation"
    // Up to 3.x any case is read.
    guard let curveValue = Curve(rawValue: curve.uppercased()) else {
      throw RNNError.unsupported("AUC of the curve '\(curve)' is not supported")
    }
    guard let summationValue = Summation(rawValue: summation.lowercased()) else {
      throw RNNError.unsupported("AUC with the summation method '\(summation)' is not supported")
    }
    let count = try arguments.int("num_thresholds", atLeast: 2) ?? 200
    let isMultiLabel = try arguments.bool("multi_label")
    if let labels = try arguments.int("num_labels"), labels != width {
      throw RNNError.badData("AUC is of \(labels) labels, but the model has \(width) outputs")
    }
    let labelWeights = try arguments.doubles("label_weights")
    guard labelWeights.map({ $0.count == width }) ?? true else {
      throw RNNError.badData("AUC has \(labelWeights?.count ?? 0) label weights for \(width) outputs")
    }
    self.init(
      curve: curveValue, count: count, thresholds: try arguments.thresholds(), summation: summationValue,
      labels: isMultiLabel ? width : nil, labelWeights: labelWeights?.map(Float.init),
      fromLogits: try arguments.bool("from_logits"), name: name)
  }
}
