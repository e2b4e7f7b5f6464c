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
