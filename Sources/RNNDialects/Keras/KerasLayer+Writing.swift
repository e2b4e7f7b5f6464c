import RNNCore

/// `LayerSpec` written as a configuration that Keras 2 and Keras 3 both read: their common argument names, and no
/// argument that either lacks unless its value matters.
struct KerasLayerWriting {
  let generation: KerasGeneration
  /// The version that the file will state; `nil` for the form that all of the generation read.
  var version: String?
  /// What the layers of the model give, by their names: Keras 3 makes the weights of a layer that is another one's
  /// activation only where the file says what comes in.
  var outputs: [String: Shape] = [:]

  /// Keras 3's archives: each layer says its module. Of a layer without one, as a `.h5` file has them, Keras 3 takes an
  /// older version's arguments, and takes the last axis for a list of them.
  var isArchive = false

  var era: KerasEra? { version.map { KerasEra(version: $0, architecture: nil) } }

  /// Keras 3.4 on tells a model of one tensor from one of a list of one; before, every model was written as a list.
  var tellsOneFromList: Bool {
    guard let era else { return false }
    return generation == .keras3 && !era.isOlder(than: 3, 4)
  }

  /// Keras 2 outside TensorFlow forgets a Sequential's `InputLayer` when it saves the model again, and remembers the shape
  /// in the layer behind it.
  var firstLayersStateTheirInput: Bool {
    guard let era else { return false }
    return generation == .keras2 && !era.isTensorFlowKeras
  }

  /// One entry of a model's layer list, but for its calls.
  /// - Throws: `unsupported` for what the generation does not have.
  func listedEntry(of layer: ModelSpec.Layer) throws -> JSONObject {
    guard isArchive, let entry = try innerEntry(of: layer).object else { return try entry(of: layer) }
    return entry
  }

  private func entry(of layer: ModelSpec.Layer) throws -> JSONObject {
    let config = try config(of: layer)
    if let cell = try KerasLayerWriting.cellName(of: layer) { return aroundCell(layer, cell, config) }
    return JSONObject([
      ("class_name", .string(KerasLayerWriting.className(of: layer.spec))), ("config", .object(config)),
    ])
  }

  /// A layer inside another one: Keras 3 finds its class by the module that is stated.
  func innerEntry(of layer: ModelSpec.Layer) throws -> JSONValue {
    let entry = try entry(of: layer)
    guard case .model(let nested) = layer.spec else { return inModule("keras.layers", entry) }
    guard generation == .keras3 else { return .object(entry) }
    guard !nested.model.isSequential else { return inModule("keras", entry) }
    var functional = entry
    functional["class_name"] = "Functional"
    return inModule("keras.src.models.functional", functional, registered: "Functional")
  }

  /// Keras 2 passes the module over, but Keras 3 opens its files, too, and has no class without.
  func inModule(_ module: String, _ entry: JSONObject, registered: String? = nil) -> JSONValue {
    var result = entry
    // A module has its one class of another name by the name that it exports.
    if result["class_name"]?.string == "GroupedQueryAttention" { result["class_name"] = "GroupQueryAttention" }
    result["module"] = .string(module)
    result["registered_name"] = registered.map(JSONValue.string) ?? .null
    return .object(result)
  }

  /// - Throws: `unsupported` for an activation or a layer that the generation does not have.
  func config(of layer: ModelSpec.Layer) throws -> JSONObject {
    if case .channelsFirst(let spec) = layer.spec {
      var inner = spec.layer
      inner.name = layer.name
      var config = try config(of: inner)
      config["data_format"] = "channels_first"
      return config
    }
    if case .timeMajor(let spec) = layer.spec {
      guard generation == .keras2 else {
        throw RNNError.unsupported("Keras 3 has no time_major", at: "layer '\(layer.name)'")
      }
      var inner = spec.layer
      inner.name = layer.name
      if case .bidirectional(var both) = inner.spec {
        // Each direction says it of itself.
        both.forward.spec = .timeMajor(TimeMajorSpec(layer: both.forward))
        both.backward.spec = .timeMajor(TimeMajorSpec(layer: both.backward))
        inner.spec = .bidirectional(both)
        return try config(of: inner)
      }
      var config = try config(of: inner)
      config["time_major"] = true
      return config
    }
    if case .activated(let spec) = layer.spec {
      var inner = spec.layer
      inner.name = layer.name
      var config = try config(of: inner)
      config["activation"] = try innerEntry(of: spec.activation)
      if generation == .keras3, let shape = outputs[layer.name], var entry = config["activation"]?.object {
        let sizes = ([nil] + shape).map { $0.map(JSONValue.integer) ?? .null }
        entry["build_config"] = ["input_shape": .array(sizes)]
        config["activation"] = .object(entry)
      }
      return config
    }
    if case .model(let nested) = layer.spec {
      var config = try KerasGraphWriting(nested.model, self, name: layer.name).config()
      if !layer.isTrainable { config["trainable"] = false }
      return config
    }
    if generation == .keras3, case .conv1D = layer.spec, let shape = outputs[layer.name], shape.count > 2 {
      throw RNNError.unsupported(
        "Keras 3's Conv1D takes (batch, steps, channels), and no more axes", at: "layer '\(layer.name)'")
    }
    var config = JSONObject([("name", .string(layer.name))])
    // Some classes of some versions do not take the argument, which is true wherever it is absent.
    if !layer.isTrainable { config["trainable"] = false }
    let carried = try layer.carried.map { try JSONValue(parsing: $0) }?.object ?? JSONObject()
    try locating("layer '\(layer.name)'") {
      for (key, value) in try arguments(of: layer.spec) { config[key] = value }
    }
    if let policy = carried["dtype"] { config["dtype"] = policy }
    // TensorFlow's SeparableConv1D states what its class inherits and never uses; Keras 3 takes no such argument.
    for member in carried.members
    where KerasLayerWriting.commonCarried.contains(member.key) && !member.value.isNull
      && !(layer.spec.kind == .separableConv1D && member.key.hasPrefix("kernel_"))
    {
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
    "unit_forget_bias", "seed", "noise_shape", "gamma_initializer", "beta_initializer", "moving_mean_initializer",
    "moving_variance_initializer", "gamma_regularizer", "beta_regularizer", "gamma_constraint", "beta_constraint",
    "alpha_initializer", "alpha_regularizer", "alpha_constraint", "depthwise_initializer", "pointwise_initializer",
    "depthwise_regularizer", "pointwise_regularizer", "depthwise_constraint", "pointwise_constraint", "l1", "l2",
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
      return .string(className.hasPrefix("Orthogonal") ? "orthogonal" : KerasClass.snakeCase(className))
    }
    return ["class_name": .string(className), "config": .object(config)]
  }

  /// The class that a layer is written as.
  static func className(of spec: LayerSpec) -> String {
    switch spec {
    case .input: "InputLayer"
    case .activation(let spec): KerasActivationLayers.className(of: spec.activation)
    case .tokenCounts: "CategoryEncoding"
    case .edges(let spec): spec.isCropping ? "Cropping1D" : "ZeroPadding1D"
    case .merge(let spec): spec.function.rawValue.prefix(1).uppercased() + spec.function.rawValue.dropFirst()
    case .attention(let spec): spec.score == .additive ? "AdditiveAttention" : "Attention"
    case .multiHeadAttention(let spec): spec.keyHeadCount == nil ? "MultiHeadAttention" : "GroupedQueryAttention"
    case .layerNormalization(let spec): spec.form == .rootMeanSquare ? "RMSNormalization" : "LayerNormalization"
    case .stackedRNN: "RNN"
    case .channelsFirst(let spec): className(of: spec.layer.spec)
    case .activated(let spec): className(of: spec.layer.spec)
    case .timeMajor(let spec): className(of: spec.layer.spec)
    case .model(let spec): spec.model.isSequential ? "Sequential" : "Model"
    case .embedding, .masking, .dropout, .spatialDropout1D, .gaussianNoise, .gaussianDropout,
      .alphaDropout, .conv1D,
      .conv1DTranspose, .depthwiseConv1D, .separableConv1D, .locallyConnected1D, .maxPooling1D, .averagePooling1D,
      .globalMaxPooling1D, .globalAveragePooling1D, .lstm, .gru, .simpleRNN, .convLSTM1D, .lstmVariant, .dense,
      .highway, .maxoutDense, .softmax, .prelu, .parametricSoftplus, .sReLU, .flatten, .reshape, .permute,
      .repeatVector, .upSampling1D, .identity, .activityRegularization, .batchNormalization, .unitNormalization,
      .groupNormalization, .concatenate, .dot, .unary, .binary, .reduction, .slice, .expandDims,
      .squeeze, .stack, .matrixProduct, .reverseSteps, .foldSteps, .unfoldSteps, .swapBatch, .whereValid, .withMask,
      .maskOf, .withoutMask, .bidirectional, .timeDistributed, .rearrange, .split, .select, .cumulative, .einsum,
      .einsumDense, .adaptiveMaxPooling1D, .adaptiveAveragePooling1D, .rescaling, .normalization, .discretization,
      .integerLookup, .cosine:
      spec.kind.rawValue
    }
  }

  private func arguments(of spec: LayerSpec) throws -> [(String, JSONValue)] {
    switch spec {
    case .input(let spec):
      let dimensions = ([spec.batchSize] + spec.shape).map { $0.map(JSONValue.integer) ?? .null }
      return [
        (isArchive ? "batch_shape" : "batch_input_shape", .array(dimensions)), ("dtype", .string(spec.dtype)),
        ("sparse", false),
      ]
    case .embedding(let spec):
      return [
        ("input_dim", .integer(spec.inputDim)), ("output_dim", .integer(spec.outputDim)),
        ("mask_zero", .bool(spec.maskZero)),
      ]
    case .masking(let spec): return [("mask_value", .number(spec.maskValue))]
    case .dropout(let spec), .spatialDropout1D(let spec), .gaussianDropout(let spec), .alphaDropout(let spec):
      return [("rate", .number(spec.rate))]
    case .gaussianNoise(let spec): return [("stddev", .number(spec.rate))]
    case .identity, .activityRegularization: return []
    case .flatten(let spec): return spec.channelsFirst ? [("data_format", "channels_first")] : []
    case .conv1D(let spec): return try arguments(of: spec)
    case .conv1DTranspose(let spec): return try arguments(of: spec)
    case .depthwiseConv1D(let spec): return try arguments(of: spec)
    case .separableConv1D(let spec):
      guard generation == .keras2 || spec.padding != .causal else {
        throw RNNError.unsupported("Keras 3's SeparableConv1D has no causal padding")
      }
      return try arguments(of: spec)
    case .maxPooling1D(let spec), .averagePooling1D(let spec):
      return [
        ("pool_size", .array([.integer(spec.poolSize)])), ("strides", .array([.integer(spec.strides)])),
        ("padding", .string(spec.padding.rawValue)),
      ]
    case .adaptiveMaxPooling1D(let spec), .adaptiveAveragePooling1D(let spec):
      guard generation == .keras3 else {
        throw RNNError.unsupported("\(generation.rawValue) has no pooling to a stated size")
      }
      return [("output_size", .integer(spec.outputSize))]
    case .globalMaxPooling1D(let spec), .globalAveragePooling1D(let spec):
      return spec.keepDims ? [("keepdims", true)] : []
    case .lstm(let spec):
      return try cell(spec) + arguments(of: spec.options)
    case .gru(let spec):
      return try cell(spec) + arguments(of: spec.options)
    case .simpleRNN(let spec):
      return try cell(spec) + arguments(of: spec.options)
    case .convLSTM1D(let spec):
      return [
        ("filters", .integer(spec.filters)), ("kernel_size", .array([.integer(spec.kernelSize)])),
        ("strides", .array([.integer(spec.strides)])), ("padding", .string(spec.padding.rawValue)),
        ("dilation_rate", .array([.integer(spec.dilationRate)])), ("activation", try name(spec.activation)),
        ("recurrent_activation", try name(spec.recurrentActivation)),
      ] + arguments(of: spec.options)
    case .dense(let spec):
      return [
        ("units", .integer(spec.units)), ("activation", try name(spec.activation)), ("use_bias", .bool(spec.useBias)),
      ]
    case .einsumDense(let spec):
      return [
        ("equation", .string(spec.equation)),
        ("output_shape", .array(spec.outputShape.map { $0.map(JSONValue.integer) ?? .null })),
        ("activation", try name(spec.activation)),
        ("bias_axes", spec.biasAxes.isEmpty ? .null : .string(spec.biasAxes)),
      ]
    case .rescaling(let spec): return [("scale", spec.scale.json), ("offset", spec.offset.json)]
    case .activation(let spec): return try KerasActivationLayers.arguments(of: spec.activation, generation)
    case .softmax(let spec): return [("axis", axes(spec.axes))]
    case .prelu(let spec):
      return spec.sharedAxes.isEmpty ? [] : [("shared_axes", .array(spec.sharedAxes.map(JSONValue.integer)))]
    case .reshape(let spec): return [("target_shape", .array(spec.targetShape.map(JSONValue.integer)))]
    case .permute(let spec): return [("dims", .array(spec.order.map(JSONValue.integer)))]
    case .repeatVector(let spec): return [("n", .integer(spec.count))]
    case .edges(let spec):
      return [(spec.isCropping ? "cropping" : "padding", .array([.integer(spec.before), .integer(spec.after)]))]
    case .upSampling1D(let spec): return [("size", .integer(spec.size))]
    case .batchNormalization(let spec):
      guard !spec.alwaysUsesBatch else {
        throw RNNError.unsupported("no later Keras has what BatchNormalization did with mode 2")
      }
      guard spec.renorm == nil || generation == .keras3 else {
        throw RNNError.unsupported("\(generation.rawValue) has no renorm with these statistics")
      }
      let renorm = spec.renorm.map { renorm -> [(String, JSONValue)] in
        let bounds = [("rmin", renorm.least), ("rmax", renorm.most), ("dmax", renorm.farthest)]
        let stated = bounds.compactMap { name, bound in bound.map { (name, JSONValue.number($0)) } }
        return [
          ("renorm", true), ("renorm_momentum", .number(renorm.momentum)),
          ("renorm_clipping", stated.isEmpty ? .null : .object(JSONObject(stated))),
        ]
      }
      return (renorm ?? []) + [
        ("axis", .integer(spec.axis)), ("momentum", .number(spec.momentum)), ("epsilon", .number(spec.epsilon)),
        ("center", .bool(spec.center)), ("scale", .bool(spec.scale)),
      ]
    case .layerNormalization(let spec): return try arguments(of: spec)
    case .unitNormalization(let spec): return [("axis", axes(spec.axes))]
    case .groupNormalization(let spec):
      return [
        ("groups", .integer(spec.groups)), ("axis", .integer(spec.axis)), ("epsilon", .number(spec.epsilon)),
        ("center", .bool(spec.center)), ("scale", .bool(spec.scale)),
      ]
    case .merge: return []
    case .concatenate(let spec): return [("axis", .integer(spec.axis))]
    case .dot(let spec):
      return [("axes", .array(spec.axes.map(JSONValue.integer))), ("normalize", .bool(spec.normalize))]
    case .attention(let spec):
      // Keras 3 takes a stated "dot" in a .h5 file for its function of that name.
      let score: [(String, JSONValue)] =
        [.additive, .dot].contains(spec.score) ? [] : [("score_mode", .string(spec.score.rawValue))]
      return [("use_scale", .bool(spec.useScale)), ("dropout", .number(spec.dropout))] + score
    case .multiHeadAttention(let spec):
      if spec.keyHeadCount != nil || spec.hasGate || spec.window != nil, generation != .keras3 {
        throw RNNError.unsupported("\(generation.rawValue) has no attention with groups, gates or windows")
      }
      let later: [(String, JSONValue)] =
        (spec.hasGate ? [("use_gate", true)] : []) + (spec.window.map { [("sliding_window", .integer($0))] } ?? [])
      if let groups = spec.keyHeadCount {
        guard spec.keyDim == spec.valueDim, spec.outputDim == nil, spec.outputAxes == nil, spec.attentionAxes == nil
        else {
          throw RNNError.unsupported("GroupQueryAttention has one head_dim, and no output of its own size")
        }
        return [
          ("head_dim", .integer(spec.keyDim)), ("num_query_heads", .integer(spec.headCount)),
          ("num_key_value_heads", .integer(groups)), ("dropout", .number(spec.dropout)),
          ("use_bias", .bool(spec.useBias)),
        ] + later
      }
      return [
        ("num_heads", .integer(spec.headCount)), ("key_dim", .integer(spec.keyDim)),
        ("value_dim", .integer(spec.valueDim)), ("dropout", .number(spec.dropout)), ("use_bias", .bool(spec.useBias)),
        ("output_shape", (spec.outputAxes ?? spec.outputDim.map { [$0] }).map(integers) ?? .null),
      ] + (generation == .keras3 ? [] : ["query", "key", "value"].map { ($0 + "_shape", .null) })
        + (spec.attentionAxes.map { [("attention_axes", integers($0))] } ?? []) + later
    case .bidirectional(let spec):
      let merge: (String, JSONValue) = ("merge_mode", spec.merge == .none ? .null : .string(spec.merge.rawValue))
      // Keras 2.2 and older take one layer, and make the other one from it.
      if generation == .keras2, let one = KerasLayerWriting.mirrored(spec) {
        return [("layer", try direction(one)), merge]
      }
      return [("layer", try direction(spec.forward)), ("backward_layer", try direction(spec.backward)), merge]
    case .timeDistributed(let spec): return [("layer", try innerEntry(of: spec.layer))]
    case .stackedRNN(let spec): return try stack(spec)
    case .tokenCounts, .discretization, .integerLookup, .normalization:
      try requireTensorFlow(spec)
      return try KerasPreprocessing.arguments(of: spec)
    case .locallyConnected1D(let local):
      guard generation == .keras2 else { throw RNNError.unsupported("Keras 3 has no LocallyConnected1D") }
      return [
        ("filters", .integer(local.filters)), ("kernel_size", .array([.integer(local.kernelSize)])),
        ("strides", .array([.integer(local.strides)])), ("padding", "valid"),
        ("activation", try name(local.activation)), ("use_bias", .bool(local.useBias)),
      ]
    case .lstmVariant, .highway, .maxoutDense, .parametricSoftplus, .sReLU, .unary,
      .binary,
      .reduction, .slice, .expandDims, .squeeze, .stack, .matrixProduct, .reverseSteps, .foldSteps, .unfoldSteps,
      .swapBatch, .whereValid, .withMask, .maskOf, .withoutMask, .rearrange, .split, .select, .cumulative, .einsum,
      .cosine:
      throw RNNError.unsupported(
        "what it does, \(spec.kind.rawValue), is no layer of Keras \(generation == .keras3 ? "3" : "2"), and operations "
          + "between layers are not written to Keras's files",
        remedy: "Export to onnx, or keep the .rnn, which has them.")
    case .channelsFirst, .timeMajor, .activated, .model:
      throw RNNError(.internalError, "\(spec.kind.rawValue) is written by its parts")
    }
  }

  /// The layers that prepare data came with TensorFlow's Keras.
  private func requireTensorFlow(_ spec: LayerSpec) throws {
    guard generation != .keras3, era?.isTensorFlowKeras != true else { return }
    throw RNNError.unsupported(
      "Keras \(version ?? "2") has no \(KerasLayerWriting.className(of: spec))",
      remedy: "Export to keras, for Keras 3.")
  }

  private func integers(_ numbers: [Int]) -> JSONValue { .array(numbers.map(JSONValue.integer)) }

  private func axes(_ axes: [Int]) -> JSONValue {
    axes.count == 1 ? .integer(axes[0]) : .array(axes.map(JSONValue.integer))
  }

  // MARK: - Convolutions and normalizations

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

  private func arguments(of spec: Conv1DTransposeSpec) throws -> [(String, JSONValue)] {
    [
      ("filters", .integer(spec.filters)), ("kernel_size", .array([.integer(spec.kernelSize)])),
      ("strides", .array([.integer(spec.strides)])), ("padding", .string(spec.padding.rawValue)),
      ("output_padding", spec.outputPadding.map { .array([.integer($0)]) } ?? .null),
      ("dilation_rate", .array([.integer(spec.dilationRate)])), ("activation", try name(spec.activation)),
      ("use_bias", .bool(spec.useBias)),
    ]
  }

  private func arguments(of spec: DepthwiseConv1DSpec) throws -> [(String, JSONValue)] {
    [
      ("kernel_size", .array([.integer(spec.kernelSize)])), ("depth_multiplier", .integer(spec.depthMultiplier)),
      ("strides", .array([.integer(spec.strides)])), ("padding", .string(spec.padding.rawValue)),
      ("dilation_rate", .array([.integer(spec.dilationRate)])), ("activation", try name(spec.activation)),
      ("use_bias", .bool(spec.useBias)),
    ]
  }

  private func arguments(of spec: SeparableConv1DSpec) throws -> [(String, JSONValue)] {
    [
      ("filters", .integer(spec.filters)), ("kernel_size", .array([.integer(spec.kernelSize)])),
      ("depth_multiplier", .integer(spec.depthMultiplier)), ("strides", .array([.integer(spec.strides)])),
      ("padding", .string(spec.padding.rawValue)), ("dilation_rate", .array([.integer(spec.dilationRate)])),
      ("activation", try name(spec.activation)), ("use_bias", .bool(spec.useBias)),
    ]
  }

  private func arguments(of spec: LayerNormalizationSpec) throws -> [(String, JSONValue)] {
    switch spec.form {
    case .rootMeanSquare: return [("axis", axes(spec.axes)), ("epsilon", .number(spec.epsilon))]
    case .centered, .uncentered:
      let scaling: [(String, JSONValue)] = spec.form == .uncentered ? [("rms_scaling", true)] : []
      return [
        ("axis", axes(spec.axes)), ("epsilon", .number(spec.epsilon)), ("center", .bool(spec.center)),
        ("scale", .bool(spec.scale)),
      ] + scaling
    case .doubleEpsilon:
      throw RNNError.unsupported("no later Keras has what BatchNormalization did with mode 1")
    }
  }

  func name(_ activation: Activation) throws -> JSONValue {
    guard let name = KerasActivations.name(of: activation, generation) else {
      if KerasActivationLayers.className(of: activation) != "Activation" {
        return inModule(
          "keras.layers",
          JSONObject([
            ("class_name", .string(KerasActivationLayers.className(of: activation))),
            ("config", .object(JSONObject(try KerasActivationLayers.arguments(of: activation, generation)))),
          ]))
      }
      throw RNNError.unsupported("\(generation.rawValue) has no activation '\(activation.name)'")
    }
    return .string(name)
  }
}

extension KerasActivationLayers {
  /// The class of the layer that does nothing but this function.
  static func className(of activation: Activation) -> String {
    if case .leakyRelu = activation { return "LeakyReLU" }
    if case .scaledElu = activation { return "ELU" }
    if case .thresholdedRelu = activation { return "ThresholdedReLU" }
    if case .boundedRelu = activation { return "ReLU" }
    return "Activation"
  }

  /// Whether a version of the generation has the function, by its name or as a layer.
  static func has(_ activation: Activation, _ generation: KerasGeneration) -> Bool {
    if case .thresholdedRelu = activation { return generation != .keras3 }
    return className(of: activation) != "Activation" || KerasActivations.name(of: activation, generation) != nil
  }

  static func arguments(of activation: Activation, _ generation: KerasGeneration) throws -> [(String, JSONValue)] {
    if case .leakyRelu(let slope) = activation {
      return [(generation == .keras3 ? "negative_slope" : "alpha", .number(slope))]
    }
    if case .scaledElu(let alpha) = activation { return [("alpha", .number(alpha))] }
    if case .thresholdedRelu(let theta) = activation {
      guard generation != .keras3 else { throw RNNError.unsupported("keras3 has no ThresholdedReLU") }
      return [("theta", .number(theta))]
    }
    if case .boundedRelu(let ceiling, let slope, let threshold) = activation {
      return [
        ("max_value", ceiling.map(JSONValue.number) ?? .null), ("negative_slope", .number(slope)),
        ("threshold", .number(threshold)),
      ]
    }
    guard let name = KerasActivations.name(of: activation, generation) else {
      throw RNNError.unsupported("\(generation.rawValue) has no activation '\(activation.name)'")
    }
    return [("activation", .string(name))]
  }
}
