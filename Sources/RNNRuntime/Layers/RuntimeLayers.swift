import RNNCore

/// Makes the runtime layer for each kind.
enum RuntimeLayers {
  static func make(_ layer: ModelSpec.Layer) -> any RuntimeLayer {
    switch layer.spec {
    case .input, .identity, .activityRegularization: PassingLayer(mask: .kept)
    case .dropout(let spec): NoiseLayer(.dropout(rate: Float(spec.rate)))
    case .spatialDropout1D(let spec): NoiseLayer(.spatialDropout(rate: Float(spec.rate)))
    case .gaussianNoise(let spec): NoiseLayer(.gaussianNoise(deviation: Float(spec.rate)))
    case .gaussianDropout(let spec): NoiseLayer(.gaussianDropout(rate: Float(spec.rate)))
    case .alphaDropout(let spec): NoiseLayer(.alphaDropout(rate: Float(spec.rate)))
    case .embedding(let spec): EmbeddingLayer(spec: spec)
    case .tokenCounts(let spec): TokenCountsLayer(spec: spec)
    case .rescaling(let spec): RescalingLayer(spec: spec)
    case .normalization(let spec): NormalizationLayer(spec: spec)
    case .discretization(let spec): DiscretizationLayer(spec: spec)
    case .integerLookup(let spec): IntegerLookupLayer(spec: spec)
    case .masking(let spec): MaskingLayer(spec)
    case .conv1D(let spec): Conv1DLayer(spec: spec)
    case .conv1DTranspose(let spec): Conv1DTransposeLayer(spec: spec)
    case .depthwiseConv1D(let spec): DepthwiseConv1DLayer(spec: spec)
    case .separableConv1D(let spec): SeparableConv1DLayer(spec: spec)
    case .locallyConnected1D(let spec): LocallyConnected1DLayer(spec: spec)
    case .maxPooling1D(let spec): Pooling1DLayer(spec: spec, isMaximum: true)
    case .averagePooling1D(let spec): Pooling1DLayer(spec: spec, isMaximum: false)
    case .adaptiveMaxPooling1D(let spec): AdaptivePooling1DLayer(spec: spec, isMaximum: true)
    case .adaptiveAveragePooling1D(let spec): AdaptivePooling1DLayer(spec: spec, isMaximum: false)
    case .globalMaxPooling1D(let spec): GlobalPooling1DLayer(spec: spec, isMaximum: true)
    case .globalAveragePooling1D(let spec): GlobalPooling1DLayer(spec: spec, isMaximum: false)
    case .lstm(let spec): LSTMLayer(spec: spec)
    case .gru(let spec): GRULayer(spec: spec)
    case .simpleRNN(let spec): SimpleRNNLayer(spec: spec)
    case .convLSTM1D(let spec): ConvLSTM1DLayer(spec: spec)
    case .lstmVariant(let spec): LSTMVariantLayer(spec: spec)
    case .dense(let spec): DenseLayer(spec: spec)
    case .einsumDense(let spec): EinsumDenseLayer(spec: spec)
    case .highway(let spec): HighwayLayer(spec: spec)
    case .maxoutDense(let spec): MaxoutDenseLayer(spec: spec)
    case .activation(let spec): ActivationLayer(activation: spec.activation)
    case .softmax(let spec): SoftmaxLayer(spec: spec)
    case .prelu(let spec): PReLULayer(spec: spec)
    case .parametricSoftplus(let spec): ParametricSoftplusLayer(spec: spec)
    case .sReLU(let spec): SReLULayer(spec: spec)
    case .flatten(let spec): flatten(spec)
    case .reshape(let spec): reshaping { try spec.outputShape(input: $0) }
    case .expandDims(let spec): reshaping { try spec.outputShape(input: $0) }
    case .squeeze(let spec): reshaping { try spec.outputShape(input: $0) }
    case .permute(let spec): PermuteLayer(spec: spec)
    case .repeatVector(let spec): RepeatVectorLayer(spec: spec)
    case .edges(let spec): EdgeLayer(spec: spec)
    case .upSampling1D(let spec): UpSampling1DLayer(spec: spec)
    case .batchNormalization(let spec): BatchNormalizationLayer(spec: spec, isFrozen: !layer.isTrainable)
    case .layerNormalization(let spec): LayerNormalizationLayer(spec: spec)
    case .unitNormalization(let spec): UnitNormalizationLayer(spec: spec)
    case .groupNormalization(let spec): GroupNormalizationLayer(spec: spec)
    case .merge(let spec): MergeLayer(spec: spec)
    case .concatenate(let spec): ConcatenateLayer(spec: spec)
    case .dot(let spec): DotLayer(spec: spec)
    case .attention(let spec): AttentionLayer(spec: spec)
    case .multiHeadAttention(let spec): MultiHeadAttentionLayer(spec: spec)
    case .unary(let spec): UnaryFunctionLayer(spec: spec)
    case .binary(let spec): BinaryFunctionLayer(spec: spec)
    case .reduction(let spec): ReductionLayer(spec: spec)
    case .cumulative(let spec): CumulativeLayer(spec: spec)
    case .slice(let spec): SliceLayer(spec: spec)
    case .rearrange(let spec): RearrangeLayer(spec: spec)
    case .split(let spec): SplitLayer(spec: spec)
    case .select(let spec): SelectLayer(spec: spec)
    case .stack(let spec): StackLayer(spec: spec)
    case .matrixProduct(let spec): MatrixProductLayer(spec: spec)
    case .einsum(let spec): EinsumLayer(spec: spec)
    case .reverseSteps(let spec): ReverseStepsLayer(spec: spec)
    case .foldSteps(let spec):
      PassingLayer(mask: spec.keepsMask ? .folded : .ended) {
        [elementCount(Array($0[0].shape.prefix(2)))] + $0[0].shape.dropFirst(2)
      }
    case .unfoldSteps(let spec):
      PassingLayer(mask: .unfolded(joins: spec.joinsMasks)) { Array($0[1].shape.prefix(2)) + $0[0].shape.dropFirst() }
    case .swapBatch: SwapBatchLayer()
    case .whereValid: WhereValidLayer()
    case .withMask: PassingLayer(mask: .from(1))
    case .maskOf: PassingLayer(mask: .of(1))
    case .withoutMask: PassingLayer(mask: .ended)
    case .bidirectional, .timeDistributed, .stackedRNN, .timeMajor, .channelsFirst, .cosine, .activated, .model:
      preconditionFailure("the plain graph has none of these; see GraphExpansion")
    }
  }

  private static func flatten(_ spec: FlattenSpec) -> any RuntimeLayer {
    if spec.channelsFirst { return ChannelsFirstFlattenLayer() }
    return PassingLayer(mask: .ended) { [$0[0].shape[0], elementCount(Array($0[0].shape.dropFirst()))] }
  }

  /// The same numbers under another shape, which the rest of an example decides.
  private static func reshaping(_ shape: @escaping @Sendable (Shape) throws -> Shape) -> PassingLayer {
    PassingLayer(mask: .ended) { inputs in
      let input = inputs[0].shape
      return [input[0]] + (try shape(input.dropFirst().map { $0 })).map { $0 ?? 0 }
    }
  }
}
