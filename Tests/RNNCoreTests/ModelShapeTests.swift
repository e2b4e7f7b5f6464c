import RNNCore
import Testing

@Suite struct ModelShapeTests {
  private typealias Call = ModelSpec.Call
  private typealias Reference = ModelSpec.Reference

  private func dense(_ name: String, _ units: Int) -> ModelSpec.Layer {
    .init(name: name, spec: .dense(DenseSpec(units: units)))
  }

  private func input(_ name: String, _ shape: Shape) -> ModelSpec.Layer {
    .init(name: name, spec: .input(InputSpec(shape: shape)))
  }

  /// in (?, 3) -> a (?, 4) -> b (?, 2)
  private var chain: ModelSpec {
    .sequential(name: "m", layers: [input("in", [3]), dense("a", 4), dense("b", 2)])
  }

  private func refuses(
    _ message: String..., spec: ModelSpec? = nil, location: SourceLocation = #_sourceLocation,
    _ change: (inout ModelSpec) -> Void = { _ in }
  ) {
    var spec = spec ?? chain
    change(&spec)
    for text in message { expectError(.badData, naming: text, location: location) { try spec.shapes() } }
  }

  @Test func shapesFlowThroughAChain() throws {
    let shapes = try chain.shapes()
    #expect(shapes.outputs == [[[3]], [[4]], [[2]]])
    #expect(shapes.parameters.map { $0.map(\.shape) } == [[], [[3, 4], [4]], [[4, 2], [2]]])
    #expect(chain.inputNames == ["in"])
    #expect(chain.outputNames == ["b"])
  }

  @Test func aSharedLayerHasItsParametersOnce() throws {
    let spec = ModelSpec(
      name: "shared", isSequential: false, layers: [input("x", [3]), input("y", [3]), dense("d", 5)],
      calls: [
        Call(layer: 0, inputs: []), Call(layer: 1, inputs: []), Call(layer: 2, inputs: [Reference(call: 0)]),
        Call(layer: 2, inputs: [Reference(call: 1)]),
      ], inputs: [1, 0], outputs: [Reference(call: 2), Reference(call: 3), Reference(call: 2)])
    let shapes = try spec.shapes()
    #expect(shapes.parameters.map(\.count) == [0, 0, 2])
    #expect(shapes.outputs == [[[3]], [[3]], [[5]], [[5]]])
    #expect(spec.inputNames == ["y", "x"])
    #expect(spec.outputNames == ["d", "d_1", "d_2"])
    refuses("'d'", "different shapes", spec: spec) { $0.layers[1].spec = .input(InputSpec(shape: [4])) }
    // A layer that is called as another's second output would be keeps its name.
    var twins = spec
    twins.layers[0].name = "d_1"
    twins.outputs = [Reference(call: 2), Reference(call: 2), Reference(call: 0)]
    #expect(twins.outputNames == ["d", "d_2", "d_1"])
  }

  @Test func statesReachAnotherLayer() throws {
    var encoder = LSTMSpec(units: 4)
    encoder.options.returnState = true
    var spec = ModelSpec(
      name: "seq2seq", isSequential: false,
      layers: [
        input("x", [nil, 2]), input("y", [nil, 3]), .init(name: "encoder", spec: .lstm(encoder)),
        .init(name: "decoder", spec: .lstm(LSTMSpec(units: 4))),
      ],
      calls: [
        Call(layer: 0, inputs: []), Call(layer: 1, inputs: []), Call(layer: 2, inputs: [Reference(call: 0)]),
        Call(layer: 3, inputs: [Reference(call: 1), Reference(call: 2, output: 1), Reference(call: 2, output: 2)]),
      ], inputs: [0, 1], outputs: [Reference(call: 3), Reference(call: 2, output: 2)])
    #expect(try spec.shapes().outputs[2] == [[4], [4], [4]])
    refuses("'decoder'", "initial state", "(?, 4)", "(?, 5)", spec: spec) {
      $0.layers[3].spec = .lstm(LSTMSpec(units: 5))
    }
    // One state of two, one too many, and a state that the encoder does not have.
    refuses("'decoder'", "1 initial states", spec: spec) { $0.calls[3].inputs.removeLast() }
    refuses("'decoder'", "4 inputs", spec: spec) { $0.calls[3].inputs.append(Reference(call: 2, output: 1)) }
    refuses("'decoder'", spec: spec) { $0.calls[3].inputs[2].output = 3 }
    encoder.options.returnState = false
    spec.layers[2].spec = .lstm(encoder)
    refuses("'decoder'", "no output", spec: spec)
  }

  @Test func theGraphMustHoldTogether() {
    refuses("no layers") { $0.calls = [] }
    refuses("no inputs") { $0.inputs = [] }
    refuses("no outputs") { $0.outputs = [] }
    refuses("no layers", spec: .sequential(name: "m", layers: []))
    refuses("the name 'a'") { $0.layers[2].name = "a" }
    for layer in [-1, 3, .min, .max] { refuses("names no layer") { $0.calls[2].layer = layer } }
    refuses("'b'", "2 inputs") { $0.calls[2].inputs = [Reference(call: 0), Reference(call: 1)] }
    refuses("'b'", "0 inputs") { $0.calls[2].inputs = [] }
    refuses("'in'", "1 inputs") { $0.calls[0].inputs = [Reference(call: 1)] }
    // Itself, what comes later, what never comes.
    for call in [2, 3, -1, .min, .max] {
      refuses("'b'", "earlier layer") { $0.calls[2].inputs = [Reference(call: call)] }
    }
    for output in [1, -1, .min, .max] { refuses("'b'") { $0.calls[2].inputs[0].output = output } }
    for input in [1, 2, 3, -1, .max] { refuses("input") { $0.inputs = [input] } }
    refuses("input") { $0.inputs = [0, 0] }
    for call in [3, -1, .min, .max] { refuses("output") { $0.outputs = [Reference(call: call)] } }
    refuses("output") { $0.outputs[0].output = 1 }
  }

  @Test func anInputThatIsNotTheModelsIsRefused() {
    refuses("'in2'") {
      $0.layers.append(input("in2", [3]))
      $0.calls.append(Call(layer: 3, inputs: []))
    }
  }

  @Test func aSequentialModelIsAChain() throws {
    refuses("no chain") { $0.outputs = [Reference(call: 1)] }
    refuses("no chain") { $0.calls[2].inputs = [Reference(call: 0)] }
    refuses("no chain") { $0.layers.append(dense("never called", 1)) }
    refuses("no chain") { $0.outputs.append(Reference(call: 2)) }
    refuses("no chain") { $0.calls.append(Call(layer: 1, inputs: [Reference(call: 0)])) }
    // The same graphs under no such claim are models.
    for change in [
      { $0.outputs = [Reference(call: 1)] }, { $0.calls[2].inputs = [Reference(call: 0)] },
      { $0.outputs.append(Reference(call: 2)) },
    ] as [(inout ModelSpec) -> Void] {
      var spec = chain
      spec.isSequential = false
      change(&spec)
      #expect(throws: Never.self) { try spec.shapes() }
    }
  }

  @Test func gluIsNoActivationOfARecurrentLayer() {
    var (lstm, gru, simple) = (LSTMSpec(units: 4), GRUSpec(units: 4, resetAfter: true), SimpleRNNSpec(units: 4))
    lstm.activation = .glu
    gru.recurrentActivation = .glu
    simple.activation = .glu
    for spec in [LayerSpec.lstm(lstm), .gru(gru), .simpleRNN(simple)] {
      let model = ModelSpec.sequential(name: "m", layers: [input("in", [nil, 2]), .init(name: "x", spec: spec)])
      expectError(.badData, naming: "'x'", "glu") { try model.shapes() }
    }
  }

  @Test func theLayerThatDoesNotFitIsNamed() {
    refuses("'c'", "recurrent layer", "(?, 2)") {
      $0.isSequential = false
      $0.layers.append(.init(name: "c", spec: .lstm(LSTMSpec(units: 1))))
      $0.calls.append(Call(layer: 3, inputs: [Reference(call: 2)]))
    }
  }

  /// Whatever number stands in a file, the answer is an error.
  @Test func absurdSizesAreErrors() {
    let absurd = [Int.min, -1, 0, (1 << 31) + 1, .max]
    func check(_ spec: LayerSpec, _ shape: Shape = [nil, 4]) {
      let model = ModelSpec.sequential(name: "m", layers: [input("in", shape), .init(name: "x", spec: spec)])
      expectError(.badData, naming: "'x'") { try model.shapes() }
    }
    for size in absurd {
      check(.embedding(EmbeddingSpec(inputDim: size, outputDim: 2, maskZero: false)))
      check(.embedding(EmbeddingSpec(inputDim: 2, outputDim: size, maskZero: false)))
      check(.dense(DenseSpec(units: size)))
      check(.lstm(LSTMSpec(units: size)))
      check(.gru(GRUSpec(units: size, resetAfter: true)))
      check(.simpleRNN(SimpleRNNSpec(units: size)))
      for path in [\Conv1DSpec.filters, \.kernelSize, \.strides, \.dilationRate, \.groups] {
        var spec = Conv1DSpec(filters: 2, kernelSize: 3)
        spec[keyPath: path] = size
        check(.conv1D(spec), [9, 4])
      }
      for path in [\Conv1DTransposeSpec.filters, \.kernelSize, \.strides, \.dilationRate] {
        var spec = Conv1DTransposeSpec(filters: 2, kernelSize: 3)
        spec[keyPath: path] = size
        check(.conv1DTranspose(spec), [9, 4])
      }
      for path in [\SeparableConv1DSpec.filters, \.kernelSize, \.depthMultiplier, \.strides, \.dilationRate] {
        var spec = SeparableConv1DSpec(filters: 2, kernelSize: 3)
        spec[keyPath: path] = size
        check(.separableConv1D(spec), [9, 4])
      }
      for path in [\LocallyConnected1DSpec.filters, \.kernelSize, \.strides] {
        var spec = LocallyConnected1DSpec(filters: 2, kernelSize: 3)
        spec[keyPath: path] = size
        check(.locallyConnected1D(spec), [9, 4])
      }
      for path in [\ConvLSTM1DSpec.filters, \.kernelSize, \.strides, \.dilationRate] {
        var spec = ConvLSTM1DSpec(filters: 2, kernelSize: 3)
        spec[keyPath: path] = size
        check(.convLSTM1D(spec), [5, 9, 4])
      }
      var variant = LSTMVariantSpec(units: 2)
      variant.projection = size
      check(.lstmVariant(variant))
      check(.lstmVariant(LSTMVariantSpec(units: size)))
      check(.repeatVector(RepeatVectorSpec(count: size)), [4])
      check(.upSampling1D(UpSampling1DSpec(size: size)), [9, 4])
      check(.maxoutDense(MaxoutDenseSpec(units: size, features: 2, useBias: true)), [4])
      check(.maxoutDense(MaxoutDenseSpec(units: 2, features: size, useBias: true)), [4])
      for path in [\MultiHeadAttentionSpec.headCount, \.keyDim, \.valueDim] {
        var spec = MultiHeadAttentionSpec(headCount: 2, keyDim: 3, valueDim: 4)
        spec[keyPath: path] = size
        let model = ModelSpec(
          name: "m", isSequential: false,
          layers: [input("in", [9, 4]), .init(name: "x", spec: .multiHeadAttention(spec))],
          calls: [Call(layer: 0, inputs: []), Call(layer: 1, inputs: [Reference(call: 0), Reference(call: 0)])],
          inputs: [0], outputs: [Reference(call: 1)])
        expectError(.badData, naming: "'x'") { try model.shapes() }
      }
      check(.maxPooling1D(Pooling1DSpec(poolSize: size, strides: 1, padding: .same)))
      check(.averagePooling1D(Pooling1DSpec(poolSize: 2, strides: size, padding: .valid)))
    }
    for size in [Int.min, -1, (1 << 31) + 1, .max] {
      check(.edges(EdgeSpec(before: size, after: 0, isCropping: false)), [9, 4])
      check(.edges(EdgeSpec(before: 0, after: size, isCropping: true)), [9, 4])
      expectError(.badData) { try ModelSpec.sequential(name: "m", layers: [input("in", [size, 4])]).shapes() }
    }
  }

  @Test func theLargestSizesDoNotOverflow() {
    let largest = 1 << 31
    for padding in Padding.allCases {
      var spec = Conv1DSpec(filters: largest, kernelSize: largest)
      (spec.padding, spec.strides, spec.dilationRate) = (padding, largest, largest)
      let model = ModelSpec.sequential(
        name: "m", layers: [input("in", [largest, largest]), .init(name: "x", spec: .conv1D(spec))])
      expectError(.badData, naming: "'x'") { try model.shapes() }
    }
    var variant = LSTMVariantSpec(units: largest)
    (variant.projection, variant.peepholes) = (largest, true)
    var separable = SeparableConv1DSpec(filters: largest, kernelSize: largest)
    (separable.depthMultiplier, separable.padding) = (largest, .same)
    for spec in [
      LayerSpec.lstm(LSTMSpec(units: largest)), .lstmVariant(variant), .separableConv1D(separable),
      .conv1DTranspose(Conv1DTransposeSpec(filters: largest, kernelSize: largest)),
      .locallyConnected1D(LocallyConnected1DSpec(filters: largest, kernelSize: 2)),
      .upSampling1D(UpSampling1DSpec(size: largest)),
    ] {
      for timesteps in [largest, nil] {
        // What says nothing of its length is as long as it likes.
        if timesteps == nil, spec.kind == .upSampling1D { continue }
        let model = ModelSpec.sequential(
          name: "m", layers: [input("in", [timesteps, largest]), .init(name: "x", spec: spec)])
        expectError(.badData, naming: "'x'") { try model.shapes() }
      }
    }
  }
}
