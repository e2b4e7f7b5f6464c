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

  @Test func variablesCountByNumber() throws {
    let json = sequential([("LSTM", #"{"name": "l", "output_dim": 1, "batch_input_shape": [null, null, 1]}"#)])
    var file = try KerasFile(json, version: "1.2.2")
    // Twelve arrays: as text, 10 and 11 stand before 2.
    for index in (0..<12).sorted(by: { "\($0)" < "\($1)" }) {
      let shape = index % 3 == 2 ? [1] : [1, 1]
      try file.checkpoint.append(try filled(shape, Float(index)), at: "layers/lstm/cell/vars/\(index)")
    }
    let model = try importing(file.checkpoint)
    #expect(model.parameter("l", "kernel")?.floats() == [0, 6, 3, 9])
    #expect(model.parameter("l", "bias")?.floats() == [2, 8, 5, 11])
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
}
