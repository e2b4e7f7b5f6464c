import RNNCore

/// The layers of `keras.layers` that make raw numbers into what a network reads (keras/src/layers/preprocessing).
enum KerasPreprocessing {
  /// What becomes of ids; `nil` where they are handed on.
  private static func mode(_ reader: inout KerasConfigReader, default fallback: String) throws -> TokenCountsSpec.Mode?
  {
    let name = try reader.string("output_mode") ?? fallback
    if name == "int" { return nil }
    // Versions before 2.6 call it binary.
    guard let mode = TokenCountsSpec.Mode(rawValue: name == "binary" ? "multi_hot" : name), mode != .tfIDF else {
      throw RNNError.unsupported("the output_mode '\(name)'")
    }
    return mode
  }

  static func categories(_ reader: inout KerasConfigReader) throws -> LayerSpec {
    let mode = try mode(&reader, default: "multi_hot") ?? .multiHot
    return .tokenCounts(TokenCountsSpec(mode: mode, size: try reader.requiredInt("num_tokens", "max_tokens")))
  }

  static func discretization(_ reader: inout KerasConfigReader) throws -> DiscretizationSpec {
    for key in ["num_bins", "epsilon"] { _ = reader.value(key) }
    guard let stated = reader.value("bin_boundaries"), !stated.isNull else {
      throw RNNError.badData("the file holds no bin_boundaries: adapt() never ran")
    }
    guard let boundaries = stated.doubles else {
      throw RNNError.badData("the bin_boundaries are \(stated.text()), which is no list of numbers")
    }
    return DiscretizationSpec(boundaries: boundaries, mode: try mode(&reader, default: "int"))
  }

  static func lookup(_ reader: inout KerasConfigReader) throws -> IntegerLookupSpec {
    for key in ["vocabulary_dtype", "vocabulary_size", "oov_method", "max_values"] { _ = reader.value(key) }
    let maximum = try reader.int("max_tokens")
    let unknownToken = try reader.int("oov_token") ?? -1
    guard let vocabulary = reader.value("vocabulary"), vocabulary.array != nil else {
      throw RNNError.unsupported("IntegerLookup whose vocabulary is not in the configuration")
    }
    guard let tokens = vocabulary.integers, Set(tokens).count == tokens.count else {
      throw RNNError.badData("the vocabulary holds a token twice, or something else than whole numbers")
    }
    let unknown = try reader.int("num_oov_indices") ?? 1
    guard (0...1).contains(unknown) else { throw RNNError.unsupported("IntegerLookup with num_oov_indices=\(unknown)") }
    guard try !reader.bool("invert", default: false) else {
      throw RNNError.unsupported("IntegerLookup with invert=true")
    }
    let mask = try reader.int("mask_token", "mask_value")
    let mode = try mode(&reader, default: "int")
    guard mask == nil || mode == nil else { throw RNNError.unsupported("IntegerLookup with a mask_token and vectors") }
    // What get_vocabulary() gives begins with the special tokens, which then stand for themselves.
    let special = (mask.map { [$0] } ?? []) + (unknown == 1 ? [unknownToken] : [])
    let words = tokens.starts(with: special) ? Array(tokens.dropFirst(special.count)) : tokens
    guard !words.contains(where: special.contains) else {
      throw RNNError.badData("the vocabulary holds the token for masks or for what is unknown among its words")
    }
    var spec = IntegerLookupSpec(vocabulary: words, maskToken: mask, hasUnknown: unknown == 1)
    spec.mode = mode
    if try reader.bool("pad_to_max_tokens", default: false), let maximum { spec.size = max(spec.size, maximum) }
    for key in ["idf_weights", "salt"] {
      guard let value = reader.value(key), !value.isNull, value.bool != false else { continue }
      throw RNNError.unsupported("IntegerLookup with \(key)=\(value.text())")
    }
    return spec
  }

  static func normalization(_ reader: inout KerasConfigReader) throws -> NormalizationSpec {
    var spec = NormalizationSpec(axes: try axes(&reader))
    spec.isInverse = try reader.bool("invert", default: false)
    let stated = [try constant("mean", &reader), try constant("variance", &reader)]
    guard (stated[0] == nil) == (stated[1] == nil) else { throw RNNError.badData("a mean without a variance") }
    (spec.mean, spec.variance) = (stated[0], stated[1])
    return spec
  }

  /// `null` is no axis at all, unlike a key that is missing.
  private static func axes(_ reader: inout KerasConfigReader) throws -> [Int] {
    guard let value = reader.value("axis") else { return [-1] }
    let list = value["items"]?.array ?? value.array ?? (value.isNull ? [] : [value])
    return try list.map { axis in
      guard let number = axis.integer else { throw RNNError.badData("the argument 'axis' is \(value.text())") }
      return number
    }
  }

  static func rescaling(_ reader: inout KerasConfigReader) throws -> RescalingSpec {
    let zero = BinarySpec.Constant(shape: [], values: [0])
    guard let scale = try constant("scale", &reader) else {
      throw RNNError.badData("the argument 'scale' is missing")
    }
    return RescalingSpec(scale: scale, offset: try constant("offset", &reader) ?? zero)
  }

  /// A number, lists of numbers, or an array as Keras 3 writes it.
  private static func constant(_ key: String, _ reader: inout KerasConfigReader) throws -> BinarySpec.Constant? {
    guard let value = reader.value(key), !value.isNull else { return nil }
    guard let constant = BinarySpec.Constant(keras: value) else {
      throw RNNError.badData("the argument '\(key)' is \(value.text())")
    }
    return constant
  }
}

// MARK: - Writing

extension KerasPreprocessing {
  /// - Throws: `unsupported` for what no class of Keras has; `internalError` for any other layer.
  static func arguments(of spec: LayerSpec) throws -> [(String, JSONValue)] {
    if case .tokenCounts(let spec) = spec { return try arguments(of: spec) }
    if case .discretization(let spec) = spec { return arguments(of: spec) }
    if case .integerLookup(let spec) = spec { return arguments(of: spec) }
    if case .normalization(let spec) = spec { return arguments(of: spec) }
    throw RNNError(.internalError, "\(spec.kind.rawValue) prepares no numbers")
  }

  private static func arguments(of spec: TokenCountsSpec) throws -> [(String, JSONValue)] {
    guard spec.mode != .tfIDF else {
      throw RNNError.unsupported("CategoryEncoding has no weights for ids (tf_idf)")
    }
    return [("num_tokens", .integer(spec.size)), ("output_mode", .string(spec.mode.rawValue))]
  }

  private static func arguments(of spec: DiscretizationSpec) -> [(String, JSONValue)] {
    [
      ("bin_boundaries", .array(spec.boundaries.map(JSONValue.number))),
      ("output_mode", .string(spec.mode?.rawValue ?? "int")),
    ]
  }

  private static func arguments(of spec: IntegerLookupSpec) -> [(String, JSONValue)] {
    let count = spec.vocabulary.count + (spec.maskToken == nil ? 0 : 1) + (spec.hasUnknown ? 1 : 0)
    return [
      ("vocabulary", .array(spec.vocabulary.map(JSONValue.integer))),
      ("num_oov_indices", .integer(spec.hasUnknown ? 1 : 0)),
      // No word and no mask: either would be taken for it.
      ("oov_token", .integer(min(0, (spec.vocabulary + [spec.maskToken ?? 0]).min() ?? 0) &- 1)),
      ("mask_token", spec.maskToken.map(JSONValue.integer) ?? .null),
      ("output_mode", .string(spec.mode?.rawValue ?? "int")),
    ]
      + (spec.mode != nil && spec.size > count
        ? [("max_tokens", .integer(spec.size)), ("pad_to_max_tokens", true)] : [])
  }

  private static func arguments(of spec: NormalizationSpec) -> [(String, JSONValue)] {
    [
      ("axis", .array(spec.axes.map(JSONValue.integer))), ("invert", .bool(spec.isInverse)),
      ("mean", spec.mean?.json ?? .null), ("variance", spec.variance?.json ?? .null),
    ]
  }
}
