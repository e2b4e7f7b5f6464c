import RNNCore

/// A data set, ready for training: what every kind of file here becomes.
public struct Dataset: Sendable, Equatable {
  /// What is trained on.
  public var training: Examples
  /// What validates, and what `evaluate` uses, where the data set brings it: the test half of a published set, the last
  /// tenth of a text.
  public var validation: Examples?
  /// How text became ids, for the model that is trained.
  public var text: TextBundle?
  /// The names of the classes, by their number, where the labels are words.
  public var classes: [String]?

  public init(training: Examples, validation: Examples? = nil, text: TextBundle? = nil, classes: [String]? = nil) {
    self.training = training
    self.validation = validation
    self.text = text
    self.classes = classes
  }

  /// The inputs of the examples for training, in the model's order.
  public var inputs: [Tensor] { training.inputs }
  /// Their targets, in the order of the model's outputs.
  public var targets: [Tensor] { training.targets }
  /// Examples for training.
  public var count: Int { training.count }
  /// The examples to evaluate on: those that validate, else all.
  public var evaluation: Examples { validation ?? training }

  /// These examples for training, in this order, as a batch.
  /// - Throws: `usage` for a row that is not there.
  public func slice(rows: [Int]) throws -> Examples { try training.slice(rows: rows) }

  /// The same set with the last part of the training examples put aside to validate: Keras's `validation_split`, taken
  /// before anything is shuffled.
  /// - Parameter fraction: above 0 and below 1.
  /// - Throws: `usage` where that leaves nothing to train or to validate with.
  public func holdingOutLast(_ fraction: Double) throws -> Dataset {
    guard fraction > 0, fraction < 1 else {
      throw RNNError.usage("the part that validates is \(fraction), expected above 0 and below 1")
    }
    let split = Int((Double(count) * (1 - fraction)).rounded(.down))
    guard split > 0, split < count else {
      throw RNNError.usage(
        "\(count) examples cannot be divided into \(1 - fraction) to train and \(fraction) to validate",
        remedy: "Give more examples, or another fraction.")
    }
    var result = self
    result.training = try training.stored(0..<split)
    result.validation = try training.stored(split..<count)
    return result
  }
}
