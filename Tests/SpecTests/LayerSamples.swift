import Foundation
import RNNCore

/// One layer of each kind, all optional fields set; the switch makes sure that a new kind is added.
enum LayerSamples {
  static let channels = 6

  /// - Parameter variant: 0, or 1 for the other form of a layer whose parameters have two.
  static func spec(_ kind: LayerSpec.Kind, variant: Int = 0) -> LayerSpec {
    switch kind {
    case .input:
      var input = InputSpec(shape: [nil, channels], batchSize: 2)
      input.batchAxis = 1
      return .input(input)
    case .embedding: return .embedding(EmbeddingSpec(inputDim: 7, outputDim: 2, maskZero: true))
    case .tokenCounts:
      return .tokenCounts(
        variant == 0 ? TokenCountsSpec(mode: .tfIDF, size: 2, weights: [1, 2]) : TokenCountsSpec(mode: .count, size: 2))
    case .rescaling, .normalization, .discretization, .integerLookup: return preprocessing(kind, variant)
    case .masking: return .masking(MaskingSpec(maskValue: 0.5))
    case .dropout: return .dropout(NoiseSpec(rate: 0.5))
    case .spatialDropout1D: return .spatialDropout1D(NoiseSpec(rate: 0.5))
    case .gaussianNoise: return .gaussianNoise(NoiseSpec(rate: 0.5))
    case .gaussianDropout: return .gaussianDropout(NoiseSpec(rate: 0.5))
    case .alphaDropout: return .alphaDropout(NoiseSpec(rate: 0.5))
    case .conv1D, .conv1DTranspose, .depthwiseConv1D, .separableConv1D, .locallyConnected1D, .maxPooling1D,
      .averagePooling1D, .adaptiveMaxPooling1D, .adaptiveAveragePooling1D, .globalMaxPooling1D,
      .globalAveragePooling1D:
      return convolution(kind)
    case .lstm, .gru, .simpleRNN, .convLSTM1D, .lstmVariant: return recurrent(kind, variant)
    case .dense: return .dense(DenseSpec(units: 3))
    case .einsumDense:
      var spec = EinsumDenseSpec(equation: "abc,cd->abd", outputShape: [nil, 3], biasAxes: "d")
      spec.misplacedBiasAxis = 2
      return .einsumDense(spec)
    case .highway: return .highway(HighwaySpec(activation: .relu, useBias: true))
    case .maxoutDense: return .maxoutDense(MaxoutDenseSpec(units: 3, features: 10, useBias: true))
    case .activation: return .activation(ActivationSpec(activation: .tanh))
    case .softmax:
      var spec = SoftmaxSpec(axes: [-1])
      spec.zeroesMasked = true
      return .softmax(spec)
    case .prelu: return .prelu(PReLUSpec(sharedAxes: variant == 0 ? [1] : []))
    case .parametricSoftplus:
      return .parametricSoftplus(ParametricSoftplusSpec(sharedAxes: variant == 0 ? [1] : []))
    case .sReLU: return .sReLU(SReLUSpec(sharedAxes: variant == 0 ? [1] : []))
    case .flatten:
      var spec = FlattenSpec()
      spec.channelsFirst = true
      return .flatten(spec)
    case .reshape: return .reshape(ReshapeSpec(targetShape: [-1]))
    case .permute: return .permute(PermuteSpec(order: [2, 1]))
    case .repeatVector: return .repeatVector(RepeatVectorSpec(count: 2))
    case .edges: return .edges(EdgeSpec(before: 1, after: 2, isCropping: variant == 1))
    case .upSampling1D: return .upSampling1D(UpSampling1DSpec(size: 2))
    case .identity: return .identity(IdentitySpec())
    case .activityRegularization: return .activityRegularization(IdentitySpec())
    case .batchNormalization, .layerNormalization, .unitNormalization, .groupNormalization:
      return normalization(kind, variant)
    case .merge: return .merge(MergeSpec(.add))
    case .concatenate: return .concatenate(ConcatenateSpec(axis: -1))
    case .dot: return .dot(DotSpec(axes: [-1, -1], normalize: true))
    case .attention:
      return .attention(AttentionSpec(score: variant == 0 ? .concat : .additive, useScale: true))
    case .multiHeadAttention:
      var spec = MultiHeadAttentionSpec(headCount: 12, keyDim: 14, valueDim: 15)
      spec.outputDim = 2
      if variant == 0 {
        (spec.keyHeadCount, spec.hasGate, spec.window) = (18, true, 3)
        (spec.outputAxes, spec.attentionAxes) = ([2], [1])
      }
      return .multiHeadAttention(spec)
    case .unary, .binary, .reduction, .cumulative, .slice, .rearrange, .split, .select, .expandDims, .squeeze, .stack,
      .matrixProduct, .einsum:
      return operation(kind)
    case .reverseSteps: return .reverseSteps(ReverseStepsSpec(reversesMask: true))
    case .foldSteps: return .foldSteps(FoldStepsSpec(keepsMask: false))
    case .unfoldSteps: return .unfoldSteps(UnfoldStepsSpec(joinsMasks: true))
    case .swapBatch: return .swapBatch(SwapBatchSpec())
    case .whereValid: return .whereValid(WhereValidSpec())
    case .withMask: return .withMask(WithMaskSpec())
    case .maskOf: return .maskOf(MaskOfSpec())
    case .withoutMask: return .withoutMask(WithoutMaskSpec())
    case .bidirectional, .timeDistributed, .stackedRNN, .timeMajor, .channelsFirst, .activated, .model:
      return composite(kind)
    case .cosine: return .cosine(CosineSpec(axes: [-1, -1]))
    }
  }

  private static func convolution(_ kind: LayerSpec.Kind) -> LayerSpec {
    let pooling = Pooling1DSpec(poolSize: 2, strides: 2, padding: .valid)
    let global = GlobalPooling1DSpec(keepDims: true)
    if kind == .conv1DTranspose {
      var spec = Conv1DTransposeSpec(filters: 4, kernelSize: 5)
      (spec.strides, spec.outputPadding) = (2, 1)
      return .conv1DTranspose(spec)
    }
    if kind == .depthwiseConv1D {
      var spec = DepthwiseConv1DSpec(kernelSize: 5)
      spec.depthMultiplier = 8
      return .depthwiseConv1D(spec)
    }
    if kind == .separableConv1D {
      var spec = SeparableConv1DSpec(filters: 4, kernelSize: 5)
      spec.depthMultiplier = 8
      return .separableConv1D(spec)
    }
    if kind == .locallyConnected1D { return .locallyConnected1D(LocallyConnected1DSpec(filters: 4, kernelSize: 5)) }
    if kind == .adaptiveMaxPooling1D { return .adaptiveMaxPooling1D(AdaptivePooling1DSpec(outputSize: 2)) }
    if kind == .adaptiveAveragePooling1D { return .adaptiveAveragePooling1D(AdaptivePooling1DSpec(outputSize: 2)) }
    if kind == .maxPooling1D { return .maxPooling1D(pooling) }
    if kind == .averagePooling1D { return .averagePooling1D(pooling) }
    if kind == .globalMaxPooling1D { return .globalMaxPooling1D(global) }
    if kind == .globalAveragePooling1D { return .globalAveragePooling1D(global) }
    var spec = Conv1DSpec(filters: 4, kernelSize: 5)
    spec.groups = 2
    return .conv1D(spec)
  }

  private static func recurrent(_ kind: LayerSpec.Kind, _ variant: Int) -> LayerSpec {
    var options = RecurrentOptions()
    options.zeroOutputForMask = true
    if kind == .lstm {
      var spec = LSTMSpec(units: 3)
      spec.options = options
      return .lstm(spec)
    }
    if kind == .gru {
      var spec = GRUSpec(units: 3, resetAfter: variant == 0)
      spec.options = options
      return .gru(spec)
    }
    if kind == .convLSTM1D {
      var spec = ConvLSTM1DSpec(filters: 4, kernelSize: 5)
      spec.options = options
      return .convLSTM1D(spec)
    }
    if kind == .lstmVariant {
      var spec = LSTMVariantSpec(units: 3)
      (spec.forgetGate, spec.peepholes, spec.projection) = (variant == 0 ? .own : .fromInputGate, true, 11)
      (spec.cellClip, spec.projectionClip, spec.sumClip) = (1, 2, 3)
      spec.options = options
      return .lstmVariant(spec)
    }
    var spec = SimpleRNNSpec(units: 3)
    spec.options = options
    return .simpleRNN(spec)
  }

  private static func preprocessing(_ kind: LayerSpec.Kind, _ variant: Int) -> LayerSpec {
    let constant = BinarySpec.Constant(shape: [1], values: [2])
    if kind == .rescaling { return .rescaling(RescalingSpec(scale: constant, offset: constant)) }
    if kind == .discretization { return .discretization(DiscretizationSpec(boundaries: [1, 2], mode: .count)) }
    if kind == .integerLookup {
      var spec = IntegerLookupSpec(vocabulary: [3, 5], maskToken: 0, hasUnknown: true)
      spec.mode = .count
      return .integerLookup(spec)
    }
    var spec = NormalizationSpec(axes: [-1])
    if variant == 0 { (spec.mean, spec.variance) = (constant, constant) }
    return .normalization(spec)
  }

  private static func normalization(_ kind: LayerSpec.Kind, _ variant: Int) -> LayerSpec {
    if kind == .unitNormalization { return .unitNormalization(UnitNormalizationSpec(axes: [-1], epsilon: 0.5)) }
    if kind == .groupNormalization {
      return .groupNormalization(GroupNormalizationSpec(groups: 2, axis: -1, epsilon: 0.5))
    }
    if kind == .layerNormalization {
      var spec = LayerNormalizationSpec(axes: variant == 0 ? [-1] : [1, 2], epsilon: 0.5)
      spec.form = .uncentered
      return .layerNormalization(spec)
    }
    var spec = BatchNormalizationSpec(axis: -1, epsilon: 0.5, momentum: 0.5)
    if variant == 0 { spec.renorm = .init(momentum: 0.5) }
    return .batchNormalization(spec)
  }

  private static func operation(_ kind: LayerSpec.Kind) -> LayerSpec {
    if kind == .unary {
      var spec = UnarySpec(.clip)
      (spec.low, spec.high) = (0, 1)
      return .unary(spec)
    }
    if kind == .binary { return .binary(BinarySpec(.add, constant: .init(shape: [1], values: [2]))) }
    if kind == .reduction { return .reduction(ReductionSpec(.sum, axes: [-1], keepDims: true)) }
    if kind == .cumulative { return .cumulative(CumulativeSpec(.sum, axis: 1)) }
    if kind == .rearrange { return .rearrange(RearrangeSpec(.roll, axes: [1], counts: [2])) }
    if kind == .split { return .split(SplitSpec(axis: 1, boundaries: [1])) }
    if kind == .select { return .select(SelectSpec(first: 1, second: 2)) }
    if kind == .einsum { return .einsum(EinsumSpec(equation: "abc,adc->abd")) }
    if kind == .slice { return .slice(SliceSpec(ranges: [range])) }
    if kind == .expandDims { return .expandDims(ExpandDimsSpec(axes: [1])) }
    if kind == .squeeze { return .squeeze(SqueezeSpec(axes: [1])) }
    if kind == .stack { return .stack(StackSpec(axis: 1)) }
    return .matrixProduct(MatrixProductSpec())
  }

  /// A range with everything that it may state.
  static let range = SliceSpec.Range(start: 0, stop: 1)

  private static func composite(_ kind: LayerSpec.Kind) -> LayerSpec {
    func layer(_ name: String, _ spec: LayerSpec) -> ModelSpec.Layer {
      ModelSpec.Layer(name: name, spec: spec, isTrainable: false)
    }
    var options = RecurrentOptions()
    (options.returnSequences, options.goBackwards, options.emitsState) = (true, true, true)
    var lstm = LSTMSpec(units: 3)
    lstm.options = options
    let recurrent = layer("layer", .lstm(lstm))
    if kind == .bidirectional {
      return .bidirectional(BidirectionalSpec(forward: recurrent, backward: recurrent, merge: .concatenate))
    }
    if kind == .timeDistributed {
      return .timeDistributed(TimeDistributedSpec(layer: layer("layer", .dense(DenseSpec(units: 3)))))
    }
    if kind == .stackedRNN {
      var stacked = options
      stacked.zeroOutputForMask = true
      return .stackedRNN(StackedRNNSpec(cells: [recurrent, recurrent], options: stacked))
    }
    if kind == .activated {
      let activation = layer("p", .prelu(PReLUSpec(sharedAxes: [])))
      return .activated(ActivatedSpec(layer: layer("layer", .dense(DenseSpec(units: 3))), activation: activation))
    }
    if kind == .timeMajor { return .timeMajor(TimeMajorSpec(layer: recurrent)) }
    if kind == .channelsFirst {
      var convolution = Conv1DSpec(filters: 4, kernelSize: 5)
      (convolution.activation, convolution.groups) = (.softmax, 2)
      return .channelsFirst(ChannelsFirstSpec(layer: layer("layer", .conv1D(convolution))))
    }
    let inner = ModelSpec(
      name: "inner", isSequential: false, layers: [layer("x", .input(InputSpec(shape: [3])))],
      calls: [.init(layer: 0, inputs: [])], inputs: [0], outputs: [.init(call: 0)])
    return .model(NestedModelSpec(model: inner))
  }

  /// Inputs that fit the samples with parameters.
  static func inputs(_ kind: LayerSpec.Kind) -> [Shape] {
    let (timesteps, rows) = (13, 9)
    if kind == .embedding { return [[nil]] }
    if kind == .discretization || kind == .integerLookup { return [[timesteps]] }
    if kind == .maxoutDense { return [[channels]] }
    if kind == .convLSTM1D { return [[nil, rows, channels]] }
    if kind == .attention { return [[nil, channels], [timesteps, channels]] }
    if kind == .multiHeadAttention { return [[nil, channels], [timesteps, 17], [timesteps, 16]] }
    return [[timesteps, channels]]
  }

  /// The sizes of the samples, under the names that the document uses.
  static let sizes = [
    "channels": channels, "units": 3, "filters": 4, "kernelSize": 5, "groups": 2, "inputDim": 7, "outputDim": 2,
    "depthMultiplier": 8, "timesteps": 13, "windows": 9, "features": 10, "projection": 11, "headCount": 12,
    "keyDim": 14, "valueDim": 15, "keyHeadCount": 18, "keyChannels": 16, "valueChannels": 17,
  ]

  static func json(_ value: some Encodable) throws -> JSONValue {
    try JSONValue(parsing: try JSONEncoder().encode(value))
  }
}
