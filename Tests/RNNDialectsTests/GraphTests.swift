import RNNCore
import RNNDialects
import Testing

/// Functional models of all generations.
@Suite struct GraphTests {
  private typealias Call = ModelSpec.Call
  private typealias Reference = ModelSpec.Reference

  private func input(_ name: String, _ shape: String = "[null, 2]") -> String {
    layer("InputLayer", name, "[]", #""batch_input_shape": \#(shape)"#)
  }

  private func layer(_ className: String, _ name: String, _ nodes: String, _ arguments: String = #""units": 2"#)
    -> String
  {
    #"{"class_name": "\#(className)", "name": "\#(name)", "config": {"name": "\#(name)", "trainable": true, "#
      + #"\#(arguments)}, "inbound_nodes": \#(nodes)}"#
  }

  private func spec(
    _ layers: [String], inputs: String, outputs: String, version: String = "2.2.4", className: String = "Model"
  ) throws -> ModelSpec {
    let json =
      #"{"class_name": "\#(className)", "config": {"name": "m", "layers": [\#(layers.joined(separator: ", "))], "#
      + #""input_layers": \#(inputs), "output_layers": \#(outputs)}}"#
    // Weights of zero fill whatever the layers need; this is about the graph.
    let file = try KerasFile(json, version: version)
    var checkpoint = file.checkpoint
    for name in ["a", "b", "c", "lstm", "decoder"] where json.contains("\"name\": \"\(name)\"") {
      let isRecurrent = ["lstm", "decoder"].contains(name)
      for (weight, shape) in isRecurrent
        ? [("kernel", [2, 8]), ("recurrent_kernel", [2, 8]), ("bias", [8])] : [("kernel", [2, 2]), ("bias", [2])]
      { try checkpoint.append(try filled(shape), at: "\(name)/\(weight)") }
    }
    return try importing(checkpoint).spec
  }

  private func tensor3(_ layer: String, _ node: Int = 0, _ output: Int = 0) -> String {
    #"{"class_name": "__keras_tensor__", "config": {"shape": [null, 2], "dtype": "float32", "#
      + #""keras_history": ["\#(layer)", \#(node), \#(output)]}}"#
  }

  /// x -> a -> b, and a again on b's output; outputs of both.
  private var expected: [Call] {
    [
      Call(layer: 0, inputs: []), Call(layer: 1, inputs: [Reference(call: 0)]),
      Call(layer: 2, inputs: [Reference(call: 1)]),
      Call(layer: 1, inputs: [Reference(call: 2)]),
    ]
  }

  @Test func nodesOfEveryGenerationMeanTheSame() throws {
    let keras1 = [
      input("x"), layer("Dense", "a", #"[[["x", 0, 0]], [["b", 0, 0]]]"#), layer("Dense", "b", #"[[["a", 0, 0]]]"#),
    ]
    let keras2 = [
      input("x"), layer("Dense", "a", #"[[["x", 0, 0, {}]], [["b", 0, 0, {"training": null}]]]"#),
      layer("Dense", "b", #"[[["a", 0, 0, {}]]]"#),
    ]
    func node(_ tensor: String) -> String { #"{"args": [\#(tensor)], "kwargs": {"training": false, "mask": null}}"# }
    let keras3 = [
      input("x"), layer("Dense", "a", "[\(node(tensor3("x"))), \(node(tensor3("b")))]"),
      layer("Dense", "b", "[\(node(tensor3("a")))]"),
    ]
    for (layers, version) in [(keras1, "1.2.2"), (keras2, "2.2.4"), (keras3, "3.1.0")] {
      let spec = try spec(layers, inputs: #"[["x", 0, 0]]"#, outputs: #"[["a", 1, 0], ["b", 0, 0]]"#, version: version)
      #expect(spec.calls == expected, "\(version)")
      #expect(spec.inputs == [0])
      #expect(spec.outputs == [Reference(call: 3), Reference(call: 2)])
      #expect(!spec.isSequential && spec.name == "m")
      #expect(spec.outputNames == ["a", "b"])
    }
  }

  @Test func endsAreListsOrSingleOrNamed() throws {
    let layers = [input("x"), layer("Dense", "a", #"[[["x", 0, 0, {}]]]"#)]
    for (inputs, outputs) in [
      (#"[["x", 0, 0]]"#, #"[["a", 0, 0]]"#), (#"["x", 0, 0]"#, #"["a", 0, 0]"#),
      (#"{"in": ["x", 0, 0]}"#, #"{"out": ["a", 0, 0]}"#),
    ] {
      let spec = try spec(layers, inputs: inputs, outputs: outputs, version: "3.1.0", className: "Functional")
      #expect(spec.inputs == [0] && spec.outputs == [Reference(call: 1)])
    }
  }

  @Test func inputsKeepTheModelsOrder() throws {
    let layers = [
      input("x"), input("y"), layer("Dense", "a", #"[[["x", 0, 0, {}]]]"#),
      layer("Dense", "b", #"[[["y", 0, 0, {}]]]"#),
    ]
    let spec = try spec(layers, inputs: #"[["y", 0, 0], ["x", 0, 0]]"#, outputs: #"[["b", 0, 0], ["a", 0, 0]]"#)
    #expect(spec.inputNames == ["y", "x"])
    #expect(spec.outputNames == ["b", "a"])
  }

  @Test func layersMayBeListedInAnyOrder() throws {
    let layers = [
      layer("Dense", "b", #"[[["a", 0, 0, {}]]]"#), layer("Dense", "a", #"[[["x", 0, 0, {}]]]"#), input("x"),
    ]
    let spec = try spec(layers, inputs: #"[["x", 0, 0]]"#, outputs: #"[["b", 0, 0]]"#)
    #expect(spec.layers.map(\.name) == ["b", "a", "x"])
    #expect(spec.calls.map { spec.layers[$0.layer].name } == ["x", "a", "b"])
  }

  /// Encoder states given to a decoder, as positional inputs and as Keras 3's keyword.
  @Test func initialStatesFollowTheInput() throws {
    let arguments = #""units": 2, "return_state": true"#
    let positional = [
      input("x", "[null, null, 2]"), layer("LSTM", "lstm", #"[[["x", 0, 0, {}]]]"#, arguments),
      layer("LSTM", "decoder", #"[[["x", 0, 0, {}], ["lstm", 0, 1, {}], ["lstm", 0, 2, {}]]]"#),
    ]
    let states = "[\(tensor3("lstm", 0, 1)), \(tensor3("lstm", 0, 2))]"
    let keyword = [
      input("x", "[null, null, 2]"), layer("LSTM", "lstm", #"[{"args": [\#(tensor3("x"))], "kwargs": {}}]"#, arguments),
      layer(
        "LSTM", "decoder", #"[{"args": [\#(tensor3("x"))], "kwargs": {"initial_state": \#(states), "mask": null}}]"#),
    ]
    let listed = [
      keyword[0], keyword[1],
      layer(
        "LSTM", "decoder",
        #"[{"args": [[\#(tensor3("x")), \#(tensor3("lstm", 0, 1)), \#(tensor3("lstm", 0, 2))]], "kwargs": {}}]"#),
    ]
    for (layers, version) in [(positional, "2.2.4"), (keyword, "3.1.0"), (listed, "3.1.0")] {
      let spec = try spec(layers, inputs: #"[["x", 0, 0]]"#, outputs: #"[["decoder", 0, 0]]"#, version: version)
      #expect(
        spec.calls.last?.inputs == [Reference(call: 0), Reference(call: 1, output: 1), Reference(call: 1, output: 2)])
    }
  }

  @Test func aNumberFromElsewhereIsTheOnlyCall() throws {
    // A layer that an outer model called too counts its calls there.
    let layers = [input("x"), layer("Dense", "a", #"[[["x", 3, 0, {}]]]"#)]
    let spec = try spec(layers, inputs: #"[["x", 3, 0]]"#, outputs: #"[["a", 7, 0]]"#)
    #expect(spec.outputs == [Reference(call: 1)])
  }

  private func refuses(
    _ layers: [String], inputs: String = #"[["x", 0, 0]]"#, outputs: String = #"[["a", 0, 0]]"#,
    _ reason: RNNError.Reason = .badData,
    _ names: String..., location: SourceLocation = #_sourceLocation
  ) {
    for name in names {
      expectError(reason, naming: name, location: location) { try spec(layers, inputs: inputs, outputs: outputs) }
    }
  }

  @Test func cyclesAndDanglingNamesAreNamed() {
    refuses([input("x"), layer("Dense", "a", #"[[["a", 0, 0, {}]]]"#)], .badData, "'a'", "cycle")
    refuses(
      [input("x"), layer("Dense", "a", #"[[["b", 0, 0, {}]]]"#), layer("Dense", "b", #"[[["a", 0, 0, {}]]]"#)],
      .badData, "'a'", "'b'")
    refuses([input("x"), layer("Dense", "a", #"[[["gone", 0, 0, {}]]]"#)], .badData, "'gone'")
    let good = [input("x"), layer("Dense", "a", #"[[["x", 0, 0, {}]]]"#)]
    refuses(good, outputs: #"[["gone", 0, 0]]"#, .badData, "'gone'")
    refuses(good, inputs: #"[["gone", 0, 0]]"#, .badData, "'gone'")
    refuses(good, outputs: #"[["a", 0, 1]]"#, .badData, "")
    refuses(good, outputs: #"[["a", 0, -1]]"#, .badData, "")
    refuses(good, inputs: #"[["a", 0, 0]]"#, .badData, "")
    refuses(good, outputs: "[]", .badData, "no outputs")
    refuses(good, outputs: "null", .badData, "inputs or outputs")
    refuses([input("x"), layer("Dense", "a", "[]")], .badData, "'a'")
    refuses([input("x"), layer("Dense", "a", "5")], .badData, "inbound_nodes")
    refuses(good + [layer("Dense", "a", #"[[["x", 0, 0, {}]]]"#)], .badData, "the name 'a'")
  }

  @Test func aCallOfAnotherNumberMustExist() {
    let layers = [input("x"), layer("Dense", "a", #"[[["x", 0, 0, {}]], [["x", 0, 0, {}]]]"#)]
    refuses(layers, outputs: #"[["a", 2, 0]]"#, .badData, "call 2", "'a'")
  }

  @Test func callsWithOtherArgumentsAreRefused() {
    refuses(
      [input("x"), layer("Dense", "a", #"[[["x", 0, 0, {"scale": 2}]]]"#)], .unsupported, "'a'", "scale=2")
    refuses(
      [input("x"), layer("Dropout", "a", #"[[["x", 0, 0, {"training": true}]]]"#, #""rate": 0.5"#)], .unsupported,
      "'a'", "training=True")
    refuses([input("x"), layer("Dense", "a", "[[5]]")], .unsupported, "'a'")
    refuses([input("x"), layer("Dense", "a", #"[[[["x", 0, 0], 0, 0]]]"#)], .badData, "'a'", "a number")
  }

  /// A layer that does the same in training may be called as if it trained.
  @Test func trainingThatChangesNothingIsAccepted() throws {
    let layers = [input("x"), layer("Dense", "a", #"[[["x", 0, 0, {"training": true}]]]"#)]
    #expect(try spec(layers, inputs: #"[["x", 0, 0]]"#, outputs: #"[["a", 0, 0]]"#).calls.count == 2)
  }

  @Test func theNumberOfInputsIsTold() {
    refuses([input("x"), layer("Dense", "a", #"[[["x", 0, 0, {}], ["x", 0, 0, {}]]]"#)], .badData, "'a'", "2 inputs")
    for nodes in ["[[]]", #"[{"args": [1], "kwargs": {}}]"#] {
      refuses([input("x"), layer("Dense", "a", nodes)], .badData, "'a'", "0 inputs")
    }
  }

  // MARK: - Graphs without weights

  /// What a graph is read as, whatever its layers need.
  private func described(
    _ layers: [String], inputs: String = #"[["x", 0, 0]]"#, outputs: String, version: String
  ) throws -> ModelSpec {
    try KerasDescription(
      json: #"{"keras_version": "\#(version)", "class_name": "Functional", "config": {"name": "m", "#
        + #""layers": [\#(layers.joined(separator: ", "))], "input_layers": \#(inputs), "#
        + #""output_layers": \#(outputs)}}"#
    ).spec
  }

  private func kinds(_ spec: ModelSpec) -> [LayerSpec.Kind] { spec.calls.map { spec.layers[$0.layer].spec.kind } }

  /// A mask that a call is given goes in with the input; what goes on is the mask that the input had.
  @Test(arguments: ["2.15.0", "3.1.0"])
  func aGivenMaskGoesInWithTheInput(_ version: String) throws {
    let node =
      version == "3.1.0"
      ? #"{"args": [\#(tensor3("x"))], "kwargs": {"mask": \#(tensor3("m"))}}"#
      : #"[["x", 0, 0, {"mask": ["m", 0, 0]}]]"#
    for returnsSequences in [false, true] {
      let layers = [
        input("x", "[null, 5, 2]"), input("m", "[null, 5]"),
        layer("LSTM", "l", "[\(node)]", #""units": 2, "return_sequences": \#(returnsSequences)"#),
      ]
      let spec = try described(
        layers, inputs: #"[["x", 0, 0], ["m", 0, 0]]"#, outputs: #"[["l", 0, 0]]"#, version: version)
      let expected: [LayerSpec.Kind] = [.input, .input, .withMask, .lstm] + (returnsSequences ? [.maskOf] : [])
      #expect(kinds(spec) == expected)
      #expect(spec.calls[2].inputs == [Reference(call: 0), Reference(call: 1)])
      #expect(spec.calls[3].inputs == [Reference(call: 2)])
      if returnsSequences { #expect(spec.calls[4].inputs == [Reference(call: 3), Reference(call: 0)]) }
      #expect(spec.outputs == [Reference(call: spec.calls.count - 1)])
    }
  }

  /// Keras 3 writes the mask of an embedding as an operation; the native graph has it implied.
  @Test func anImpliedMaskIsNoPartOfTheGraph() throws {
    func layers(comparedWith value: Int) -> [String] {
      [
        input("x", "[null, 5]"),
        layer(
          "Embedding", "e", #"[{"args": [\#(tensor3("x"))], "kwargs": {}}]"#,
          #""input_dim": 4, "output_dim": 2, "mask_zero": true"#),
        #"{"module": "keras.src.ops.numpy", "class_name": "NotEqual", "registered_name": "NotEqual", "#
          + #""name": "not_equal", "config": {"name": "not_equal"}, "inbound_nodes": "#
          + #"[{"args": [\#(tensor3("x")), \#(value)], "kwargs": {}}]}"#,
        layer("LSTM", "l", #"[{"args": [\#(tensor3("e"))], "kwargs": {"mask": \#(tensor3("not_equal"))}}]"#),
      ]
    }
    let implied = try described(layers(comparedWith: 0), outputs: #"[["l", 0, 0]]"#, version: "3.1.0")
    #expect(kinds(implied) == [.input, .embedding, .lstm])
    #expect(implied.layers.map(\.name) == ["x", "e", "l"])
    // Another mask than the embedding's own is computed.
    let other = try described(layers(comparedWith: 1), outputs: #"[["l", 0, 0]]"#, version: "3.1.0")
    #expect(Set(kinds(other)) == [.input, .embedding, .binary, .withMask, .lstm])
  }

  /// With an initial state Keras 3 hands a recurrent layer no mask.
  @Test func anInitialStateHidesTheMaskInKeras3() throws {
    for (version, isHidden) in [("2.15.0", false), ("3.1.0", true)] {
      let nodes =
        isHidden
        ? #"[{"args": [\#(tensor3("x"))], "kwargs": {"initial_state": [\#(tensor3("s"))]}}]"#
        : #"[[["x", 0, 0, {}], ["s", 0, 0, {}]]]"#
      let layers = [input("x", "[null, 5, 3]"), input("s"), layer("GRU", "g", nodes)]
      let spec = try described(
        layers, inputs: #"[["x", 0, 0], ["s", 0, 0]]"#, outputs: #"[["g", 0, 0]]"#, version: version)
      #expect(spec.layers[2].spec.ignoresMask == isHidden, "\(version)")
    }
  }

  /// Keras 1 and 2 count the call that made a model inside; Keras 3 does so among the outputs of functional ones.
  @Test(arguments: [
    ("1.2.2", "Model", 1, 1), ("2.2.4", "Model", 1, 1), ("2.2.4", "Sequential", 1, 1), ("2.15.0", "Functional", 1, 1),
    ("3.1.0", "Functional", 0, 1), ("3.1.0", "Sequential", 0, 0),
  ])
  func callsOfModelsInsideAreCountedAsTheVersionDoes(
    _ version: String, _ className: String, _ first: Int, _ firstOutput: Int
  ) throws {
    let dense = layer("Dense", "d", #"[[["y", 0, 0]]]"#)
    let inner =
      className == "Sequential"
      ? #""layers": [\#(input("y")), \#(layer("Dense", "d", "[]"))]"#
      : #""layers": [\#(input("y")), \#(dense)], "input_layers": [["y", 0, 0]], "output_layers": [["d", 0, 0]]"#
    let layers = [
      input("x"), layer(className, "inner", #"[[["x", 0, 0]], [["b", 0, 0]]]"#, inner),
      layer("Dense", "b", #"[[["inner", \#(first), 0]]]"#), layer("Dense", "c", #"[[["inner", \#(first + 1), 0]]]"#),
    ]
    let spec = try described(
      layers, outputs: #"[["c", 0, 0], ["inner", \#(firstOutput), 0], ["inner", \#(firstOutput + 1), 0]]"#,
      version: version)
    #expect(
      spec.calls.map { spec.layers[$0.layer].name + $0.inputs.map { " \($0.call)" }.joined() } == [
        "x", "inner 0", "b 1", "inner 2", "c 3",
      ])
    #expect(spec.outputs == [Reference(call: 4), Reference(call: 1), Reference(call: 3)])
  }

  /// Multi-head attention takes its tensors by name or by place; TensorFlow puts all but the first among the keywords.
  @Test func attentionTakesQueryValueAndKey() throws {
    let arguments = #""num_heads": 1, "key_dim": 2"#
    let inputs = [input("x", "[null, 5, 2]"), input("v", "[null, 4, 3]"), input("k", "[null, 4, 2]")]
    let keras3 = #"{"args": [\#(tensor3("x")), \#(tensor3("v"))], "kwargs": {"key": \#(tensor3("k"))}}"#
    let names =
      #"{"args": [], "kwargs": {"key": \#(tensor3("k")), "value": \#(tensor3("v")), "query": \#(tensor3("x")), "#
      + #""use_causal_mask": true}}"#
    let tensorFlow = #"[["x", 0, 0, {"value": ["v", 0, 0], "key": ["k", 0, 0], "return_attention_scores": true}]]"#
    for (node, version, isCausal, returnsScores) in [
      (keras3, "3.1.0", false, false), (names, "3.1.0", true, false), (tensorFlow, "2.15.0", false, true),
    ] {
      let spec = try described(
        inputs + [layer("MultiHeadAttention", "a", "[\(node)]", arguments)],
        inputs: #"[["x", 0, 0], ["v", 0, 0], ["k", 0, 0]]"#, outputs: #"[["a", 0, 0]]"#, version: version)
      #expect(spec.calls[3].inputs == (0..<3).map { Reference(call: $0) })
      guard case .multiHeadAttention(let attention) = spec.layers[3].spec else {
        Issue.record("no attention")
        return
      }
      #expect(attention.isCausal == isCausal && attention.returnsScores == returnsScores, "\(version)")
    }
  }

  /// Arithmetic that stands in the graph by itself: Keras 3's operations, and TensorFlow's lambda layers.
  @Test func operationsAreReadAlike() throws {
    let whole = #"{"start": null, "stop": null, "step": null}"#
    let last = SliceSpec.Range(start: -1, isIndex: true)
    for (keras3, arguments, config, tensorFlow, words, expected) in [
      ("Multiply", ", 2.0", "", "math.multiply", #""y": 2.0"#, .binary(BinarySpec(.multiply, constant: .number(2)))),
      ("TrueDivide", ", 2", "", "math.truediv", #""y": 2"#, .binary(BinarySpec(.divide, constant: .number(2)))),
      ("Negative", "", "", "math.negative", "", .unary(UnarySpec(.negative))),
      (
        "Mean", "", #""axis": [1], "keepdims": true"#, "math.reduce_mean", #""axis": [1], "keepdims": true"#,
        .reduction(ReductionSpec(.mean, axes: [1], keepDims: true))
      ),
      (
        "Transpose", "", #""axes": [0, 2, 1]"#, "compat.v1.transpose", #""perm": [0, 2, 1]"#,
        .permute(PermuteSpec(order: [2, 1]))
      ),
      ("ExpandDims", "", #""axis": 1"#, "expand_dims", #""axis": 1"#, .expandDims(ExpandDimsSpec(axis: 1))),
      ("Tanh", "", "", "math.tanh", "", .activation(ActivationSpec(activation: .tanh))),
      ("Softmax", "", #""axis": -1"#, "nn.softmax", #""axis": -1"#, .softmax(SoftmaxSpec(axes: [-1]))),
      (
        "GetItem", #", [{"class_name": "__slice__", "config": \#(whole)}, -1]"#, "", "__operators__.getitem",
        #""slice_spec": [\#(whole), -1]"#, .slice(SliceSpec(ranges: [last]))
      ),
    ] as [(String, String, String, String, String, LayerSpec)] {
      let comma = config.isEmpty ? "" : ", "
      let operation =
        #"{"module": "keras.src.ops.numpy", "class_name": "\#(keras3)", "name": "o", "#
        + #""config": {"name": "o"\#(comma)\#(config)}, "#
        + #""inbound_nodes": [{"args": [\#(tensor3("x"))\#(arguments)], "kwargs": {}}]}"#
      let lambda =
        #"{"class_name": "TFOpLambda", "name": "o", "config": {"name": "o", "trainable": true, "#
        + #""function": "\#(tensorFlow)"}, "inbound_nodes": [["x", 0, 0, {\#(words)}]]}"#
      for (entry, version) in [(operation, "3.1.0"), (lambda, "2.15.0")] {
        let spec = try described([input("x", "[null, 3, 2]"), entry], outputs: #"[["o", 0, 0]]"#, version: version)
        #expect(spec.layers[1].spec == expected, "\(keras3) \(version)")
        #expect(spec.calls[1].inputs == [Reference(call: 0)])
      }
    }
  }

  @Test func operationsThatAreNotCarriedAreNamed() {
    for (className, config) in [("Argmax", #""axis": -1"#), ("Round", #""decimals": 2"#), ("Mean", #""axis": null"#)] {
      let operation =
        #"{"module": "keras.src.ops.numpy", "class_name": "\#(className)", "name": "o", "#
        + #""config": {"name": "o", \#(config)}, "inbound_nodes": [{"args": [\#(tensor3("x"))], "kwargs": {}}]}"#
      expectError(.unsupported, naming: "'o'", className.lowercased()) {
        try described([input("x", "[null, 3, 2]"), operation], outputs: #"[["o", 0, 0]]"#, version: "3.1.0")
      }
    }
  }

  /// Keras 1's Sequential may begin with a Merge of others, and hold a layer twice.
  @Test func branchesOfKeras1BecomeAGraph() throws {
    func branch(_ name: String) -> String {
      #"{"class_name": "Sequential", "config": [{"class_name": "Dense", "config": {"name": "\#(name)", "#
        + #""output_dim": 4, "batch_input_shape": [null, 2]}}]}"#
    }
    func merged(_ mode: String, _ branches: [String]) throws -> ModelSpec {
      try KerasDescription(
        json: #"{"keras_version": "1.2.2", "class_name": "Sequential", "config": [{"class_name": "Merge", "config": "#
          + #"{"name": "merge", "mode": "\#(mode)", "layers": [\#(branches.map(branch).joined(separator: ", "))]}}, "#
          + #"{"class_name": "Dense", "config": {"name": "out", "output_dim": 1}}]}"#
      ).spec
    }
    let spec = try merged("concat", ["left", "right"])
    #expect(
      spec.calls.map { spec.layers[$0.layer].name + $0.inputs.map { " \($0.call)" }.joined() } == [
        "dense_input_1", "left 0", "unmasked_1 1", "dense_input_2", "right 3", "unmasked_2 4", "merge 2 5", "out 6",
      ])
    #expect(spec.inputs == [0, 3] && spec.outputs == [Reference(call: 7)])
    #expect(try spec.shapes().outputs[6] == [[8]])
    let shared = try merged("sum", ["left", "left"])
    #expect(shared.layers.filter { $0.name == "left" }.count == 1)
    // It stands first in both, so that its input is one, too.
    #expect(shared.inputs == [0])
    #expect(
      shared.calls.filter { shared.layers[$0.layer].name == "left" }.map(\.inputs) == [
        [.init(call: 0)], [.init(call: 0)],
      ])
    expectError(.unsupported, naming: "'merge'", "lambda") { try merged("lambda", ["left", "right"]) }
  }
}

extension BinarySpec.Constant {
  fileprivate static func number(_ value: Double) -> BinarySpec.Constant { .init(shape: [], values: [value]) }
}
