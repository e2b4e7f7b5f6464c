import RNNCore

/// The generations of Keras, whose configurations and arithmetic differ under the same names.
public enum KerasGeneration: String, Sendable, CaseIterable, Codable {
  /// Keras 1.0 to 1.2.
  case keras1
  /// Keras 2.0 to 2.3, and `tf.keras` of TensorFlow 1.x and 2.0 to 2.15, and tf_keras.
  case keras2
  /// Keras 3.
  case keras3
}

/// Which Keras wrote a file, and why we think so.
public struct KerasEra: Sendable, Equatable {
  public var generation: KerasGeneration
  /// As the file states it: `1.2.2`, `2.2.4-tf`, `3.15.1`.
  public var version: String?
  /// Why this generation was taken, for people.
  public var reason: String

  /// - Parameters:
  ///   - version: the file's `keras_version`, if it has one.
  ///   - architecture: looked at where there is no version.
  ///   - override: what the user says; wins.
  public init(version: String?, architecture: JSONValue?, override: KerasGeneration? = nil) {
    self.version = version
    if let override {
      generation = override
      reason = "--dialect \(override.rawValue)"
    } else if let version, version.first?.isNumber == true, let major = KerasEra.numbers(version).first {
      generation = major <= 1 ? .keras1 : major == 2 ? .keras2 : .keras3
      reason = "the file's keras_version \(version)"
    } else if let architecture, KerasEra.contains(architecture, where: KerasEra.isKeras3) {
      generation = .keras3
      reason = "no version; a configuration with 'module' and 'registered_name' is Keras 3's"
    } else if let architecture, KerasEra.contains(architecture, where: KerasEra.isKeras1) {
      generation = .keras1
      reason = "no version; the configuration's argument names are Keras 1's"
    } else {
      generation = .keras2
      reason = "no version, and no argument names of Keras 1 or 3"
    }
  }

  /// Whether the version is known and older than the one given.
  func isOlder(than other: Int...) -> Bool {
    guard let version else { return false }
    return KerasEra.numbers(version).lexicographicallyPrecedes(other)
  }

  /// Whether the file says that it is TensorFlow's own Keras 2.
  var isTensorFlowKeras: Bool {
    guard let version, generation == .keras2 else { return false }
    return version.hasSuffix("-tf") || !isOlder(than: 2, 4)
  }

  /// The gate activation where a configuration does not state one: layouts.md, "Gate activation by version".
  var defaultRecurrentActivation: String {
    switch generation {
    case .keras1: "hard_sigmoid"
    case .keras2: isTensorFlowKeras || (version != nil && !isOlder(than: 2, 3)) ? "sigmoid" : "hard_sigmoid"
    case .keras3: "sigmoid"
    }
  }

  /// Whether a softmax under a mask is 0 at what is masked even where all is (Keras 3.10 on).
  var clearsMaskedWeights: Bool { generation == .keras3 && !isOlder(than: 3, 10) }

  /// Whether a masked step of a loop gives the first state, where later versions give the output before it (which is 0
  /// before the first valid step).
  var emitsStateAtMaskedSteps: Bool {
    switch generation {
    case .keras1: true
    case .keras2: !isTensorFlowKeras
    case .keras3: false
    }
  }

  /// GRU's `reset_after` where a configuration does not state it. Every version that has the argument writes it,
  /// so that its absence means an older one; Keras 3 defaults to `true`.
  var defaultResetAfter: Bool {
    switch generation {
    case .keras1, .keras2: false
    case .keras3: true
    }
  }

  private static func numbers(_ version: String) -> [Int] {
    version.split(separator: ".").map { part in Int(part.prefix { $0.isNumber }) ?? 0 }
  }

  private static func contains(_ value: JSONValue, where predicate: (JSONObject) -> Bool) -> Bool {
    switch value {
    case .object(let object):
      predicate(object) || object.members.contains { contains($0.value, where: predicate) }
    case .array(let elements): elements.contains { contains($0, where: predicate) }
    case .null, .bool, .integer, .number, .string: false
    }
  }

  private static func isKeras3(_ object: JSONObject) -> Bool {
    object["registered_name"] != nil || (object["module"] != nil && object["class_name"] != nil)
  }

  /// `nb_*` anywhere, Keras 1's other names, or `output_dim` where Keras 2 has `units`.
  private static func isKeras1(_ object: JSONObject) -> Bool {
    let hasOldName = object.keys.contains { key in
      key.hasPrefix("nb_") || ["inner_activation", "border_mode", "W_regularizer"].contains(key)
    }
    let isRecurrent = ["LSTM", "GRU", "SimpleRNN"].contains(object["class_name"]?.string)
    return hasOldName || (isRecurrent && object["config"]?["output_dim"] != nil)
  }
}
