import RNNCore
import Testing

/// Layers that are made of others: their shapes, and the plain graphs that they come to.
@Suite struct CompositeLayerTests {
  private typealias Call = ModelSpec.Call
  private typealias Reference = ModelSpec.Reference

  private func layer(_ name: String, _ spec: LayerSpec) -> ModelSpec.Layer { .init(name: name, spec: spec) }

  private func input(_ shape: Shape) -> ModelSpec.Layer { layer("x", .input(InputSpec(shape: shape))) }

  /// An LSTM of 4 units.
  private func lstm(_ change: (inout RecurrentOptions) -> Void = { _ in }) -> LayerSpec {
    var spec = LSTMSpec(units: 4)
    change(&spec.options)
    return .lstm(spec)
  }

  private func output(_ spec: LayerSpec, _ inputs: Shape...) throws -> [Shape] {
    try spec.outputShapes(inputs: inputs)
  }

  /// One layer behind an input, without what it is made of: for each call the layer's name and where its inputs come
  /// from, `call` or `call.output`.
  private func plain(_ spec: LayerSpec, _ shape: Shape) throws -> [String] {
    try plain(.sequential(name: "m", layers: [input(shape), layer("l", spec)]))
  }

  private func plain(_ spec: ModelSpec) throws -> [String] {
    _ = try spec.shapes()
    let plain = spec.plain
    _ = try plain.shapes()
    return plain.calls.map { call in
      let inputs = call.inputs.map { "\($0.call)\($0.output == 0 ? "" : ".\($0.output)")" }
      return ([plain.layers[call.layer].name] + inputs).joined(separator: " ")
    }
  }

  // MARK: - Bidirectional

  private func bidirectional(
    _ merge: BidirectionalSpec.Merge, _ change: (inout RecurrentOptions) -> Void = { _ in }
  ) -> LayerSpec {
    .bidirectional(
      BidirectionalSpec(forward: layer("f", lstm(change)), backward: layer("b", lstm(change)), merge: merge))
  }

  @Test func twoDirectionsBecomeOneOutputOrStayTwo() throws {
    let widths: [BidirectionalSpec.Merge: Shape] = [.concatenate: [8], .add: [4], .multiply: [4], .average: [4]]
    for merge in BidirectionalSpec.Merge.allCases {
      let expected: [Shape] = widths[merge].map { [$0] } ?? [[4], [4]]
      #expect(try output(bidirectional(merge), [nil, 3]) == expected)
    }
    let all = bidirectional(.concatenate) { ($0.returnSequences, $0.returnState) = (true, true) }
    #expect(try output(all, [nil, 3]) == [[nil, 8], [4], [4], [4], [4]])
    #expect(try output(all, [nil, 3], [4], [4], [4], [4]) == [[nil, 8], [4], [4], [4], [4]])
    expectError(.badData, naming: "initial states") { try output(all, [nil, 3], [4]) }
    expectError(.badData, naming: "forward_layer", "(?, 5)") { try output(all, [nil, 3], [5], [4], [4], [4]) }
    let dense = BidirectionalSpec(
      forward: layer("f", .dense(DenseSpec(units: 4))), backward: layer("b", lstm()), merge: .add)
    expectError(.badData, naming: "recurrent", "Dense") { try output(.bidirectional(dense), [nil, 3]) }
  }

  /// What reads backwards is turned round before both are merged; without sequences there is nothing to turn.
  @Test func aBidirectionalLayerIsTwoLayers() throws {
    #expect(
      try plain(bidirectional(.concatenate), [nil, 3]) == [
        "x", "l/forward_layer 0", "l/backward_layer 0", "l/merge 1 2",
      ])
    #expect(
      try plain(bidirectional(.add) { $0.returnSequences = true }, [nil, 3]) == [
        "x", "l/forward_layer 0", "l/backward_layer 0", "l/reverse 2", "l/merge 1 3",
      ])
  }

  @Test func initialStatesGoToTheirDirection() throws {
    let states = (0..<4).map { layer("s\($0)", .input(InputSpec(shape: [4]))) }
    let spec = ModelSpec(
      name: "m", isSequential: false, layers: [input([nil, 3])] + states + [layer("l", bidirectional(.none))],
      calls: (0..<5).map { Call(layer: $0, inputs: []) }
        + [Call(layer: 5, inputs: (0..<5).map { Reference(call: $0) })],
      inputs: [0, 1, 2, 3, 4], outputs: [Reference(call: 5), Reference(call: 5, output: 1)])
    #expect(
      try plain(spec) == ["x", "s0", "s1", "s2", "s3", "l/forward_layer 0 1 2", "l/backward_layer 0 3 4"])
    #expect(spec.plain.outputs == [Reference(call: 5), Reference(call: 6)])
    #expect(spec.plain.inputs == [0, 1, 2, 3, 4])
  }

  // MARK: - TimeDistributed

  @Test func aLayerOverEveryStepFoldsThem() throws {
    let dense = TimeDistributedSpec(layer: layer("d", .dense(DenseSpec(units: 4))))
    #expect(try output(.timeDistributed(dense), [nil, 3]) == [[nil, 4]])
    #expect(try output(.timeDistributed(dense), [6, 7, 3]) == [[6, 7, 4]])
    #expect(try plain(.timeDistributed(dense), [6, 3]) == ["x", "l/fold 0", "l/layer 1", "l/unfold 2 0"])
    let pooling = TimeDistributedSpec(layer: layer("p", .globalMaxPooling1D(GlobalPooling1DSpec(keepDims: false))))
    #expect(try output(.timeDistributed(pooling), [nil, 7, 3]) == [[nil, 3]])
    expectError(.badData, naming: "'p'", "GlobalMaxPooling1D") { try output(.timeDistributed(pooling), [6, 3]) }
    let dot = TimeDistributedSpec(layer: layer("two", .dot(DotSpec(axes: [1, 1], normalize: false))))
    expectError(.badData, naming: "'two'", "one input") { try output(.timeDistributed(dot), [6, 3]) }
  }

  // MARK: - RNN over cells

  private func stack(_ change: (inout StackedRNNSpec) -> Void = { _ in }) -> LayerSpec {
    var spec = StackedRNNSpec(
      cells: [layer("a", lstm()), layer("b", .gru(GRUSpec(units: 2, resetAfter: true)))], options: .init())
    change(&spec)
    return .stackedRNN(spec)
  }

  @Test func cellsAreLayersOneBehindTheOther() throws {
    #expect(try output(stack(), [nil, 3]) == [[2]])
    #expect(try output(stack { $0.options.returnSequences = true }, [5, 3]) == [[5, 2]])
    #expect(try output(stack { $0.options.returnState = true }, [nil, 3]) == [[2], [4], [4], [2]])
    let reversed = stack { ($0.options.returnState, $0.reversesStates) = (true, true) }
    #expect(try output(reversed, [nil, 3]) == [[2], [2], [4], [4]])
    #expect(try output(reversed, [nil, 3], [2], [4], [4]) == [[2], [2], [4], [4]])
    expectError(.badData, naming: "cell 0", "(?, 2)") { try output(stack(), [nil, 3], [2], [4], [4]) }
    expectError(.badData, naming: "1 initial states", "3") { try output(stack(), [nil, 3], [4]) }
    expectError(.badData, naming: "recurrent cells") { try output(stack { $0.cells = [] }, [nil, 3]) }
    #expect(try plain(stack(), [nil, 3]) == ["x", "l/cell/cells/0 0", "l/cell/cells/1 1"])
    let spec = ModelSpec.sequential(name: "m", layers: [input([nil, 3]), layer("l", stack())]).plain
    // All but the last hand sequences on, whatever the cell says of itself.
    #expect(spec.layers[1].spec.recurrentOptions?.returnSequences == true)
    #expect(spec.layers[2].spec.recurrentOptions?.returnSequences == false)
  }

  /// Backwards, the input is turned round once; the output has the mask of the input as it stands.
  @Test func cellsReadBackwardsTogether() throws {
    let backwards = stack { ($0.options.goBackwards, $0.options.returnSequences) = (true, true) }
    #expect(
      try plain(backwards, [nil, 3]) == [
        "x", "l/reverse 0", "l/cell/cells/0 1", "l/cell/cells/1 2", "l/mask 3 0",
      ])
    let spec = ModelSpec.sequential(name: "m", layers: [input([nil, 3]), layer("l", backwards)]).plain
    #expect(spec.layers.allSatisfy { $0.spec.recurrentOptions?.goBackwards != true })
  }

  // MARK: - Layouts

  @Test func channelsFirstTurnsTheLastAxes() throws {
    let convolution = ChannelsFirstSpec(layer: layer("c", .conv1D(Conv1DSpec(filters: 4, kernelSize: 3))))
    #expect(try output(.channelsFirst(convolution), [5, 9]) == [[4, 7]])
    #expect(
      try plain(.channelsFirst(convolution), [5, 9]) == ["x", "l/channels_last 0", "l 1", "l/channels_first_0 2"])
    let pooling = ChannelsFirstSpec(layer: layer("p", .globalMaxPooling1D(GlobalPooling1DSpec(keepDims: false))))
    #expect(try output(.channelsFirst(pooling), [5, 9]) == [[5]])
    #expect(try plain(.channelsFirst(pooling), [5, 9]) == ["x", "l/channels_last 0", "l 1"])
    expectError(.badData, naming: "channels_first", "(?, 5)") { try output(.channelsFirst(pooling), [5]) }
    // An activation over the last axis goes over the steps, as it does in Keras.
    var softmax = Conv1DSpec(filters: 4, kernelSize: 3)
    softmax.activation = .softmax
    let turned = ChannelsFirstSpec(layer: layer("c", .conv1D(softmax)))
    #expect(
      try plain(.channelsFirst(turned), [5, 9]) == [
        "x", "l/channels_last 0", "l 1", "l/channels_first_0 2", "l/activation 3",
      ])
    let spec = ModelSpec.sequential(name: "m", layers: [input([5, 9]), layer("l", .channelsFirst(turned))]).plain
    #expect(spec.layers[1].spec.activations == [.linear])
    #expect(spec.layers.last?.spec == .activation(ActivationSpec(activation: .softmax)))
  }

  @Test func timeMajorSwapsTheBatch() throws {
    let major = TimeMajorSpec(layer: layer("r", lstm { $0.returnSequences = true }))
    #expect(try output(.timeMajor(major), [nil, 3]) == [[nil, 4]])
    #expect(try plain(.timeMajor(major), [nil, 3]) == ["x", "l/batch_first 0", "l 1", "l/time_first 2"])
    let last = TimeMajorSpec(layer: layer("r", lstm()))
    #expect(try plain(.timeMajor(last), [nil, 3]) == ["x", "l/batch_first 0", "l 1"])
  }

  // MARK: - Models inside

  /// x (?, 3) -> d (?, 4), e (?, 2): both are outputs.
  private var inner: ModelSpec {
    ModelSpec(
      name: "inner", isSequential: false,
      layers: [
        layer("y", .input(InputSpec(shape: [3]))), layer("d", .dense(DenseSpec(units: 4))),
        layer("e", .dense(DenseSpec(units: 2))),
      ],
      calls: [
        Call(layer: 0, inputs: []), Call(layer: 1, inputs: [Reference(call: 0)]),
        Call(layer: 2, inputs: [Reference(call: 1)]),
      ], inputs: [0], outputs: [Reference(call: 2), Reference(call: 1)])
  }

  @Test func aModelThatIsCalledTwiceSharesItsParameters() throws {
    let spec = ModelSpec(
      name: "m", isSequential: false,
      layers: [
        input([3]), layer("z", .input(InputSpec(shape: [3]))), layer("n", .model(NestedModelSpec(model: inner))),
      ],
      calls: [
        Call(layer: 0, inputs: []), Call(layer: 1, inputs: []), Call(layer: 2, inputs: [Reference(call: 0)]),
        Call(layer: 2, inputs: [Reference(call: 1)]),
      ], inputs: [1, 0],
      outputs: [Reference(call: 3, output: 1), Reference(call: 2), Reference(call: 3)])
    #expect(try spec.shapes().outputs[2] == [[2], [4]])
    #expect(try plain(spec) == ["x", "z", "n/d 0", "n/e 2", "n/d 1", "n/e 4"])
    let expanded = spec.plain
    #expect(expanded.inputNames == ["z", "x"])
    #expect(expanded.outputs == [Reference(call: 4), Reference(call: 3), Reference(call: 5)])
    let names = zip(expanded.layers, try expanded.shapes().parameters).flatMap { layer, shapes in
      shapes.map { "\(layer.name)/\($0.name) \($0.shape)" }
    }
    #expect(names == ["n/d/kernel [3, 4]", "n/d/bias [4]", "n/e/kernel [4, 2]", "n/e/bias [2]"])
  }

  @Test func whatComesInMustFitTheModelInside() {
    func model(_ shape: Shape) -> ModelSpec {
      .sequential(name: "m", layers: [input(shape), layer("n", .model(NestedModelSpec(model: inner)))])
    }
    expectError(.badData, naming: "'n'", "(?, 5)", "(?, 3)") { try model([5]).shapes() }
    expectError(.badData, naming: "'n'", "(?, ?, 3)") { try model([nil, 3]).shapes() }
    #expect(throws: Never.self) { try model([3]).shapes() }
    #expect(throws: Never.self) { try model([nil]).shapes() }
  }

  @Test func layersInsideOthersAreFrozenWithThem() throws {
    var nested = layer("n", .model(NestedModelSpec(model: inner)))
    nested.isTrainable = false
    let spec = ModelSpec.sequential(name: "m", layers: [input([3]), nested]).plain
    #expect(spec.layers.filter { $0.name.hasPrefix("n/") }.allSatisfy { !$0.isTrainable })
    #expect(spec.layers.first?.isTrainable == true)
  }

  /// Two calls of a model of two calls of a model: the sum is refused before anything is done for each of them.
  @Test func modelsInsideModelsDoNotGrowWithoutBounds() throws {
    func twice(_ spec: LayerSpec, _ depth: Int) -> ModelSpec {
      ModelSpec(
        name: "m\(depth)", isSequential: false,
        layers: [layer("x", .input(InputSpec(shape: [1]))), layer("n", spec)],
        calls: [
          Call(layer: 0, inputs: []), Call(layer: 1, inputs: [Reference(call: 0)]),
          Call(layer: 1, inputs: [Reference(call: 1)]),
        ], inputs: [0], outputs: [Reference(call: 2)])
    }
    func tower(_ height: Int) -> ModelSpec {
      (1..<height).reduce(twice(.dense(DenseSpec(units: 1)), 0)) { twice(.model(NestedModelSpec(model: $0)), $1) }
    }
    #expect(try tower(6).shapes().outputs.count == 3)
    #expect(tower(6).plain.calls.count == 1 + 64)
    expectError(.badData, naming: "131072") { try tower(40).shapes() }
  }

  @Test func aPlainModelIsItsOwnPlainModel() throws {
    let spec = ModelSpec.sequential(name: "m", layers: [input([3]), layer("d", .dense(DenseSpec(units: 4)))])
    #expect(spec.plain == spec)
  }
}
