import Foundation
import RNNContainers
import RNNConversion
import RNNCore
import RNNDialects
import RNNRuntime
import RNNTestSupport
import Testing

/// ONNX graphs: the package's own tests, single nodes that ONNX Runtime judges, and what exporters write.
struct ONNXTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var folder: URL
    var testDescription: String {
      "\(folder.deletingLastPathComponent().lastPathComponent)/\(folder.lastPathComponent)"
    }
  }

  private static let cases: [Case] = {
    let root = Fixtures.folder.appendingPathComponent("layouts")
    return Fixtures.cases(in: root) { $0.lastPathComponent.hasPrefix("onnx-") }.flatMap { Fixtures.cases(in: $0) }
      .map(Case.init)
  }()

  @Test func thereAreCases() { #expect(Self.cases.count > 190) }

  private func arrays(_ folder: URL, _ name: String) throws -> [(name: String, tensor: Tensor)] {
    try NPZ.read(try Data(contentsOf: folder.appendingPathComponent(name)))
  }

  private func importing(_ folder: URL) throws -> NativeModel {
    try ModelImport.model(from: folder.appendingPathComponent("model.onnx"), options: ImportOptions())
  }

  /// The arrays in the model's order, by name.
  private func ordered(_ given: [(name: String, tensor: Tensor)], _ names: [String]) throws -> [Tensor] {
    try names.map { name in
      try #require(given.first { $0.name.replacing("/", with: "_") == name }?.tensor, "\(name)")
    }
  }

  /// 2e-6 + 1e-5 x the value: what two orders of summation differ by. Names and axes are the graph's own.
  @Test(arguments: cases) func agrees(_ example: Case) throws {
    let model = try Model(try importing(example.folder))
    let outputs = try model.predict(try ordered(try arrays(example.folder, "inputs.npz"), model.inputNames))
    let expected = try ordered(try arrays(example.folder, "outputs.npz"), model.outputNames)
    #expect(outputs.map(\.shape) == expected.map(\.shape))
    for (output, other) in zip(outputs, expected) {
      #expect(
        Tolerance.excess(
          of: output.floats(), over: other.floats(), twin: nil, absolute: 2e-6, relative: 1e-5) <= 0)
    }
  }

  /// The naive layers in float64 give the same, in the same order of axes, after a turn through the file.
  @Test(arguments: cases.filter { $0.testDescription.contains("recurrent") }) func naiveLayersAgree(_ example: Case)
    throws
  {
    let native = try importing(example.folder)
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString + ".rnn")
    defer { try? FileManager.default.removeItem(at: file) }
    try native.write(to: file, replacing: false)
    let model = try Model(contentsOf: file)
    let inputs = try ordered(try arrays(example.folder, "inputs.npz"), model.inputNames)
    let expected = try ordered(try arrays(example.folder, "outputs.npz"), model.outputNames)
    for (output, other) in zip(try NaiveModel.predict(inputs, model), expected) {
      #expect(
        Tolerance.excess(of: output.map { Float($0) }, over: other.floats(), twin: nil, absolute: 2e-6, relative: 1e-5)
          <= 0)
    }
  }

  // MARK: - Refusals

  private func model(
    _ nodes: [ONNXGraph.Node], inputs: [String: [Int]] = ["x": [2, 3]], outputs: [String] = ["y"],
    weights: [String: Tensor] = [:], set: Int = 17
  ) -> ONNXModel {
    func value(_ name: String, _ shape: [Int]?) -> ONNXGraph.Value {
      ONNXGraph.Value(name: name, dtype: .float32, shape: shape?.map(ONNXGraph.Dimension.size))
    }
    return ONNXModel(
      irVersion: 8, operatorSets: ["": set], producer: "",
      graph: ONNXGraph(
        name: "g", nodes: nodes, initializers: weights, inputs: inputs.sorted { $0.key < $1.key }.map { value($0, $1) },
        outputs: outputs.map { value($0, nil) }))
  }

  private func refuses(
    _ reason: RNNError.Reason, naming text: String, _ model: ONNXModel, location: SourceLocation = #_sourceLocation
  ) {
    #expect(sourceLocation: location) { try ONNXImport.nativeModel(from: model) } throws: { error in
      (error as? RNNError)?.reason == reason && "\(error)".contains(text)
    }
  }

  private func node(
    _ operation: String, _ inputs: [String] = ["x"], _ outputs: [String] = ["y"],
    _ attributes: [String: ONNXGraph.Attribute] = [:], domain: String = ""
  ) -> ONNXGraph.Node {
    ONNXGraph.Node(
      name: "n", operation: operation, domain: domain, inputs: inputs, outputs: outputs, attributes: attributes)
  }

  @Test func everyUnknownOperationIsNamedAtOnce() {
    refuses(
      .unsupported, naming: "NonZero, com.microsoft.Attention",
      model([node("NonZero"), node("Attention", domain: "com.microsoft"), node("Relu")]))
  }

  @Test func whatDoesNotFitIsNamed() throws {
    let matrix = try Tensor([Float](repeating: 1, count: 8), shape: [4, 2])
    refuses(.badData, naming: "4 rows", model([node("MatMul", ["x", "w"])], weights: ["w": matrix]))
    refuses(.badData, naming: "'z' is given by no node", model([node("Relu", ["z"])]))
    refuses(
      .unsupported, naming: "does not depend on the inputs",
      model([node("Relu", ["x"], ["z"])], outputs: ["w"], weights: ["w": matrix]))
    refuses(
      .unsupported, naming: "must be a weight",
      model([node("MatMul", ["x", "w"])], inputs: ["x": [2, 4], "w": [4, 2]]))
    refuses(.unsupported, naming: "operator set 99", model([node("Relu")], set: 99))
    refuses(.badData, naming: "no order", model([node("Transpose", ["x"], ["y"], ["perm": .integers([0, 0])])]))
    refuses(.badData, naming: "no inputs", model([node("Relu")], inputs: [:]))
  }

  @Test func functionsThatWeLackAreNamed() throws {
    let w = try Tensor([Float](repeating: 1, count: 12), shape: [1, 4, 3])
    let r = try Tensor([Float](repeating: 1, count: 16), shape: [1, 4, 4])
    func rnn(_ attributes: [String: ONNXGraph.Attribute]) -> ONNXModel {
      model(
        [node("RNN", ["x", "w", "r"], ["y"], attributes)], inputs: ["x": [5, 2, 3]], weights: ["w": w, "r": r])
    }
    #expect(throws: Never.self) { try ONNXImport.nativeModel(from: rnn([:])) }
    refuses(
      .unsupported, naming: "ScaledTanh",
      rnn(["activations": .strings(["ScaledTanh"]), "activation_alpha": .floats([2])]))
    refuses(
      .unsupported, naming: "HardSigmoid",
      rnn(["activations": .strings(["HardSigmoid"]), "activation_alpha": .floats([0.3])]))
    refuses(.badData, naming: "activations", rnn(["activations": .strings(["Tanh", "Tanh"])]))
    refuses(.badData, naming: "hidden_size is 3", rnn(["hidden_size": .integer(3)]))
    refuses(.unsupported, naming: "direction 'up'", rnn(["direction": .string("up")]))
  }

  /// What tf2onnx writes as a loop, for ONNX's own nodes do not do it.
  @Test func loopsAreRefusedByName() throws {
    let folders = Fixtures.cases(in: Fixtures.folder.appendingPathComponent("layouts/refused-onnx"))
    #expect(folders.count == 4)
    for folder in folders {
      #expect { try importing(folder) } throws: { error in
        (error as? RNNError)?.reason == .unsupported && "\(error)".contains("not carried: Loop")
      }
    }
  }

  // MARK: - Damage

  /// Numbers that no index, sum or allocation may meet unchecked.
  @Test(
    arguments: [
      ("outputs", "Relu", ["x"], [:]),
      ("scalar axis", "Gather", ["scalar", "zero"], ["axis": .integer(0)]),
      ("twice reduced", "ReduceSum", ["x", "twice"], [:]),
      ("twice squeezed", "Squeeze", ["one", "twice"], [:]),
      ("negative fill", "ConstantOfShape", ["negative"], [:]),
      ("huge fill", "ConstantOfShape", ["huge"], [:]),
      ("lists of no sizes", "Add", ["twice", "none"], [:]),
      ("empty weights", "Add", ["empty", "one"], [:]),
      ("stride 0", "MaxPool", ["x"], ["kernel_shape": .integers([2]), "strides": .integers([0])]),
      ("kernel of 0", "MaxPool", ["x"], ["kernel_shape": .integers([0]), "strides": .integers([1])]),
      ("wide split", "Split", ["x"], ["axis": .integer(1), "split": .integers([Int.max])]),
      ("wide pad", "Pad", ["x"], ["pads": .integers([0, Int.min, 0, 0, Int.max, 0])]),
      ("last start", "Slice", ["x"], ["starts": .integers([Int.max]), "ends": .integers([Int.max - 1])]),
    ] as [(String, String, [String], [String: ONNXGraph.Attribute])])
  func absurdNumbersAreErrors(
    _ what: String, operation: String, inputs: [String], attributes: [String: ONNXGraph.Attribute]
  ) throws {
    func integers(_ numbers: [Int64]) throws -> Tensor { try Tensor(numbers, shape: [numbers.count]) }
    let weights = [
      "zero": try integers([0]), "twice": try integers([1, 1]), "none": try integers([]),
      "negative": try integers([-2]), "huge": try integers([1 << 40, 1 << 40]),
      "scalar": try Tensor([Float(1)], shape: []), "one": try Tensor([Float(1)], shape: [1, 1, 1]),
      "empty": try Tensor([Float](), shape: [0]),
    ]
    // A second node makes a weight of what the first one gives.
    let nodes = [
      node(operation, inputs, what == "outputs" ? [] : ["z"], attributes),
      node("Mul", ["z", "scalar"], ["m"]), node("Add", ["x", "m"]),
    ]
    let graph = model(nodes, inputs: ["x": [2, 4, 6]], weights: weights)
    #expect(throws: RNNError.self, "\(what)") { try ONNXImport.nativeModel(from: graph) }
  }

  @Test func damageIsAnError() throws {
    let folder = Fixtures.folder.appendingPathComponent("layouts/onnx-torch/lstm-both-stack-script")
    let whole = try Data(contentsOf: folder.appendingPathComponent("model.onnx"))
    var random = SeededGenerator(seed: 62)
    for _ in 0..<400 {
      var data = whole
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        data[Int.random(in: 0..<data.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      if Int.random(in: 0..<4, using: &random) == 0 {
        data = data.prefix(Int.random(in: 0..<data.count, using: &random))
      }
      do {
        let model = try ONNXFile.model(parsing: data)
        _ = try ONNXImport.nativeModel(from: model)
      } catch {
        #expect(error is RNNError, "\(error)")
      }
    }
  }

  @Test func samplesBesideTheProjectAreReadOrRefused() throws {
    guard let folder = Fixtures.shared("container-samples/onnx") else { return }
    func open(_ name: String) throws -> NativeModel {
      try ModelImport.model(from: folder.appendingPathComponent(name), options: ImportOptions())
    }
    #expect { try open("ext.onnx") } throws: { "\($0)".contains("another file") }
    for name in ["p_GRU", "p_LSTM", "p_RNN", "p_conv"] { _ = try Model(try open(name + ".onnx")) }
  }
}
