import RNNCore

/// One layer of every kind, none of its arguments at its default, with inputs that fit it.
enum LayerSamples {
  struct Sample {
    var spec: LayerSpec
    /// Those of one call, without the batch.
    var inputs: [Shape]

    init(_ spec: LayerSpec, _ inputs: Shape...) {
      self.spec = spec
      self.inputs = inputs
    }
  }

  static var all: [LayerSpec] { samples.map(\.spec) }

  static var samples: [Sample] {
    simple + convolutions + recurrent + normalizing + meeting + operations + joints + composed
  }

  // MARK: - Simple layers

  private static var simple: [Sample] {
    [
      Sample(.input(InputSpec(shape: [nil, 3], batchSize: 2, dtype: "float64"))),
      Sample(.embedding(EmbeddingSpec(inputDim: 5, outputDim: 3, maskZero: true)), [nil]),
      Sample(.tokenCounts(TokenCountsSpec(mode: .tfIDF, size: 4, weights: [0.5, 1, 1.5, 2])), [nil]),
      Sample(.masking(MaskingSpec(maskValue: -1.5)), [nil, 6]), Sample(.dropout(NoiseSpec(rate: 0.25)), [nil, 6]),
      Sample(.spatialDropout1D(NoiseSpec(rate: 0.1)), [nil, 6]),
      Sample(.gaussianNoise(NoiseSpec(rate: 0.2)), [nil, 6]),
      Sample(.gaussianDropout(NoiseSpec(rate: 0.3)), [nil, 6]), Sample(.alphaDropout(NoiseSpec(rate: 0.4)), [nil, 6]),
      Sample(.dense(dense(useBias: false)), [nil, 6]), Sample(.dense(dense(useBias: true)), [6]),
      Sample(.highway(HighwaySpec(activation: .relu, useBias: false)), [nil, 6]),
      Sample(.highway(HighwaySpec(activation: .tanh, useBias: true)), [6]),
      Sample(.maxoutDense(MaxoutDenseSpec(units: 3, features: 2, useBias: false)), [6]),
      Sample(.maxoutDense(MaxoutDenseSpec(units: 3, features: 2, useBias: true)), [6]),
      Sample(.activation(ActivationSpec(activation: .hardSigmoidFifth)), [nil, 6]),
      Sample(.activation(ActivationSpec(activation: .boundedRelu(ceiling: nil, slope: 0.1, threshold: 0.5))), [6]),
      Sample(.softmax(SoftmaxSpec(axes: [1, -1])), [4, 6]), Sample(.prelu(PReLUSpec(sharedAxes: [1])), [nil, 6]),
      Sample(.parametricSoftplus(ParametricSoftplusSpec(sharedAxes: [2])), [4, nil]),
      Sample(.sReLU(SReLUSpec(sharedAxes: [1])), [nil, 6]), Sample(.flatten(flatten), [4, 6]),
      Sample(.reshape(ReshapeSpec(targetShape: [3, -1])), [4, 6]),
      Sample(.permute(PermuteSpec(order: [2, 1])), [4, 6]),
      Sample(.repeatVector(RepeatVectorSpec(count: 5)), [6]),
      Sample(.edges(EdgeSpec(before: 1, after: 2, isCropping: true)), [9, 6]),
      Sample(.upSampling1D(UpSampling1DSpec(size: 3)), [nil, 6]), Sample(.identity(IdentitySpec()), [nil, 6]),
      Sample(.activityRegularization(IdentitySpec()), [nil, 6]),
    ]
  }

  private static var flatten: FlattenSpec {
    var spec = FlattenSpec()
    spec.channelsFirst = true
    return spec
  }

  private static func dense(useBias: Bool) -> DenseSpec {
    var spec = DenseSpec(units: 4)
    spec.activation = .leakyRelu02
    spec.useBias = useBias
    return spec
  }

  // MARK: - Convolutions and pooling

  private static var convolutions: [Sample] {
    [
      Sample(.conv1D(convolution), [nil, 6]), Sample(.conv1D(Conv1DSpec(filters: 2, kernelSize: 3)), [nil, 6]),
      Sample(.conv1DTranspose(transposed), [nil, 6]),
      Sample(.conv1DTranspose(Conv1DTransposeSpec(filters: 2, kernelSize: 3)), [nil, 6]),
      Sample(.depthwiseConv1D(depthwise), [nil, 6]),
      Sample(.depthwiseConv1D(DepthwiseConv1DSpec(kernelSize: 3)), [nil, 6]),
      Sample(.separableConv1D(separable), [nil, 6]),
      Sample(.separableConv1D(SeparableConv1DSpec(filters: 2, kernelSize: 3)), [nil, 6]),
      Sample(.locallyConnected1D(locallyConnected), [9, 6]),
      Sample(.locallyConnected1D(LocallyConnected1DSpec(filters: 2, kernelSize: 3)), [9, 6]),
      Sample(.maxPooling1D(Pooling1DSpec(poolSize: 3, strides: 2, padding: .same)), [nil, 6]),
      Sample(.averagePooling1D(Pooling1DSpec(poolSize: 2, strides: 3, padding: .valid)), [nil, 6]),
      Sample(.globalMaxPooling1D(GlobalPooling1DSpec(keepDims: true)), [nil, 6]),
      Sample(.globalAveragePooling1D(GlobalPooling1DSpec(keepDims: false)), [nil, 6]),
    ]
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

  private static var transposed: Conv1DTransposeSpec {
    var spec = Conv1DTransposeSpec(filters: 4, kernelSize: 5)
    (spec.strides, spec.padding, spec.dilationRate, spec.outputPadding) = (3, .same, 2, 1)
    (spec.activation, spec.useBias) = (.relu, false)
    return spec
  }

  private static var depthwise: DepthwiseConv1DSpec {
    var spec = DepthwiseConv1DSpec(kernelSize: 5)
    (spec.depthMultiplier, spec.strides, spec.padding, spec.dilationRate) = (2, 3, .same, 2)
    (spec.activation, spec.useBias) = (.relu, false)
    return spec
  }

  private static var separable: SeparableConv1DSpec {
    var spec = SeparableConv1DSpec(filters: 4, kernelSize: 5)
    (spec.depthMultiplier, spec.strides, spec.padding, spec.dilationRate) = (2, 3, .causal, 2)
    (spec.activation, spec.useBias) = (.relu, false)
    return spec
  }

  private static var locallyConnected: LocallyConnected1DSpec {
    var spec = LocallyConnected1DSpec(filters: 4, kernelSize: 5)
    (spec.strides, spec.activation, spec.useBias) = (2, .relu, false)
    return spec
  }

  // MARK: - Recurrent layers

  private static var recurrent: [Sample] {
    [
      Sample(.lstm(lstm(options)), [nil, 6]), Sample(.lstm(lstm(.init())), [nil, 6], [4], [4]),
      Sample(.gru(gru(options, resetAfter: true)), [nil, 6]),
      Sample(.gru(gru(.init(), resetAfter: true)), [nil, 6], [4]),
      Sample(.gru(gru(.init(), resetAfter: false)), [nil, 6]), Sample(.simpleRNN(simple(options)), [nil, 6]),
      Sample(.simpleRNN(simple(.init())), [nil, 6], [4]), Sample(.convLSTM1D(convolutional), [nil, 9, 6]),
      Sample(.convLSTM1D(ConvLSTM1DSpec(filters: 2, kernelSize: 3)), [nil, 9, 6], [7, 2], [7, 2]),
      Sample(.lstmVariant(variant), [nil, 6]), Sample(.lstmVariant(.original1997(units: 4)), [nil, 6], [4], [4]),
      Sample(.lstmVariant(.forget1999(units: 4)), [nil, 6]), Sample(.lstmVariant(.peephole2000(units: 4)), [nil, 6]),
      Sample(.lstmVariant(.vanilla(units: 4)), [nil, 6]),
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
    options.ignoresMask = true
    options.emitsState = true
    options.useBias = false
    options.dropout = 0.5
    options.recurrentDropout = 0.25
    return options
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

  private static var convolutional: ConvLSTM1DSpec {
    var spec = ConvLSTM1DSpec(filters: 4, kernelSize: 5)
    (spec.strides, spec.padding, spec.dilationRate) = (2, .same, 3)
    (spec.activation, spec.recurrentActivation, spec.options) = (.relu, .hardSigmoidFifth, options)
    spec.options.emitsState = false
    return spec
  }

  private static var variant: LSTMVariantSpec {
    var spec = LSTMVariantSpec(units: 4)
    (spec.forgetGate, spec.peepholes, spec.projection) = (.fromInputGate, true, 3)
    (spec.activation, spec.recurrentActivation, spec.outputActivation) = (.relu, .hardSigmoidFifth, .linear)
    (spec.cellClip, spec.projectionClip, spec.sumClip, spec.forgetBias) = (3, 2, 5, 1)
    spec.options = options
    return spec
  }

  // MARK: - Normalization, merging, attention

  private static var normalizing: [Sample] {
    [
      Sample(.batchNormalization(batchNormalization), [4, 6]),
      Sample(.batchNormalization(BatchNormalizationSpec(axis: -1, epsilon: 1e-3, momentum: 0.99)), [nil, 6]),
      Sample(.layerNormalization(layerNormalization), [4, 6]),
      Sample(.layerNormalization(LayerNormalizationSpec(axes: [-1], epsilon: 1e-3)), [nil, 6]),
      Sample(.unitNormalization(UnitNormalizationSpec(axes: [1, 2], epsilon: 1e-12)), [4, 6]),
      Sample(.groupNormalization(groupNormalization), [nil, 6]),
      Sample(.groupNormalization(GroupNormalizationSpec(groups: -1, axis: -1, epsilon: 1e-3)), [nil, 6]),
    ]
  }

  private static var batchNormalization: BatchNormalizationSpec {
    var spec = BatchNormalizationSpec(axis: 1, epsilon: 0.5, momentum: 0.25)
    (spec.center, spec.scale, spec.correction) = (false, false, .sample)
    (spec.countsValidOnly, spec.alwaysUsesBatch) = (true, true)
    var renorm = BatchNormalizationSpec.Renorm(momentum: 0.5)
    (renorm.least, renorm.most, renorm.farthest) = (0.5, 2, 1)
    spec.renorm = renorm
    return spec
  }

  private static var layerNormalization: LayerNormalizationSpec {
    var spec = LayerNormalizationSpec(axes: [1, 2], epsilon: 0.5)
    (spec.center, spec.form) = (false, .doubleEpsilon)
    return spec
  }

  private static var groupNormalization: GroupNormalizationSpec {
    var spec = GroupNormalizationSpec(groups: 3, axis: 2, epsilon: 0.5)
    spec.scale = false
    return spec
  }

  private static var meeting: [Sample] {
    var merge = MergeSpec(.multiply)
    (merge.maskRule, merge.skipsMasked) = (.anyMask, true)
    var concatenate = ConcatenateSpec(axis: 1)
    concatenate.maskRule = .anyMask
    var dot = DotSpec(axes: [2, 1], normalize: true)
    dot.epsilon = 1e-12
    return [
      Sample(.merge(merge), [nil, 6], [nil, 6], [nil, 1]), Sample(.merge(MergeSpec(.subtract)), [6], [6]),
      Sample(.cosine(CosineSpec(axes: [1, 1])), [6], [6]), Sample(.cosine(CosineSpec(axes: [2, 2])), [4, 6], [4, 6]),
      Sample(.concatenate(concatenate), [4, 6], [5, 6]), Sample(.dot(dot), [4, 6], [6, 3]),
      Sample(.attention(attention(.concat)), [nil, 6], [5, 3], [5, 6]),
      Sample(.attention(attention(.additive)), [nil, 6], [5, 6]),
      Sample(.multiHeadAttention(multiHead), [nil, 6], [5, 3], [5, 2]),
      Sample(.multiHeadAttention(grouped), [nil, 6], [5, 3]),
      Sample(.multiHeadAttention(MultiHeadAttentionSpec(headCount: 2, keyDim: 3, valueDim: 4)), [nil, 6], [5, 3]),
    ]
  }

  private static func attention(_ score: AttentionSpec.Score) -> AttentionSpec {
    var spec = AttentionSpec(score: score, useScale: true)
    (spec.isCausal, spec.returnsScores, spec.dropout) = (true, true, 0.5)
    return spec
  }

  private static var grouped: MultiHeadAttentionSpec {
    var spec = MultiHeadAttentionSpec(headCount: 6, keyDim: 3, valueDim: 4)
    (spec.keyHeadCount, spec.hasGate, spec.window) = (2, true, 3)
    return spec
  }

  private static var multiHead: MultiHeadAttentionSpec {
    var spec = MultiHeadAttentionSpec(headCount: 2, keyDim: 3, valueDim: 4)
    (spec.outputDim, spec.useBias, spec.isCausal, spec.zeroesUnseen) = (7, false, true, true)
    (spec.returnsScores, spec.dropout) = (true, 0.5)
    return spec
  }

  // MARK: - Operations, and what joins layers

  private static var operations: [Sample] {
    var product = MatrixProductSpec()
    (product.transposesFirst, product.transposesSecond) = (true, true)
    let constant = BinarySpec.Constant(shape: [1, 6], values: [1, 2, 3, 4, 5, 6.5])
    var clip = UnarySpec(.clip)
    (clip.low, clip.high) = (-0.5, 2)
    return [
      Sample(.unary(UnarySpec(.logicalNot)), [nil, 6]), Sample(.unary(clip), [nil, 6]),
      Sample(.binary(BinarySpec(.lessEqual, constant: constant, isConstantFirst: true)), [nil, 6]),
      Sample(.binary(BinarySpec(.power)), [nil, 6], [nil, 1]),
      Sample(.cumulative(cumulative), [4, 6]), Sample(.rearrange(rearranged), [4, 6]),
      Sample(.split(SplitSpec(axis: -1, boundaries: [1, 1, 4])), [nil, 6]),
      Sample(.split(SplitSpec(unstacking: 1, count: 4)), [4, 6]),
      Sample(.select(SelectSpec(first: -0.5)), [4, 6], [1, 6]),
      Sample(.select(SelectSpec()), [4, 6], [4, 1], [4, 6]),
      Sample(.einsum(EinsumSpec(equation: "abc,adc->abd")), [4, 6], [5, 6]),
      Sample(.einsumDense(einsumDense), [4, 6]), Sample(.rescaling(rescaling), [nil, 6]),
      Sample(.normalization(NormalizationSpec(axes: [1, 2])), [4, 6]), Sample(.normalization(stated), [nil, 6]),
      Sample(.discretization(DiscretizationSpec(boundaries: [-0.5, 0.5], mode: .count)), [4]),
      Sample(.discretization(DiscretizationSpec(boundaries: [-0.5, 0.5])), [nil, 6]),
      Sample(.integerLookup(IntegerLookupSpec(vocabulary: [3, 5], maskToken: 0, hasUnknown: true)), [nil, 6]),
      Sample(.adaptiveMaxPooling1D(AdaptivePooling1DSpec(outputSize: 3)), [nil, 6]),
      Sample(.adaptiveAveragePooling1D(AdaptivePooling1DSpec(outputSize: 3)), [4, 6]),
      Sample(.reduction(ReductionSpec(.product, axes: [1, -1], keepDims: true)), [4, 6]),
      Sample(
        .slice(
          SliceSpec(ranges: [
            SliceSpec.Range(start: 1, stop: -1, step: 2), .newAxis, .ellipsis,
            SliceSpec.Range(start: -1, isIndex: true),
          ])), [9, 2, 6]),
      Sample(.expandDims(ExpandDimsSpec(axis: -2)), [nil, 6]), Sample(.squeeze(SqueezeSpec(axes: [1])), [1, 6]),
      Sample(.stack(StackSpec(axis: -1)), [4, 6], [4, 6], [4, 6]),
      Sample(.matrixProduct(product), [6, 4], [3, 6]),
    ]
  }

  private static var cumulative: CumulativeSpec {
    var spec = CumulativeSpec(.product, axis: -1)
    (spec.isExclusive, spec.goesBackwards) = (true, true)
    return spec
  }

  private static var rearranged: RearrangeSpec { RearrangeSpec(.repeat, axes: [1, -1], counts: [2, 3]) }

  private static var einsumDense: EinsumDenseSpec {
    var spec = EinsumDenseSpec(equation: "...b,bcd->...cd", outputShape: [nil, 2, 3], biasAxes: "d")
    spec.activation = .relu
    return spec
  }

  private static var rescaling: RescalingSpec {
    RescalingSpec(scale: .init(shape: [6], values: [1, 2, 3, 4, 5, 6]), offset: .init(shape: [], values: [0.5]))
  }

  private static var stated: NormalizationSpec {
    var spec = NormalizationSpec(axes: [-1])
    (spec.mean, spec.variance) = (.init(shape: [], values: [0.5]), .init(shape: [], values: [2]))
    spec.isInverse = true
    return spec
  }

  private static var joints: [Sample] {
    [
      Sample(.reverseSteps(ReverseStepsSpec(reversesMask: true)), [nil, 6]),
      Sample(.foldSteps(FoldStepsSpec(keepsMask: true)), [nil, 4, 6]),
      Sample(.unfoldSteps(UnfoldStepsSpec(joinsMasks: true)), [4, 6], [nil, 4, 6]),
      Sample(.swapBatch(SwapBatchSpec()), [nil, 6]), Sample(.whereValid(WhereValidSpec()), [4, 6], [4, 6], [4, 2]),
      Sample(.withMask(WithMaskSpec()), [4, 6], [4]), Sample(.maskOf(MaskOfSpec()), [4, 6], [4, 2]),
      Sample(.withoutMask(WithoutMaskSpec()), [nil, 6]),
    ]
  }

  // MARK: - Layers that are made of others

  private static var composed: [Sample] {
    func layer(_ name: String, _ spec: LayerSpec) -> ModelSpec.Layer {
      ModelSpec.Layer(name: name, spec: spec, isTrainable: false, carried: "{}")
    }
    let forward = layer("f", .lstm(LSTMSpec(units: 4)))
    let backward = layer("b", .gru(GRUSpec(units: 3, resetAfter: true)))
    var distributed = TimeDistributedSpec(layer: layer("d", .dense(DenseSpec(units: 4))))
    distributed.masks = .joined
    var stack = StackedRNNSpec(
      cells: [layer("one", .lstm(LSTMSpec(units: 4))), layer("two", .gru(GRUSpec(units: 3, resetAfter: false)))],
      options: options)
    stack.reversesStates = true
    let inner = ModelSpec.sequential(
      name: "inner",
      layers: [layer("x", .input(InputSpec(shape: [6]))), layer("d", .dense(DenseSpec(units: 4)))])
    return [
      Sample(.bidirectional(BidirectionalSpec(forward: forward, backward: backward, merge: .none)), [nil, 6]),
      Sample(
        .bidirectional(BidirectionalSpec(forward: forward, backward: forward, merge: .average)), [nil, 6], [4], [4],
        [4], [4]),
      Sample(.timeDistributed(distributed), [nil, 6]), Sample(.stackedRNN(stack), [nil, 6]),
      Sample(.timeMajor(TimeMajorSpec(layer: layer("r", .lstm(lstm(options))))), [nil, 6]),
      Sample(
        .channelsFirst(ChannelsFirstSpec(layer: layer("c", .conv1D(Conv1DSpec(filters: 2, kernelSize: 3))))), [6, 9]),
      Sample(
        .activated(
          ActivatedSpec(
            layer: layer("d", .dense(DenseSpec(units: 4))), activation: layer("p", .prelu(PReLUSpec(sharedAxes: []))))),
        [6]),
      Sample(.model(NestedModelSpec(model: inner)), [6]),
    ]
  }
}
