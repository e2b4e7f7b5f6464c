import RNNCore
import RNNTestSupport
import Testing

extension LayerTrial: CustomTestStringConvertible {
  public var testDescription: String { description }
}

/// Every layer through `checkLayer`: each kind with its arguments, and the ones with many in random combination.
struct LayerCheckTests {
  @Test(arguments: LayerTrials.all)
  func isALayer(_ trial: LayerTrial) throws {
    let problems = try checkLayer(trial)
    #expect(problems == [], "\(problems)")
  }

  @Test func everyKindIsTried() {
    // These change the number of examples, and stand in what others come to; or they have no gradient.
    let within: Set<LayerSpec.Kind> = [
      .foldSteps, .unfoldSteps, .swapBatch, .whereValid, .discretization, .integerLookup,
    ]
    #expect(
      Set(LayerTrials.all.map(\.spec.kind)) == Set(LayerSpec.Kind.allCases).subtracting([.input]).subtracting(within))
  }
}

/// What `LayerCheckTests` tries.
enum LayerTrials {
  static let all: [LayerTrial] =
    simple + convolutions + poolings + activations + recurrent + wide + noise + MoreLayerTrials.all

  private static let simple: [LayerTrial] = {
    var gated = DenseSpec(units: 4)
    gated.activation = .glu
    var bare = DenseSpec(units: 3)
    (bare.useBias, bare.activation) = (false, .softmax)
    return [
      LayerTrial(.embedding(EmbeddingSpec(inputDim: 5, outputDim: 3, maskZero: false)), [4]),
      LayerTrial(.embedding(EmbeddingSpec(inputDim: 5, outputDim: 2, maskZero: true)), [2, 3]),
      LayerTrial(.masking(MaskingSpec(maskValue: 0.25)), [4, 2]),
      LayerTrial(.dense(DenseSpec(units: 20)), [5]), LayerTrial(.dense(gated), [3, 5]),
      LayerTrial(.dense(bare), [2, 2, 4]), LayerTrial(.dense(bare), [3, 4]) { $0.isMasked = true },
      LayerTrial(.flatten(FlattenSpec()), [3, 2]), LayerTrial(.flatten(FlattenSpec()), [4]),
    ]
  }()

  private static let convolutions: [LayerTrial] = (0..<40).map { number in
    var generator = SeededGenerator(seed: UInt64(number) + 500)
    var spec = Conv1DSpec(filters: 4, kernelSize: Int.random(in: 1...4, using: &generator))
    spec.padding = Padding.allCases.randomElement(using: &generator) ?? .valid
    spec.strides = Int.random(in: 1...3, using: &generator)
    spec.dilationRate = spec.strides == 1 ? Int.random(in: 1...2, using: &generator) : 1
    spec.groups = Int.random(in: 1...2, using: &generator)
    spec.useBias = Bool.random(using: &generator)
    spec.activation = [.tanh, .relu, .linear, .softmax, .glu].randomElement(using: &generator) ?? .linear
    return LayerTrial(.conv1D(spec), [8, 4]) { ($0.seed, $0.isSparse) = (UInt64(number), number % 2 == 1) }
  }

  private static let poolings: [LayerTrial] = (0..<16).flatMap { number -> [LayerTrial] in
    var generator = SeededGenerator(seed: UInt64(number) + 900)
    let spec = Pooling1DSpec(
      poolSize: Int.random(in: 1...4, using: &generator), strides: Int.random(in: 1...4, using: &generator),
      padding: Bool.random(using: &generator) ? .same : .valid)
    let global = GlobalPooling1DSpec(keepDims: number % 2 == 0)
    let input = [Int.random(in: 5...9, using: &generator), 3]
    return [
      LayerTrial(number % 2 == 0 ? .maxPooling1D(spec) : .averagePooling1D(spec), input) { $0.seed = UInt64(number) },
      LayerTrial(number % 3 == 0 ? .globalMaxPooling1D(global) : .globalAveragePooling1D(global), input) {
        ($0.isMasked, $0.seed) = (number % 3 == 2, UInt64(number))
      },
    ]
  }

  private static let activations: [LayerTrial] =
    (Activation.allCases + [
      .leakyRelu(slope: 0.125), .scaledElu(alpha: 1.5), .thresholdedRelu(theta: 0.3),
      .boundedRelu(ceiling: 1, slope: 0.25, threshold: 0.1),
    ]).map { activation in
      LayerTrial(.activation(ActivationSpec(activation: activation)), [3, 4])
    }

  /// Every option of the recurrent layers, in random combination.
  private static let recurrent: [LayerTrial] = (0..<90).map { number in
    var generator = SeededGenerator(seed: UInt64(number) + 100)
    func flip() -> Bool { Bool.random(using: &generator) }
    var options = RecurrentOptions()
    options.returnSequences = flip()
    options.returnState = flip()
    options.goBackwards = flip()
    options.zeroOutputForMask = flip()
    options.useBias = flip()
    options.ignoresMask = number % 10 == 9
    options.emitsState = number % 5 == 3
    options.unroll = number % 7 < 3
    if flip() { (options.dropout, options.recurrentDropout) = (0.3, 0.25) }
    let kinds: [Activation] = [.tanh, .sigmoid, .softsign, .gelu, .silu, .softplus, .hardSigmoidFifth, .relu, .softmax]
    // The first two are what nearly all models have.
    let activation = number % 2 == 0 ? .tanh : kinds.randomElement(using: &generator) ?? .tanh
    // A gate without bounds lets a few steps grow out of range.
    let gates: [Activation] = [.sigmoid, .softsign, .hardSigmoidFifth, .hardSigmoidSixth, .softmax]
    let gate = number % 4 == 0 ? .sigmoid : gates.randomElement(using: &generator) ?? .sigmoid
    let units = Int.random(in: 1...5, using: &generator)
    let spec: LayerSpec
    switch number % 3 {
    case 0:
      var lstm = LSTMSpec(units: units)
      (lstm.activation, lstm.recurrentActivation, lstm.options) = (activation, gate, options)
      spec = .lstm(lstm)
    case 1:
      var gru = GRUSpec(units: units, resetAfter: flip())
      (gru.activation, gru.recurrentActivation, gru.options) = (activation, gate, options)
      spec = .gru(gru)
    default:
      var simple = SimpleRNNSpec(units: units)
      (simple.activation, simple.options) = (activation, options)
      spec = .simpleRNN(simple)
    }
    let isTraining = options.dropout > 0
    return LayerTrial(spec, [Int.random(in: 1...6, using: &generator), Int.random(in: 1...3, using: &generator)]) {
      ($0.isMasked, $0.hasInitialStates, $0.isTraining) = (flip(), flip(), isTraining)
      $0.seed = UInt64(number)
    }
  }

  /// More units than a group of columns has, so that packed kernels have several panels, the last of them narrower.
  private static let wide: [LayerTrial] = {
    var (lstm, after, before) = (
      LSTMSpec(units: 70), GRUSpec(units: 70, resetAfter: true), GRUSpec(units: 70, resetAfter: false)
    )
    (lstm.options.returnSequences, after.options.returnSequences, before.options.returnSequences) = (true, true, true)
    let specs: [LayerSpec] = [.lstm(lstm), .gru(after), .gru(before), .simpleRNN(SimpleRNNSpec(units: 140))]
    return specs.map { LayerTrial($0, [3, 2]) { ($0.isMasked, $0.differenceStride) = (true, 1009) } }
  }()

  private static let noise: [LayerTrial] = [
    .dropout(NoiseSpec(rate: 0.4)), .spatialDropout1D(NoiseSpec(rate: 0.4)), .gaussianNoise(NoiseSpec(rate: 0.7)),
    .gaussianDropout(NoiseSpec(rate: 0.3)), .alphaDropout(NoiseSpec(rate: 0.2)), .dropout(NoiseSpec(rate: 0)),
  ].flatMap { (spec: LayerSpec) -> [LayerTrial] in
    [
      LayerTrial(spec, [7, 5]) { $0.isTraining = true }, LayerTrial(spec, [4, 3]),
      LayerTrial(spec, [5, 3]) { ($0.isTraining, $0.isMasked) = (true, true) },
    ]
  }
}
