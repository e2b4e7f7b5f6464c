/// A layer by its configuration, in Keras's words. What changes arithmetic stands here; how a file lays weights out does not.
public enum LayerSpec: Sendable, Equatable {
  case input(InputSpec)
  case embedding(EmbeddingSpec)
  case masking(MaskingSpec)
  case dropout(NoiseSpec)
  case spatialDropout1D(NoiseSpec)
  case gaussianNoise(NoiseSpec)
  case gaussianDropout(NoiseSpec)
  case conv1D(Conv1DSpec)
  case maxPooling1D(Pooling1DSpec)
  case averagePooling1D(Pooling1DSpec)
  case globalMaxPooling1D(GlobalPooling1DSpec)
  case globalAveragePooling1D(GlobalPooling1DSpec)
  case lstm(LSTMSpec)
  case gru(GRUSpec)
  case simpleRNN(SimpleRNNSpec)
  case dense(DenseSpec)
  case activation(ActivationSpec)
  case flatten

  /// The kinds, without their configuration; the raw value is Keras's class name.
  public enum Kind: String, Sendable, Codable, CaseIterable {
    case input = "InputLayer"
    case embedding = "Embedding"
    case masking = "Masking"
    case dropout = "Dropout"
    case spatialDropout1D = "SpatialDropout1D"
    case gaussianNoise = "GaussianNoise"
    case gaussianDropout = "GaussianDropout"
    case conv1D = "Conv1D"
    case maxPooling1D = "MaxPooling1D"
    case averagePooling1D = "AveragePooling1D"
    case globalMaxPooling1D = "GlobalMaxPooling1D"
    case globalAveragePooling1D = "GlobalAveragePooling1D"
    case lstm = "LSTM"
    case gru = "GRU"
    case simpleRNN = "SimpleRNN"
    case dense = "Dense"
    case activation = "Activation"
    case flatten = "Flatten"
  }

  public var kind: Kind {
    switch self {
    case .input: .input
    case .embedding: .embedding
    case .masking: .masking
    case .dropout: .dropout
    case .spatialDropout1D: .spatialDropout1D
    case .gaussianNoise: .gaussianNoise
    case .gaussianDropout: .gaussianDropout
    case .conv1D: .conv1D
    case .maxPooling1D: .maxPooling1D
    case .averagePooling1D: .averagePooling1D
    case .globalMaxPooling1D: .globalMaxPooling1D
    case .globalAveragePooling1D: .globalAveragePooling1D
    case .lstm: .lstm
    case .gru: .gru
    case .simpleRNN: .simpleRNN
    case .dense: .dense
    case .activation: .activation
    case .flatten: .flatten
    }
  }

  /// How many recurrent states the layer has; its initial ones may follow its input.
  public var stateCount: Int {
    switch self {
    case .lstm: 2
    case .gru, .simpleRNN: 1
    case .input, .embedding, .masking, .dropout, .spatialDropout1D, .gaussianNoise, .gaussianDropout, .conv1D,
      .maxPooling1D, .averagePooling1D, .globalMaxPooling1D, .globalAveragePooling1D, .dense, .activation, .flatten:
      0
    }
  }

  /// The outputs for one input, the batch axis left out.
  /// - Throws: `badData` when the input does not fit the layer.
  public func outputShapes(input: Shape) throws -> [Shape] {
    switch self {
    case .input(let spec): [spec.shape]
    case .embedding(let spec): [try spec.outputShape(input: input)]
    case .masking, .dropout, .spatialDropout1D, .gaussianNoise, .gaussianDropout: [input]
    case .conv1D(let spec): [try spec.activationShape(try spec.outputShape(input: input))]
    case .maxPooling1D(let spec): [try spec.outputShape(input: input, layer: kind.rawValue)]
    case .averagePooling1D(let spec): [try spec.outputShape(input: input, layer: kind.rawValue)]
    case .globalMaxPooling1D(let spec): [try spec.outputShape(input: input, layer: kind.rawValue)]
    case .globalAveragePooling1D(let spec): [try spec.outputShape(input: input, layer: kind.rawValue)]
    case .lstm(let spec): try recurrentShapes(input, spec.options, units: spec.units)
    case .gru(let spec): try recurrentShapes(input, spec.options, units: spec.units)
    case .simpleRNN(let spec): try recurrentShapes(input, spec.options, units: spec.units)
    case .dense(let spec): [try spec.outputShape(input: input)]
    case .activation(let spec): [try spec.outputShape(input: input)]
    case .flatten: [try Flatten.outputShape(input: input)]
    }
  }

  private func recurrentShapes(_ input: Shape, _ options: RecurrentOptions, units: Int) throws -> [Shape] {
    guard !activations.contains(.glu) else {
      throw RNNError.badData("glu halves its input, so no recurrent layer can have it as an activation")
    }
    return try options.outputShapes(input: input, units: units, states: stateCount, layer: kind.rawValue)
  }

  /// The names of the parameters, in Keras 3's order, whatever the input.
  public var parameterNames: [String] {
    switch self {
    case .input, .masking, .dropout, .spatialDropout1D, .gaussianNoise, .gaussianDropout, .maxPooling1D,
      .averagePooling1D, .globalMaxPooling1D, .globalAveragePooling1D, .activation, .flatten:
      []
    case .embedding: ["embeddings"]
    case .conv1D(let spec): spec.useBias ? ["kernel", "bias"] : ["kernel"]
    case .dense(let spec): spec.useBias ? ["kernel", "bias"] : ["kernel"]
    case .lstm(let spec): spec.options.parameterNames
    case .gru(let spec): spec.options.parameterNames
    case .simpleRNN(let spec): spec.options.parameterNames
    }
  }

  /// The parameters for one input, in Keras 3's order and layout.
  public func parameterShapes(input: Shape) throws -> [ParameterShape] {
    switch self {
    case .input, .masking, .dropout, .spatialDropout1D, .gaussianNoise, .gaussianDropout, .maxPooling1D,
      .averagePooling1D, .globalMaxPooling1D, .globalAveragePooling1D, .activation, .flatten:
      []
    case .embedding(let spec): [ParameterShape("embeddings", [spec.inputDim, spec.outputDim])]
    case .conv1D(let spec): try spec.parameterShapes(input: input)
    case .lstm(let spec): try spec.parameterShapes(input: input)
    case .gru(let spec): try spec.parameterShapes(input: input)
    case .simpleRNN(let spec): try spec.parameterShapes(input: input)
    case .dense(let spec): try spec.parameterShapes(input: input)
    }
  }
}

extension Conv1DSpec {
  fileprivate func activationShape(_ output: Shape) throws -> Shape {
    output.dropLast() + [try activation.channels(from: filters)]
  }
}

extension LayerSpec {
  /// The functions that the layer applies.
  public var activations: [Activation] {
    switch self {
    case .conv1D(let spec): [spec.activation]
    case .lstm(let spec): [spec.activation, spec.recurrentActivation]
    case .gru(let spec): [spec.activation, spec.recurrentActivation]
    case .simpleRNN(let spec): [spec.activation]
    case .dense(let spec): [spec.activation]
    case .activation(let spec): [spec.activation]
    case .input, .embedding, .masking, .dropout, .spatialDropout1D, .gaussianNoise, .gaussianDropout, .maxPooling1D,
      .averagePooling1D, .globalMaxPooling1D, .globalAveragePooling1D, .flatten:
      []
    }
  }
}

extension LayerSpec {
  /// The units of a recurrent layer; 0 for any other.
  public var recurrentUnits: Int {
    switch self {
    case .lstm(let spec): spec.units
    case .gru(let spec): spec.units
    case .simpleRNN(let spec): spec.units
    case .input, .embedding, .masking, .dropout, .spatialDropout1D, .gaussianNoise, .gaussianDropout, .conv1D,
      .maxPooling1D, .averagePooling1D, .globalMaxPooling1D, .globalAveragePooling1D, .dense, .activation, .flatten:
      0
    }
  }

  /// The options of a recurrent layer.
  public var recurrentOptions: RecurrentOptions? {
    switch self {
    case .lstm(let spec): spec.options
    case .gru(let spec): spec.options
    case .simpleRNN(let spec): spec.options
    case .input, .embedding, .masking, .dropout, .spatialDropout1D, .gaussianNoise, .gaussianDropout, .conv1D,
      .maxPooling1D, .averagePooling1D, .globalMaxPooling1D, .globalAveragePooling1D, .dense, .activation, .flatten:
      nil
    }
  }

  /// Whether a recurrent layer carries its states from batch to batch.
  public var isStateful: Bool { recurrentOptions?.stateful ?? false }

  /// Whether a recurrent layer never sees its input's mask.
  public var ignoresMask: Bool { recurrentOptions?.ignoresMask ?? false }

  /// Lets a recurrent layer ignore masks; nothing for any other layer.
  public mutating func ignoreMask() {
    switch self {
    case .lstm(var spec):
      spec.options.ignoresMask = true
      self = .lstm(spec)
    case .gru(var spec):
      spec.options.ignoresMask = true
      self = .gru(spec)
    case .simpleRNN(var spec):
      spec.options.ignoresMask = true
      self = .simpleRNN(spec)
    case .input, .embedding, .masking, .dropout, .spatialDropout1D, .gaussianNoise, .gaussianDropout, .conv1D,
      .maxPooling1D, .averagePooling1D, .globalMaxPooling1D, .globalAveragePooling1D, .dense, .activation, .flatten:
      break
    }
  }
}
