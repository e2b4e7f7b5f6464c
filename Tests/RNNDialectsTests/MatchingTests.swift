import RNNCore
import RNNDialects
import Testing

/// Layers and arrays find each other.
@Suite struct MatchingTests {
  /// Dense layers of 3 -> 2 -> 1 units, named a and b.
  private static let json = sequential([
    ("Dense", #"{"name": "a", "units": 2, "batch_input_shape": [null, 3]}"#),
    ("Dropout", #"{"name": "d", "rate": 0.5}"#),
    ("Dense", #"{"name": "b", "units": 1}"#),
  ])

  private func file(_ root: String = "") throws -> KerasFile {
    try KerasFile(Self.json, version: "2.2.4", root: root)
  }

  private func check(_ model: NativeModel, location: SourceLocation = #_sourceLocation) throws {
    #expect(try model.parameter("a", "kernel") == counted([3, 2]), sourceLocation: location)
    #expect(try model.parameter("a", "bias") == counted([2], from: 10), sourceLocation: location)
    #expect(try model.parameter("b", "kernel") == counted([2, 1], from: 20), sourceLocation: location)
    #expect(try model.parameter("b", "bias") == counted([1], from: 30), sourceLocation: location)
    #expect(model.parameters.map { "\($0.layer)/\($0.name)" } == ["a/kernel", "a/bias", "b/kernel", "b/bias"])
  }

  private func weights(_ first: Int, _ kernel: [Int]) throws -> [(String, Tensor)] {
    [("kernel:0", try counted(kernel, from: first)), ("bias:0", try counted([kernel[1]], from: first + 10))]
  }

  /// By position, as Keras does, whatever the names.
  @Test(arguments: ["", "model_weights"])
  func listedLayersMatchByPosition(root: String) throws {
    var file = try file(root)
    try file.add("dense_17", weights(0, [3, 2]))
    try file.add("nothing")
    try file.add("a", weights(20, [2, 1]))
    let model = try importing(try file.listed())
    try check(model)
    #expect(model.provenance.tensorNames == ["kernel:0", "bias:0", "kernel:0", "bias:0"])
    #expect(model.provenance.dialect == "keras2")
    #expect(model.spec.inputNames == ["a_input"])
    #expect(model.spec.layers.map(\.name) == ["a_input", "a", "d", "b"])
  }

  @Test func splitListsAreJoined() throws {
    var file = try file()
    try file.add("a", weights(0, [3, 2]))
    try file.add("b", weights(20, [2, 1]))
    var checkpoint = file.checkpoint
    try checkpoint.setAttribute("layer_names0", .strings(["a"]), at: "")
    try checkpoint.setAttribute("layer_names1", .strings(["b"]), at: "")
    try check(try importing(checkpoint))
    // h5py stores an empty list as an empty array of floats.
    try checkpoint.setAttribute("layer_names2", .tensor(try filled([0])), at: "")
    try check(try importing(checkpoint))
    var broken = file.checkpoint
    try broken.setAttribute("layer_names", .tensor(try filled([2])), at: "")
    expectError(.badData, naming: "layer_names") { try importing(broken) }
  }

  @Test func theNumbersOfLayersAreTold() throws {
    var file = try file()
    try file.add("only", weights(0, [3, 2]))
    expectError(.badData, naming: "2 layers with weights (a, b)", "the file 1 (only)") {
      try importing(try file.listed())
    }
    try file.add("second", weights(20, [2, 1]))
    try file.add("third", weights(20, [2, 1]))
    expectError(.badData, naming: "the file 3 (only, second, third)") { try importing(try file.listed()) }
  }

  @Test func everyArrayThatDoesNotFitIsNamed() throws {
    var file = try file()
    try file.add("x", [("k", filled([2, 3])), ("b", filled([3]))])
    try file.add("y", [("k", filled([2, 1]))])
    expectError(
      .badData, naming: "kernel of 'a' (Dense) is [2, 3], expected [3, 2]", "bias of 'a' (Dense) is [3], expected [2]",
      "'b' (Dense) needs 2 arrays, the file has 1: y/k [2, 1]"
    ) { try importing(try file.listed()) }
  }

  @Test func aListedWeightMustBeThere() throws {
    var file = try file()
    try file.add("a", weights(0, [3, 2]))
    try file.checkpoint.setAttribute("weight_names", .strings(["gone:0"]), at: "b")
    var checkpoint = file.checkpoint
    try checkpoint.setAttribute("layer_names", .strings(["a", "b"]), at: "")
    expectError(.badData, naming: "/b", "gone:0") { try importing(checkpoint) }
  }

  @Test func whatNothingUsesIsNamedOrLeftOut() throws {
    var file = try file()
    try file.add("a", weights(0, [3, 2]))
    try file.add("b", weights(20, [2, 1]))
    try file.checkpoint.append(try filled([4]), at: "stray/one")
    try file.checkpoint.append(try filled([5]), at: "two")
    let checkpoint = try file.listed()
    expectError(.badData, naming: "stray/one", "two", "--allow-unused") { try importing(checkpoint) }
    let model = try importing(checkpoint) { $0.allowsUnused = true }
    try check(model)
    #expect(model.ledger.filter { $0.kind == .dropped }.map(\.subject) == ["stray/one", "two"])
  }

  /// `layers/dense_2/vars/0`: numbers tell the order, gaps in them nothing (TensorFlow 2.12 and 2.13 count by two).
  @Test(
    arguments: ["layers", "_layer_checkpoint_dependencies"],
    [["dense", "dense_1"], ["dense", "dense_2"], ["dense_3", "dense_10"]])
  func variableTreesMatchByClass(root: String, groups: [String]) throws {
    var file = try file()
    // HDF5 lists names alphabetically: dense_10 before dense_3.
    let weights = try [
      (groups[0], [counted([3, 2]), counted([2], from: 10)]),
      (groups[1], [counted([2, 1], from: 20), counted([1], from: 30)]),
    ]
    for (group, arrays) in weights.sorted(by: { $0.0 < $1.0 }) {
      for (index, array) in arrays.enumerated() {
        try file.checkpoint.append(array, at: "\(root)/\(group)/vars/\(index)")
      }
    }
    // A layer without weights has its empty group.
    file.checkpoint.groups += ["\(root)/dropout", "\(root)/dropout/vars"]
    try check(try importing(file.checkpoint))
  }

  /// As text, 10 stands before 9.
  @Test func variablesCountByNumber() throws {
    let json = sequential([("Dense", #"{"name": "d", "units": 1, "batch_input_shape": [null, 1]}"#)])
    var file = try KerasFile(json, version: "2.2.4")
    for (index, shape) in [(10, [1]), (9, [1, 1])] {
      try file.checkpoint.append(try filled(shape, Float(index)), at: "layers/dense/vars/\(index)")
    }
    let model = try importing(file.checkpoint)
    #expect(model.parameter("d", "kernel")?.floats() == [9])
    #expect(model.parameter("d", "bias")?.floats() == [10])
  }

  @Test func everyLayerThatFindsNoGroupIsNamed() throws {
    var file = try file()
    try file.checkpoint.append(try filled([1]), at: "layers/lstm/vars/0")
    expectError(.badData, naming: "'a' (looked for layers/dense)", "'b' (looked for layers/dense_1)") {
      try importing(file.checkpoint)
    }
  }

  @Test func flatArraysMatchByNameOrOrder() throws {
    let arrays = try [counted([3, 2]), counted([2], from: 10), counted([2, 1], from: 20), counted([1], from: 30)]
    var named = try file()
    for (name, array) in zip(["b/kernel", "b/bias", "a/kernel", "a/bias"], arrays[2...] + arrays[..<2]) {
      try named.checkpoint.append(array, at: name)
    }
    try check(try importing(named.checkpoint))
    var ordered = try file()
    for (index, array) in arrays.enumerated() { try ordered.checkpoint.append(array, at: "w\(index)") }
    try check(try importing(ordered.checkpoint))
    var few = try file()
    try few.checkpoint.append(arrays[0], at: "arr_0")
    expectError(.badData, naming: "needs 4 weights (a, b)", "holds 1 (arr_0)") { try importing(few.checkpoint) }
  }

  /// numpy.savez numbers its arrays; an archive may hold them in any order.
  @Test func numberedArraysCountByNumber() throws {
    let units = (0..<6).map { index in
      ("Dense", #"{"name": "d\#(index)", "units": 1\#(index == 0 ? #", "batch_input_shape": [null, 1]"# : "")}"#)
    }
    var file = try KerasFile(sequential(units), version: "2.2.4")
    for index in (0..<12).sorted(by: { "\($0)" < "\($1)" }) {
      try file.checkpoint.append(try filled(index % 2 == 0 ? [1, 1] : [1], Float(index)), at: "arr_\(index)")
    }
    let model = try importing(file.checkpoint)
    #expect(model.parameters.map { $0.tensor.floats()[0] } == (0..<12).map { Float($0) })
  }

  @Test func weightsAloneNeedAnArchitecture() throws {
    var file = try KerasFile(version: "2.2.4")
    try file.add("a", weights(0, [3, 2]))
    try file.add("b", weights(20, [2, 1]))
    let checkpoint = try file.listed()
    expectError(.badData, naming: "--config") { try importing(checkpoint) }
    let model = try importing(checkpoint) { $0.architecture = .keras(json: Self.json) }
    try check(model)
    let again = try importing(checkpoint) { $0.architecture = .native(model.spec) }
    try check(again)
    #expect(again.spec == model.spec)
  }

  // MARK: - Layers inside others

  /// A model inside is one group: what gradients move first, layer by layer, then the rest; a frozen layer is of the
  /// rest.
  @Test(arguments: [false, true])
  func aModelInsideIsOneGroup(isFrozen: Bool) throws {
    let json = sequential([
      (
        "Sequential",
        #"{"name": "inner", "layers": [{"class_name": "BatchNormalization", "config": {"name": "bn", "#
          + #""batch_input_shape": [null, 2]}}, {"class_name": "Dense", "config": {"name": "d", "units": 3, "#
          + #""trainable": \#(!isFrozen)}}]}"#
      ), ("Dense", #"{"name": "out", "units": 1}"#),
    ])
    let dense = try [("k", counted([2, 3], from: 20)), ("b", counted([3], from: 30))]
    let statistics = try [("m", counted([2], from: 40)), ("v", counted([2], from: 50))]
    var file = try KerasFile(json, version: "2.2.4")
    try file.add(
      "inner",
      [("g", counted([2])), ("be", counted([2], from: 10))] + (isFrozen ? statistics + dense : dense + statistics))
    try file.add("out", [("k", counted([3, 1], from: 60)), ("b", counted([1], from: 70))])
    let model = try importing(try file.listed())
    for (layer, name, first, shape) in [
      ("inner/bn", "gamma", 0, [2]), ("inner/bn", "beta", 10, [2]), ("inner/bn", "moving_mean", 40, [2]),
      ("inner/bn", "moving_variance", 50, [2]), ("inner/d", "kernel", 20, [2, 3]), ("inner/d", "bias", 30, [3]),
      ("out", "kernel", 60, [3, 1]), ("out", "bias", 70, [1]),
    ] {
      #expect(try model.parameter(layer, name) == counted(shape, from: first), "\(layer)/\(name)")
    }
  }

  /// The groups of a variable tree lie in one another as the layers do.
  @Test func variableTreesHaveGroupsInGroups() throws {
    let json = sequential([
      (
        "Bidirectional",
        #"{"name": "b", "batch_input_shape": [null, null, 2], "layer": {"class_name": "LSTM", "config": "#
          + #"{"name": "l", "units": 1, "return_sequences": true}}}"#
      ), ("TimeDistributed", #"{"name": "t", "layer": {"class_name": "Dense", "config": {"name": "d", "units": 2}}}"#),
      (
        "RNN",
        #"{"name": "r", "cell": {"class_name": "StackedRNNCells", "config": {"cells": ["#
          + #"{"class_name": "LSTMCell", "config": {"name": "one", "units": 1}}, "#
          + #"{"class_name": "LSTMCell", "config": {"name": "two", "units": 2}}]}}}"#
      ),
      (
        "Sequential",
        #"{"name": "inner", "layers": [{"class_name": "Dense", "config": {"name": "x", "units": 2, "#
          + #""batch_input_shape": [null, 2]}}]}"#
      ),
    ])
    let groups: [(group: String, layer: String, shapes: [[Int]])] = [
      ("bidirectional/forward_layer/cell", "b/forward_layer", [[2, 4], [1, 4], [4]]),
      ("bidirectional/backward_layer/cell", "b/backward_layer", [[2, 4], [1, 4], [4]]),
      ("time_distributed/layer", "t/layer", [[2, 2], [2]]),
      ("rnn/cell/cells/lstm_cell", "r/cell/cells/0", [[2, 4], [1, 4], [4]]),
      ("rnn/cell/cells/lstm_cell_1", "r/cell/cells/1", [[1, 8], [2, 8], [8]]),
      ("sequential/layers/dense", "inner/x", [[2, 2], [2]]),
    ]
    var file = try KerasFile(json, version: "3.1.0")
    for (number, item) in groups.enumerated() {
      for (index, shape) in item.shapes.enumerated() {
        let array = try counted(shape, from: 1000 * number + 100 * index)
        try file.checkpoint.append(array, at: "layers/\(item.group)/vars/\(index)")
      }
    }
    let model = try importing(file.checkpoint)
    for (number, item) in groups.enumerated() {
      let names = item.shapes.count == 2 ? ["kernel", "bias"] : ["kernel", "recurrent_kernel", "bias"]
      for (index, shape) in item.shapes.enumerated() {
        let expected = try counted(shape, from: 1000 * number + 100 * index)
        #expect(model.parameter(item.layer, names[index]) == expected, "\(item.layer)/\(names[index])")
      }
    }
    #expect(model.parameters.count == 16)
  }

  /// The four maps of multi-head attention have groups of their own; tf_keras begins their names with an underscore.
  @Test(arguments: ["", "_"])
  func attentionHasAGroupForEachMap(prefix: String) throws {
    let tensor =
      #"{"class_name": "__keras_tensor__", "config": {"shape": [null, 3, 2], "dtype": "float32", "#
      + #""keras_history": ["x", 0, 0]}}"#
    let json =
      #"{"class_name": "Functional", "config": {"name": "m", "layers": [{"class_name": "InputLayer", "name": "x", "#
      + #""config": {"name": "x", "batch_shape": [null, 3, 2]}, "inbound_nodes": []}, "#
      + #"{"class_name": "MultiHeadAttention", "name": "a", "config": {"name": "a", "trainable": true, "#
      + #""num_heads": 1, "key_dim": 1}, "inbound_nodes": [{"args": [\#(tensor), \#(tensor)], "kwargs": {}}]}], "#
      + #""input_layers": [["x", 0, 0]], "output_layers": [["a", 0, 0]]}}"#
    var file = try KerasFile(json, version: "3.1.0")
    let maps: [(String, [[Int]])] = [
      ("query", [[2, 1, 1], [1, 1]]), ("key", [[2, 1, 1], [1, 1]]), ("value", [[2, 1, 1], [1, 1]]),
      ("output", [[1, 1, 2], [2]]),
    ]
    for (number, map) in maps.enumerated() {
      for (index, shape) in map.1.enumerated() {
        try file.checkpoint.append(
          try counted(shape, from: 100 * number + 10 * index),
          at: "layers/multi_head_attention/\(prefix)\(map.0)_dense/vars/\(index)")
      }
    }
    let model = try importing(file.checkpoint)
    for (number, map) in maps.enumerated() {
      let part = map.0 == "output" ? "attention_output" : map.0
      for (index, name) in ["kernel", "bias"].enumerated() {
        let expected = try counted(map.1[index], from: 100 * number + 10 * index)
        #expect(model.parameter("a", "\(part)/\(name)") == expected, "\(part)/\(name)")
      }
    }
  }
}
