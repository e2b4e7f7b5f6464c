import RNNCore
import Testing

/// Output and parameter shapes of every kind, computed by hand from Keras's documentation.
@Suite struct LayerShapeTests {
  private func output(_ spec: LayerSpec, _ inputs: Shape...) throws -> [Shape] {
    try spec.outputShapes(inputs: inputs)
  }

  private func parameters(_ spec: LayerSpec, _ inputs: Shape...) throws -> [[Int]] {
    try spec.parameterShapes(inputs: inputs).map(\.shape)
  }

  private func convolution(
    _ size: Int, stride: Int = 1, dilation: Int = 1, padding: Padding, groups: Int = 1, filters: Int = 4
  ) -> Conv1DSpec {
    var spec = Conv1DSpec(filters: filters, kernelSize: size)
    spec.strides = stride
    spec.dilationRate = dilation
    spec.padding = padding
    spec.groups = groups
    return spec
  }

  @Test func layersThatChangeNothing() throws {
    let noise = NoiseSpec(rate: 0.5)
    for spec in [
      LayerSpec.masking(MaskingSpec(maskValue: 0)), .dropout(noise), .spatialDropout1D(noise), .gaussianNoise(noise),
      .gaussianDropout(noise), .alphaDropout(noise), .activation(ActivationSpec(activation: .softmax)),
      .softmax(SoftmaxSpec(axes: [1])), .identity(IdentitySpec()), .activityRegularization(IdentitySpec()),
      .unitNormalization(UnitNormalizationSpec(axes: [-1], epsilon: 1e-12)), .withoutMask(WithoutMaskSpec()),
      .reverseSteps(ReverseStepsSpec(reversesMask: false)), .unary(UnarySpec(.negative)),
    ] {
      #expect(try output(spec, [nil, 7]) == [[nil, 7]])
      #expect(try parameters(spec, [nil, 7]).isEmpty)
    }
    #expect(try LayerSpec.input(InputSpec(shape: [nil, 3])).outputShapes(inputs: []) == [[nil, 3]])
  }

  @Test func embeddingAddsAnAxis() throws {
    let spec = LayerSpec.embedding(EmbeddingSpec(inputDim: 10, outputDim: 3, maskZero: false))
    #expect(try output(spec, [nil]) == [[nil, 3]])
    #expect(try output(spec, [4, 5]) == [[4, 5, 3]])
    #expect(try parameters(spec, [nil]) == [[10, 3]])
  }

  @Test func denseWorksOnTheLastAxis() throws {
    var spec = DenseSpec(units: 6)
    #expect(try output(.dense(spec), [nil, 3]) == [[nil, 6]])
    #expect(try parameters(.dense(spec), [nil, 3]) == [[3, 6], [6]])
    spec.useBias = false
    #expect(try parameters(.dense(spec), [3]) == [[3, 6]])
    spec.activation = .glu
    #expect(try output(.dense(spec), [3]) == [[3]])
    spec.units = 5
    expectError(.badData, naming: "glu", "5") { try output(.dense(spec), [3]) }
    expectError(.badData, naming: "last axis", "(?, 3, ?)") { try output(.dense(spec), [3, nil]) }
    expectError(.badData) { try output(.dense(spec), []) }
    let glu = LayerSpec.activation(ActivationSpec(activation: .glu))
    #expect(try output(glu, [nil, 8]) == [[nil, 4]])
    expectError(.badData) { try output(glu, [7]) }
  }

  @Test func flattenMultipliesTheAxes() throws {
    let flatten = LayerSpec.flatten(FlattenSpec())
    #expect(try output(flatten, [3, 4, 5]) == [[60]])
    #expect(try output(flatten, [nil, 4]) == [[nil]])
    #expect(try output(flatten, []) == [[1]])
    #expect(try output(flatten, [0, 9]) == [[0]])
    expectError(.badData, naming: "overflows") { try output(flatten, [1 << 31, 1 << 31, 4]) }
  }

  /// (T, kernel, stride, dilation) -> windows. valid: floor((T - (k - 1) d - 1) / s) + 1.
  @Test(arguments: [
    ([10, 3, 1, 1], 8), ([10, 3, 2, 1], 4), ([10, 3, 3, 1], 3), ([10, 3, 1, 2], 6), ([10, 4, 1, 3], 1),
    ([3, 3, 1, 1], 1),
    ([10, 1, 4, 1], 3), ([7, 2, 3, 4], 1),
  ])
  func validWindows(case arguments: [Int], windows: Int) throws {
    let spec = convolution(arguments[1], stride: arguments[2], dilation: arguments[3], padding: .valid)
    #expect(try output(.conv1D(spec), [arguments[0], 5]) == [[windows, 4]])
  }

  /// same and causal: ceil(T / s), whatever the kernel.
  @Test(arguments: [([10, 1], 10), ([10, 2], 5), ([10, 3], 4), ([11, 4], 3), ([1, 5], 1), ([2, 2], 1)])
  func paddedWindows(case arguments: [Int], windows: Int) throws {
    for size in [1, 2, 5, 20] {
      for padding in [Padding.same, .causal] {
        let spec = convolution(size, stride: arguments[1], padding: padding)
        #expect(try output(.conv1D(spec), [arguments[0], 5]) == [[windows, 4]])
      }
    }
  }

  /// TensorFlow: total = max((out - 1) s + (k - 1) d + 1 - T, 0), the smaller half left; causal: (k - 1) d left.
  @Test(arguments: [
    ([10, 3, 1, 1], 1, 2), ([10, 4, 1, 1], 1, 3), ([10, 3, 2, 1], 0, 2), ([11, 3, 2, 1], 1, 2), ([10, 5, 3, 1], 2, 4),
    ([10, 3, 1, 3], 3, 6), ([9, 1, 4, 1], 0, 0), ([2, 7, 1, 1], 3, 6),
  ])
  func paddingStandsLeft(case arguments: [Int], same: Int, causal: Int) throws {
    for (padding, left) in [(Padding.same, same), (.causal, causal), (.valid, 0)]
    where padding != .valid || arguments[0] > 6 {
      let geometry = try WindowGeometry(
        timesteps: arguments[0], size: arguments[1], stride: arguments[2], dilation: arguments[3], padding: padding)
      #expect(geometry.left == left, "\(padding)")
    }
  }

  @Test func convolutionOfAFreeLengthIsFree() throws {
    for padding in Padding.allCases {
      #expect(try output(.conv1D(convolution(3, stride: 2, padding: padding)), [nil, 5]) == [[nil, 4]])
    }
  }

  @Test func sequencesMayBeTooShort() {
    expectError(.badData, naming: "7", "6") {
      try output(.conv1D(convolution(4, dilation: 2, padding: .valid)), [6, 1])
    }
    expectError(.badData) { try output(.conv1D(convolution(1, padding: .valid)), [0, 1]) }
    expectError(.badData) { try output(.conv1D(convolution(1, padding: .causal)), [0, 1]) }
  }

  @Test func groupsShareOutTheChannels() throws {
    let spec = convolution(3, padding: .valid, groups: 2)
    #expect(try parameters(.conv1D(spec), [9, 6]) == [[3, 3, 4], [4]])
    #expect(try parameters(.conv1D(convolution(3, padding: .valid)), [9, 6]) == [[3, 6, 4], [4]])
    for (groups, channels) in [(4, 6), (3, 6), (5, 10)] {
      expectError(.badData, naming: "groups") {
        try output(.conv1D(convolution(1, padding: .valid, groups: groups)), [9, channels])
      }
    }
    var gated = spec
    gated.activation = .glu
    #expect(try output(.conv1D(gated), [9, 6]) == [[7, 2]])
  }

  @Test func poolingKeepsTheChannels() throws {
    for make in [LayerSpec.maxPooling1D, LayerSpec.averagePooling1D] {
      #expect(try output(make(Pooling1DSpec(poolSize: 2, strides: 2, padding: .valid)), [9, 3]) == [[4, 3]])
      #expect(try output(make(Pooling1DSpec(poolSize: 2, strides: 2, padding: .same)), [9, 3]) == [[5, 3]])
      #expect(try output(make(Pooling1DSpec(poolSize: 3, strides: 1, padding: .valid)), [nil, 3]) == [[nil, 3]])
      expectError(.badData, naming: "does not fit") {
        try output(make(Pooling1DSpec(poolSize: 4, strides: 1, padding: .valid)), [3, 3])
      }
      expectError(.badData, naming: "causal") {
        try output(make(Pooling1DSpec(poolSize: 2, strides: 1, padding: .causal)), [3, 3])
      }
    }
    for make in [LayerSpec.globalMaxPooling1D, LayerSpec.globalAveragePooling1D] {
      #expect(try output(make(GlobalPooling1DSpec(keepDims: false)), [nil, 3]) == [[3]])
      #expect(try output(make(GlobalPooling1DSpec(keepDims: true)), [nil, 3]) == [[1, 3]])
    }
  }

  @Test func recurrentLayersGiveOutputsAndStates() throws {
    var options = RecurrentOptions()
    var (lstm, gru, simple) = (LSTMSpec(units: 4), GRUSpec(units: 4, resetAfter: true), SimpleRNNSpec(units: 4))
    #expect(try output(.lstm(lstm), [nil, 3]) == [[4]])
    options.returnSequences = true
    options.returnState = true
    (lstm.options, gru.options, simple.options) = (options, options, options)
    #expect(try output(.lstm(lstm), [nil, 3]) == [[nil, 4], [4], [4]])
    #expect(try output(.gru(gru), [6, 3]) == [[6, 4], [4]])
    #expect(try output(.simpleRNN(simple), [6, 3]) == [[6, 4], [4]])
    #expect(try parameters(.lstm(lstm), [nil, 3]) == [[3, 16], [4, 16], [16]])
    #expect(try parameters(.gru(gru), [nil, 3]) == [[3, 12], [4, 12], [2, 12]])
    #expect(try parameters(.simpleRNN(simple), [nil, 3]) == [[3, 4], [4, 4], [4]])
    gru.resetAfter = false
    #expect(try parameters(.gru(gru), [nil, 3]) == [[3, 12], [4, 12], [12]])
    gru.options.useBias = false
    #expect(try parameters(.gru(gru), [nil, 3]) == [[3, 12], [4, 12]])
  }

  @Test func onlySequencesAreRead() {
    let kinds: Set<LayerSpec.Kind> = [
      .conv1D, .conv1DTranspose, .depthwiseConv1D, .separableConv1D, .locallyConnected1D, .maxPooling1D,
      .averagePooling1D, .globalMaxPooling1D, .globalAveragePooling1D, .lstm, .gru, .simpleRNN, .lstmVariant, .edges,
      .upSampling1D,
    ]
    // Of these, the channels may be anything.
    let passing: Set<LayerSpec.Kind> = [
      .maxPooling1D, .averagePooling1D, .globalMaxPooling1D, .globalAveragePooling1D, .edges, .upSampling1D,
    ]
    for spec in LayerSamples.all where kinds.contains(spec.kind) {
      for input in [[], [3], [4, nil], [2, 3, 4]] as [Shape] where input != [4, nil] || !passing.contains(spec.kind) {
        // Keras 2's takes more axes before the steps.
        if spec.kind == .conv1D, input.count > 2 { continue }
        expectError(.badData, naming: describe(shape: [nil] + input)) { try output(spec, input) }
      }
    }
  }

  /// What every layer says of itself fits together, whatever its kind.
  @Test func countsAndNamesAreThoseOfTheShapes() throws {
    for sample in LayerSamples.samples {
      let configuration = sample.spec.configuration
      #expect(configuration.inputCounts.contains(sample.inputs.count), "\(sample.spec.kind)")
      let outputs = try sample.spec.outputShapes(inputs: sample.inputs)
      #expect(outputs.count == configuration.outputCount, "\(sample.spec.kind)")
      let parameters = try sample.spec.parameterShapes(inputs: sample.inputs)
      #expect(parameters.map(\.name) == sample.spec.parameterNames, "\(sample.spec.kind)")
      #expect(Set(configuration.statisticNames).isSubset(of: parameters.map(\.name)), "\(sample.spec.kind)")
    }
  }
}
