import RNNCore
import RNNTestSupport
import Testing

@testable import RNNRuntime

/// A sequence may arrive in pieces: any split gives the bits of the whole.
struct StepTests {
  private static func recurrent(_ make: (RecurrentOptions) -> LayerSpec) -> LayerSpec {
    var options = RecurrentOptions()
    options.returnSequences = true
    return make(options)
  }

  private static let lstm = recurrent {
    var spec = LSTMSpec(units: 5)
    spec.options = $0
    return .lstm(spec)
  }

  private static let stacks: [(String, [LayerSpec])] = [
    ("LSTM", [lstm]),
    (
      "GRU",
      [
        recurrent {
          var spec = GRUSpec(units: 4, resetAfter: true)
          spec.options = $0
          return .gru(spec)
        }
      ]
    ),
    (
      "SimpleRNN",
      [
        recurrent {
          var spec = SimpleRNNSpec(units: 3)
          spec.options = $0
          return .simpleRNN(spec)
        }
      ]
    ),
    (
      "peepholes and projection",
      [
        recurrent {
          var spec = LSTMVariantSpec.vanilla(units: 6)
          (spec.options, spec.projection) = ($0, 3)
          return .lstmVariant(spec)
        }
      ]
    ),
    (
      "deep",
      [
        .dense(DenseSpec(units: 6)), lstm,
        .layerNormalization(LayerNormalizationSpec(axes: [-1], epsilon: 1e-3)), lstm,
        .timeDistributed(
          TimeDistributedSpec(layer: .init(name: "inner", spec: .dense(DenseSpec(units: 2))))),
        .activation(ActivationSpec(activation: .softmax)),
      ]
    ),
  ]

  @Test(arguments: stacks.map(\.0))
  func anySplitGivesTheBitsOfTheWhole(_ name: String) throws {
    let specs = try #require(Self.stacks.first { $0.0 == name }?.1)
    let (batch, steps, channels) = (3, 11, 4)
    let model = try LayerModel(specs, input: [nil, channels]).model
    let x = try randomTensor([batch, steps, channels]).floats()
    func piece(_ from: Int, _ to: Int) throws -> Tensor {
      let values = (0..<batch).flatMap { x[($0 * steps + from) * channels..<($0 * steps + to) * channels] }
      return try Tensor(values, shape: [batch, to - from, channels])
    }
    let whole = try model.predict([try piece(0, steps)])[0]
    let width = whole.shape[2]
    func row(_ tensor: [Float], _ example: Int, _ step: Int, of count: Int) -> [UInt32] {
      tensor[(example * count + step) * width..<(example * count + step + 1) * width].map(\.bitPattern)
    }
    for cuts in [[0, 11], [0, 1, 11], [0, 5, 6, 11], [0, 4, 8, 11], Array(0...11)] {
      let session = model.makeSession()
      var state = session.initialState()
      for (from, to) in zip(cuts, cuts.dropFirst()) {
        let found = try session.predict([try piece(from, to)], state: &state)[0].floats()
        for example in 0..<batch {
          for step in from..<to {
            #expect(
              row(found, example, step - from, of: to - from) == row(whole.floats(), example, step, of: steps),
              "\(cuts), step \(step)")
          }
        }
      }
    }
    // One step at a time, and again after a state that was kept.
    let session = model.makeSession()
    var state = session.initialState()
    var kept = state
    for step in 0..<steps {
      if step == 6 { kept = state }
      let x = try piece(step, step + 1)
      let found = try session.step([try Tensor(x.floats(), shape: [batch, channels])], state: &state)[0]
      #expect(found.shape == [batch, width])
      for example in 0..<batch {
        #expect(row(found.floats(), example, 0, of: 1) == row(whole.floats(), example, step, of: steps))
      }
    }
    let x6 = try piece(6, 7)
    let again = try session.step([try Tensor(x6.floats(), shape: [batch, channels])], state: &kept)[0]
    #expect(row(again.floats(), 0, 0, of: 1) == row(whole.floats(), 0, 6, of: steps))
  }

  @Test func whatLooksAtSeveralStepsIsNamed() throws {
    var backwards = LSTMSpec(units: 2)
    backwards.options.goBackwards = true
    for (layer, place) in [
      (LayerSpec.conv1D(Conv1DSpec(filters: 2, kernelSize: 3)), "layer0"), (.lstm(backwards), "layer0"),
      (.reverseSteps(ReverseStepsSpec(reversesMask: false)), "layer0"),
    ] {
      let session = try LayerModel([layer], input: [nil, 2]).model.makeSession()
      var state = session.initialState()
      expectError(.unsupported, naming: place) {
        try session.step([try Tensor([1, 2] as [Float], shape: [1, 2])], state: &state)
      }
    }
  }

  /// A stateful layer goes on where the last call ended, until it is reset.
  @Test func statefulLayersGoOn() throws {
    var spec = LSTMSpec(units: 3)
    spec.options.stateful = true
    let model = try LayerModel([.lstm(spec)], input: [nil, 2]).model
    let x = try randomTensor([2, 8, 2])
    let whole = try model.makeSession().predict([x])[0]
    let values = x.floats()
    let halves = try [0, 4].map { start -> Tensor in
      let rows = (0..<2).flatMap { (row: Int) -> [Float] in
        let from = (row * 8 + start) * 2
        return Array(values[from..<from + 8])
      }
      return try Tensor(rows, shape: [2, 4, 2])
    }
    let session = model.makeSession()
    let first = try session.predict([halves[0]])[0]
    #expect(try session.predict([halves[1]])[0] == whole)
    session.reset()
    #expect(try session.predict([halves[0]])[0] == first)
  }
}

/// Gradients with respect to hidden states against central differences in double precision.
struct StateGradientTests {
  @Test(arguments: [LayerSpec.Kind.lstm, .gru, .simpleRNN])
  func lengthsAreThoseOfDifferences(_ kind: LayerSpec.Kind) throws {
    let (steps, channels, units) = (6, 3, 4)
    func layer(states: Bool) -> LayerSpec {
      var options = RecurrentOptions()
      options.returnState = states
      switch kind {
      case .gru:
        var spec = GRUSpec(units: units, resetAfter: true)
        spec.options = options
        return .gru(spec)
      case .simpleRNN:
        var spec = SimpleRNNSpec(units: units)
        spec.options = options
        return .simpleRNN(spec)
      case _:
        var spec = LSTMSpec(units: units)
        spec.options = options
        return .lstm(spec)
      }
    }
    let whole = try LayerModel([layer(states: false)], input: [nil, channels]).model
    let x = try randomTensor([1, steps, channels]).floats()
    let found = try StateGradients(whole, inputs: [try Tensor(x, shape: [1, steps, channels])])
    #expect(found.layers.count == 1)
    let stateCount = layer(states: true).stateCount
    // The same layer, begun from given states and handing its own on.
    let names = ["x"] + (0..<stateCount).map { "s\($0)" }
    let spec = ModelSpec(
      name: "m", isSequential: false,
      layers: names.enumerated().map { index, name in
        .init(name: name, spec: .input(InputSpec(shape: index == 0 ? [nil, channels] : [units])))
      } + [.init(name: "layer0", spec: layer(states: true))],
      calls: names.indices.map { .init(layer: $0, inputs: []) } + [
        .init(layer: names.count, inputs: names.indices.map { .init(call: $0) })
      ],
      inputs: Array(names.indices), outputs: (0...stateCount).map { .init(call: names.count, output: $0) })
    let model = try Model(
      NativeModel(
        spec: spec, parameters: whole.native.parameters,
        provenance: Provenance(source: "", container: "", framework: "", dialect: "")))
    func run(_ from: Int, _ to: Int, _ states: [[Float]]) throws -> [[Double]] {
      let inputs =
        [try Tensor(Array(x[from * channels..<to * channels]), shape: [1, to - from, channels])]
        + (try states.map { try Tensor($0, shape: [1, units]) })
      return try NaiveModel.predict(inputs, model)
    }
    let zero = [[Float]](repeating: [Float](repeating: 0, count: units), count: stateCount)
    for step in 0..<steps - 1 {
      let states = try run(0, step + 1, zero).dropFirst().map { $0.map { Float($0) } }
      var squares = 0.0
      for unit in 0..<units {
        func loss(_ shift: Float) throws -> (Double, Float) {
          var moved = states
          moved[0][unit] += shift
          return (try run(step + 1, steps, moved)[0].reduce(0, +), moved[0][unit])
        }
        // float32 states: the distance is what came out of the sums.
        let (above, high) = try loss(1e-2)
        let (below, low) = try loss(-1e-2)
        let slope = (above - below) / Double(high - low)
        squares += slope * slope
      }
      let expected = squares.squareRoot()
      // The error of a central difference with 1e-2 is about 1e-4 of values around 1.
      #expect(abs(found.layers[0].norms[step] - expected) <= 1e-3 * expected + 1e-5, "step \(step)")
    }
    // The last state is the output, and the loss its sum.
    #expect(abs(found.layers[0].norms[steps - 1] - Double(units).squareRoot()) < 1e-5)
  }
}
