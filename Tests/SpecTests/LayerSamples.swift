import Foundation
import RNNCore

/// One layer of each kind, all optional fields set; the switch makes sure that a new kind is added.
enum LayerSamples {
  static let channels = 6

  static func spec(_ kind: LayerSpec.Kind, resetAfter: Bool = true) -> LayerSpec {
    switch kind {
    case .input: return .input(InputSpec(shape: [nil, channels], batchSize: 2))
    case .embedding: return .embedding(EmbeddingSpec(inputDim: 7, outputDim: 2, maskZero: true))
    case .masking: return .masking(MaskingSpec(maskValue: 0.5))
    case .dropout: return .dropout(NoiseSpec(rate: 0.5))
    case .spatialDropout1D: return .spatialDropout1D(NoiseSpec(rate: 0.5))
    case .gaussianNoise: return .gaussianNoise(NoiseSpec(rate: 0.5))
    case .gaussianDropout: return .gaussianDropout(NoiseSpec(rate: 0.5))
    case .conv1D:
      var spec = Conv1DSpec(filters: 4, kernelSize: 5)
      spec.groups = 2
      return .conv1D(spec)
    case .maxPooling1D: return .maxPooling1D(Pooling1DSpec(poolSize: 2, strides: 2, padding: .valid))
    case .averagePooling1D: return .averagePooling1D(Pooling1DSpec(poolSize: 2, strides: 2, padding: .valid))
    case .globalMaxPooling1D: return .globalMaxPooling1D(GlobalPooling1DSpec(keepDims: true))
    case .globalAveragePooling1D: return .globalAveragePooling1D(GlobalPooling1DSpec(keepDims: true))
    case .lstm:
      var spec = LSTMSpec(units: 3)
      spec.options.zeroOutputForMask = true
      return .lstm(spec)
    case .gru:
      var spec = GRUSpec(units: 3, resetAfter: resetAfter)
      spec.options.zeroOutputForMask = true
      return .gru(spec)
    case .simpleRNN:
      var spec = SimpleRNNSpec(units: 3)
      spec.options.zeroOutputForMask = true
      return .simpleRNN(spec)
    case .dense: return .dense(DenseSpec(units: 3))
    case .activation: return .activation(ActivationSpec(activation: .tanh))
    case .flatten: return .flatten
    }
  }

  /// The sizes of the samples, under the names that the document uses.
  static let sizes = [
    "channels": channels, "units": 3, "filters": 4, "kernelSize": 5, "groups": 2, "inputDim": 7, "outputDim": 2,
  ]

  static func json(_ value: some Encodable) throws -> JSONValue {
    try JSONValue(parsing: try JSONEncoder().encode(value))
  }
}
