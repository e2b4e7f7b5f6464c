/// A layer by its configuration, in Keras's words. What changes arithmetic stands here; how a file lays weights out does
/// not. Each configuration says for itself what the layer takes, gives and needs: see `LayerConfiguration`.
public enum LayerSpec: Sendable, Equatable {
  case input(InputSpec)
  case embedding(EmbeddingSpec)
  case tokenCounts(TokenCountsSpec)
  case rescaling(RescalingSpec)
  case normalization(NormalizationSpec)
  case discretization(DiscretizationSpec)
  case integerLookup(IntegerLookupSpec)
  case masking(MaskingSpec)
  case dropout(NoiseSpec)
  case spatialDropout1D(NoiseSpec)
  case gaussianNoise(NoiseSpec)
  case gaussianDropout(NoiseSpec)
  case alphaDropout(NoiseSpec)
  case conv1D(Conv1DSpec)
  case conv1DTranspose(Conv1DTransposeSpec)
  case depthwiseConv1D(DepthwiseConv1DSpec)
  case separableConv1D(SeparableConv1DSpec)
  case locallyConnected1D(LocallyConnected1DSpec)
  case maxPooling1D(Pooling1DSpec)
  case averagePooling1D(Pooling1DSpec)
  case adaptiveMaxPooling1D(AdaptivePooling1DSpec)
  case adaptiveAveragePooling1D(AdaptivePooling1DSpec)
  case globalMaxPooling1D(GlobalPooling1DSpec)
  case globalAveragePooling1D(GlobalPooling1DSpec)
  case lstm(LSTMSpec)
  case gru(GRUSpec)
  case simpleRNN(SimpleRNNSpec)
  case convLSTM1D(ConvLSTM1DSpec)
  case lstmVariant(LSTMVariantSpec)
  case dense(DenseSpec)
  case einsumDense(EinsumDenseSpec)
  case highway(HighwaySpec)
  case maxoutDense(MaxoutDenseSpec)
  case activation(ActivationSpec)
  case softmax(SoftmaxSpec)
  case prelu(PReLUSpec)
  case parametricSoftplus(ParametricSoftplusSpec)
  case sReLU(SReLUSpec)
  case flatten(FlattenSpec)
  case reshape(ReshapeSpec)
  case permute(PermuteSpec)
  case repeatVector(RepeatVectorSpec)
  case edges(EdgeSpec)
  case upSampling1D(UpSampling1DSpec)
  case identity(IdentitySpec)
  case activityRegularization(IdentitySpec)
  case batchNormalization(BatchNormalizationSpec)
  case layerNormalization(LayerNormalizationSpec)
  case unitNormalization(UnitNormalizationSpec)
  case groupNormalization(GroupNormalizationSpec)
  case merge(MergeSpec)
  case concatenate(ConcatenateSpec)
  case dot(DotSpec)
  case attention(AttentionSpec)
  case multiHeadAttention(MultiHeadAttentionSpec)
  case unary(UnarySpec)
  case binary(BinarySpec)
  case reduction(ReductionSpec)
  case cumulative(CumulativeSpec)
  case slice(SliceSpec)
  case rearrange(RearrangeSpec)
  case split(SplitSpec)
  case select(SelectSpec)
  case expandDims(ExpandDimsSpec)
  case squeeze(SqueezeSpec)
  case stack(StackSpec)
  case matrixProduct(MatrixProductSpec)
  case einsum(EinsumSpec)
  case reverseSteps(ReverseStepsSpec)
  case foldSteps(FoldStepsSpec)
  case unfoldSteps(UnfoldStepsSpec)
  case swapBatch(SwapBatchSpec)
  case whereValid(WhereValidSpec)
  case withMask(WithMaskSpec)
  case maskOf(MaskOfSpec)
  case withoutMask(WithoutMaskSpec)
  indirect case bidirectional(BidirectionalSpec)
  indirect case timeDistributed(TimeDistributedSpec)
  indirect case stackedRNN(StackedRNNSpec)
  indirect case timeMajor(TimeMajorSpec)
  indirect case channelsFirst(ChannelsFirstSpec)
  case cosine(CosineSpec)
  indirect case activated(ActivatedSpec)
  indirect case model(NestedModelSpec)

  /// The kinds, without their configuration; the raw value is Keras's class name where Keras has such a layer.
  public enum Kind: String, Sendable, Codable, CaseIterable {
    case input = "InputLayer"
    case embedding = "Embedding"
    case tokenCounts = "TokenCounts"
    case rescaling = "Rescaling"
    case normalization = "Normalization"
    case discretization = "Discretization"
    case integerLookup = "IntegerLookup"
    case masking = "Masking"
    case dropout = "Dropout"
    case spatialDropout1D = "SpatialDropout1D"
    case gaussianNoise = "GaussianNoise"
    case gaussianDropout = "GaussianDropout"
    case alphaDropout = "AlphaDropout"
    case conv1D = "Conv1D"
    case conv1DTranspose = "Conv1DTranspose"
    case depthwiseConv1D = "DepthwiseConv1D"
    case separableConv1D = "SeparableConv1D"
    case locallyConnected1D = "LocallyConnected1D"
    case maxPooling1D = "MaxPooling1D"
    case averagePooling1D = "AveragePooling1D"
    case adaptiveMaxPooling1D = "AdaptiveMaxPooling1D"
    case adaptiveAveragePooling1D = "AdaptiveAveragePooling1D"
    case globalMaxPooling1D = "GlobalMaxPooling1D"
    case globalAveragePooling1D = "GlobalAveragePooling1D"
    case lstm = "LSTM"
    case gru = "GRU"
    case simpleRNN = "SimpleRNN"
    case convLSTM1D = "ConvLSTM1D"
    case lstmVariant = "LSTMVariant"
    case dense = "Dense"
    case einsumDense = "EinsumDense"
    case highway = "Highway"
    case maxoutDense = "MaxoutDense"
    case activation = "Activation"
    case softmax = "Softmax"
    case prelu = "PReLU"
    case parametricSoftplus = "ParametricSoftplus"
    case sReLU = "SReLU"
    case flatten = "Flatten"
    case reshape = "Reshape"
    case permute = "Permute"
    case repeatVector = "RepeatVector"
    case edges = "Edges"
    case upSampling1D = "UpSampling1D"
    case identity = "Identity"
    case activityRegularization = "ActivityRegularization"
    case batchNormalization = "BatchNormalization"
    case layerNormalization = "LayerNormalization"
    case unitNormalization = "UnitNormalization"
    case groupNormalization = "GroupNormalization"
    case merge = "Merge"
    case concatenate = "Concatenate"
    case dot = "Dot"
    case attention = "Attention"
    case multiHeadAttention = "MultiHeadAttention"
    case unary = "Unary"
    case binary = "Binary"
    case reduction = "Reduction"
    case cumulative = "Cumulative"
    case slice = "Slice"
    case rearrange = "Rearrange"
    case split = "Split"
    case select = "Select"
    case expandDims = "ExpandDims"
    case squeeze = "Squeeze"
    case stack = "Stack"
    case matrixProduct = "MatrixProduct"
    case einsum = "Einsum"
    case reverseSteps = "ReverseSteps"
    case foldSteps = "FoldSteps"
    case unfoldSteps = "UnfoldSteps"
    case swapBatch = "SwapBatch"
    case whereValid = "WhereValid"
    case withMask = "WithMask"
    case maskOf = "MaskOf"
    case withoutMask = "WithoutMask"
    case bidirectional = "Bidirectional"
    case timeDistributed = "TimeDistributed"
    case stackedRNN = "StackedRNN"
    case timeMajor = "TimeMajor"
    case channelsFirst = "ChannelsFirst"
    case cosine = "Cosine"
    case activated = "Activated"
    case model = "Model"
  }

  public var kind: Kind { split.kind }

  /// What the layer says of itself.
  public var configuration: any LayerConfiguration { split.configuration }

  /// The outputs for a call's inputs, the batch axis left out.
  /// - Throws: `badData` when the inputs do not fit the layer.
  public func outputShapes(inputs: [Shape]) throws -> [Shape] {
    guard configuration.inputCounts.contains(inputs.count) else {
      throw RNNError.badData("\(kind.rawValue) cannot take \(inputs.count) inputs")
    }
    return try configuration.outputShapes(inputs: inputs)
  }

  /// The names of the parameters, in Keras 3's order, whatever the input.
  public var parameterNames: [String] { configuration.parameterNames }

  /// The parameters for a call's inputs, in Keras 3's order and layout.
  public func parameterShapes(inputs: [Shape]) throws -> [ParameterShape] {
    try configuration.parameterShapes(inputs: inputs)
  }

  /// The functions that the layer applies, those of the layers inside it included.
  public var activations: [Activation] {
    configuration.activations
      + ((configuration as? any CompositeLayer)?.parts.flatMap(\.spec.activations) ?? [])
  }
}

/// Layers that are made of others.
extension LayerSpec {
  /// The layers inside, as they were configured; none for a plain layer.
  public var innerLayers: [ModelSpec.Layer] {
    get { (configuration as? any CompositeLayer)?.innerLayers ?? [] }
    set {
      guard var composite = configuration as? any CompositeLayer else { return }
      composite.innerLayers = newValue
      if let changed = LayerSpec(kind, composite) { self = changed }
    }
  }

  /// The places of the inner layers below this one.
  public var innerPlaces: [String] { (configuration as? any CompositeLayer)?.innerPlaces ?? [] }
}

/// How recurrent layers read, return and carry.
extension LayerSpec {
  public var isRecurrent: Bool { configuration is any RecurrentConfiguration }

  /// How many recurrent states the layer has; its initial ones may follow its input.
  public var stateCount: Int { (configuration as? any RecurrentConfiguration)?.stateCount ?? 0 }

  /// The states of a recurrent layer for one example; none for any other layer.
  public func stateShapes(input: Shape) throws -> [Shape] {
    try (configuration as? any RecurrentConfiguration)?.stateShapes(input: input) ?? []
  }

  /// The options of a recurrent layer.
  public var recurrentOptions: RecurrentOptions? { (configuration as? any RecurrentConfiguration)?.options }

  /// Whether a recurrent layer carries its states from batch to batch.
  public var isStateful: Bool { recurrentOptions?.stateful ?? false }

  /// Whether a recurrent layer never sees its input's mask.
  public var ignoresMask: Bool { recurrentOptions?.ignoresMask ?? false }

  /// Changes the options of a recurrent layer; nothing for any other layer.
  public mutating func setRecurrentOptions(_ options: RecurrentOptions) {
    guard var recurrent = configuration as? any RecurrentConfiguration else { return }
    recurrent.options = options
    if let changed = LayerSpec(kind, recurrent) { self = changed }
  }

  /// Lets a recurrent layer ignore masks; nothing for any other layer.
  public mutating func ignoreMask() {
    guard var options = recurrentOptions else { return }
    options.ignoresMask = true
    setRecurrentOptions(options)
  }
}
