import RNNCore
import Testing

/// Shapes where several tensors meet: merging, attention, normalization, operations.
@Suite struct MergingShapeTests {
  private func output(_ spec: LayerSpec, _ inputs: Shape...) throws -> [Shape] {
    try spec.outputShapes(inputs: inputs)
  }

  private func parameters(_ spec: LayerSpec, _ inputs: Shape...) throws -> [[Int]] {
    try spec.parameterShapes(inputs: inputs).map(\.shape)
  }

  /// Axes of size 1 are repeated; a tensor of lower rank gains axes of size 1 behind the batch.
  @Test func mergedTensorsAreBroadcast() throws {
    for function in MergeSpec.Function.allCases {
      let spec = LayerSpec.merge(MergeSpec(function))
      #expect(try output(spec, [4, 5], [4, 5]) == [[4, 5]])
      #expect(try output(spec, [4, 5], [4, 1]) == [[4, 5]])
      #expect(try output(spec, [5], [4, 5]) == [[4, 5]])
      #expect(try output(spec, [nil, 5], [4, 5]) == [[4, 5]])
      #expect(try output(spec, [nil, 5], [nil, 1]) == [[nil, 5]])
      expectError(.badData, naming: "do not go together") { try output(spec, [4, 5], [3, 5]) }
    }
    #expect(try output(.merge(MergeSpec(.add)), [4, 5], [4, 1], [1, 5], [5]) == [[4, 5]])
    #expect(MergeSpec(.subtract).inputCounts == 2...2)
    #expect(MergeSpec(.add).inputCounts.contains(1) && MergeSpec(.add).inputCounts.contains(9))
  }

  @Test func concatenationAddsOneAxisUp() throws {
    #expect(try output(.concatenate(ConcatenateSpec(axis: -1)), [4, 5], [4, 3], [4, 1]) == [[4, 9]])
    #expect(try output(.concatenate(ConcatenateSpec(axis: 1)), [4, 5], [2, 5]) == [[6, 5]])
    #expect(try output(.concatenate(ConcatenateSpec(axis: 1)), [4, nil], [nil, 5]) == [[nil, 5]])
    for (axis, other) in [(1, [4, 3]), (2, [3, 5]), (-1, [5])] as [(Int, Shape)] {
      expectError(.badData, naming: "one behind the other") {
        try output(.concatenate(ConcatenateSpec(axis: axis)), [4, 5], other)
      }
    }
    for axis in [0, 3, -3] {
      expectError(.badData, naming: "axis \(axis)") {
        try output(.concatenate(ConcatenateSpec(axis: axis)), [4, 5], [4, 5])
      }
    }
  }

  @Test func dotSumsOverAnAxisOfEach() throws {
    func dot(_ axes: [Int]) -> LayerSpec { .dot(DotSpec(axes: axes, normalize: false)) }
    #expect(try output(dot([2, 2]), [4, 5], [3, 5]) == [[4, 3]])
    #expect(try output(dot([2, 1]), [4, 5], [5, 3]) == [[4, 3]])
    #expect(try output(dot([1, 1]), [4, 5], [4]) == [[5]])
    #expect(try output(dot([-1, -1]), [5], [5]) == [[1]])
    expectError(.badData, naming: "5", "4") { try output(dot([2, 1]), [4, 5], [4, 3]) }
    expectError(.badData, naming: "axis") { try output(dot([0, 0]), [5], [5]) }
  }

  @Test func attentionHasTheStepsOfTheQueryAndTheChannelsOfTheValue() throws {
    var spec = AttentionSpec(score: .dot, useScale: false)
    #expect(try output(.attention(spec), [4, 5], [7, 5]) == [[4, 5]])
    #expect(try output(.attention(spec), [nil, 5], [7, 3], [7, 5]) == [[nil, 3]])
    #expect(try parameters(.attention(spec), [4, 5], [7, 5]).isEmpty)
    spec.returnsScores = true
    #expect(try output(.attention(spec), [4, 5], [7, 5]) == [[4, 5], [4, 7]])
    expectError(.badData, naming: "do not go together") { try output(.attention(spec), [4, 5], [7, 3]) }
    expectError(.badData, naming: "do not go together") { try output(.attention(spec), [4, 5], [7, 3], [6, 5]) }
    let scaled = [AttentionSpec.Score.dot, .concat, .additive].map { AttentionSpec(score: $0, useScale: true) }
    let shapes = try scaled.map { try parameters(.attention($0), [4, 5], [7, 5]) }
    #expect(shapes == [[[]], [[], []], [[5]]])
  }

  @Test func headsHaveMapsOfTheirOwn() throws {
    var spec = MultiHeadAttentionSpec(headCount: 2, keyDim: 3, valueDim: 4)
    #expect(try output(.multiHeadAttention(spec), [6, 5], [7, 8]) == [[6, 5]])
    #expect(
      try parameters(.multiHeadAttention(spec), [6, 5], [7, 8], [7, 9]) == [
        [5, 2, 3], [2, 3], [9, 2, 3], [2, 3], [8, 2, 4], [2, 4], [2, 4, 5], [5],
      ])
    (spec.outputDim, spec.useBias, spec.returnsScores) = (10, false, true)
    #expect(try output(.multiHeadAttention(spec), [6, 5], [7, 8]) == [[6, 10], [2, 6, 7]])
    #expect(
      try parameters(.multiHeadAttention(spec), [6, 5], [7, 8]) == [[5, 2, 3], [8, 2, 3], [8, 2, 4], [2, 4, 10]])
    expectError(.badData, naming: "steps", "7", "6") {
      try output(.multiHeadAttention(spec), [6, 5], [7, 8], [6, 9])
    }
    for path in [\MultiHeadAttentionSpec.headCount, \.keyDim, \.valueDim] {
      var absurd = spec
      absurd[keyPath: path] = 0
      expectError(.badData) { try output(.multiHeadAttention(absurd), [6, 5], [7, 8]) }
    }
  }

  @Test func normalizationKeepsTheShape() throws {
    var batch = BatchNormalizationSpec(axis: -1, epsilon: 1e-3, momentum: 0.99)
    #expect(try output(.batchNormalization(batch), [nil, 5]) == [[nil, 5]])
    #expect(try parameters(.batchNormalization(batch), [nil, 5]) == [[5], [5], [5], [5]])
    #expect(batch.statisticNames == ["moving_mean", "moving_variance"])
    (batch.center, batch.axis) = (false, 1)
    #expect(try parameters(.batchNormalization(batch), [4, 5]) == [[4], [4], [4]])
    expectError(.badData, naming: "axis 1") { try parameters(.batchNormalization(batch), [nil, 5]) }
    var layer = LayerNormalizationSpec(axes: [2, 1], epsilon: 1e-3)
    #expect(try parameters(.layerNormalization(layer), [4, 5]) == [[5, 4], [5, 4]])
    layer.axes = []
    expectError(.badData, naming: "no axis") { try output(.layerNormalization(layer), [4, 5]) }
    let groups = GroupNormalizationSpec(groups: 3, axis: -1, epsilon: 1e-3)
    #expect(try parameters(.groupNormalization(groups), [nil, 6]) == [[6], [6]])
    for count in [0, -2, 4] {
      let absurd = GroupNormalizationSpec(groups: count, axis: -1, epsilon: 1e-3)
      expectError(.badData, naming: "\(count) groups") { try output(.groupNormalization(absurd), [nil, 6]) }
    }
  }

  // MARK: - Operations

  @Test func operandsAreBroadcastAsInNumPy() throws {
    #expect(try output(.binary(BinarySpec(.add)), [4, 5], [4, 1]) == [[4, 5]])
    expectError(.badData, naming: "ranks") { try output(.binary(BinarySpec(.add)), [4, 5], [5]) }
    func constant(_ shape: [Int], _ count: Int) -> LayerSpec {
      .binary(BinarySpec(.add, constant: .init(shape: shape, values: Array(repeating: 1, count: count))))
    }
    for shape in [[], [5], [1], [4, 1], [4, 5], [1, 4, 5]] {
      #expect(try output(constant(shape, shape.reduce(1, *)), [4, 5]) == [[4, 5]], "\(shape)")
    }
    #expect(try output(constant([4, 5], 20), [1, 5]) == [[4, 5]])
    expectError(.badData, naming: "batch") { try output(constant([2, 4, 5], 40), [4, 5]) }
    expectError(.badData, naming: "2 numbers") { try output(constant([5], 2), [4, 5]) }
    expectError(.badData) { try output(constant([-1, -5], 5), [4, 5]) }
  }

  @Test func axesGoAndStay() throws {
    #expect(try output(.reduction(ReductionSpec(.mean, axes: [1], keepDims: false)), [4, 5]) == [[5]])
    #expect(try output(.reduction(ReductionSpec(.mean, axes: [1, -1], keepDims: true)), [4, 5]) == [[1, 1]])
    #expect(try output(.reduction(ReductionSpec(.mean, axes: [-2], keepDims: false)), [nil, 5]) == [[5]])
    expectError(.badData, naming: "no axis") {
      try output(.reduction(ReductionSpec(.mean, axes: [], keepDims: false)), [4, 5])
    }
    for (axis, shape) in [(1, [1, 4, 5]), (3, [4, 5, 1]), (-1, [4, 5, 1]), (-3, [1, 4, 5])] as [(Int, Shape)] {
      #expect(try output(.expandDims(ExpandDimsSpec(axis: axis)), [4, 5]) == [shape])
    }
    expectError(.badData) { try output(.expandDims(ExpandDimsSpec(axis: 0)), [4, 5]) }
    #expect(try output(.squeeze(SqueezeSpec(axes: [1, -1])), [1, 4, 1]) == [[4]])
    expectError(.badData, naming: "size 1") { try output(.squeeze(SqueezeSpec(axes: [2])), [1, 4]) }
    #expect(try output(.stack(StackSpec(axis: 1)), [4, 5], [4, 5], [4, 5]) == [[3, 4, 5]])
    #expect(try output(.stack(StackSpec(axis: -1)), [4, 5], [4, 5]) == [[4, 5, 2]])
    expectError(.badData, naming: "different shapes") { try output(.stack(StackSpec(axis: 1)), [4, 5], [4, 6]) }
  }

  /// As Python counts: `range(9)[start:stop:step]`.
  @Test(
    arguments: [
      (nil, nil, 1, [0, 1, 2, 3, 4, 5, 6, 7, 8]), (2, 5, 1, [2, 3, 4]), (-3, nil, 1, [6, 7, 8]), (nil, -7, 1, [0, 1]),
      (1, 100, 3, [1, 4, 7]), (5, 2, 1, []), (nil, nil, -1, [8, 7, 6, 5, 4, 3, 2, 1, 0]), (6, 2, -2, [6, 4]),
      (-2, -5, -1, [7, 6, 5]), (100, nil, -4, [8, 4, 0]), (-100, 3, 1, [0, 1, 2]),
    ] as [(Int?, Int?, Int, [Int])])
  func rangesAreThoseOfPython(_ start: Int?, _ stop: Int?, _ step: Int, _ positions: [Int]) throws {
    let range = SliceSpec.Range(start: start, stop: stop, step: step)
    #expect(try range.positions(of: 9) == positions)
    #expect(try output(.slice(SliceSpec(ranges: [range])), [9, 5]) == [[positions.count, 5]])
  }

  @Test func anIndexTakesItsAxisAway() throws {
    let last = SliceSpec.Range(start: -1, isIndex: true)
    #expect(try output(.slice(SliceSpec(ranges: [last])), [9, 5]) == [[5]])
    #expect(try output(.slice(SliceSpec(ranges: [SliceSpec.Range(), last])), [nil, 5]) == [[nil]])
    #expect(try last.positions(of: 9) == [8])
    for place in [9, -10] {
      expectError(.badData, naming: "outside") { try SliceSpec.Range(start: place, isIndex: true).positions(of: 9) }
    }
    expectError(.badData, naming: "step 0") { try SliceSpec.Range(step: 0).positions(of: 9) }
    expectError(.badData, naming: "more axes") { try output(.slice(SliceSpec(ranges: [last, last, last])), [9, 5]) }
  }

  /// `x[:, None, ..., -1]` of (?, 9, 4, 5)
  @Test func newAxesAndEllipsesStandWhereTheyAreWritten() throws {
    let last = SliceSpec.Range(start: -1, isIndex: true)
    #expect(try output(.slice(SliceSpec(ranges: [.newAxis, .ellipsis, last])), [9, 4, 5]) == [[1, 9, 4]])
    #expect(try output(.slice(SliceSpec(ranges: [.ellipsis, .newAxis])), [9, nil]) == [[9, nil, 1]])
    #expect(try output(.slice(SliceSpec(ranges: [last, .newAxis])), [9, 4]) == [[1, 4]])
    #expect(try output(.slice(SliceSpec(ranges: [last, .ellipsis, last])), [9, 4]) == [[]])
    for ranges in [[.ellipsis, .ellipsis], [last, .ellipsis, last, last]] as [[SliceSpec.Range]] {
      expectError(.badData, naming: "more axes") { try output(.slice(SliceSpec(ranges: ranges)), [9, 4]) }
    }
  }

  @Test func matricesAreMultiplied() throws {
    var spec = MatrixProductSpec()
    #expect(try output(.matrixProduct(spec), [4, 5], [5, 3]) == [[4, 3]])
    #expect(try output(.matrixProduct(spec), [2, nil, 5], [2, 5, 3]) == [[2, nil, 3]])
    expectError(.badData, naming: "5", "4") { try output(.matrixProduct(spec), [4, 5], [4, 3]) }
    expectError(.badData, naming: "cannot be multiplied") { try output(.matrixProduct(spec), [4, 5], [2, 5, 3]) }
    (spec.transposesFirst, spec.transposesSecond) = (true, true)
    #expect(try output(.matrixProduct(spec), [5, 4], [3, 5]) == [[4, 3]])
  }
}
