import RNNCore

/// Keras's configurations of layers, read into `LayerSpec`. The first name of an argument is Keras 3's, later ones are
/// older; a default is that of the versions that may leave the argument out.
///
/// Layers with layers inside are read by `KerasLayerReader`, which knows the JSON of these.
enum KerasLayerReading {
  /// - Returns: `nil` for a class whose configuration holds other layers.
  /// - Throws: `unsupported` naming an argument or an activation that is not carried.
  static func spec(_ kind: KerasClass, _ reader: inout KerasConfigReader) throws -> LayerSpec? {
    switch kind {
    case .inputLayer: .input(try input(&reader))
    case .embedding: .embedding(try embedding(&reader))
    case .categoryEncoding: try KerasPreprocessing.categories(&reader)
    case .discretization: .discretization(try KerasPreprocessing.discretization(&reader))
    case .integerLookup: .integerLookup(try KerasPreprocessing.lookup(&reader))
    case .normalization: .normalization(try KerasPreprocessing.normalization(&reader))
    case .rescaling: .rescaling(try KerasPreprocessing.rescaling(&reader))
    case .masking: .masking(MaskingSpec(maskValue: try reader.double("mask_value") ?? 0))
    case .dropout: .dropout(try noise(&reader))
    case .spatialDropout1D: .spatialDropout1D(try noise(&reader))
    case .gaussianNoise: .gaussianNoise(try noise(&reader))
    case .gaussianDropout: .gaussianDropout(try noise(&reader))
    case .alphaDropout: .alphaDropout(try noise(&reader))
    case .activityRegularization: .activityRegularization(IdentitySpec())
    // Masks end at it before Keras 3.
    case .identity: reader.era.generation == .keras3 ? .identity(IdentitySpec()) : .withoutMask(WithoutMaskSpec())
    case .conv1D, .atrousConvolution1D: .conv1D(try convolution(&reader))
    case .conv1DTranspose: .conv1DTranspose(try transposed(&reader))
    case .depthwiseConv1D: .depthwiseConv1D(try depthwise(&reader))
    case .separableConv1D: .separableConv1D(try separable(&reader))
    case .locallyConnected1D: .locallyConnected1D(try locallyConnected(&reader))
    case .maxPooling1D: .maxPooling1D(try pooling(&reader))
    case .averagePooling1D: .averagePooling1D(try pooling(&reader))
    case .adaptiveMaxPooling1D:
      .adaptiveMaxPooling1D(AdaptivePooling1DSpec(outputSize: try reader.requiredInt("output_size")))
    case .adaptiveAveragePooling1D:
      .adaptiveAveragePooling1D(AdaptivePooling1DSpec(outputSize: try reader.requiredInt("output_size")))
    case .globalMaxPooling1D: .globalMaxPooling1D(try globalPooling(&reader))
    case .globalAveragePooling1D: .globalAveragePooling1D(try globalPooling(&reader))
    case .lstm, .lstmCell: .lstm(try lstm(&reader))
    case .gru, .gruCell: .gru(try gru(&reader))
    case .simpleRNN, .simpleRNNCell: .simpleRNN(try simpleRNN(&reader))
    case .convLSTM1D: .convLSTM1D(try convolutionalLSTM(&reader))
    case .dense, .timeDistributedDense: .dense(try dense(&reader))
    case .einsumDense: .einsumDense(try einsumDense(&reader))
    case .highway: .highway(try highway(&reader))
    case .maxoutDense: .maxoutDense(try maxout(&reader))
    case .activation:
      .activation(ActivationSpec(activation: try reader.activation("activation", default: "linear")))
    case .leakyReLU, .elu, .thresholdedReLU, .reLU:
      .activation(ActivationSpec(activation: try KerasActivationLayers.activation(kind, &reader)))
    case .softmax: .softmax(try softmax(&reader))
    case .pReLU: .prelu(PReLUSpec(sharedAxes: try reader.axes("shared_axes", default: [])))
    case .parametricSoftplus:
      .parametricSoftplus(ParametricSoftplusSpec(sharedAxes: try reader.axes("shared_axes", default: [])))
    case .sReLU: .sReLU(SReLUSpec(sharedAxes: try reader.axes("shared_axes", default: [])))
    case .flatten: .flatten(try flatten(&reader))
    case .reshape: .reshape(ReshapeSpec(targetShape: try reader.requiredInts("target_shape")))
    case .permute: .permute(PermuteSpec(order: try reader.requiredInts("dims")))
    case .repeatVector: .repeatVector(RepeatVectorSpec(count: try reader.requiredInt("n")))
    case .zeroPadding1D: .edges(try edges(&reader, "padding", isCropping: false))
    case .cropping1D: .edges(try edges(&reader, "cropping", isCropping: true))
    case .upSampling1D: .upSampling1D(UpSampling1DSpec(size: try reader.requiredInt("size", "length")))
    case .batchNormalization: try batchNormalization(&reader)
    case .layerNormalization: .layerNormalization(try layerNormalization(&reader))
    case .rmsNormalization: .layerNormalization(try rmsNormalization(&reader))
    case .unitNormalization:
      .unitNormalization(
        UnitNormalizationSpec(
          axes: try reader.axes("axis", default: [-1]), epsilon: reader.era.generation == .keras3 ? 1e-24 : 1e-12))
    case .groupNormalization: .groupNormalization(try groupNormalization(&reader))
    case .add: .merge(merge(.add, reader.era))
    case .subtract: .merge(merge(.subtract, reader.era))
    case .multiply: .merge(merge(.multiply, reader.era))
    case .average: .merge(merge(.average, reader.era))
    case .maximum: .merge(merge(.maximum, reader.era))
    case .minimum: .merge(merge(.minimum, reader.era))
    case .concatenate: .concatenate(concatenate(axis: try reader.int("axis") ?? -1, reader.era))
    case .dot: .dot(try dot(&reader))
    case .merge: try oldMerge(&reader)
    case .attention: .attention(try attention(&reader))
    case .additiveAttention: .attention(try additiveAttention(&reader))
    case .multiHeadAttention: .multiHeadAttention(try multiHeadAttention(&reader))
    case .groupQueryAttention: .multiHeadAttention(try groupQueryAttention(&reader))
    case .rnn, .bidirectional, .timeDistributed, .sequential, .functional: nil
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

  // MARK: - Dense

  private static func dense(_ reader: inout KerasConfigReader) throws -> DenseSpec {
    var spec = DenseSpec(units: try reader.requiredInt("units", "output_dim"))
    spec.activation = try reader.activation("activation", default: "linear")
    spec.useBias = try reader.bool("use_bias", "bias", default: true)
    return spec
  }

  /// Letters that the bias has, or none; an output shape without the batch.
  private static func einsumDense(_ reader: inout KerasConfigReader) throws -> EinsumDenseSpec {
    guard let equation = try reader.string("equation") else {
      throw RNNError.badData("the argument 'equation' is missing")
    }
    let shape = reader.value("output_shape")
    guard let sizes = shape?.array ?? shape.map({ [$0] }), sizes.allSatisfy({ $0.isNull || $0.integer != nil }) else {
      throw RNNError.badData("the argument 'output_shape' is \(shape?.text() ?? "missing")")
    }
    var spec = EinsumDenseSpec(
      equation: equation, outputShape: sizes.map(\.integer), biasAxes: try reader.string("bias_axes") ?? "")
    spec.activation = try reader.activation("activation", default: "linear")
    guard spec.activation != .glu else { throw RNNError.unsupported("EinsumDense with the activation glu") }
    return spec
  }

  private static func highway(_ reader: inout KerasConfigReader) throws -> HighwaySpec {
    HighwaySpec(
      activation: try reader.activation("activation", default: "linear"),
      useBias: try reader.bool("bias", default: true))
  }

  private static func maxout(_ reader: inout KerasConfigReader) throws -> MaxoutDenseSpec {
    MaxoutDenseSpec(
      units: try reader.requiredInt("output_dim"), features: try reader.requiredInt("nb_feature"),
      useBias: try reader.bool("bias", default: true))
  }

  private static func softmax(_ reader: inout KerasConfigReader) throws -> SoftmaxSpec {
    var spec = SoftmaxSpec(axes: try reader.axes("axis", default: [-1]))
    spec.zeroesMasked = reader.era.clearsMaskedWeights
    return spec
  }

  // MARK: - Shapes

  private static func flatten(_ reader: inout KerasConfigReader) throws -> FlattenSpec {
    var spec = FlattenSpec()
    spec.channelsFirst = try reader.string("data_format") == "channels_first"
    return spec
  }

  /// One number for both ends, or one for each.
  private static func edges(
    _ reader: inout KerasConfigReader, _ key: String, isCropping: Bool
  ) throws -> EdgeSpec {
    if let words = reader.value(key)?.object {
      // Keras 1 takes the ends by name, too.
      return EdgeSpec(
        before: words["left_pad"]?.integer ?? 0, after: words["right_pad"]?.integer ?? 0, isCropping: isCropping)
    }
    let sizes = try reader.requiredInts(key)
    guard let first = sizes.first, let last = sizes.last, sizes.count <= 2 else {
      throw RNNError.badData("the argument '\(key)' is \(sizes), expected one number or two")
    }
    return EdgeSpec(before: first, after: last, isCropping: isCropping)
  }

  // MARK: - Recurrent

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
      resetAfter: try reader.bool("reset_after", default: reader.isCuDNN || reader.era.defaultResetAfter))
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

  private static func convolutionalLSTM(_ reader: inout KerasConfigReader) throws -> ConvLSTM1DSpec {
    var spec = ConvLSTM1DSpec(
      filters: try reader.requiredInt("filters"), kernelSize: try reader.requiredInt("kernel_size"))
    spec.strides = try reader.int("strides") ?? 1
    spec.padding = try KerasConvolutions.padding(&reader)
    spec.dilationRate = try reader.int("dilation_rate") ?? 1
    spec.activation = try checked(reader.activation("activation", default: "tanh"), "activation")
    // Of ConvLSTM alone, the default stayed `hard_sigmoid` until Keras 3.
    let fallback = reader.era.generation == .keras3 ? "sigmoid" : "hard_sigmoid"
    spec.recurrentActivation = try checked(
      reader.activation("recurrent_activation", default: fallback), "recurrent_activation")
    spec.options = try options(&reader)
    // Before Keras 3 this layer has the argument and does not heed it.
    if reader.era.generation != .keras3 { spec.options.zeroOutputForMask = false }
    return spec
  }

  private static func recurrentGates(_ reader: inout KerasConfigReader) throws -> Activation {
    let fallback = reader.isCuDNN ? "sigmoid" : reader.era.defaultRecurrentActivation
    return try checked(
      reader.activation("recurrent_activation", "inner_activation", default: fallback), "recurrent_activation")
  }

  private static func checked(_ activation: Activation, _ key: String) throws -> Activation {
    guard activation != .glu else { throw RNNError.unsupported("\(key) 'glu' halves the units of a recurrent layer") }
    return activation
  }

  /// What a recurrent layer, or `RNN` around cells, says of reading and returning; of a cell, its bias and dropout.
  static func options(_ reader: inout KerasConfigReader) throws -> RecurrentOptions {
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
    options.emitsState = reader.era.emitsStateAtMaskedSteps && !options.unroll
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
