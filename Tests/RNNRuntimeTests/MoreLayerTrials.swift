import RNNCore
import RNNTestSupport

/// The layers with several inputs, with others inside, and those that normalise, move or merge.
enum MoreLayerTrials {
  static let all: [LayerTrial] =
    convolutions + shapes + normalizations + parametric + merging + attention + operations + variants + convolutional
    + composites + glue + OperationTrials.all

  private static let convolutions: [LayerTrial] = (0..<24).flatMap { number -> [LayerTrial] in
    var generator = SeededGenerator(seed: UInt64(number) + 3000)
    func size(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
    let activation: Activation = [.tanh, .relu, .linear, .softmax, .glu].randomElement(using: &generator) ?? .linear
    let padding: Padding = Bool.random(using: &generator) ? .same : .valid
    var transposed = Conv1DTransposeSpec(filters: 4, kernelSize: size(1...4))
    (transposed.strides, transposed.padding, transposed.activation) = (size(1...3), padding, activation)
    if transposed.strides == 1 { transposed.dilationRate = size(1...2) }
    if number % 4 == 0 { transposed.outputPadding = size(0...transposed.strides - 1) }
    transposed.useBias = number % 3 != 0
    var depthwise = DepthwiseConv1DSpec(kernelSize: size(1...4))
    (depthwise.depthMultiplier, depthwise.strides, depthwise.padding) = (size(1...3), size(1...2), padding)
    if depthwise.strides == 1 { depthwise.dilationRate = size(1...2) }
    depthwise.activation = activation == .glu ? .tanh : activation
    depthwise.useBias = number % 3 != 1
    var separable = SeparableConv1DSpec(filters: 4, kernelSize: size(1...4))
    (separable.depthMultiplier, separable.strides, separable.padding) = (size(1...2), size(1...2), padding)
    (separable.activation, separable.useBias) = (activation, number % 3 != 2)
    var local = LocallyConnected1DSpec(filters: 4, kernelSize: size(1...4))
    (local.strides, local.activation, local.useBias) = (size(1...2), activation, number % 2 == 0)
    let specs: [LayerSpec] = [
      .conv1DTranspose(transposed), .depthwiseConv1D(depthwise), .separableConv1D(separable),
      .locallyConnected1D(local),
    ]
    return specs.map { LayerTrial($0, [8, 3]) { $0.seed = UInt64(number) } }
  }

  private static let shapes: [LayerTrial] = {
    var channelsFirst = FlattenSpec()
    channelsFirst.channelsFirst = true
    let slices = SliceSpec(ranges: [.init(start: 1, stop: 4, step: 2), .init(start: -1, isIndex: true), .newAxis])
    let backwards = SliceSpec(ranges: [.init(step: -1), .ellipsis])
    return [
      LayerTrial(.flatten(channelsFirst), [3, 2, 4]), LayerTrial(.reshape(ReshapeSpec(targetShape: [3, -1])), [2, 6]),
      LayerTrial(.permute(PermuteSpec(order: [2, 1])), [3, 4]),
      LayerTrial(.permute(PermuteSpec(order: [3, 1, 2])), [2, 3, 4]),
      LayerTrial(.repeatVector(RepeatVectorSpec(count: 3)), [4]),
      LayerTrial(.edges(EdgeSpec(before: 1, after: 2, isCropping: false)), [3, 2]),
      LayerTrial(.edges(EdgeSpec(before: 2, after: 1, isCropping: true)), [6, 2]),
      LayerTrial(.upSampling1D(UpSampling1DSpec(size: 3)), [2, 3]), LayerTrial(.identity(IdentitySpec()), [3, 2]),
      LayerTrial(.activityRegularization(IdentitySpec()), [3, 2]), LayerTrial(.slice(slices), [5, 3]),
      LayerTrial(.slice(backwards), [4, 2, 2]), LayerTrial(.expandDims(ExpandDimsSpec(axis: 1)), [3, 2]),
      LayerTrial(.expandDims(ExpandDimsSpec(axis: -1)), [3]), LayerTrial(.squeeze(SqueezeSpec(axes: [2])), [3, 1]),
      LayerTrial(.stack(StackSpec(axis: 2)), [3, 2]) { $0.others = [[3, 2]] },
      LayerTrial(.stack(StackSpec(axis: -1)), [3, 2]) { $0.others = [[3, 2], [3, 2]] },
    ]
  }()

  private static let normalizations: [LayerTrial] = {
    var trials: [LayerTrial] = []
    for (axis, input) in [(-1, [4, 3]), (1, [4, 3]), (-1, [5]), (2, [2, 3, 2])] {
      for number in 0..<4 {
        var batch = BatchNormalizationSpec(axis: axis, epsilon: 0.01, momentum: 0.9)
        (batch.center, batch.scale) = (number % 2 == 0, number < 2)
        trials.append(LayerTrial(.batchNormalization(batch), input))
        trials.append(LayerTrial(.batchNormalization(batch), input) { $0.isTraining = true })
        // A gradient knows r and d as constants, differences do not: here the bounds are what they are.
        var renorm = BatchNormalizationSpec.Renorm(momentum: 0.8)
        (renorm.least, renorm.most, renorm.farthest) = (1.5, 1.5, 0)
        batch.renorm = renorm
        trials.append(LayerTrial(.batchNormalization(batch), input) { $0.isTraining = true })
      }
    }
    var masked = BatchNormalizationSpec(axis: -1, epsilon: 0.01, momentum: 0.9)
    trials.append(LayerTrial(.batchNormalization(masked), [4, 3]) { ($0.isTraining, $0.isMasked) = (true, true) })
    masked.alwaysUsesBatch = true
    trials.append(LayerTrial(.batchNormalization(masked), [4, 3]))
    for form in LayerNormalizationSpec.Form.allCases {
      for axes in [[-1], [1, 2], [2]] {
        var layer = LayerNormalizationSpec(axes: axes, epsilon: 0.01)
        layer.form = form
        (layer.center, layer.scale) = (axes.count == 1, axes != [2])
        trials.append(LayerTrial(.layerNormalization(layer), [3, 4]))
      }
    }
    trials.append(LayerTrial(.layerNormalization(LayerNormalizationSpec(axes: [1], epsilon: 0.01)), [3, 4]))
    trials.append(LayerTrial(.layerNormalization(LayerNormalizationSpec(axes: [3, 1], epsilon: 0.01)), [3, 2, 4]))
    for (groups, axis) in [(2, -1), (-1, -1), (1, -1), (3, 1)] {
      var group = GroupNormalizationSpec(groups: groups, axis: axis, epsilon: 0.01)
      group.center = groups != 1
      trials.append(LayerTrial(.groupNormalization(group), [3, 4]))
    }
    for axes in [[-1], [1], [1, 2]] {
      trials.append(LayerTrial(.unitNormalization(UnitNormalizationSpec(axes: axes, epsilon: 1e-12)), [3, 4]))
      trials.append(LayerTrial(.softmax(SoftmaxSpec(axes: axes)), [3, 4]))
    }
    return trials
  }()

  private static let parametric: [LayerTrial] = [
    LayerTrial(.prelu(PReLUSpec(sharedAxes: [])), [3, 2]), LayerTrial(.prelu(PReLUSpec(sharedAxes: [1])), [3, 2]),
    LayerTrial(.parametricSoftplus(ParametricSoftplusSpec(sharedAxes: [])), [3, 2]),
    LayerTrial(.parametricSoftplus(ParametricSoftplusSpec(sharedAxes: [1])), [3, 2]),
    LayerTrial(.sReLU(SReLUSpec(sharedAxes: [])), [4, 3]), LayerTrial(.sReLU(SReLUSpec(sharedAxes: [2])), [4, 3]),
    LayerTrial(.highway(HighwaySpec(activation: .tanh, useBias: true)), [4]),
    LayerTrial(.highway(HighwaySpec(activation: .softsign, useBias: false)), [3, 4]),
    LayerTrial(.maxoutDense(MaxoutDenseSpec(units: 3, features: 2, useBias: true)), [4]),
    LayerTrial(.maxoutDense(MaxoutDenseSpec(units: 2, features: 3, useBias: false)), [4]),
    LayerTrial(.tokenCounts(TokenCountsSpec(mode: .count, size: 4)), [3]),
  ]

  private static let merging: [LayerTrial] = {
    var trials: [LayerTrial] = []
    for function in MergeSpec.Function.allCases {
      for others in [[[3, 2]], [[1, 2]], [[2]]] {
        for isMasked in [false, true] where !isMasked || others[0].count == 2 {
          var merge = MergeSpec(function)
          merge.skipsMasked = isMasked && [.multiply, .maximum, .minimum].contains(function)
          merge.maskRule = isMasked ? .anyMask : .everyMask
          trials.append(
            LayerTrial(.merge(merge), [3, 2]) {
              ($0.others, $0.isMasked, $0.othersAreMasked) = (others, isMasked, isMasked)
            })
        }
      }
      guard function != .subtract else { continue }
      trials.append(LayerTrial(.merge(MergeSpec(function)), [3, 2]) { $0.others = [[3, 2], [3, 1]] })
    }
    for axis in [-1, 1] {
      trials.append(LayerTrial(.concatenate(ConcatenateSpec(axis: axis)), [3, 2]) { $0.others = [[3, 2], [3, 2]] })
    }
    for (axes, left, right) in [
      ([1, 1], [4], [4]), ([2, 2], [3, 4], [2, 4]), ([1, 2], [4, 3], [2, 4]), ([1, 1], [4, 3], [4]),
    ] {
      for normalize in [false, true] {
        trials.append(LayerTrial(.dot(DotSpec(axes: axes, normalize: normalize)), left) { $0.others = [right] })
      }
    }
    return trials
  }()

  private static let attention: [LayerTrial] = {
    var trials: [LayerTrial] = []
    for (number, score) in (AttentionSpec.Score.allCases + AttentionSpec.Score.allCases).enumerated() {
      var spec = AttentionSpec(score: score, useScale: number < 3)
      (spec.isCausal, spec.returnsScores) = (number % 2 == 0, number > 2)
      spec.dropout = number % 3 == 0 ? 0.25 : 0
      trials.append(
        LayerTrial(.attention(spec), [3, 4]) {
          ($0.others, $0.isMasked, $0.othersAreMasked) = ([[2, 4]], number % 2 == 1, number % 2 == 1)
          $0.isTraining = spec.dropout > 0
        })
      trials.append(LayerTrial(.attention(spec), [3, 4]) { $0.others = [[2, 5], [2, 4]] })
    }
    for number in 0..<6 {
      var spec = MultiHeadAttentionSpec(headCount: 2, keyDim: 3, valueDim: 2)
      (spec.useBias, spec.isCausal, spec.returnsScores) = (number % 2 == 0, number % 3 == 0, number > 3)
      spec.outputDim = number % 2 == 0 ? nil : 5
      spec.zeroesUnseen = number == 5
      spec.dropout = number == 2 ? 0.25 : 0
      trials.append(
        LayerTrial(.multiHeadAttention(spec), [3, 4]) {
          ($0.others, $0.isMasked, $0.othersAreMasked) = ([[2, 3]], number % 2 == 1, number % 2 == 1)
          ($0.isTraining, $0.seed) = (number == 2, UInt64(number))
        })
      trials.append(LayerTrial(.multiHeadAttention(spec), [3, 4]) { $0.others = [[2, 3], [2, 5]] })
      (spec.headCount, spec.keyHeadCount, spec.hasGate, spec.window) = (
        4, 1 << (number % 3), number < 3, number % 3 + 1
      )
      trials.append(
        LayerTrial(.multiHeadAttention(spec), [3, 4]) { ($0.others, $0.isTraining) = ([[4, 3]], number == 2) })
    }
    // Over several axes.
    for (axes, input, other) in [
      ([1], [2, 3, 4], [3, 3, 4]), ([2], [2, 3, 4], [2, 2, 4]), (nil, [2, 2, 4], [2, 3, 4]),
      ([-2], [2, 3, 4], [2, 3, 4]),
    ] as [([Int]?, [Int], [Int])] {
      var spec = MultiHeadAttentionSpec(headCount: 2, keyDim: 3, valueDim: 2)
      (spec.attentionAxes, spec.hasGate, spec.returnsScores) = (axes, axes == [1], axes != [2])
      spec.outputAxes = axes == [2] ? nil : [2, 3]
      trials.append(LayerTrial(.multiHeadAttention(spec), input) { $0.others = [other] })
    }
    return trials
  }()

  private static let operations: [LayerTrial] = {
    var clip = UnarySpec(.clip)
    (clip.low, clip.high) = (-0.5, 0.7)
    let unary: [UnarySpec.Function] = [.absolute, .negative, .expm1, .square, .sign, .sin, .cos, .logicalNot]
    var trials = unary.map { LayerTrial(.unary(UnarySpec($0)), [3, 2]) } + [LayerTrial(.unary(clip), [3, 2])]
    for function in [UnarySpec.Function.hardShrink, .softShrink, .threshold, .celu, .squareplus] {
      var shrink = UnarySpec(function)
      (shrink.low, shrink.high) = (0.3, -0.7)
      trials.append(LayerTrial(.unary(shrink), [3, 2]))
    }
    // Powers of what may be negative are defined for whole exponents alone.
    for function in BinarySpec.Function.allCases where function != .power && function != .divide {
      trials.append(LayerTrial(.binary(BinarySpec(function)), [3, 2]) { $0.others = [[3, 2]] })
    }
    trials.append(LayerTrial(.binary(BinarySpec(.multiply)), [3, 2]) { $0.others = [[1, 2]] })
    for (function, isFirst) in [(BinarySpec.Function.subtract, true), (.divide, false), (.add, false)] {
      let constant = BinarySpec.Constant(shape: [2], values: [1.5, -2])
      trials.append(
        LayerTrial(.binary(BinarySpec(function, constant: constant, isConstantFirst: isFirst)), [3, 2]))
    }
    trials.append(
      LayerTrial(.binary(BinarySpec(.power, constant: .init(shape: [], values: [3]))), [3, 2]))
    for function in ReductionSpec.Function.allCases {
      for (axes, keepDims) in [([1], false), ([-1], true), ([1, 2], false)] {
        trials.append(
          LayerTrial(.reduction(ReductionSpec(function, axes: axes, keepDims: keepDims)), [3, 2]))
      }
    }
    for (first, second) in [(false, false), (true, false), (false, true), (true, true)] {
      var product = MatrixProductSpec()
      (product.transposesFirst, product.transposesSecond) = (first, second)
      trials.append(
        LayerTrial(.matrixProduct(product), first ? [3, 2] : [2, 3]) { $0.others = [second ? [4, 3] : [3, 4]] })
    }
    return trials
  }()

  private static let variants: [LayerTrial] = (0..<36).map { number in
    var generator = SeededGenerator(seed: UInt64(number) + 7000)
    func flip() -> Bool { Bool.random(using: &generator) }
    let units = Int.random(in: 1...4, using: &generator)
    var spec: LSTMVariantSpec
    switch number {
    case 0...2: spec = .original1997(units: units)
    case 3...5: spec = .forget1999(units: units)
    case 6...8: spec = .peephole2000(units: units)
    case 9...11: spec = .vanilla(units: units)
    default:
      spec = LSTMVariantSpec(units: units)
      spec.forgetGate = LSTMVariantSpec.ForgetGate.allCases.randomElement(using: &generator) ?? .own
      spec.peepholes = flip()
      spec.projection = flip() ? Int.random(in: 1...3, using: &generator) : nil
      spec.cellClip = flip() ? 0.5 : nil
      spec.projectionClip = spec.projection != nil && flip() ? 0.3 : nil
      spec.sumClip = flip() ? 0.8 : nil
      spec.forgetBias = flip() ? 1 : 0
    }
    spec.options.returnSequences = flip()
    spec.options.returnState = flip()
    spec.options.goBackwards = flip()
    spec.options.zeroOutputForMask = flip()
    spec.options.useBias = flip()
    if flip() { (spec.options.dropout, spec.options.recurrentDropout) = (0.3, 0.25) }
    let isTraining = spec.options.dropout > 0
    return LayerTrial(.lstmVariant(spec), [Int.random(in: 1...5, using: &generator), 3]) {
      ($0.isMasked, $0.hasInitialStates, $0.isTraining) = (flip(), flip(), isTraining)
      $0.seed = UInt64(number)
    }
  }

  private static let convolutional: [LayerTrial] = (0..<14).map { number in
    var generator = SeededGenerator(seed: UInt64(number) + 9000)
    func flip() -> Bool { Bool.random(using: &generator) }
    var spec = ConvLSTM1DSpec(filters: 2, kernelSize: Int.random(in: 1...3, using: &generator))
    spec.padding = flip() ? .same : .valid
    spec.strides = flip() ? 2 : 1
    if spec.strides == 1 { spec.dilationRate = flip() ? 2 : 1 }
    if flip() { (spec.activation, spec.recurrentActivation) = (.softsign, .hardSigmoidFifth) }
    spec.options.returnSequences = flip()
    spec.options.returnState = flip()
    spec.options.goBackwards = flip()
    spec.options.useBias = flip()
    if flip() { (spec.options.dropout, spec.options.recurrentDropout) = (0.3, 0.25) }
    let isTraining = spec.options.dropout > 0
    return LayerTrial(.convLSTM1D(spec), [3, 6, 2]) {
      ($0.hasInitialStates, $0.isTraining, $0.seed) = (flip(), isTraining, UInt64(number))
    }
  }

  private static func recurrent(_ change: (inout RecurrentOptions) -> Void = { _ in }) -> RecurrentOptions {
    var options = RecurrentOptions()
    change(&options)
    return options
  }

  private static func lstm(_ options: RecurrentOptions, units: Int = 3) -> ModelSpec.Layer {
    var spec = LSTMSpec(units: units)
    spec.options = options
    return ModelSpec.Layer(name: "lstm", spec: .lstm(spec))
  }

  private static func gru(_ options: RecurrentOptions, units: Int = 3) -> ModelSpec.Layer {
    var spec = GRUSpec(units: units, resetAfter: true)
    spec.options = options
    return ModelSpec.Layer(name: "gru", spec: .gru(spec))
  }

  private static let composites: [LayerTrial] = {
    var trials: [LayerTrial] = []
    for merge in BidirectionalSpec.Merge.allCases {
      for number in 0..<4 {
        let options = recurrent { ($0.returnSequences, $0.returnState) = (number % 2 == 0, number > 1) }
        let backward = recurrent {
          ($0.returnSequences, $0.returnState, $0.goBackwards) = (number % 2 == 0, number > 1, true)
        }
        let spec = BidirectionalSpec(forward: lstm(options), backward: lstm(backward), merge: merge)
        trials.append(LayerTrial(.bidirectional(spec), [4, 2]) { $0.seed = UInt64(number) })
        trials.append(LayerTrial(.bidirectional(spec), [4, 2]) { $0.isMasked = true })
      }
    }
    for number in 0..<8 {
      let options = recurrent {
        ($0.returnSequences, $0.returnState, $0.goBackwards) = (number % 2 == 0, number > 3, number % 4 > 1)
      }
      var stack = StackedRNNSpec(cells: [lstm(recurrent()), gru(recurrent())], options: options)
      trials.append(LayerTrial(.stackedRNN(stack), [4, 2]) { $0.isMasked = number % 2 == 1 })
      stack.options.emitsState = true
      trials.append(LayerTrial(.stackedRNN(stack), [4, 2]) { $0.isMasked = true })
      (stack.options.emitsState, stack.options.unroll, stack.options.zeroOutputForMask) = (false, true, true)
      trials.append(LayerTrial(.stackedRNN(stack), [4, 2]) { $0.isMasked = true })
    }
    let dense = ModelSpec.Layer(name: "dense", spec: .dense(DenseSpec(units: 3)))
    let inner = ModelSpec.sequential(
      name: "inner",
      layers: [ModelSpec.Layer(name: "in", spec: .input(InputSpec(shape: [3, 2]))), lstm(recurrent()), dense])
    let nested = LayerSpec.model(NestedModelSpec(model: inner))
    trials += [
      LayerTrial(nested, [3, 2]),
      LayerTrial(.timeDistributed(TimeDistributedSpec(layer: dense)), [4, 2]),
      LayerTrial(.timeDistributed(TimeDistributedSpec(layer: ModelSpec.Layer(name: "m", spec: nested))), [2, 3, 2]),
      LayerTrial(.timeDistributed(TimeDistributedSpec(layer: lstm(recurrent()))), [2, 3, 2]),
    ]
    var convolution = Conv1DSpec(filters: 2, kernelSize: 2)
    trials.append(LayerTrial(.conv1D(convolution), [2, 4, 3]))
    for activation: Activation in [.tanh, .softmax] {
      convolution.activation = activation
      let layer = ModelSpec.Layer(name: "conv", spec: .conv1D(convolution))
      trials.append(LayerTrial(.channelsFirst(ChannelsFirstSpec(layer: layer)), [3, 5]))
      let prelu = ModelSpec.Layer(name: "p", spec: .prelu(PReLUSpec(sharedAxes: [1])))
      trials.append(LayerTrial(.activated(ActivatedSpec(layer: layer, activation: prelu)), [5, 3]))
    }
    trials.append(LayerTrial(.cosine(CosineSpec(axes: [1, 1])), [4]) { $0.others = [[4]] })
    let global = GlobalPooling1DSpec(keepDims: false)
    trials.append(
      LayerTrial(
        .channelsFirst(ChannelsFirstSpec(layer: .init(name: "p", spec: .globalMaxPooling1D(global)))), [3, 5]))
    for returnSequences in [false, true] {
      let layer = lstm(recurrent { $0.returnSequences = returnSequences })
      trials.append(LayerTrial(.timeMajor(TimeMajorSpec(layer: layer)), [3, 2]))
    }
    return trials
  }()

  private static let glue: [LayerTrial] = [
    LayerTrial(.reverseSteps(ReverseStepsSpec(reversesMask: true)), [4, 2]),
    LayerTrial(.withMask(WithMaskSpec()), [4, 2]) { $0.others = [[4]] },
    LayerTrial(.maskOf(MaskOfSpec()), [4, 2]) { $0.others = [[4, 2]] },
    LayerTrial(.withoutMask(WithoutMaskSpec()), [4, 2]) { $0.isMasked = true },
  ]
}
