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
    #"{"class_name": "\#(className)", "name": "\#(name)", "config": {"name": "\#(name)", \#(arguments)}, "#
      + #""inbound_nodes": \#(nodes)}"#
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
    refuses([input("x"), layer("Dense", "a", #"[[["a", 0, 0, {}]]]"#)], .badData, "'a'", "nowhere")
    refuses(
      [input("x"), layer("Dense", "a", #"[[["b", 0, 0, {}]]]"#), layer("Dense", "b", #"[[["a", 0, 0, {}]]]"#)],
      .badData, "'a'", "'b'")
    refuses([input("x"), layer("Dense", "a", #"[[["gone", 0, 0, {}]]]"#)], .badData, "'a'")
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
    refuses(good + [layer("Dense", "a", #"[[["x", 0, 0, {}]]]"#)], .badData, "same name")
  }

  @Test func aCallOfAnotherNumberMustExist() {
    let layers = [input("x"), layer("Dense", "a", #"[[["x", 0, 0, {}]], [["x", 0, 0, {}]]]"#)]
    refuses(layers, outputs: #"[["a", 2, 0]]"#, .badData, "call 2", "'a'")
  }

  @Test func callsWithOtherArgumentsAreRefused() {
    for (keyword, value) in [("training", "true"), ("mask", #"["x", 0, 0]"#), ("scale", "2")] {
      refuses(
        [input("x"), layer("Dense", "a", #"[[["x", 0, 0, {"\#(keyword)": \#(value)}]]]"#)], .unsupported, "'a'", keyword
      )
    }
    refuses([input("x"), layer("Dense", "a", #"[{"args": [1], "kwargs": {}}]"#)], .unsupported, "'a'", "a number")
    refuses([input("x"), layer("Dense", "a", #"[[[["x", 0, 0], 0, 0]]]"#)], .unsupported, "'a'")
  }

  @Test func twoInputsToADenseLayerAreRefused() {
    refuses([input("x"), layer("Dense", "a", #"[[["x", 0, 0, {}], ["x", 0, 0, {}]]]"#)], .badData, "'a'", "2 inputs")
  }
}
