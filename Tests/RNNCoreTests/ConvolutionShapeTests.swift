import RNNCore
import Testing

/// Shapes of the convolutions beside `Conv1D`, of the layers that move steps, and of the LSTMs beside `LSTM`.
@Suite struct ConvolutionShapeTests {
  private func output(_ spec: LayerSpec, _ inputs: Shape...) throws -> [Shape] {
    try spec.outputShapes(inputs: inputs)
  }

  private func parameters(_ spec: LayerSpec, _ inputs: Shape...) throws -> [[Int]] {
    try spec.parameterShapes(inputs: inputs).map(\.shape)
  }

  /// (kernel, stride, padding, dilation, output padding) -> length of three steps, by the formulas of Keras 3.15 and
  /// tf_keras 2.19.
  @Test(
    arguments: [
      (3, 1, Padding.valid, 1, nil, 5), (3, 2, .valid, 1, nil, 7), (2, 3, .valid, 1, nil, 9), (3, 2, .valid, 1, 0, 7),
      (3, 2, .valid, 1, 1, 8), (3, 1, .valid, 2, nil, 7), (3, 2, .same, 1, nil, 6), (4, 2, .same, 1, nil, 6),
      (3, 2, .same, 1, 0, 5), (3, 2, .same, 1, 1, 6), (4, 2, .same, 1, 1, 5), (3, 1, .same, 2, nil, 3),
    ] as [(Int, Int, Padding, Int, Int?, Int)])
  func aTransposedConvolutionGrows(
    _ kernel: Int, _ stride: Int, _ padding: Padding, _ dilation: Int, _ more: Int?, _ length: Int
  ) throws {
    var spec = Conv1DTransposeSpec(filters: 4, kernelSize: kernel)
    (spec.strides, spec.padding, spec.dilationRate, spec.outputPadding) = (stride, padding, dilation, more)
    #expect(try output(.conv1DTranspose(spec), [3, 5]) == [[length, 4]])
    #expect(try output(.conv1DTranspose(spec), [nil, 5]) == [[nil, 4]])
    #expect(try parameters(.conv1DTranspose(spec), [3, 5]) == [[kernel, 4, 5], [4]])
  }

  @Test func aTransposedConvolutionHasItsLimits() {
    var spec = Conv1DTransposeSpec(filters: 4, kernelSize: 3)
    spec.padding = .causal
    expectError(.badData, naming: "causal") { try output(.conv1DTranspose(spec), [3, 5]) }
    (spec.padding, spec.strides) = (.same, 2)
    for more in [-1, 2] {
      spec.outputPadding = more
      expectError(.badData, naming: "output_padding") { try output(.conv1DTranspose(spec), [3, 5]) }
    }
  }

  @Test func everyChannelHasItsOwnFilters() throws {
    var spec = DepthwiseConv1DSpec(kernelSize: 3)
    spec.depthMultiplier = 2
    #expect(try output(.depthwiseConv1D(spec), [9, 5]) == [[7, 10]])
    #expect(try parameters(.depthwiseConv1D(spec), [9, 5]) == [[3, 5, 2], [10]])
    var separable = SeparableConv1DSpec(filters: 4, kernelSize: 3)
    (separable.depthMultiplier, separable.strides, separable.padding) = (2, 2, .same)
    #expect(try output(.separableConv1D(separable), [9, 5]) == [[5, 4]])
    #expect(try parameters(.separableConv1D(separable), [9, 5]) == [[3, 5, 2], [1, 10, 4], [4]])
    separable.useBias = false
    #expect(try parameters(.separableConv1D(separable), [9, 5]) == [[3, 5, 2], [1, 10, 4]])
  }

  @Test func everyWindowHasItsOwnKernel() throws {
    var spec = LocallyConnected1DSpec(filters: 4, kernelSize: 3)
    spec.strides = 2
    #expect(try output(.locallyConnected1D(spec), [9, 5]) == [[4, 4]])
    #expect(try parameters(.locallyConnected1D(spec), [9, 5]) == [[4, 15, 4], [4, 4]])
    expectError(.badData, naming: "known number of timesteps") { try output(.locallyConnected1D(spec), [nil, 5]) }
  }

  /// The input's convolution shortens the rows; the state's does not.
  @Test func anLSTMOfConvolutionsKeepsRowsOfStates() throws {
    var spec = ConvLSTM1DSpec(filters: 4, kernelSize: 3)
    #expect(try output(.convLSTM1D(spec), [nil, 9, 5]) == [[7, 4]])
    (spec.options.returnSequences, spec.options.returnState, spec.strides) = (true, true, 2)
    #expect(try output(.convLSTM1D(spec), [6, 9, 5]) == [[6, 4, 4], [4, 4], [4, 4]])
    #expect(try LayerSpec.convLSTM1D(spec).stateShapes(input: [6, 9, 5]) == [[4, 4], [4, 4]])
    #expect(try parameters(.convLSTM1D(spec), [6, 9, 5]) == [[3, 5, 16], [3, 4, 16], [16]])
    expectError(.badData, naming: "rows", "(?, 9, 5)") { try output(.convLSTM1D(spec), [9, 5]) }
    expectError(.badData, naming: "initial state", "(?, 5, 4)") {
      try output(.convLSTM1D(spec), [6, 9, 5], [5, 4], [4, 4])
    }
    spec.padding = .causal
    expectError(.badData, naming: "causal") { try output(.convLSTM1D(spec), [6, 9, 5]) }
  }

  /// Blocks of parameters: four with a forget gate of its own, three without; a peephole for each gate.
  @Test func variantsHaveTheGatesThatTheyHave() throws {
    #expect(try parameters(.lstmVariant(.original1997(units: 4)), [nil, 5]) == [[5, 12], [4, 12], [12]])
    #expect(try parameters(.lstmVariant(.forget1999(units: 4)), [nil, 5]) == [[5, 16], [4, 16], [16]])
    #expect(try parameters(.lstmVariant(.peephole2000(units: 4)), [nil, 5]) == [[5, 16], [4, 16], [16], [3, 4]])
    #expect(try parameters(.lstmVariant(.vanilla(units: 4)), [nil, 5]) == [[5, 16], [4, 16], [16], [3, 4]])
    for gate in [LSTMVariantSpec.ForgetGate.fromInputGate, .fromForgetGate] {
      var coupled = LSTMVariantSpec(units: 4)
      (coupled.forgetGate, coupled.peepholes) = (gate, true)
      #expect(try parameters(.lstmVariant(coupled), [nil, 5]) == [[5, 12], [4, 12], [12], [2, 4]])
    }
    var projected = LSTMVariantSpec(units: 4)
    (projected.projection, projected.options.returnState) = (3, true)
    #expect(try parameters(.lstmVariant(projected), [nil, 5]) == [[5, 16], [3, 16], [16], [4, 3]])
    #expect(try output(.lstmVariant(projected), [nil, 5]) == [[3], [3], [4]])
    expectError(.badData, naming: "initial state", "(?, 4)", "(?, 3)") {
      try output(.lstmVariant(projected), [nil, 5], [4], [4])
    }
  }

  @Test func stepsAreAddedTakenAwayAndRepeated() throws {
    #expect(try output(.edges(EdgeSpec(before: 1, after: 2, isCropping: false)), [9, 5]) == [[12, 5]])
    #expect(try output(.edges(EdgeSpec(before: 1, after: 2, isCropping: true)), [9, 5]) == [[6, 5]])
    #expect(try output(.edges(EdgeSpec(before: 4, after: 5, isCropping: true)), [9, 5]) == [[0, 5]])
    #expect(try output(.edges(EdgeSpec(before: 1, after: 2, isCropping: true)), [nil, 5]) == [[nil, 5]])
    expectError(.badData, naming: "10 steps", "from 9") {
      try output(.edges(EdgeSpec(before: 5, after: 5, isCropping: true)), [9, 5])
    }
    #expect(try output(.upSampling1D(UpSampling1DSpec(size: 3)), [9, 5]) == [[27, 5]])
    #expect(try output(.repeatVector(RepeatVectorSpec(count: 3)), [5]) == [[3, 5]])
    expectError(.badData, naming: "RepeatVector") { try output(.repeatVector(RepeatVectorSpec(count: 3)), [9, 5]) }
  }

  @Test func axesAreReshapedAndPutInOrder() throws {
    #expect(try output(.reshape(ReshapeSpec(targetShape: [2, 10])), [4, 5]) == [[2, 10]])
    #expect(try output(.reshape(ReshapeSpec(targetShape: [-1, 10])), [4, 5]) == [[2, 10]])
    #expect(try output(.reshape(ReshapeSpec(targetShape: [-1, 10])), [nil, 5]) == [[nil, 10]])
    for shape in [[3, 7], [-1, 7], [-1, -1], [0, -1]] {
      expectError(.badData) { try output(.reshape(ReshapeSpec(targetShape: shape)), [4, 5]) }
    }
    #expect(try output(.permute(PermuteSpec(order: [3, 1, 2])), [4, nil, 5]) == [[5, 4, nil]])
    for order in [[1], [1, 2, 3], [1, 1], [0, 1], [2, 3]] {
      expectError(.badData, naming: "dims") { try output(.permute(PermuteSpec(order: order)), [4, 5]) }
    }
  }

  @Test func countsHaveAPlaceForEachID() throws {
    for mode in TokenCountsSpec.Mode.allCases {
      let spec = LayerSpec.tokenCounts(TokenCountsSpec(mode: mode, size: 7))
      let expected: [Shape] = mode == .oneHot ? [[nil, 7]] : [[7]]
      #expect(try output(spec, [nil]) == expected)
      if mode == .oneHot {
        #expect(try output(spec, [9, 5]) == [[9, 5, 7]])
      } else {
        expectError(.badData, naming: "(?, 9, 5)") { try output(spec, [9, 5]) }
      }
    }
    for size in [0, -1, (1 << 31) + 1] {
      let spec = LayerSpec.tokenCounts(TokenCountsSpec(mode: .count, size: size))
      expectError(.badData, naming: "vocabulary") { try output(spec, [9]) }
    }
  }

  @Test func oldLayersHaveTheirParameters() throws {
    let highway = LayerSpec.highway(HighwaySpec(activation: .relu, useBias: true))
    #expect(try parameters(highway, [9, 5]) == [[5, 5], [5, 5], [5], [5]])
    #expect(try output(highway, [9, 5]) == [[9, 5]])
    let maxout = LayerSpec.maxoutDense(MaxoutDenseSpec(units: 3, features: 2, useBias: true))
    #expect(try parameters(maxout, [5]) == [[2, 5, 3], [2, 3]])
    #expect(try output(maxout, [5]) == [[3]])
    expectError(.badData, naming: "MaxoutDense") { try output(maxout, [9, 5]) }
    #expect(try parameters(.prelu(PReLUSpec(sharedAxes: [])), [9, 5]) == [[9, 5]])
    #expect(try parameters(.prelu(PReLUSpec(sharedAxes: [1])), [nil, 5]) == [[1, 5]])
    #expect(try parameters(.sReLU(SReLUSpec(sharedAxes: [1, 2])), [9, 5]) == [[1, 1], [1, 1], [1, 1], [1, 1]])
    #expect(try parameters(.parametricSoftplus(ParametricSoftplusSpec(sharedAxes: [])), [9, 5]) == [[9, 5], [9, 5]])
    expectError(.badData, naming: "PReLU", "axis 1") { try parameters(.prelu(PReLUSpec(sharedAxes: [])), [nil, 5]) }
  }
}
