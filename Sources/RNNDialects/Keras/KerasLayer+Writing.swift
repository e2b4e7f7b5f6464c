import RNNCore

/// `LayerSpec` written as a configuration that Keras 2 and Keras 3 both read: their common argument names, and no
/// argument that either lacks unless its value matters.
struct KerasLayerWriting {
  let generation: KerasGeneration

  /// - Throws: `unsupported` for an activation that the generation does not have.
  func config(of layer: ModelSpec.Layer) throws -> JSONObject {
    var config = JSONObject([("name", .string(layer.name))])
    // Some classes of some versions do not take the argument, which is true wherever it is absent.
    if !layer.isTrainable { config["trainable"] = false }
    let carried = try layer.carried.map { try JSONValue(parsing: $0) }?.object ?? JSONObject()
    try locating("layer '\(layer.name)'") {
      for (key, value) in try arguments(of: layer.spec) { config[key] = value }
    }
    if let policy = carried["dtype"] { config["dtype"] = policy }
    for member in carried.members
    where KerasLayerWriting.commonCarried.contains(member.key) && !member.value.isNull {
      // A custom object would keep Keras from opening the file, and inference does not need it.
      if KerasCustomObjects.mentions(in: JSONObject([(member.key, member.value)])).isEmpty {
        config[member.key] = KerasLayerWriting.portable(member.value)
      }
    }
    return config
  }

  /// Carried arguments that Keras 2 and 3 share.
  private static let commonCarried: Set<String> = [
    "kernel_initializer", "recurrent_initializer", "bias_initializer", "embeddings_initializer",
    "kernel_regularizer", "recurrent_regularizer", "bias_regularizer", "embeddings_regularizer",
    "activity_regularizer", "kernel_constraint", "recurrent_constraint", "bias_constraint", "embeddings_constraint",
    "unit_forget_bias", "seed", "noise_shape",
  ]

  /// An initializer by its plain name where it has nothing but defaults: the one form that all generations read.
  private static func portable(_ value: JSONValue) -> JSONValue {
    guard let className = value["class_name"]?.string, let config = value["config"]?.object else { return value }
    let isDefault = config.members.allSatisfy { member in
      member.value.isNull || (member.key == "gain" && member.value.double == 1)
    }
    let plain: Set<String> = [
      "GlorotUniform", "GlorotNormal", "HeUniform", "HeNormal", "LecunUniform", "LecunNormal", "Zeros", "Ones",
      "Orthogonal", "OrthogonalInitializer",
    ]
    if isDefault, plain.contains(className) {
      return .string(className.hasPrefix("Orthogonal") ? "orthogonal" : KerasClasses.snakeCase(className))
    }
    return ["class_name": .string(className), "config": .object(config)]
  }

  private func arguments(of spec: LayerSpec) throws -> [(String, JSONValue)] {
    switch spec {
    case .input(let spec):
      let dimensions = ([spec.batchSize] + spec.shape).map { $0.map(JSONValue.integer) ?? .null }
      return [("batch_input_shape", .array(dimensions)), ("dtype", .string(spec.dtype)), ("sparse", false)]
    case .embedding(let spec):
      return [
        ("input_dim", .integer(spec.inputDim)), ("output_dim", .integer(spec.outputDim)),
        ("mask_zero", .bool(spec.maskZero)),
      ]
    case .masking(let spec): return [("mask_value", .number(spec.maskValue))]
    case .dropout(let spec), .spatialDropout1D(let spec), .gaussianDropout(let spec):
      return [("rate", .number(spec.rate))]
    case .gaussianNoise(let spec): return [("stddev", .number(spec.rate))]
    case .conv1D(let spec): return try arguments(of: spec)
    case .maxPooling1D(let spec), .averagePooling1D(let spec):
      return [
        ("pool_size", .array([.integer(spec.poolSize)])), ("strides", .array([.integer(spec.strides)])),
        ("padding", .string(spec.padding.rawValue)),
      ]
    case .globalMaxPooling1D(let spec), .globalAveragePooling1D(let spec):
      return spec.keepDims ? [("keepdims", true)] : []
    case .lstm(let spec):
      return [
        ("units", .integer(spec.units)), ("activation", try name(spec.activation)),
        ("recurrent_activation", try name(spec.recurrentActivation)),
      ] + arguments(of: spec.options)
    case .gru(let spec):
      return [
        ("units", .integer(spec.units)), ("activation", try name(spec.activation)),
        ("recurrent_activation", try name(spec.recurrentActivation)), ("reset_after", .bool(spec.resetAfter)),
      ] + arguments(of: spec.options)
    case .simpleRNN(let spec):
      return [("units", .integer(spec.units)), ("activation", try name(spec.activation))] + arguments(of: spec.options)
    case .dense(let spec):
      return [
        ("units", .integer(spec.units)), ("activation", try name(spec.activation)), ("use_bias", .bool(spec.useBias)),
      ]
    case .activation(let spec): return [("activation", try name(spec.activation))]
    case .flatten: return []
    }
  }

  private func arguments(of spec: Conv1DSpec) throws -> [(String, JSONValue)] {
    var arguments: [(String, JSONValue)] = [
      ("filters", .integer(spec.filters)), ("kernel_size", .array([.integer(spec.kernelSize)])),
      ("strides", .array([.integer(spec.strides)])), ("padding", .string(spec.padding.rawValue)),
      ("dilation_rate", .array([.integer(spec.dilationRate)])), ("activation", try name(spec.activation)),
      ("use_bias", .bool(spec.useBias)),
    ]
    if spec.groups != 1 { arguments.append(("groups", .integer(spec.groups))) }
    return arguments
  }

  private func arguments(of options: RecurrentOptions) -> [(String, JSONValue)] {
    var arguments: [(String, JSONValue)] = [
      ("use_bias", .bool(options.useBias)), ("return_sequences", .bool(options.returnSequences)),
      ("return_state", .bool(options.returnState)), ("go_backwards", .bool(options.goBackwards)),
      ("stateful", .bool(options.stateful)), ("unroll", .bool(options.unroll)),
      ("dropout", .number(options.dropout)), ("recurrent_dropout", .number(options.recurrentDropout)),
    ]
    // Keras 2.3 and older lack the argument.
    if options.zeroOutputForMask { arguments.append(("zero_output_for_mask", true)) }
    return arguments
  }

  private func name(_ activation: Activation) throws -> JSONValue {
    guard let name = KerasActivations.name(of: activation, generation) else {
      throw RNNError.unsupported("\(generation.rawValue) has no activation '\(activation.rawValue)'")
    }
    return .string(name)
  }
}
