import RNNCore
import RNNTestSupport
import Testing

@testable import RNNDialects

/// `spec/keras.md` against the tables of the Keras dialects.
struct KerasSpecTests {
  let document: SpecDocument

  init() throws {
    document = try SpecDocument("keras.md")
  }

  @Test func erasAreThoseOfTheCode() throws {
    let evidence = try document.table("Era", 0)
    #expect(evidence.count >= 7)
    for row in evidence {
      let era = KerasEra(version: nil, architecture: try JSONValue(parsing: row[1].code))
      #expect(era.generation.rawValue == row[2].code, "\(row[1])")
    }
    for row in try document.table("Era", 1) {
      let era = KerasEra(version: row[0].code, architecture: nil)
      let found = [
        era.generation.rawValue, era.defaultRecurrentActivation, "\(era.defaultResetAfter)",
        "\(era.emitsStateAtMaskedSteps)",
      ]
      #expect(row[1...].map(\.code) == found, "\(row[0])")
    }
    let silent = KerasEra(version: nil, architecture: nil)
    #expect(silent.generation == .keras2)
    #expect(silent.defaultRecurrentActivation == "hard_sigmoid")
    #expect(!silent.isTensorFlowKeras)
    for version in ["2.2.4-tf", "2.4.0", "2.15.0"] {
      #expect(KerasEra(version: version, architecture: nil).isTensorFlowKeras, "\(version)")
    }
    for version in ["1.2.2", "2.3.1", "3.0.0"] {
      #expect(!KerasEra(version: version, architecture: nil).isTensorFlowKeras, "\(version)")
    }
    for generation in KerasGeneration.allCases { #expect(document.text.contains("`\(generation.rawValue)`")) }
  }

  @Test func classesAreThoseOfTheCode() throws {
    let rows = try document.table("Classes")
    #expect(rows.map { $0[0].code } == KerasClass.allCases.map(\.rawValue))
    for row in rows {
      let kind = try #require(KerasClass(rawValue: row[0].code))
      #expect(row[1].codes == KerasClass.aliases.filter { $0.class == kind }.map(\.name), "\(row)")
      for name in row[1].codes { #expect(KerasClass(named: name) == kind) }
      #expect(Set(row[2].codes) == (try nativeKinds(of: kind)), "\(row)")
    }
    let prose = try document.prose("Classes")
    for name in KerasText.classes {
      #expect(KerasClass(named: name) == nil)
      #expect(prose.contains("`\(name)`"))
    }
  }

  /// What a class is read as, in one version or another.
  private func nativeKinds(of kind: KerasClass) throws -> Set<String> {
    if let entries = Self.wrappers[kind] {
      return Set(
        try entries.map { entry in
          var reader = KerasLayerReader(era: KerasEra(version: "3.15.1", architecture: nil))
          return try reader.layer(entry).layer.spec.kind.rawValue
        })
    }
    let arguments = try ArgumentSpecTests()
    var variants: [[(String, JSONValue)]] = [[]]
    if kind == .batchNormalization { variants.append([("mode", 1)]) }
    if kind == .merge { variants += [[("mode", "concat")], [("mode", "dot")], [("mode", "cos")]] }
    var kinds: Set<String> = []
    for version in ["1.2.2", "2.2.4", "2.15.0", "3.15.1"] {
      for variant in variants {
        let spec = try arguments.read(kind, arguments.required(of: kind) + variant, version: version)
        kinds.insert(spec["kind"]?.string ?? "")
      }
    }
    return kinds
  }

  /// Entries of layers with layers inside.
  private static let wrappers: [KerasClass: [JSONValue]] = {
    func entry(_ className: String, _ members: [(String, JSONValue)]) -> JSONValue {
      ["class_name": .string(className), "config": .object(JSONObject([("name", .string(className))] + members))]
    }
    let cells = ["LSTMCell", "GRUCell", "SimpleRNNCell"].map { entry($0, [("units", 3)]) }
    let input: JSONValue = [
      "class_name": "InputLayer", "config": ["name": "x", "batch_shape": [nil, 3]], "inbound_nodes": [],
    ]
    return [
      .rnn: (cells + [.array(cells)]).map { entry("RNN", [("cell", $0)]) },
      .bidirectional: [entry("Bidirectional", [("layer", entry("LSTM", [("units", 3)]))])],
      .timeDistributed: [entry("TimeDistributed", [("layer", entry("Dense", [("units", 3)]))])],
      .sequential: [entry("Sequential", [("layers", [entry("Dense", [("units", 3)])])])],
      .functional: [
        entry(
          "Functional",
          [("layers", [input]), ("input_layers", [["x", 0, 0]]), ("output_layers", [["x", 0, 0]])])
      ],
    ]
  }()

  /// Classes that Keras 1 alone has: older than the files with groups by class.
  private static let keras1: Set<KerasClass> = [
    .atrousConvolution1D, .timeDistributedDense, .highway, .maxoutDense, .parametricSoftplus, .sReLU, .merge,
  ]

  @Test func groupsAreTheClassesInSnakeCase() throws {
    let rows = try document.table("Matching")
    let needy = try KerasClass.allCases.filter { kind in
      let kinds = try nativeKinds(of: kind).compactMap(LayerSpec.Kind.init(rawValue:))
      return !Self.keras1.contains(kind)
        && (Self.wrappers[kind] != nil
          || kinds.contains { kind in (0...1).contains { !LayerSamples.spec(kind, variant: $0).parameterNames.isEmpty }
          })
    }
    #expect(rows.map { $0[0].code } == needy.map(\.rawValue))
    for row in rows { #expect(KerasClass.groupName(row[0].code) == row[1].code) }
  }

  @Test(arguments: Array(zip(KerasGeneration.allCases, 1...)))
  func activationsAreThoseOfTheCode(_ generation: KerasGeneration, _ column: Int) throws {
    let rows = try document.table("Activations")
    #expect(Set(rows.map { $0[0].code }) == Set(Activation.allCases.map(\.name)))
    let documented = rows.flatMap { row in row[column].codes.map { "\($0) \(row[0].code)" } }
    let table = KerasActivations.table(generation)
    #expect(documented.sorted() == table.map { "\($0.name) \($0.activation.name)" }.sorted())
    for row in rows {
      let activation = try #require(Activation(named: row[0].code))
      #expect(KerasActivations.name(of: activation, generation) == row[column].codes.first)
    }
  }

  /// Functions with numbers are layers, whose classes and arguments the second table tells.
  @Test func activationLayersAreThoseOfTheCode() throws {
    for row in try document.table("Activations", 1) {
      let activation = try #require(Activation(named: row[0].code), "\(row)")
      #expect(KerasActivationLayers.className(of: activation) == row[1].code)
      for (generation, cell) in zip([KerasGeneration.keras2, .keras3], row[2...]) {
        let written = try? KerasActivationLayers.arguments(of: activation, generation)
        #expect((written ?? []).map(\.0) == cell.codes, "\(row)")
        // Read again, they give the same function.
        guard let written, let kind = KerasClass(rawValue: row[1].code) else { continue }
        var reader = KerasConfigReader(
          className: row[1].code, layerName: "l", config: JSONObject(written),
          era: KerasEra(version: nil, architecture: nil, override: generation))
        let found = try KerasActivationLayers.activation(kind, &reader)
        #expect(found == activation, "\(row)")
      }
    }
  }

  @Test func operationsAreThoseOfTheCode() throws {
    let rows = try document.table("Operations")
    for row in rows {
      for name in row[0].codes {
        let spec = try operation(name, row[1].code, era: KerasEra(version: "3.15.1", architecture: nil))
        #expect(spec["kind"]?.string == row[1].code, "\(name)")
        guard let function = (spec["function"] ?? spec["activation"])?.string else { continue }
        #expect(function == row[2].codes.first ?? name, "\(name)")
        guard row[2].codes.count > 1 else { continue }
        let before = try operation(name, row[1].code, era: KerasEra(version: "2.15.0", architecture: nil))
        #expect(before["activation"]?.string == row[2].codes[1], "\(name)")
      }
    }
    #expect(try operations() == Set(rows.flatMap { $0[0].codes }))
  }

  /// What an operation on one tensor comes to, or on that and a number.
  private func operation(_ name: String, _ kind: String, era: KerasEra) throws -> JSONValue {
    let whole: JSONValue = ["start": nil, "stop": nil, "step": nil]
    let needed: [String: [(String, JSONValue)]] = [
      "reshape": [("newshape", [-1, 2])], "transpose": [("axes", [0, 2, 1])], "threshold": [("value", 0)],
      "get_item": [("slice_spec", [whole, 1])], "getitem": [("slice_spec", [whole, 1])],
      "clip": [("x_min", 0)], "clip_by_value": [("clip_value_max", 0)],
      "pad": [("pad_width", [[0, 0], [1, 1], [0, 0]])],
      "softmax": [("axis", 1)], "squeeze": [("axis", 1)], "reverse": [("axis", 1)], "flip": [("axis", 1)],
      "split": [("axis", 1), ("num_or_size_splits", [2, 1])], "unstack": [("axis", 1), ("num", 2)],
      "roll": [("axis", 1), ("shift", 2)], "repeat": [("axis", 1), ("repeats", 2)], "tile": [("multiples", [1, 2])],
      "swapaxes": [("axis1", 1), ("axis2", 2)], "moveaxis": [("source", 1), ("destination", 2)],
      "where": [("x", 1), ("y", 2)], "cumsum": [("axis", 1)], "cumprod": [("axis", 1)],
      "einsum": [("equation", "ab->ab")],
    ]
    let options =
      needed[name]
      ?? (kind == "Binary" && !name.hasSuffix("_like") ? [("y", 2)] : kind == "Reduction" ? [("axis", -1)] : [])
    // The rank stands beside the tensors that Keras 3 writes.
    if ["swapaxes", "moveaxis"].contains(name) {
      let tensor: JSONValue = [
        "class_name": "__keras_tensor__", "config": ["shape": [nil, 3, 2], "keras_history": ["x", 0, 0]],
      ]
      let className = name.prefix(1).uppercased() + name.dropFirst()
      let entry: JSONValue = [
        "module": "keras.src.ops.numpy", "class_name": .string(className),
        "config": .object(JSONObject([("name", "o")] + options)),
        "inbound_nodes": [["args": [tensor], "kwargs": JSONValue.object(JSONObject())]],
      ]
      let call = try #require(try KerasCall.parse(entry["inbound_nodes"], layers: ["x"]).first)
      return try LayerSamples.json(try KerasOperations.read(entry, call, era).spec)
    }
    var call = KerasCall(arguments: [.tensor(KerasTensor(layer: "x", node: 0, output: 0))])
    call.keywords = options.map { (name: $0.0, argument: .value($0.1)) }
    let entry: JSONValue = ["class_name": "TFOpLambda", "config": ["name": "o", "function": .string("nn." + name)]]
    return try LayerSamples.json(try KerasOperations.read(entry, call, era).spec)
  }

  /// The names in the source: keys of its tables, and cases of its switches.
  private func operations() throws -> Set<String> {
    let source = try SourceFile.text("RNNDialects/Keras/KerasOperations.swift")
    let start = try #require(source.range(of: "private static let unary"))
    var names: Set<String> = []
    for line in source[start.lowerBound...].components(separatedBy: "\n") {
      let isCase = line.contains(#/^ +case "/#)
      let isList = line.contains("static let identities")
      let text = isCase ? line.components(separatedBy: ":")[0].components(separatedBy: " where ")[0] : line
      for match in text.matches(of: #/"([a-z0-9_]+)"(: \.)?/#) where isCase || isList || match.2 != nil {
        names.insert(String(match.1))
      }
    }
    return names
  }

  @Test func structuralAndCarriedKeysAreThoseOfTheCode() throws {
    let section = try document.section("Other keys")
    let first = try #require(section.firstIndex { $0.hasPrefix("Structural keys") })
    let paragraph = section[first...].drop { !$0.isEmpty }.dropFirst().prefix { !$0.isEmpty }
    let structural = paragraph.flatMap(\.codes)
    #expect(structural.count == KerasKeys.structural.count)
    #expect(Set(structural) == KerasKeys.structural)
    let carried = try document.table("Other keys", 0)
    #expect(carried.count == KerasKeys.carried.count)
    #expect(Set(carried.map { $0[0].code }) == KerasKeys.carried)
    for row in carried {
      let layer = ModelSpec.Layer(
        name: "l", spec: .flatten(FlattenSpec()), carried: JSONValue.object(JSONObject([(row[0].code, 1)])).text())
      let config = try KerasLayerWriting(generation: .keras2).config(of: layer)
      #expect(config.keys.contains(row[0].code) == (row[1] == "yes"), "\(row[0])")
    }
  }

  @Test func neutralKeysAreThoseOfTheCode() throws {
    let rows = try document.table("Other keys", 1)
    for row in rows {
      #expect(KerasKeys.isNeutral(row[0].code, try JSONValue(parsing: row[1].code)), "\(row[0])")
      #expect(!KerasKeys.isNeutral(row[0].code, "another value"))
    }
    let source = try SourceFile.text("RNNDialects/Keras/KerasConfigReader.swift")
    let list = try #require(
      source.components(separatedBy: "neutral: [(key: String, value: JSONValue)] = [").last?
        .components(separatedBy: "]").first)
    let coded = list.matches(of: #/\("([a-z_]+)", ([^)]+)\)/#).map { "\($0.1) \($0.2)" }
    #expect(rows.map { "\($0[0].code) \($0[1].code.replacing("null", with: "nil"))" } == coded)
  }

  /// Each parameter with its arrays, in the order of the native gates.
  private func parts(of layout: KerasLayout) -> [(String, [Int])] {
    var order: [String] = []
    var arrays: [String: [(gate: Int, array: Int)]] = [:]
    for (index, array) in layout.arrays.enumerated() {
      guard let block = array?.blocks.first else { continue }
      if arrays[block.parameter] == nil { order.append(block.parameter) }
      arrays[block.parameter, default: []].append((block.gate?.index ?? 0, index))
    }
    return order.map { name in (name, (arrays[name] ?? []).sorted { $0.gate < $1.gate }.map(\.array)) }
  }

  @Test func arraysOfKeras1AreThoseOfTheCode() throws {
    let rows = try document.table("Arrays", 0)
    let layouts = [
      ("LSTM", KerasLayout.keras1LSTM), ("GRU", KerasLayout.keras1GRU),
      ("LayerNormalization", KerasLayout.keras1SampleNormalization), ("Normalization", KerasLayout.normalization),
    ]
    for (kind, layout) in layouts {
      let documented = rows.filter { $0[0].code == kind }.map { "\($0[1]) \($0[2].code) \($0[3])" }
      let coded = parts(of: layout).map { parameter, arrays in
        "\(layout.arrayCount) \(parameter) \(arrays.map(String.init).joined(separator: ", "))"
      }
      #expect(documented == coded)
    }
    #expect(Set(rows.map { $0[0].code }) == Set(layouts.map(\.0)))
    // No other layer has another layout than its parameters, one array each.
    for kind in LayerSpec.Kind.allCases {
      let spec = LayerSamples.spec(kind)
      let counts = KerasLayout.candidates(for: spec).map(\.arrayCount)
      #expect(counts.contains(spec.parameterNames.count), "\(kind.rawValue)")
      let isListed = counts.count > 1
      #expect(isListed == ["LSTM", "GRU"].contains(kind.rawValue), "\(kind.rawValue)")
    }
  }

  /// The gate of each joined array follows from its number: W, U, b of one gate stand together.
  @Test func gateOrdersFollowFromTheArrays() throws {
    let text = try document.prose("Arrays")
    let parameters = try SpecDocument("native-format.md").table("Parameters")
    let layouts = [
      ("LSTM", KerasLayout.keras1LSTM, ["i", "c", "f", "o"]), ("GRU", KerasLayout.keras1GRU, ["z", "r", "h"]),
    ]
    for (kind, layout, stored) in layouts {
      #expect(text.contains("of each gate in the order \(stored.joined(separator: ", "))"))
      for (offset, part) in parts(of: layout).enumerated() {
        #expect(part.1.allSatisfy { $0 % 3 == offset })
        let native = part.1.map { stored[$0 / 3] }.joined(separator: ", ")
        let row = parameters.first { $0[0].code == kind && $0[1].code == part.0 }
        #expect(row?[3] == native)
        #expect(kind == "GRU" || text.contains("joined along the last axis as \(native)."))
      }
    }
  }

  @Test func kernelsOfFourAxesAreReadAsDocumented() throws {
    let rows = try document.table("Arrays", 1)
    let sizes = ["k": 3, "channels": 2, "f": 5, "1": 1]
    for row in rows {
      let names = row[0].trimmingCharacters(in: ["(", ")"]).components(separatedBy: ", ")
      let shape = try names.map { try #require(sizes[$0]) }
      let values = (0..<30).map(Float.init)
      let kernel = try KerasKernelLayout.threeAxes(try Tensor(values, shape: shape), kernelSize: 3, filters: 5)
      #expect(kernel.shape == [3, 2, 5])
      let isReversed = row[2].contains("reversing")
      #expect(kernel.floats()[1] == (isReversed ? 6 : 1))
    }
    #expect(rows.count == 2)
  }

  @Test(arguments: LayerSpec.Kind.allCases)
  func exportWritesTheDocumentedKeys(_ kind: LayerSpec.Kind) throws {
    // Groups make another class of an attention.
    let spec = LayerSamples.spec(kind, variant: [.multiHeadAttention, .tokenCounts].contains(kind) ? 1 : 0)
    let layer = ModelSpec.Layer(name: "l", spec: spec, isTrainable: false)
    let rows = try document.table("Export")
    guard let row = rows.first(where: { $0[0].codes == [kind.rawValue] }) else {
      for generation in [KerasGeneration.keras2, .keras3] {
        let error = #expect(throws: RNNError.self) {
          try KerasLayerWriting(generation: generation).config(of: layer)
        }
        #expect(error?.reason == .unsupported)
      }
      return
    }
    var documented = try keys(of: row, rows)
    // Nor is the sample wider than its vocabulary.
    if kind == .integerLookup { documented.removeAll { ["max_tokens", "pad_to_max_tokens"].contains($0) } }
    if kind == .stackedRNN { documented.removeAll { ["use_bias", "dropout", "recurrent_dropout"].contains($0) } }
    // These write their layer's keys, and one more.
    if let inner = layer.spec.innerLayers.first, [.channelsFirst, .timeMajor, .activated].contains(kind) {
      documented += try keys(of: try #require(rows.first { $0[0].codes == [inner.spec.kind.rawValue] }), rows)
      // Of the sample's options, this one is not set.
      documented.removeAll { $0 == "zero_output_for_mask" }
      // The other layer stands in the place of a function.
      if kind == .activated { documented.removeAll { $0 == "activation" } }
    }
    let generation: KerasGeneration = row[1].hasSuffix("Keras 2 alone") ? .keras2 : .keras3
    let config = try KerasLayerWriting(generation: generation).config(of: layer)
    let everywhere = ["name", "trainable"]
    if kind == .activated { documented.append("activation") }
    #expect(Set(config.keys).subtracting(everywhere) == Set(documented))
    #expect(config.keys.filter { !everywhere.contains($0) }.count == documented.count)
    #expect(config.keys.contains("name"))
    #expect(kind == .model || config["trainable"] == false)
  }

  @Test func refusedKindsAreTold() throws {
    let section = try document.section("Export")
    let first = try #require(section.firstIndex { $0.hasPrefix("No layer of Keras 2 or 3") })
    let refused = section[first...].prefix { !$0.isEmpty }.flatMap(\.codes)
    let written = try document.table("Export").flatMap { $0[0].codes }
    #expect(Set(written + refused) == Set(LayerSpec.Kind.allCases.map(\.rawValue)))
    #expect(Set(written).isDisjoint(with: refused))
  }

  private func keys(of row: SpecDocument.Row, _ rows: [SpecDocument.Row]) throws -> [String] {
    let recurrent = try #require(rows.first { $0[0] == "Recurrent" })
    return row[1].codes + (row[1].contains("\"Recurrent\"") ? recurrent[1].codes : [])
  }

  /// What is written is a class that can be read.
  @Test func writtenClassesAreRead() throws {
    let writing = KerasLayerWriting(generation: .keras3)
    for kind in LayerSpec.Kind.allCases {
      for variant in 0...1 {
        let spec = LayerSamples.spec(kind, variant: variant)
        guard (try? writing.config(of: ModelSpec.Layer(name: "l", spec: spec))) != nil else { continue }
        let name = KerasLayerWriting.className(of: spec)
        #expect(KerasClass(named: name) != nil, "\(name)")
      }
    }
  }
}
