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
  /// Floats that the forward pass leaves for the backward pass; taken in training only.
  var tape = 0
  /// Floats of working memory of the backward pass.
  var backwardScratch = 0
}

/// The states of recurrent layers between two runs, by call: h, and c for LSTM, each (batch x units).
typealias LayerStates = [[Float]]

/// One forward run of one layer.
struct ForwardRun {
  /// One value; for recurrent layers, optionally their initial states behind it.
  var inputs: [Value]
  /// As planned; masks are written where the plan makes them.
  var outputs: [Value]
  /// In the order of `LayerSpec.parameterNames`.
  var parameters: [UnsafePointer<Float>]
  var scratch: Floats
  /// For recurrent layers, the states to start from and to leave behind.
  var states: LayerStates?
  /// What the backward pass will need; `nil` outside training.
  var tape: Floats?
  /// Random numbers of this layer and step; `nil` outside training.
  var noise: LayerNoise?
}

/// The backward run that belongs to a forward run: the values, parameters, tape and noise are those of the latter.
struct BackwardRun {
  var inputs: [Value]
  var outputs: [Value]
  var parameters: [UnsafePointer<Float>]
  var scratch: Floats
  var tape: Floats
  var noise: LayerNoise?
  /// d loss / d output, for each output.
  var outputGradients: [Floats]
  /// Added to: d loss / d input; `nil` where nobody needs it.
  var inputGradients: [Floats?]
  /// Added to: d loss / d parameter; `nil` for a frozen layer.
  var parameterGradients: [Floats]?
}

/// A layer over flat memory, for any number of examples. It holds its configuration; weights come with each run.
protocol RuntimeLayer: Sendable {
  /// - Parameters:
  ///   - input: the first input's shape, with the batch.
  ///   - isMasked: whether the first input has a mask.
  ///   - isTraining: whether dropout and noise act and a tape is written.
  /// - Throws: `badData` where a sequence is too short.
  func plan(input: [Int], isMasked: Bool, isTraining: Bool) throws -> LayerPlan

  func forward(_ run: inout ForwardRun) throws

  func backward(_ run: BackwardRun)
}

/// Makes the runtime layer for each kind.
enum RuntimeLayers {
  static func make(_ spec: LayerSpec) -> any RuntimeLayer {
    switch spec {
    case .input: IdentityLayer()
    case .dropout(let spec): NoiseLayer(.dropout(rate: Float(spec.rate)))
    case .spatialDropout1D(let spec): NoiseLayer(.spatialDropout(rate: Float(spec.rate)))
    case .gaussianNoise(let spec): NoiseLayer(.gaussianNoise(deviation: Float(spec.rate)))
    case .gaussianDropout(let spec): NoiseLayer(.gaussianDropout(rate: Float(spec.rate)))
    case .embedding(let spec): EmbeddingLayer(spec: spec)
    case .masking(let spec): MaskingLayer(spec)
    case .conv1D(let spec): Conv1DLayer(spec: spec)
    case .maxPooling1D(let spec): Pooling1DLayer(spec: spec, isMaximum: true)
    case .averagePooling1D(let spec): Pooling1DLayer(spec: spec, isMaximum: false)
    case .globalMaxPooling1D(let spec): GlobalPooling1DLayer(spec: spec, isMaximum: true)
    case .globalAveragePooling1D(let spec): GlobalPooling1DLayer(spec: spec, isMaximum: false)
    case .lstm(let spec): LSTMLayer(spec: spec)
    case .gru(let spec): GRULayer(spec: spec)
    case .simpleRNN(let spec): SimpleRNNLayer(spec: spec)
    case .dense(let spec): DenseLayer(spec: spec)
    case .activation(let spec): ActivationLayer(activation: spec.activation)
    case .flatten: FlattenLayer()
    }
  }
}
