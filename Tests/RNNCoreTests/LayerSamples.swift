import RNNCore

/// One layer of every kind, none of its arguments at its default.
enum LayerSamples {
  static var all: [LayerSpec] {
    [
      .input(InputSpec(shape: [nil, 3], batchSize: 2, dtype: "float64")),
      .embedding(EmbeddingSpec(inputDim: 5, outputDim: 3, maskZero: true)), .masking(MaskingSpec(maskValue: -1.5)),
      .dropout(NoiseSpec(rate: 0.25)), .spatialDropout1D(NoiseSpec(rate: 0.1)), .gaussianNoise(NoiseSpec(rate: 0.2)),
      .gaussianDropout(NoiseSpec(rate: 0.3)), .conv1D(convolution), .conv1D(Conv1DSpec(filters: 2, kernelSize: 3)),
      .maxPooling1D(Pooling1DSpec(poolSize: 3, strides: 2, padding: .same)),
      .averagePooling1D(Pooling1DSpec(poolSize: 2, strides: 3, padding: .valid)),
      .globalMaxPooling1D(GlobalPooling1DSpec(keepDims: true)),
      .globalAveragePooling1D(GlobalPooling1DSpec(keepDims: false)), .lstm(lstm(options)), .lstm(lstm(.init())),
      .gru(gru(options, resetAfter: true)), .gru(gru(.init(), resetAfter: true)), .gru(gru(.init(), resetAfter: false)),
      .simpleRNN(simple(options)), .simpleRNN(simple(.init())), .dense(dense(useBias: false)),
      .dense(dense(useBias: true)),
      .activation(ActivationSpec(activation: .hardSigmoidFifth)), .flatten,
    ]
  }

  private static var options: RecurrentOptions {
    var options = RecurrentOptions()
    options.returnSequences = true
    options.returnState = true
    options.goBackwards = true
    options.stateful = true
    options.unroll = true
    options.zeroOutputForMask = true
    options.useBias = false
    options.dropout = 0.5
    options.recurrentDropout = 0.25
    return options
  }

  private static var convolution: Conv1DSpec {
    var spec = Conv1DSpec(filters: 6, kernelSize: 5)
    spec.strides = 2
    spec.padding = .causal
    spec.dilationRate = 3
    spec.groups = 3
    spec.activation = .hardSigmoidSixth
    spec.useBias = false
    return spec
  }

  private static func lstm(_ options: RecurrentOptions) -> LSTMSpec {
    var spec = LSTMSpec(units: 4)
    spec.activation = .relu
    spec.recurrentActivation = .hardSigmoidFifth
    spec.options = options
    return spec
  }

  private static func gru(_ options: RecurrentOptions, resetAfter: Bool) -> GRUSpec {
    var spec = GRUSpec(units: 4, resetAfter: resetAfter)
    spec.activation = .softsign
    spec.recurrentActivation = .hardSigmoidSixth
    spec.options = options
    return spec
  }

  private static func simple(_ options: RecurrentOptions) -> SimpleRNNSpec {
    var spec = SimpleRNNSpec(units: 4)
    spec.activation = .elu
    spec.options = options
    return spec
  }

  private static func dense(useBias: Bool) -> DenseSpec {
    var spec = DenseSpec(units: 4)
    spec.activation = .leakyRelu02
    spec.useBias = useBias
    return spec
  }
}
