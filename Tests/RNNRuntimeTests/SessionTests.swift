import Foundation
import RNNCore
import RNNRuntime
import RNNTestSupport
import Testing

@Suite struct SessionTests {
  /// Every kind of layer that a sequence may pass, in a row.
  private static func deep(free: Bool = true) throws -> LayerModel {
    var convolution = Conv1DSpec(filters: 6, kernelSize: 3)
    convolution.padding = .causal
    var lstm = LSTMSpec(units: 7)
    var gru = GRUSpec(units: 5, resetAfter: true)
    lstm.options.returnSequences = true
    gru.options.returnSequences = true
    return try LayerModel(
      [
        .embedding(EmbeddingSpec(inputDim: 11, outputDim: 4, maskZero: false)), .conv1D(convolution), .lstm(lstm),
        .gru(gru), .simpleRNN(SimpleRNNSpec(units: 3)), .dense(DenseSpec(units: 2)),
      ], input: [free ? nil : 9], scale: 0.5)
  }

  private static func ids(_ rows: Int, _ columns: Int, seed: UInt64 = 3) throws -> Tensor {
    var generator = SeededGenerator(seed: seed)
    return try Tensor(
      (0..<rows * columns).map { _ in Int64.random(in: 0..<11, using: &generator) }, shape: [rows, columns])
  }

  private static func rows(_ tensor: Tensor, _ range: Range<Int>) throws -> Tensor {
    let size = tensor.bytes.count / tensor.shape[0]
    return try Tensor(
      dtype: tensor.dtype, shape: [range.count] + tensor.shape.dropFirst(),
      bytes: Data(tensor.bytes)[range.lowerBound * size..<range.upperBound * size])
  }

  /// Bit for bit: a row's sums do not depend on its neighbours.
  @Test func aBatchIsItsRows() throws {
    let model = try Self.deep().model
    let input = try Self.ids(13, 9)
    let together = try model.predict([input])[0]
    for row in 0..<13 {
      #expect(try model.predict([try Self.rows(input, row..<row + 1)])[0] == Self.rows(together, row..<row + 1))
    }
  }

  @Test func manyRowsRunInPiecesOfTheSameBits() throws {
    let model = try Self.deep().model
    for count in [63, 64, 65, 128, 150] {
      let input = try Self.ids(count, 5)
      let found = try model.predict([input])[0]
      #expect(found.shape == [count, 2])
      for start in stride(from: 0, to: count, by: 29) {
        let end = min(start + 29, count)
        #expect(try model.predict([try Self.rows(input, start..<end)])[0] == Self.rows(found, start..<end))
      }
    }
  }

  @Test func severalOutputsAreCutAndJoinedAlike() throws {
    var lstm = LSTMSpec(units: 3)
    lstm.options.returnState = true
    lstm.options.returnSequences = true
    var spec = ModelSpec.sequential(
      name: "m",
      layers: [
        .init(name: "x", spec: .input(InputSpec(shape: [nil, 2]))), .init(name: "layer0", spec: .lstm(lstm)),
      ])
    spec.isSequential = false
    spec.outputs = [2, 0, 1].map { .init(call: 1, output: $0) }
    let model = try LayerModel(spec).model
    #expect(model.outputNames == ["layer0", "layer0_1", "layer0_2"])
    let input = try randomTensor([100, 4, 2])
    let found = try model.predict([input])
    #expect(found.map(\.shape) == [[100, 3], [100, 4, 3], [100, 3]])
    for row in [0, 63, 64, 99] {
      let alone = try model.predict([try Self.rows(input, row..<row + 1)])
      #expect(try alone == found.map { try Self.rows($0, row..<row + 1) })
    }
    // The state h is the last output.
    let last = try (0..<100).flatMap { row in try Self.rows(found[1], row..<row + 1).floats().suffix(3) }
    #expect(found[2].floats() == last)
  }

  @Test(arguments: RecurrentReference.Cell.allCases)
  func aSequenceInPiecesIsTheWholeSequence(cell: RecurrentReference.Cell) throws {
    var options = RecurrentOptions()
    options.returnSequences = true
    let layers = [options, RecurrentOptions()].map {
      cell.spec(units: 5, options: $0, activation: .tanh, gate: .sigmoid)
    }
    let model = try LayerModel(layers, input: [nil, 2]).model
    let input = try randomTensor([3, 9, 2])
    let whole = try model.predict([input])[0]
    let session = model.makeSession()
    for cut in [1, 4, 8] {
      var state = session.initialState()
      _ = try session.predict([try steps(input, 0..<cut)], state: &state)
      let kept = state
      #expect(try session.predict([try steps(input, cut..<9)], state: &state)[0] == whole)
      // A state is a value: the same one gives the same result again, in any session.
      var again = kept
      #expect(try model.makeSession().predict([try steps(input, cut..<9)], state: &again)[0] == whole)
      #expect(again == state)
      #expect(kept != state)
    }
    // A run without a state starts from rest, whatever came before.
    #expect(try session.predict([input])[0] == whole)
  }

  /// A recurrent layer, the same one backwards, and what is made of both.
  private static func bothWays(_ cell: RecurrentReference.Cell, isMasked: Bool, showsParts: Bool) throws -> Model {
    var options = RecurrentOptions()
    options.returnSequences = true
    var backwards = options
    backwards.goBackwards = true
    func recurrent(_ options: RecurrentOptions) -> LayerSpec {
      cell.spec(units: 5, options: options, activation: .tanh, gate: .sigmoid)
    }
    var specs: [LayerSpec] = [.input(InputSpec(shape: [nil]))]
    specs.append(.embedding(EmbeddingSpec(inputDim: 11, outputDim: 4, maskZero: isMasked)))
    specs += [recurrent(options), recurrent(backwards), .reverseSteps(ReverseStepsSpec(reversesMask: false))]
    specs += [.concatenate(ConcatenateSpec(axis: -1)), recurrent(backwards)]
    specs.append(.reverseSteps(ReverseStepsSpec(reversesMask: false)))
    let sources = [[], [0], [1], [1], [3], [2, 4], [5], [6]]
    let outputs = showsParts ? [2, 3, 4, 5, 6, 7] : [7]
    return try LayerModel(
      ModelSpec(
        name: "m", isSequential: false,
        layers: specs.enumerated().map { .init(name: "layer\($0.offset)", spec: $0.element) },
        calls: sources.enumerated().map { place, sources in
          ModelSpec.Call(layer: place, inputs: sources.map { .init(call: $0, output: 0) })
        }, inputs: [0], outputs: outputs.map { .init(call: $0, output: 0) })
    ).model
  }

  /// Where somebody else reads the parts, each has memory of its own; the bits are the same.
  @Test(arguments: RecurrentReference.Cell.allCases, [false, true])
  func stepsThatAreWrittenInPlaceAreThoseThatAreCopied(cell: RecurrentReference.Cell, isMasked: Bool) throws {
    let (apart, inPlace) = (
      try Self.bothWays(cell, isMasked: isMasked, showsParts: true),
      try Self.bothWays(cell, isMasked: isMasked, showsParts: false)
    )
    for (rows, columns) in [(1, 1), (3, 7), (40, 6)] {
      let input = try Self.ids(rows, columns)
      let parts = try apart.predict([input])
      // The copies themselves: every step of one part beside that of the other, the second from its end.
      let (forward, backward) = (parts[0].floats(), parts[1].floats())
      let expected = (0..<rows * columns).flatMap { step in
        let mirrored = step / columns * columns + columns - 1 - step % columns
        return Array(forward[step * 5..<step * 5 + 5] + backward[mirrored * 5..<mirrored * 5 + 5])
      }
      #expect(parts[3].floats() == expected)
      #expect(try inPlace.predict([input]) == [parts[5]])
    }
  }

  /// Large outputs lie where they were made: a later call may take memory again only where nobody has a result any more.
  @Test(arguments: [1, 2]) func resultsOutliveLaterCalls(threads: Int) throws {
    var lstm = LSTMSpec(units: 24)
    lstm.options.returnSequences = true
    let model = try LayerModel([.lstm(lstm)], input: [nil, 3]).model
    let session = model.makeSession(threads: threads)
    let inputs = try (0..<4).map { try randomTensor([40, 25, 3], seed: $0) }
    let held = try inputs.map { try session.predict([$0])[0] }
    for (input, result) in zip(inputs, held) {
      #expect(try model.predict([input])[0] == result)
      // Let go of at once.
      #expect(try session.predict([input])[0] == result)
    }
    // Few enough for one piece.
    let small = try inputs.map { try Self.rows($0, 0..<30) }
    let heldSmall = try small.map { try session.predict([$0])[0] }
    for index in inputs.indices {
      #expect(try heldSmall[index] == Self.rows(held[index], 0..<30))
      #expect(try session.predict([small[index]])[0] == heldSmall[index])
      #expect(try session.predict([inputs[index]])[0] == held[index])
    }
  }

  /// Outputs that are an input, stand twice, or come beside states, in one large run and after one that failed.
  @Test func largeOutputsOfEveryKind() throws {
    var lstm = LSTMSpec(units: 16)
    (lstm.options.returnSequences, lstm.options.returnState) = (true, true)
    let layers: [LayerSpec] = [
      .input(InputSpec(shape: [nil, 16])), .lstm(lstm), .reverseSteps(ReverseStepsSpec(reversesMask: false)),
      .concatenate(ConcatenateSpec(axis: 2)),
    ]
    func model(_ outputs: [(call: Int, output: Int)]) throws -> Model {
      try LayerModel(
        ModelSpec(
          name: "m", isSequential: false,
          layers: layers.enumerated().map { .init(name: "layer\($0.offset)", spec: $0.element) },
          // The layer runs twice, the second time over its own steps and from its own states.
          calls: [
            .init(layer: 0, inputs: []), .init(layer: 1, inputs: [.init(call: 0)]),
            .init(layer: 2, inputs: [.init(call: 1)]),
            .init(layer: 1, inputs: [.init(call: 2), .init(call: 1, output: 1), .init(call: 1, output: 2)]),
            .init(layer: 3, inputs: [.init(call: 3)]),
          ], inputs: [0], outputs: outputs.map { .init(call: $0.call, output: $0.output) })
      ).model
    }
    let input = try randomTensor([20, 60, 16])
    let all = try model([(0, 0), (4, 0), (4, 0), (1, 1), (3, 2), (2, 0), (1, 0)])
    let expected = try (0..<20).map { try all.predict([try Self.rows(input, $0..<$0 + 1)]) }
    let session = all.makeSession()
    expectError(.badData) { try session.predict([try randomTensor([20, 60, 15])]) }
    for _ in 0..<2 {
      let found = try session.predict([input])
      #expect(found[0] == input)
      for row in 0..<20 { #expect(try found.map { try Self.rows($0, row..<row + 1) } == expected[row]) }
      #expect(try model([(4, 0)]).predict([input]) == [found[1]])
      #expect(try model([(3, 2), (4, 0)]).predict([input]) == [found[4], found[1]])
    }
  }

  /// Reversals one behind the other, as many as a hostile file likes.
  @Test func manyReversals() throws {
    var options = RecurrentOptions()
    options.returnSequences = true
    let recurrent = RecurrentReference.Cell.allCases[0].spec(
      units: 2, options: options, activation: .tanh, gate: .sigmoid)
    let reversals = (0..<3001).map { _ in LayerSpec.reverseSteps(ReverseStepsSpec(reversesMask: false)) }
    let input = try randomTensor([2, 3, 2])
    let once = try LayerModel([recurrent, reversals[0]], input: [nil, 2]).model
    let often = try LayerModel([recurrent] + reversals, input: [nil, 2]).model
    #expect(try often.predict([input]) == once.predict([input]))
  }

  private func steps(_ tensor: Tensor, _ range: Range<Int>) throws -> Tensor {
    let (batch, steps, width) = (tensor.shape[0], tensor.shape[1], tensor.shape[2])
    let values = tensor.floats()
    var part: [Float] = []
    for row in 0..<batch {
      let start = row * steps
      part += values[(start + range.lowerBound) * width..<(start + range.upperBound) * width]
    }
    return try Tensor(part, shape: [batch, range.count, width])
  }

  @Test func aSessionKeepsNothingBetweenShapes() throws {
    let model = try Self.deep().model
    let session = model.makeSession()
    let shapes = [(1, 3), (4, 9), (2, 3), (1, 3), (3, 12), (64, 2), (65, 2), (5, 5), (4, 9), (1, 3)]
    for (index, shape) in shapes.enumerated() {
      let input = try Self.ids(shape.0, shape.1, seed: UInt64(index))
      #expect(try session.predict([input]) == model.makeSession().predict([input]), "\(shape)")
    }
  }

  @Test func noExamplesGiveNoResults() throws {
    let found = try Self.deep().model.predict([try Self.ids(0, 5)])
    #expect(found.map(\.shape) == [[0, 2]])
  }

  @Test func oneModelServesManyThreads() async throws {
    let model = try Self.deep().model
    let inputs = try (0..<16).map { try Self.ids(3 + $0 % 4, 4 + $0 % 5, seed: UInt64($0)) }
    let expected = try inputs.map { try model.predict([$0]) }
    let found = try await withThrowingTaskGroup(of: (Int, [Tensor]).self) { group in
      for repetition in 0..<4 {
        for (index, input) in inputs.enumerated() {
          group.addTask {
            let session = model.makeSession()
            return (index, repetition % 2 == 0 ? try session.predict([input]) : try model.predict([input]))
          }
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(found.count == 64)
    for (index, result) in found { #expect(result == expected[index]) }
  }

  @Test func aFileRunsAsTheModelInMemoryDoes() throws {
    let folder = try TemporaryFolder()
    let model = try Self.deep().model
    try model.native.write(to: folder.file("m.rnn"), replacing: false)
    let opened = try Model(contentsOf: folder.file("m.rnn"))
    let input = try Self.ids(4, 6)
    #expect(try opened.predict([input]) == model.predict([input]))
    expectError(.noInput, naming: "none.rnn") { try Model(contentsOf: folder.file("none.rnn")) }
  }

  @Test func aModelThatDoesNotFitIsNotMade() throws {
    var native = try Self.deep().model.native
    native.parameters.removeLast()
    expectError(.badData, naming: "layer5/bias") { try Model(native) }
  }
}

/// Where lengths are free, only the inputs tell whether they go together.
struct FreeLengthTests {
  @Test func lengthsThatDoNotMeetAreAnError() throws {
    let merge = MergeSpec(.add)
    for spec in [
      LayerSpec.merge(merge), .concatenate(ConcatenateSpec(axis: -1)), .dot(DotSpec(axes: [1, 1], normalize: false)),
      .binary(BinarySpec(.multiply)),
    ] {
      let input = { (name: String) in ModelSpec.Layer(name: name, spec: .input(InputSpec(shape: [nil, 3]))) }
      let model = ModelSpec(
        name: "two", isSequential: false,
        layers: [input("p"), input("q"), ModelSpec.Layer(name: "both", spec: spec)],
        calls: [
          ModelSpec.Call(layer: 0, inputs: []), ModelSpec.Call(layer: 1, inputs: []),
          ModelSpec.Call(layer: 2, inputs: [ModelSpec.Reference(call: 0), ModelSpec.Reference(call: 1)]),
        ], inputs: [0, 1], outputs: [ModelSpec.Reference(call: 2)])
      let runtime = try LayerModel(model).model
      let tensors = try [(2, 5), (2, 4)].map { examples, timesteps in
        try Tensor([Float](repeating: 1, count: examples * timesteps * 3), shape: [examples, timesteps, 3])
      }
      expectError(.badData, naming: "both") { try runtime.predict(tensors) }
    }
  }
}

/// What a layer reads of a mask, and what a stream knows of a sequence, is checked before anything runs.
struct CheckedGraphTests {
  private func model(_ layers: [(String, LayerSpec, [Int])], inputs: [Int]) -> ModelSpec {
    ModelSpec(
      name: "m", isSequential: false, layers: layers.map { ModelSpec.Layer(name: $0.0, spec: $0.1) },
      calls: layers.indices.map { index in
        ModelSpec.Call(layer: index, inputs: layers[index].2.map { ModelSpec.Reference(call: $0) })
      }, inputs: inputs, outputs: [ModelSpec.Reference(call: layers.count - 1)])
  }

  @Test(arguments: [[], [6, 8]] as [Shape])
  func aMaskOfOtherAxesIsNamed(_ shape: Shape) {
    let readers: [LayerSpec] = [
      .lstm(LSTMSpec(units: 2)), .globalAveragePooling1D(GlobalPooling1DSpec(keepDims: false)),
    ]
    for reader in readers {
      let spec = model(
        [
          ("x", .input(InputSpec(shape: [6, 8])), []), ("m", .input(InputSpec(shape: shape)), []),
          ("masked", .withMask(WithMaskSpec()), [0, 1]), ("reader", reader, [2]),
        ], inputs: [0, 1])
      expectError(.badData, naming: "'reader'", "mask of \(shape.count) axes") { try LayerModel(spec) }
    }
  }

  @Test func whatIsNotOverYetMeetsNoStep() throws {
    var sequences = GRUSpec(units: 4, resetAfter: true)
    sequences.options.returnSequences = true
    let spec = model(
      [
        ("x", .input(InputSpec(shape: [nil, 3])), []), ("encoder", .lstm(LSTMSpec(units: 4)), [0]),
        ("decoder", .gru(sequences), [0, 1]),
      ], inputs: [0])
    let model = try LayerModel(spec).model
    expectError(.unsupported, naming: "'decoder'", "over") { try model.freeOfLengths() }
  }
}

/// A state belongs to a model and a number of examples.
struct StateTests {
  @Test func aStateOfAnotherBatchIsAnError() throws {
    let session = try LayerModel([.lstm(LSTMSpec(units: 3))], input: [nil, 2]).model.makeSession()
    var state = session.initialState()
    _ = try session.predict([try Tensor([Float](repeating: 1, count: 3 * 4 * 2), shape: [3, 4, 2])], state: &state)
    #expect(throws: RNNError.self) {
      try session.predict([try Tensor([Float](repeating: 1, count: 4 * 2), shape: [1, 4, 2])], state: &state)
    }
  }
}
