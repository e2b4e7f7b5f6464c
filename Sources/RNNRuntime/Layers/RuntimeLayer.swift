import RNNCore

/// One tensor during a run: where it lies, its shape with the batch, and what goes with it.
struct Value {
  var floats: Floats
  /// Batch first.
  var shape: [Int]
  /// 1 for a valid step, 0 for a masked one, (batch x timesteps); `nil` where nothing is masked.
  var mask: UnsafeMutablePointer<UInt8>?
  /// For inputs that an embedding reads: the ids as integers.
  var ids: UnsafeMutablePointer<Int32>?

  var batch: Int { shape[0] }
  var count: Int { shape.reduce(1, *) }
  /// The last axis.
  var width: Int { shape[shape.count - 1] }
  /// Everything but the last axis.
  var rows: Int { shape.dropLast().reduce(1, *) }
}

/// What a layer needs for one shape of input.
struct LayerPlan {
  /// With the batch.
  var outputShapes: [[Int]]
  /// Whether the first output has a mask of its own.
  var makesMask = false
  /// Whether the first output has the first input's mask.
  var passesMask = false
  /// Whether the first output is the first input, untouched.
  var isIdentity = false
  /// Floats of working memory.
  var scratch = 0
}

/// The states of recurrent layers between two runs, by call: h, and c for LSTM, each (batch x units).
typealias LayerStates = [[Float]]

/// A layer, its weights packed for the machine. Forward for any number of examples.
protocol RuntimeLayer: Sendable {
  /// - Parameters:
  ///   - input: the first input's shape, with the batch.
  ///   - isMasked: whether the first input has a mask.
  /// - Throws: `badData` where a sequence is too short.
  func plan(input: [Int], isMasked: Bool) throws -> LayerPlan

  /// - Parameters:
  ///   - inputs: one value; for recurrent layers, optionally their initial states behind it.
  ///   - outputs: as planned; masks are written where the plan makes them.
  ///   - states: for recurrent layers, the states to start from and to leave behind.
  func forward(_ inputs: [Value], _ outputs: [Value], scratch: Floats, states: inout LayerStates?) throws
}

/// Makes the runtime layer for each kind.
enum RuntimeLayers {
  /// - Parameter parameters: those of the layer, in the order of `LayerSpec.parameterNames`.
  static func make(_ layer: ModelSpec.Layer, _ parameters: [Tensor]) throws -> any RuntimeLayer {
    let weights = LayerWeights(names: layer.spec.parameterNames, tensors: parameters)
    switch layer.spec {
    case .input, .dropout, .spatialDropout1D, .gaussianNoise, .gaussianDropout: return IdentityLayer()
    case .embedding(let spec): return EmbeddingLayer(spec, try weights.tensor("embeddings"))
    case .masking(let spec): return MaskingLayer(spec)
    case .conv1D(let spec): return Conv1DLayer(spec, weights)
    case .maxPooling1D(let spec): return Pooling1DLayer(spec, isMaximum: true)
    case .averagePooling1D(let spec): return Pooling1DLayer(spec, isMaximum: false)
    case .globalMaxPooling1D(let spec): return GlobalPooling1DLayer(spec, isMaximum: true)
    case .globalAveragePooling1D(let spec): return GlobalPooling1DLayer(spec, isMaximum: false)
    case .lstm(let spec): return LSTMLayer(spec, weights)
    case .gru(let spec): return GRULayer(spec, weights)
    case .simpleRNN(let spec): return SimpleRNNLayer(spec, weights)
    case .dense(let spec): return DenseLayer(spec, weights)
    case .activation(let spec): return ActivationLayer(spec)
    case .flatten: return FlattenLayer()
    }
  }
}

/// The parameters of one layer by name, as float32.
struct LayerWeights {
  var names: [String]
  var tensors: [Tensor]

  func tensor(_ name: String) throws -> Tensor {
    guard let index = names.firstIndex(of: name), tensors.indices.contains(index) else {
      throw RNNError(.internalError, "the parameter '\(name)' is missing")
    }
    return tensors[index]
  }

  /// Empty where the layer has no such parameter, as without bias.
  func floats(_ name: String) -> [Float] {
    (try? tensor(name))?.floats() ?? []
  }
}
