import Foundation
import RNNCore
import RNNTestSupport
import Testing

@Suite struct NativeFileTests {
  @Test func aWholeModelComesBackFromItsBytes() throws {
    let model = try SmallModels.complete()
    #expect(try NativeModel(parsing: try model.safetensors().serialized()) == model)
  }

  @Test func recurrentStatesComeBack() throws {
    var model = try SmallModels.complete()
    model.recurrentStates = [
      .init(call: 2, state: 0, tensor: try Tensor([Float(1), 2], shape: [1, 2])),
      .init(call: 2, state: 1, tensor: try Tensor([Float(3), 4], shape: [1, 2])),
    ]
    #expect(try NativeModel(parsing: try model.safetensors().serialized()) == model)
  }

  @Test func aModelOfParametersAloneComesBack() throws {
    let model = try SmallModels.classifier()
    let read = try NativeModel(parsing: try model.safetensors().serialized())
    #expect(read == model)
    #expect(read.text == nil && read.training == nil && read.ledger.isEmpty && read.optimizerSlots.isEmpty)
  }

  @Test func everyLayerKindComesBack() throws {
    let layers = LayerSamples.all.enumerated().map { index, spec in
      ModelSpec.Layer(name: "layer\(index)", spec: spec)
    }
    let read = try JSONDecoder().decode([ModelSpec.Layer].self, from: JSONEncoder().encode(layers))
    #expect(read == layers)
    #expect(Set(layers.map(\.spec.kind)) == Set(LayerSpec.Kind.allCases))
  }

  /// A file of before these options means false.
  @Test func optionsThatAFileLacksAreFalse() throws {
    var lstm = LSTMSpec(units: 2)
    (lstm.options.ignoresMask, lstm.options.emitsState) = (true, true)
    var flatten = FlattenSpec()
    flatten.channelsFirst = true
    func withoutOptions(_ spec: LayerSpec) throws -> LayerSpec {
      var text = String(decoding: try JSONEncoder().encode(spec), as: UTF8.self)
      for option in ["ignoresMask", "emitsState", "channelsFirst"] {
        for pattern in ["\"\(option)\":true,", ",\"\(option)\":true"] {
          text = text.replacingOccurrences(of: pattern, with: "")
        }
      }
      #expect(!text.contains("ignoresMask") && !text.contains("emitsState") && !text.contains("channelsFirst"))
      return try JSONDecoder().decode(LayerSpec.self, from: Data(text.utf8))
    }
    #expect(try withoutOptions(.lstm(lstm)) == .lstm(LSTMSpec(units: 2)))
    #expect(try withoutOptions(.flatten(flatten)) == .flatten(FlattenSpec()))
  }

  /// Parameters of layers inside others keep their names and their order, which is no alphabetical one.
  @Test func aModelOfWrappersAndModelsComesBack() throws {
    var lstm = LSTMSpec(units: 2)
    lstm.options.returnSequences = true
    func layer(_ name: String, _ spec: LayerSpec) -> ModelSpec.Layer { .init(name: name, spec: spec) }
    let inner = ModelSpec.sequential(
      name: "inner", layers: [layer("y", .input(InputSpec(shape: [4]))), layer("d", .dense(DenseSpec(units: 4)))])
    let bidirectional = BidirectionalSpec(
      forward: layer("f", .lstm(lstm)), backward: layer("b", .lstm(lstm)), merge: .concatenate)
    let stack = StackedRNNSpec(
      cells: [layer("one", .lstm(LSTMSpec(units: 3))), layer("two", .simpleRNN(SimpleRNNSpec(units: 4)))],
      options: .init())
    let spec = ModelSpec.sequential(
      name: "m",
      layers: [
        layer("x", .input(InputSpec(shape: [nil, 3]))), layer("bi", .bidirectional(bidirectional)),
        layer("over", .timeDistributed(TimeDistributedSpec(layer: layer("n", .model(NestedModelSpec(model: inner)))))),
        layer("rnn", .stackedRNN(stack)), layer("again", .model(NestedModelSpec(model: inner))),
        layer("out", .dense(DenseSpec(units: 1))),
      ])
    let provenance = Provenance(source: "", container: "", framework: "", dialect: "")
    var model = NativeModel(spec: spec, parameters: [], provenance: provenance)
    let plain = spec.plain
    for (layer, shapes) in zip(plain.layers, try plain.shapes().parameters) {
      for shape in shapes {
        model.parameters.append(try SmallModels.parameter(layer.name, shape.name, shape.shape))
      }
    }
    #expect(
      model.parameters.map { NativeModel.path(layer: $0.layer, parameter: $0.name) } == [
        "bi/forward_layer/kernel", "bi/forward_layer/recurrent_kernel", "bi/forward_layer/bias",
        "bi/backward_layer/kernel", "bi/backward_layer/recurrent_kernel", "bi/backward_layer/bias",
        "over/layer/d/kernel", "over/layer/d/bias", "rnn/cell/cells/0/kernel", "rnn/cell/cells/0/recurrent_kernel",
        "rnn/cell/cells/0/bias", "rnn/cell/cells/1/kernel", "rnn/cell/cells/1/recurrent_kernel",
        "rnn/cell/cells/1/bias", "again/d/kernel", "again/d/bias", "out/kernel", "out/bias",
      ])
    #expect(try NativeModel(parsing: try model.safetensors().serialized()) == model)
  }

  @Test func infinitiesAndNaNInAConfigurationComeBack() throws {
    for value in [Double.infinity, -.infinity] {
      let spec = ModelSpec.sequential(
        name: "m",
        layers: [
          .init(name: "in", spec: .input(InputSpec(shape: [3, 1]))),
          .init(name: "mask", spec: .masking(MaskingSpec(maskValue: value))),
        ])
      let provenance = Provenance(source: "", container: "", framework: "", dialect: "")
      let model = NativeModel(spec: spec, parameters: [], provenance: provenance)
      #expect(try NativeModel(parsing: try model.safetensors().serialized()) == model)
    }
  }

  /// The names that the format reserves, read by a reader that shares no code with ours.
  @Test func theFileIsSafetensorsWithReservedNames() throws {
    let read = try SecondSafetensorsReader(try SmallModels.complete().safetensors().serialized())
    #expect(read.metadata["format"] == "rnnconv")
    #expect(read.metadata["format_version"] == "1")
    #expect(read.metadata["training"] == #"{"loss": "mse", "x": NaN}"#)
    #expect(
      Set(read.metadata.keys) == ["format", "format_version", "model", "text", "training", "provenance", "ledger"])
    #expect(
      Set(read.entries.keys) == [
        "parameters/words/embeddings", "parameters/gru/kernel", "parameters/gru/recurrent_kernel",
        "parameters/gru/bias",
        "parameters/out/kernel", "parameters/out/bias", "optimizer/Adam/iterations:0", "optimizer/Adam/m/out/kernel:0",
        "text/words", "text/offsets",
      ])
    #expect(read.entries["parameters/gru/bias"]?.shape == [2, 6])
    #expect(read.entries["text/words"]?.dtype == "U8")
    #expect(read.entries["text/words"]?.bytes == Array("filmüx".utf8))
    #expect(read.entries["text/offsets"]?.dtype == "I64")
    let model =
      try JSONSerialization.jsonObject(with: Data(try #require(read.metadata["model"]).utf8)) as? [String: Any]
    #expect(
      (model?["layers"] as? [[String: Any]])?.compactMap { $0["name"] as? String } == ["ids", "words", "gru", "out"])
  }

  @Test func theStoredTypeStays() throws {
    for dtype in [DType.float16, .bfloat16, .float64] {
      var model = try SmallModels.classifier()
      let count = model.parameters[0].tensor.count
      let bytes = Data((0..<count * dtype.byteCount).map { UInt8(truncatingIfNeeded: $0 * 37) })
      model.parameters[0].tensor = try Tensor(dtype: dtype, shape: [5, 3], bytes: bytes)
      let read = try NativeModel(parsing: try model.safetensors().serialized())
      #expect(read.parameters[0].tensor.dtype == dtype)
      #expect(read.parameters[0].tensor.bytes == bytes)
    }
  }

  @Test func parametersMayStandInAnyOrder() throws {
    let model = try SmallModels.complete()
    var file = try model.safetensors()
    file.entries.reverse()
    let read = try NativeModel(parsing: try file.serialized())
    #expect(read.parameters == model.parameters)
  }

  @Test func layerNamesMayHoldSlashesAndAnyScalar() throws {
    for name in ["a/b", "/", "重み", "a\"\\\n", "\u{301}x", "parameters/", "e\u{301}"] {
      var model = try SmallModels.classifier()
      model.spec.layers[3].name = name
      for index in 4...5 { model.parameters[index].layer = name }
      let read = try? NativeModel(parsing: try model.safetensors().serialized())
      #expect(read == model, "\(name)")
    }
  }

  @Test func writingAndReadingAFile() throws {
    let folder = try TemporaryFolder()
    let model = try SmallModels.complete()
    try model.write(to: folder.file("m.rnn"), replacing: false)
    #expect(try NativeModel(contentsOf: folder.file("m.rnn")) == model)
    #expect(folder.names == ["m.rnn"])
    expectError(.cannotWrite, naming: "m.rnn", "--force") {
      try model.write(to: folder.file("m.rnn"), replacing: false)
    }
    expectError(.noInput, naming: "none.rnn") { try NativeModel(contentsOf: folder.file("none.rnn")) }
    try Data("{}".utf8).write(to: folder.file("short.rnn"))
    expectError(.badData, naming: "short.rnn") { try NativeModel(contentsOf: folder.file("short.rnn")) }
  }

  @Test func aModelThatDoesNotFitIsNotWritten() throws {
    let folder = try TemporaryFolder()
    var model = try SmallModels.classifier()
    model.parameters.removeLast()
    expectError(.badData, naming: "out/bias") { try model.write(to: folder.file("m.rnn"), replacing: false) }
    #expect(folder.names.isEmpty)
  }
}
