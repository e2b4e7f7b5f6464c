import RNNCore

/// Reads one layer's configuration and keeps account of what was read, so that nothing in it is overlooked.
struct KerasConfigReader {
  let className: String
  /// cuDNN has one LSTM, whose gates are sigmoids, and one GRU, which resets after the product; both are classes of their
  /// own in Keras 2, without the arguments that say so.
  var isCuDNN: Bool { className.hasPrefix("CuDNN") }
  let layerName: String
  let era: KerasEra
  private let config: JSONObject
  private var unread: Set<String>

  init(className: String, layerName: String, config: JSONObject, era: KerasEra) {
    self.className = className
    self.layerName = layerName
    self.era = era
    self.config = config
    unread = Set(config.keys)
  }

  /// The value under the first of `keys` that is there. Later keys are older names of the same argument.
  mutating func value(_ keys: String...) -> JSONValue? { value(keys) }

  private mutating func value(_ keys: [String]) -> JSONValue? {
    for key in keys where config[key] != nil {
      unread.remove(key)
      return config[key]
    }
    return nil
  }

  mutating func int(_ keys: String...) throws -> Int? {
    guard let value = value(keys), !value.isNull else { return nil }
    // Sizes of one dimension are written as 5 or [5].
    let single = value.array.flatMap { $0.count == 1 ? $0[0] : nil } ?? value
    guard let number = single.integer else { throw wrong(keys, value, "a whole number") }
    return number
  }

  mutating func requiredInt(_ keys: String...) throws -> Int {
    guard let value = value(keys) else { throw RNNError.badData("the argument '\(keys[0])' is missing") }
    let single = value.array.flatMap { $0.count == 1 ? $0[0] : nil } ?? value
    guard let number = single.integer else { throw wrong(keys, value, "a whole number") }
    return number
  }

  /// One number or a list of them.
  mutating func ints(_ keys: String...) throws -> [Int]? {
    guard let value = value(keys), !value.isNull else { return nil }
    guard let numbers = value.integer.map({ [$0] }) ?? value.integers else {
      throw wrong(keys, value, "whole numbers")
    }
    return numbers
  }

  mutating func requiredInts(_ key: String) throws -> [Int] {
    guard let numbers = try ints(key) else { throw RNNError.badData("the argument '\(key)' is missing") }
    return numbers
  }

  /// Axes, which some versions write as one number, or as a wrapped list.
  mutating func axes(_ key: String, default fallback: [Int]) throws -> [Int] {
    if let items = config[key]?["items"] {
      unread.remove(key)
      guard let axes = items.integers else { throw wrong([key], items, "whole numbers") }
      return axes
    }
    return try ints(key) ?? fallback
  }

  /// Keras 1's `dot_axes`: -1, one axis, two, or two lists of one.
  mutating func dotAxes() throws -> [Int] {
    guard let value = value("dot_axes"), !value.isNull else { return [-1, -1] }
    if let axis = value.integer { return [axis, axis] }
    let axes = (value.array ?? []).compactMap { $0.integer ?? $0.array?.first?.integer }
    guard axes.count == 2 else { throw RNNError.unsupported("Merge with the dot_axes \(value.text())") }
    return axes
  }

  mutating func double(_ keys: String...) throws -> Double? {
    guard let value = value(keys), !value.isNull else { return nil }
    guard let number = value.double else { throw wrong(keys, value, "a number") }
    return number
  }

  mutating func bool(_ keys: String..., default fallback: Bool) throws -> Bool {
    guard let value = value(keys), !value.isNull else { return fallback }
    if let flag = value.bool { return flag }
    guard let number = value.integer, number == 0 || number == 1 else { throw wrong(keys, value, "true or false") }
    return number == 1
  }

  mutating func string(_ keys: String...) throws -> String? {
    guard let value = value(keys), !value.isNull else { return nil }
    guard let text = value.string else { throw wrong(keys, value, "a string") }
    return text
  }

  /// An activation by the name it has in this era. An explicit null is the identity; only an absent key takes the
  /// default.
  mutating func activation(_ keys: String..., default fallback: String) throws -> Activation {
    guard let value = value(keys) else { return try activation(named: fallback, keys[0]) }
    if value.isNull { return .linear }
    if let name = value.string { return try activation(named: name, keys[0]) }
    // A function may be written as an object around its name, a layer as itself.
    if value["class_name"]?.string == "function", let name = value["config"]?.string {
      return try activation(named: name, keys[0])
    }
    if let className = value["class_name"]?.string, let kind = KerasClass(named: className),
      let config = value["config"]?.object
    {
      var inner = KerasConfigReader(className: className, layerName: layerName, config: config, era: era)
      let activation = try KerasActivationLayers.activation(kind, &inner)
      _ = try inner.finish()
      return activation
    }
    let what = value["class_name"]?.string ?? value.kind
    throw RNNError.unsupported("\(keys[0]) is \(what), which is no built-in activation")
  }

  private func activation(named name: String, _ key: String) throws -> Activation {
    guard let activation = KerasActivations.activation(named: name, era.generation) else {
      throw RNNError.unsupported("\(key) '\(name)' is no built-in activation of \(era.generation.rawValue)")
    }
    return activation
  }

  private func wrong(_ keys: [String], _ value: JSONValue, _ expected: String) -> RNNError {
    .badData("the argument '\(keys[0])' is \(value.kind) (\(value.text())), expected \(expected)")
  }

  /// What is left must not matter to a trained model: carried keys, and keys with their neutral value.
  /// - Returns: the carried keys with their values.
  /// - Throws: `unsupported` naming every argument that could change a number.
  mutating func finish() throws -> JSONObject {
    var carried = JSONObject()
    var unknown: [String] = []
    for member in config.members where unread.contains(member.key) {
      if KerasKeys.structural.contains(member.key) { continue }
      if KerasKeys.carried.contains(member.key) {
        carried[member.key] = member.value
      } else if KerasKeys.isNeutral(member.key, member.value) {
        continue
      } else {
        unknown.append("\(member.key)=\(member.value.text())")
      }
    }
    guard unknown.isEmpty else {
      throw RNNError.unsupported(
        "\(className) has no argument " + unknown.joined(separator: ", ")
          + " in any Keras: it may be a custom class under a known name")
    }
    return carried
  }
}

/// Keys that belong to every layer, or to none of its arithmetic.
enum KerasKeys {
  /// Read elsewhere, or repeated from elsewhere.
  static let structural: Set<String> = [
    "name", "trainable", "dtype", "batch_input_shape", "batch_shape", "batch_size", "input_shape", "input_dtype",
    "input_length", "input_dim", "optional", "implementation", "consume_less", "build_config",
    "quantization_config",
  ]

  /// Needed to train from scratch or to regularise, never to run.
  static let carried: Set<String> = [
    "kernel_initializer", "recurrent_initializer", "bias_initializer", "embeddings_initializer",
    "kernel_regularizer", "recurrent_regularizer", "bias_regularizer", "embeddings_regularizer",
    "activity_regularizer", "kernel_constraint", "recurrent_constraint", "bias_constraint", "embeddings_constraint",
    "unit_forget_bias", "seed", "noise_shape", "init", "inner_init", "forget_bias_init", "W_regularizer",
    "U_regularizer", "b_regularizer", "W_constraint", "U_constraint", "b_constraint", "weights",
    "activation_initializer", "gamma_initializer", "beta_initializer", "moving_mean_initializer",
    "moving_variance_initializer", "gamma_regularizer", "beta_regularizer", "gamma_constraint", "beta_constraint",
    "alpha_initializer", "alpha_regularizer", "alpha_constraint", "depthwise_initializer", "pointwise_initializer",
    "depthwise_regularizer", "pointwise_regularizer", "depthwise_constraint", "pointwise_constraint", "beta_init",
    "gamma_init", "gamma_regularizer", "l1", "l2", "alpha_init", "beta_init", "t_left_init", "a_left_init",
    "t_right_init", "a_right_init", "weights",
  ]

  /// Arguments that some version has and whose neutral value changes nothing.
  private static let neutral: [(key: String, value: JSONValue)] = [
    ("time_major", false), ("groups", 1), ("sparse", false), ("ragged", false), ("data_format", "channels_last"),
    ("data_format", nil), ("lora_rank", nil),
    ("lora_alpha", nil), ("dim_ordering", "tf"), ("axis", -1), ("input_tensor", nil), ("type_spec", nil),
    ("sparse_output", false), ("use_legacy_config", false), ("dynamic", false), ("autocast", true),
    ("use_gate", false), ("sliding_window", nil), ("flash_attention", nil), ("renorm_clipping", nil),
    ("renorm_momentum", 0.99), ("virtual_batch_size", nil), ("fused", nil), ("fused", true), ("fused", false),
    ("synchronized", false), ("rms_scaling", false), ("num_constants", nil), ("batch_first", false),
    ("merge_mode", nil), ("convolutional", false), ("supports_masking", true),
  ]

  static func isNeutral(_ key: String, _ value: JSONValue) -> Bool {
    neutral.contains { $0.key == key && ($0.value == value || $0.value.isNull == true && value.isNull) }
  }
}
