import RNNCore

extension Initializer {
  /// An initializer as a Keras configuration names it: a string (any alias), or an object with its arguments. Null is
  /// what Keras 3 takes for it, `glorot_uniform`. The seed is not read: our numbers are others anyway.
  /// - Throws: `unsupported` for an initializer that is not built in, or an argument that is not carried.
  public init(keras json: JSONValue, rules: KerasRules = .later) throws {
    if json.isNull {
      self = .glorotUniform
      return
    }
    let function = json["class_name"] == "function" ? json["config"]?.string : nil
    guard let given = json.string ?? function ?? json["class_name"]?.string else {
      throw RNNError.unsupported("an initializer is \(json.kind)")
    }
    var arguments = InitializerArguments(given, function == nil ? json["config"]?.object : nil)
    guard let kind = InitializerKind(given) else {
      throw RNNError.unsupported("the initializer '\(given)' is not built in")
    }
    self = try kind.initializer(&arguments, rules)
    try arguments.finish()
  }
}

/// The built-in initializers; raw values as Keras 3's functions, without underscores.
enum InitializerKind: String, CaseIterable {
  case zeros
  case ones
  case constant
  case randomUniform = "randomuniform"
  case randomNormal = "randomnormal"
  case truncatedNormal = "truncatednormal"
  case varianceScaling = "variancescaling"
  case glorotUniform = "glorotuniform"
  case glorotNormal = "glorotnormal"
  case heUniform = "heuniform"
  case heNormal = "henormal"
  case lecunUniform = "lecununiform"
  case lecunNormal = "lecunnormal"
  case orthogonal
  case identity

  static let aliases: [String: InitializerKind] = [
    "zero": .zeros, "one": .ones, "uniform": .randomUniform, "normal": .randomNormal,
    "orthogonalinitializer": .orthogonal, "identityinitializer": .identity,
  ]

  /// Any of its names: `HeNormal`, `he_normal`, TensorFlow's `HeNormalV2`, or with a package in front.
  init?(_ name: String) {
    let last = name.split(separator: ">").last.map(String.init) ?? name
    var bare = last.lowercased().filter { $0 != "_" }
    if bare.hasSuffix("v2") { bare.removeLast(2) }
    guard let kind = InitializerKind.aliases[bare] ?? InitializerKind(rawValue: bare) else { return nil }
    self = kind
  }

  func initializer(_ arguments: inout InitializerArguments, _ rules: KerasRules) throws -> Initializer {
    switch self {
    case .zeros: return .zeros
    case .ones: return .ones
    case .constant: return .constant(try arguments.number("value", 0))
    case .randomUniform:
      return .uniform(
        minimum: try arguments.number("minval", -0.05), maximum: try arguments.number("maxval", 0.05))
    case .randomNormal:
      return .normal(mean: try arguments.number("mean", 0), deviation: try arguments.number("stddev", 0.05))
    case .truncatedNormal:
      return .truncatedNormal(mean: try arguments.number("mean", 0), deviation: try arguments.number("stddev", 0.05))
    case .varianceScaling: return try scaling(&arguments, rules)
    case .glorotUniform: return try named(1, .average, .uniform, &arguments, rules)
    case .glorotNormal: return try named(1, .average, .truncatedNormal, &arguments, rules)
    case .heUniform: return try named(2, .inputs, .uniform, &arguments, rules)
    case .heNormal: return try named(2, .inputs, .truncatedNormal, &arguments, rules)
    case .lecunUniform: return try named(1, .inputs, .uniform, &arguments, rules)
    case .lecunNormal: return try named(1, .inputs, .truncatedNormal, &arguments, rules)
    case .orthogonal:
      return .orthogonal(gain: try arguments.number("gain", rules == .keras1 ? 1.1 : 1), rules: rules)
    case .identity: return .identity(gain: try arguments.number("gain", 1), rules: rules)
    }
  }

  /// Keras 1 truncates no normal.
  private func named(
    _ scale: Double, _ mode: VarianceScaling.Mode, _ distribution: VarianceScaling.Distribution,
    _ arguments: inout InitializerArguments, _ rules: KerasRules
  ) throws -> Initializer {
    let isUntruncated = rules == .keras1 && distribution == .truncatedNormal
    var scaling = VarianceScaling(
      scale: scale, mode: mode, distribution: isUntruncated ? .untruncatedNormal : distribution, rules: rules)
    try arguments.readAxes(into: &scaling)
    return .varianceScaling(scaling)
  }

  private func scaling(_ arguments: inout InitializerArguments, _ rules: KerasRules) throws -> Initializer {
    let mode = try arguments.string("mode", "fan_in").lowercased()
    let distribution = try arguments.string("distribution", "truncated_normal").lowercased()
    guard let mode = VarianceScaling.Mode(rawValue: mode) else {
      throw RNNError.unsupported("VarianceScaling of the mode '\(mode)' is not supported")
    }
    // "normal" has always been the truncated one.
    let plain = distribution == "normal" ? "truncated_normal" : distribution
    guard let distribution = VarianceScaling.Distribution(rawValue: plain) else {
      throw RNNError.unsupported("VarianceScaling of the distribution '\(distribution)' is not supported")
    }
    var scaling = VarianceScaling(
      scale: try arguments.number("scale", 1), mode: mode, distribution: distribution, rules: rules)
    guard scaling.scale > 0 else {
      throw RNNError.badData("VarianceScaling's scale is \(scaling.scale), expected a positive number")
    }
    try arguments.readAxes(into: &scaling)
    return .varianceScaling(scaling)
  }
}
