import RNNCore

/// Keras's configurations of layers, read into `LayerSpec`. The first name of an argument is Keras 3's, later ones are
/// older; a default is that of the versions that may leave the argument out.
enum KerasLayerReading {
  /// - Throws: `unsupported` naming the class, an argument or an activation that is not carried.
  static func spec(_ kind: LayerSpec.Kind, _ reader: inout KerasConfigReader) throws -> LayerSpec {
    switch kind {
    case .input: .input(try input(&reader))
    case .embedding: .embedding(try embedding(&reader))
    case .masking: .masking(MaskingSpec(maskValue: try reader.double("mask_value") ?? 0))
    case .dropout: .dropout(try noise(&reader))
    case .spatialDropout1D: .spatialDropout1D(try noise(&reader))
    case .gaussianNoise: .gaussianNoise(try noise(&reader))
    case .gaussianDropout: .gaussianDropout(try noise(&reader))
    case .conv1D: .conv1D(try convolution(&reader))
    case .maxPooling1D: .maxPooling1D(try pooling(&reader))
    case .averagePooling1D: .averagePooling1D(try pooling(&reader))
    case .globalMaxPooling1D: .globalMaxPooling1D(try globalPooling(&reader))
    case .globalAveragePooling1D: .globalAveragePooling1D(try globalPooling(&reader))
    case .lstm: .lstm(try lstm(&reader))
    case .gru: .gru(try gru(&reader))
    case .simpleRNN: .simpleRNN(try simpleRNN(&reader))
    case .dense: .dense(try dense(&reader))
    case .activation:
      .activation(ActivationSpec(activation: try reader.activation("activation", default: "linear")))
    case .flatten: .flatten
    }
  }

  /// Shapes are read by `KerasArchitecture`, which knows the layer's place.
  private static func input(_ reader: inout KerasConfigReader) throws -> InputSpec {
    InputSpec(shape: [], dtype: KerasDType.name(reader.value("dtype", "input_dtype")) ?? "float32")
  }

  private static func embedding(_ reader: inout KerasConfigReader) throws -> EmbeddingSpec {
    // Keras 1's `dropout` of whole rows is no part of inference.
    _ = try reader.double("dropout")
    return EmbeddingSpec(
      inputDim: try reader.requiredInt("input_dim"), outputDim: try reader.requiredInt("output_dim"),
      maskZero: try reader.bool("mask_zero", default: false))
  }

  private static func noise(_ reader: inout KerasConfigReader) throws -> NoiseSpec {
    NoiseSpec(rate: try reader.double("rate", "stddev", "p", "sigma") ?? 0)
  }

  private static func convolution(_ reader: inout KerasConfigReader) throws -> Conv1DSpec {
    var spec = Conv1DSpec(
      filters: try reader.requiredInt("filters", "nb_filter"),
      kernelSize: try reader.requiredInt("kernel_size", "filter_length"))
    spec.strides = try reader.int("strides", "subsample_length") ?? 1
    spec.padding = try padding(&reader)
    spec.dilationRate = try reader.int("dilation_rate") ?? 1
    spec.groups = try reader.int("groups") ?? 1
    spec.activation = try reader.activation("activation", default: "linear")
    spec.useBias = try reader.bool("use_bias", "bias", default: true)
    return spec
  }

  private static func padding(_ reader: inout KerasConfigReader) throws -> Padding {
    let name = try reader.string("padding", "border_mode") ?? "valid"
    guard let padding = Padding(rawValue: name) else { throw RNNError.unsupported("the padding '\(name)' is unknown") }
    return padding
  }

  private static func pooling(_ reader: inout KerasConfigReader) throws -> Pooling1DSpec {
    let size = try reader.int("pool_size", "pool_length") ?? 2
    return Pooling1DSpec(
      poolSize: size, strides: try reader.int("strides", "stride") ?? size, padding: try padding(&reader))
  }

  private static func globalPooling(_ reader: inout KerasConfigReader) throws -> GlobalPooling1DSpec {
    GlobalPooling1DSpec(keepDims: try reader.bool("keepdims", default: false))
  }

  private static func dense(_ reader: inout KerasConfigReader) throws -> DenseSpec {
    var spec = DenseSpec(units: try reader.requiredInt("units", "output_dim"))
    spec.activation = try reader.activation("activation", default: "linear")
    spec.useBias = try reader.bool("use_bias", "bias", default: true)
    return spec
  }

  private static func lstm(_ reader: inout KerasConfigReader) throws -> LSTMSpec {
    var spec = LSTMSpec(units: try reader.requiredInt("units", "output_dim"))
    spec.activation = try checked(reader.activation("activation", default: "tanh"), "activation")
    spec.recurrentActivation = try recurrentGates(&reader)
    spec.options = try options(&reader)
    return spec
  }

  private static func gru(_ reader: inout KerasConfigReader) throws -> GRUSpec {
    var spec = GRUSpec(
      units: try reader.requiredInt("units", "output_dim"),
      resetAfter: try reader.bool("reset_after", default: reader.era.defaultResetAfter))
    spec.activation = try checked(reader.activation("activation", default: "tanh"), "activation")
    spec.recurrentActivation = try recurrentGates(&reader)
    spec.options = try options(&reader)
    return spec
  }

  private static func simpleRNN(_ reader: inout KerasConfigReader) throws -> SimpleRNNSpec {
    var spec = SimpleRNNSpec(units: try reader.requiredInt("units", "output_dim"))
    spec.activation = try checked(reader.activation("activation", default: "tanh"), "activation")
    spec.options = try options(&reader)
    return spec
  }

  private static func recurrentGates(_ reader: inout KerasConfigReader) throws -> Activation {
    let fallback = reader.era.defaultRecurrentActivation
    return try checked(
      reader.activation("recurrent_activation", "inner_activation", default: fallback), "recurrent_activation")
  }

  private static func checked(_ activation: Activation, _ key: String) throws -> Activation {
    guard activation != .glu else { throw RNNError.unsupported("\(key) 'glu' halves the units of a recurrent layer") }
    return activation
  }

  private static func options(_ reader: inout KerasConfigReader) throws -> RecurrentOptions {
    var options = RecurrentOptions()
    options.returnSequences = try reader.bool("return_sequences", default: false)
    options.returnState = try reader.bool("return_state", default: false)
    options.goBackwards = try reader.bool("go_backwards", default: false)
    options.stateful = try reader.bool("stateful", default: false)
    options.unroll = try reader.bool("unroll", default: false)
    options.zeroOutputForMask = try reader.bool("zero_output_for_mask", default: false)
    options.useBias = try reader.bool("use_bias", default: true)
    options.dropout = try reader.double("dropout", "dropout_W") ?? 0
    options.recurrentDropout = try reader.double("recurrent_dropout", "dropout_U") ?? 0
    return options
  }
}

/// A dtype in a configuration: a name, or Keras 3's policy object.
enum KerasDType {
  static func name(_ value: JSONValue?) -> String? {
    value?.string ?? value?["config"]?["name"]?.string
  }

  /// Whether a policy stores or computes in something else than float32. (Keras 2.0 gives an Embedding the dtype of its
  /// ids, which says nothing of its table.)
  static func isHalfOrDouble(_ policy: String) -> Bool {
    policy.hasPrefix("mixed_") || ["float16", "bfloat16", "float64"].contains(policy)
  }
}
