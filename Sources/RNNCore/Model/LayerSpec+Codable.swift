extension LayerSpec: Codable {
  private enum CodingKeys: String, CodingKey {
    case kind
  }

  public init(from decoder: any Decoder) throws {
    switch try decoder.container(keyedBy: CodingKeys.self).decode(Kind.self, forKey: .kind) {
    case .input: self = .input(try InputSpec(from: decoder))
    case .embedding: self = .embedding(try EmbeddingSpec(from: decoder))
    case .masking: self = .masking(try MaskingSpec(from: decoder))
    case .dropout: self = .dropout(try NoiseSpec(from: decoder))
    case .spatialDropout1D: self = .spatialDropout1D(try NoiseSpec(from: decoder))
    case .gaussianNoise: self = .gaussianNoise(try NoiseSpec(from: decoder))
    case .gaussianDropout: self = .gaussianDropout(try NoiseSpec(from: decoder))
    case .conv1D: self = .conv1D(try Conv1DSpec(from: decoder))
    case .maxPooling1D: self = .maxPooling1D(try Pooling1DSpec(from: decoder))
    case .averagePooling1D: self = .averagePooling1D(try Pooling1DSpec(from: decoder))
    case .globalMaxPooling1D: self = .globalMaxPooling1D(try GlobalPooling1DSpec(from: decoder))
    case .globalAveragePooling1D: self = .globalAveragePooling1D(try GlobalPooling1DSpec(from: decoder))
    case .lstm: self = .lstm(try LSTMSpec(from: decoder))
    case .gru: self = .gru(try GRUSpec(from: decoder))
    case .simpleRNN: self = .simpleRNN(try SimpleRNNSpec(from: decoder))
    case .dense: self = .dense(try DenseSpec(from: decoder))
    case .activation: self = .activation(try ActivationSpec(from: decoder))
    case .flatten: self = .flatten
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(kind, forKey: .kind)
    switch self {
    case .input(let spec): try spec.encode(to: encoder)
    case .embedding(let spec): try spec.encode(to: encoder)
    case .masking(let spec): try spec.encode(to: encoder)
    case .dropout(let spec), .spatialDropout1D(let spec), .gaussianNoise(let spec), .gaussianDropout(let spec):
      try spec.encode(to: encoder)
    case .conv1D(let spec): try spec.encode(to: encoder)
    case .maxPooling1D(let spec), .averagePooling1D(let spec): try spec.encode(to: encoder)
    case .globalMaxPooling1D(let spec), .globalAveragePooling1D(let spec): try spec.encode(to: encoder)
    case .lstm(let spec): try spec.encode(to: encoder)
    case .gru(let spec): try spec.encode(to: encoder)
    case .simpleRNN(let spec): try spec.encode(to: encoder)
    case .dense(let spec): try spec.encode(to: encoder)
    case .activation(let spec): try spec.encode(to: encoder)
    case .flatten: break
    }
  }
}
