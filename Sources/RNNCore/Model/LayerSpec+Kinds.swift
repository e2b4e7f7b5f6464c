/// Where the cases of `LayerSpec` meet their kinds and configurations; the compiler asks for each new one here.
extension LayerSpec {
  var split: (kind: Kind, configuration: any LayerConfiguration) {
    switch self {
    case .input(let spec): (.input, spec)
    case .embedding(let spec): (.embedding, spec)
    case .tokenCounts(let spec): (.tokenCounts, spec)
    case .rescaling(let spec): (.rescaling, spec)
    case .normalization(let spec): (.normalization, spec)
    case .discretization(let spec): (.discretization, spec)
    case .integerLookup(let spec): (.integerLookup, spec)
    case .masking(let spec): (.masking, spec)
    case .dropout(let spec): (.dropout, spec)
    case .spatialDropout1D(let spec): (.spatialDropout1D, spec)
    case .gaussianNoise(let spec): (.gaussianNoise, spec)
    case .gaussianDropout(let spec): (.gaussianDropout, spec)
    case .alphaDropout(let spec): (.alphaDropout, spec)
    case .conv1D(let spec): (.conv1D, spec)
    case .conv1DTranspose(let spec): (.conv1DTranspose, spec)
    case .depthwiseConv1D(let spec): (.depthwiseConv1D, spec)
    case .separableConv1D(let spec): (.separableConv1D, spec)
    case .locallyConnected1D(let spec): (.locallyConnected1D, spec)
    case .maxPooling1D(let spec): (.maxPooling1D, spec)
    case .averagePooling1D(let spec): (.averagePooling1D, spec)
    case .adaptiveMaxPooling1D(let spec): (.adaptiveMaxPooling1D, spec)
    case .adaptiveAveragePooling1D(let spec): (.adaptiveAveragePooling1D, spec)
    case .globalMaxPooling1D(let spec): (.globalMaxPooling1D, spec)
    case .globalAveragePooling1D(let spec): (.globalAveragePooling1D, spec)
    case .lstm(let spec): (.lstm, spec)
    case .gru(let spec): (.gru, spec)
    case .simpleRNN(let spec): (.simpleRNN, spec)
    case .convLSTM1D(let spec): (.convLSTM1D, spec)
    case .lstmVariant(let spec): (.lstmVariant, spec)
    case .dense(let spec): (.dense, spec)
    case .einsumDense(let spec): (.einsumDense, spec)
    case .highway(let spec): (.highway, spec)
    case .maxoutDense(let spec): (.maxoutDense, spec)
    case .activation(let spec): (.activation, spec)
    case .softmax(let spec): (.softmax, spec)
    case .prelu(let spec): (.prelu, spec)
    case .parametricSoftplus(let spec): (.parametricSoftplus, spec)
    case .sReLU(let spec): (.sReLU, spec)
    case .flatten(let spec): (.flatten, spec)
    case .reshape(let spec): (.reshape, spec)
    case .permute(let spec): (.permute, spec)
    case .repeatVector(let spec): (.repeatVector, spec)
    case .edges(let spec): (.edges, spec)
    case .upSampling1D(let spec): (.upSampling1D, spec)
    case .identity(let spec): (.identity, spec)
    case .activityRegularization(let spec): (.activityRegularization, spec)
    case .batchNormalization(let spec): (.batchNormalization, spec)
    case .layerNormalization(let spec): (.layerNormalization, spec)
    case .unitNormalization(let spec): (.unitNormalization, spec)
    case .groupNormalization(let spec): (.groupNormalization, spec)
    case .merge(let spec): (.merge, spec)
    case .concatenate(let spec): (.concatenate, spec)
    case .dot(let spec): (.dot, spec)
    case .attention(let spec): (.attention, spec)
    case .multiHeadAttention(let spec): (.multiHeadAttention, spec)
    case .unary(let spec): (.unary, spec)
    case .binary(let spec): (.binary, spec)
    case .reduction(let spec): (.reduction, spec)
    case .cumulative(let spec): (.cumulative, spec)
    case .slice(let spec): (.slice, spec)
    case .rearrange(let spec): (.rearrange, spec)
    case .split(let spec): (.split, spec)
    case .select(let spec): (.select, spec)
    case .expandDims(let spec): (.expandDims, spec)
    case .squeeze(let spec): (.squeeze, spec)
    case .stack(let spec): (.stack, spec)
    case .matrixProduct(let spec): (.matrixProduct, spec)
    case .einsum(let spec): (.einsum, spec)
    case .reverseSteps(let spec): (.reverseSteps, spec)
    case .foldSteps(let spec): (.foldSteps, spec)
    case .unfoldSteps(let spec): (.unfoldSteps, spec)
    case .swapBatch(let spec): (.swapBatch, spec)
    case .whereValid(let spec): (.whereValid, spec)
    case .withMask(let spec): (.withMask, spec)
    case .maskOf(let spec): (.maskOf, spec)
    case .withoutMask(let spec): (.withoutMask, spec)
    case .bidirectional(let spec): (.bidirectional, spec)
    case .timeDistributed(let spec): (.timeDistributed, spec)
    case .stackedRNN(let spec): (.stackedRNN, spec)
    case .timeMajor(let spec): (.timeMajor, spec)
    case .channelsFirst(let spec): (.channelsFirst, spec)
    case .cosine(let spec): (.cosine, spec)
    case .activated(let spec): (.activated, spec)
    case .model(let spec): (.model, spec)
    }
  }

  /// Something that a configuration of any type can come from.
  private protocol Source {
    func configuration<Configuration: LayerConfiguration>() throws -> Configuration
  }

  private static func make(_ kind: Kind, from source: any Source) throws -> LayerSpec {
    switch kind {
    case .input: .input(try source.configuration())
    case .embedding: .embedding(try source.configuration())
    case .tokenCounts: .tokenCounts(try source.configuration())
    case .rescaling: .rescaling(try source.configuration())
    case .normalization: .normalization(try source.configuration())
    case .discretization: .discretization(try source.configuration())
    case .integerLookup: .integerLookup(try source.configuration())
    case .masking: .masking(try source.configuration())
    case .dropout: .dropout(try source.configuration())
    case .spatialDropout1D: .spatialDropout1D(try source.configuration())
    case .gaussianNoise: .gaussianNoise(try source.configuration())
    case .gaussianDropout: .gaussianDropout(try source.configuration())
    case .alphaDropout: .alphaDropout(try source.configuration())
    case .conv1D: .conv1D(try source.configuration())
    case .conv1DTranspose: .conv1DTranspose(try source.configuration())
    case .depthwiseConv1D: .depthwiseConv1D(try source.configuration())
    case .separableConv1D: .separableConv1D(try source.configuration())
    case .locallyConnected1D: .locallyConnected1D(try source.configuration())
    case .maxPooling1D: .maxPooling1D(try source.configuration())
    case .averagePooling1D: .averagePooling1D(try source.configuration())
    case .adaptiveMaxPooling1D: .adaptiveMaxPooling1D(try source.configuration())
    case .adaptiveAveragePooling1D: .adaptiveAveragePooling1D(try source.configuration())
    case .globalMaxPooling1D: .globalMaxPooling1D(try source.configuration())
    case .globalAveragePooling1D: .globalAveragePooling1D(try source.configuration())
    case .lstm: .lstm(try source.configuration())
    case .gru: .gru(try source.configuration())
    case .simpleRNN: .simpleRNN(try source.configuration())
    case .convLSTM1D: .convLSTM1D(try source.configuration())
    case .lstmVariant: .lstmVariant(try source.configuration())
    case .dense: .dense(try source.configuration())
    case .einsumDense: .einsumDense(try source.configuration())
    case .highway: .highway(try source.configuration())
    case .maxoutDense: .maxoutDense(try source.configuration())
    case .activation: .activation(try source.configuration())
    case .softmax: .softmax(try source.configuration())
    case .prelu: .prelu(try source.configuration())
    case .parametricSoftplus: .parametricSoftplus(try source.configuration())
    case .sReLU: .sReLU(try source.configuration())
    case .flatten: .flatten(try source.configuration())
    case .reshape: .reshape(try source.configuration())
    case .permute: .permute(try source.configuration())
    case .repeatVector: .repeatVector(try source.configuration())
    case .edges: .edges(try source.configuration())
    case .upSampling1D: .upSampling1D(try source.configuration())
    case .identity: .identity(try source.configuration())
    case .activityRegularization: .activityRegularization(try source.configuration())
    case .batchNormalization: .batchNormalization(try source.configuration())
    case .layerNormalization: .layerNormalization(try source.configuration())
    case .unitNormalization: .unitNormalization(try source.configuration())
    case .groupNormalization: .groupNormalization(try source.configuration())
    case .merge: .merge(try source.configuration())
    case .concatenate: .concatenate(try source.configuration())
    case .dot: .dot(try source.configuration())
    case .attention: .attention(try source.configuration())
    case .multiHeadAttention: .multiHeadAttention(try source.configuration())
    case .unary: .unary(try source.configuration())
    case .binary: .binary(try source.configuration())
    case .reduction: .reduction(try source.configuration())
    case .cumulative: .cumulative(try source.configuration())
    case .slice: .slice(try source.configuration())
    case .rearrange: .rearrange(try source.configuration())
    case .split: .split(try source.configuration())
    case .select: .select(try source.configuration())
    case .expandDims: .expandDims(try source.configuration())
    case .squeeze: .squeeze(try source.configuration())
    case .stack: .stack(try source.configuration())
    case .matrixProduct: .matrixProduct(try source.configuration())
    case .einsum: .einsum(try source.configuration())
    case .reverseSteps: .reverseSteps(try source.configuration())
    case .foldSteps: .foldSteps(try source.configuration())
    case .unfoldSteps: .unfoldSteps(try source.configuration())
    case .swapBatch: .swapBatch(try source.configuration())
    case .whereValid: .whereValid(try source.configuration())
    case .withMask: .withMask(try source.configuration())
    case .maskOf: .maskOf(try source.configuration())
    case .withoutMask: .withoutMask(try source.configuration())
    case .bidirectional: .bidirectional(try source.configuration())
    case .timeDistributed: .timeDistributed(try source.configuration())
    case .stackedRNN: .stackedRNN(try source.configuration())
    case .timeMajor: .timeMajor(try source.configuration())
    case .channelsFirst: .channelsFirst(try source.configuration())
    case .cosine: .cosine(try source.configuration())
    case .activated: .activated(try source.configuration())
    case .model: .model(try source.configuration())
    }
  }

  /// A value that is there already.
  private struct Value: Source {
    let value: any LayerConfiguration

    func configuration<Configuration: LayerConfiguration>() throws -> Configuration {
      guard let configuration = value as? Configuration else {
        throw RNNError(.internalError, "\(type(of: value)) is not the configuration of this layer")
      }
      return configuration
    }
  }

  /// A layer of a kind; `nil` where the configuration is another kind's.
  public init?(_ kind: Kind, _ configuration: any LayerConfiguration) {
    guard let spec = try? LayerSpec.make(kind, from: Value(value: configuration)) else { return nil }
    self = spec
  }
}

/// Written flat: the kind beside the configuration's own members.
extension LayerSpec: Codable {
  private enum CodingKeys: String, CodingKey {
    case kind
  }

  private struct Decoded: Source {
    let decoder: any Decoder

    func configuration<Configuration: LayerConfiguration>() throws -> Configuration { try Configuration(from: decoder) }
  }

  public init(from decoder: any Decoder) throws {
    let kind = try decoder.container(keyedBy: CodingKeys.self).decode(Kind.self, forKey: .kind)
    self = try LayerSpec.make(kind, from: Decoded(decoder: decoder))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(kind, forKey: .kind)
    try configuration.encode(to: encoder)
  }
}
