import Foundation
import RNNContainers
import RNNConversion
import RNNCore
import RNNDialects
import RNNTestSupport
import Testing

/// Models written as other frameworks' weights, and what is said of it before a byte is written.
struct ForeignExportTests {
  private func chain() throws -> NativeModel {
    let folder = Fixtures.folder.appendingPathComponent("layouts/torch/chain")
    var options = ImportOptions()
    options.config = folder.appendingPathComponent("config.json")
    return try ModelImport.model(from: folder.appendingPathComponent("legacy.pt"), options: options)
  }

  private func temporary(_ ending: String) -> URL {
    FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString + "." + ending)
  }

  /// Out and in again, by every container and dialect that has the layers: the same weights, bit for bit, where nothing
  /// was summed.
  @Test(
    arguments: [
      (ExportFormat.pytorch, nil), (.safetensors, nil), (.npz, nil), (.safetensors, "pytorch"), (.npz, "pytorch"),
      (.npz, "mlx"), (.safetensors, "mlx"), (.npz, "flax-linen"),
    ] as [(ExportFormat, String?)])
  func whatIsWrittenIsReadBack(_ format: ExportFormat, _ dialect: String?) throws {
    let model = try chain()
    let (file, native) = (temporary(format.fileExtension), temporary("rnn"))
    defer { for url in [file, native] { try? FileManager.default.removeItem(at: url) } }
    try model.write(to: native, replacing: false)
    var options = ModelExport.Options()
    options.dialect = dialect
    let export = try ModelExport(model, as: format, options: options)
    try export.write(to: file, replacing: false)
    var reading = ImportOptions()
    reading.config = native
    let again = try ModelImport.model(from: file, options: reading)
    let sums = export.ledger.contains { $0.kind == .rounded || $0.kind == .emulated }
    #expect(sums == ["mlx", "flax-linen"].contains(dialect))
    for (found, expected) in zip(again.parameters, model.parameters) {
      #expect(found.layer == expected.layer && found.name == expected.name)
      if sums, expected.layer.contains("gru"), expected.name == "bias" { continue }
      #expect(found.tensor == expected.tensor, "\(expected.layer) \(expected.name)")
    }
    #expect(again.parameters.count == model.parameters.count)
  }

  /// ONNX adds no integers to floats: whole numbers are cast before a layer that computes, wherever their batch stands.
  @Test(arguments: [0, 1]) func wholeNumbersAreCastOnce(_ batchAxis: Int) throws {
    var input = InputSpec(shape: [3], dtype: "int32")
    input.batchAxis = batchAxis
    let scaled = RescalingSpec(scale: .init(shape: [], values: [0.5]), offset: .init(shape: [], values: [1]))
    let spec = ModelSpec.sequential(
      name: "m", layers: [.init(name: "x", spec: .input(input)), .init(name: "s", spec: .rescaling(scaled))])
    let native = NativeModel(
      spec: spec, parameters: [],
      provenance: Provenance(source: "", container: "", framework: "", dialect: ""))
    let graph = try ONNXExport(native).model.graph
    var types = [graph.inputs[0].name: graph.inputs[0].dtype]
    for node in graph.nodes {
      let given = node.inputs.compactMap { types[$0] ?? graph.initializers[$0]?.dtype }
      if ["Mul", "Add"].contains(node.operation) { #expect(given == [.float32, .float32], "\(node)") }
      for output in node.outputs { types[output] = node.operation == "Cast" ? .float32 : given.first }
    }
    #expect(graph.nodes.filter { $0.operation == "Cast" }.count == 1)
    #expect(graph.nodes.contains { ["Mul", "Add"].contains($0.operation) })
  }

  /// Who gives a graph its arrays in order goes by the model's.
  @Test func inputsStandInTheModelsOrder() throws {
    let shape = InputSpec(shape: [3])
    let spec = ModelSpec(
      name: "m", isSequential: false,
      layers: [
        .init(name: "a", spec: .input(shape)), .init(name: "b", spec: .input(shape)),
        .init(name: "s", spec: .merge(MergeSpec(.subtract))),
      ],
      calls: [
        .init(layer: 0, inputs: []), .init(layer: 1, inputs: []),
        .init(layer: 2, inputs: [.init(call: 1), .init(call: 0)]),
      ], inputs: [1, 0], outputs: [.init(call: 2)])
    let native = NativeModel(
      spec: spec, parameters: [],
      provenance: Provenance(source: "", container: "", framework: "", dialect: ""))
    #expect(try ONNXExport(native).model.graph.inputs.map(\.name) == ["b", "a"])
  }

  /// What a ledger says of layers is not said of tensors.
  @Test func onlyTensorsAreCounted() throws {
    let unit = UnitNormalizationSpec(axes: [-1], epsilon: 1e-12)
    let native = try model(
      [
        .init(name: "d", spec: .dense(DenseSpec(units: 2))), .init(name: "u", spec: .unitNormalization(unit)),
        .init(name: "v", spec: .unitNormalization(unit)),
      ], [3])
    let export = try ModelExport(native, as: .keras)
    #expect(export.ledger.filter { $0.kind == .emulated }.map(\.subject) == ["u", "v"])
    #expect(export.exactTensors == 2 && export.changedTensors == 0)
  }

  /// The steps of a stack of cells are turned by layers that hand masks on; without any mask none is lost.
  @Test func noMaskIsLostWhereThereIsNone() throws {
    for (name, isMasked) in [("bidirectional-rnn-cells", false), ("bidirectional-rnn-cell-masked", true)] {
      let fixture = try #require(
        Case.imported.first {
          $0.testDescription == "keras-3.15/\(name)" || $0.testDescription == "tf-keras-2.19/\(name)"
        })
      let ledger = try ModelExport(try fixture.native(), as: .onnx).ledger
      #expect(ledger.contains { $0.note.contains("mask") } == isMasked, "\(name): \(ledger)")
    }
  }

  @Test func whatIsLostIsSaidBefore() throws {
    let export = try ModelExport(try chain(), as: .pytorch)
    #expect(export.losesAnything && export.exactTensors == 28 && export.changedTensors == 0)
    #expect(export.ledger.contains { $0.subject == "architecture" && $0.kind.verdict == .lost })
    #expect(try !ModelExport(try chain(), as: .kerasH5).losesAnything)
  }

  private func model(_ layers: [ModelSpec.Layer], _ shape: Shape) throws -> NativeModel {
    let spec = ModelSpec.sequential(
      name: "m", layers: [.init(name: "x", spec: .input(InputSpec(shape: shape)))] + layers)
    let plain = spec.plain
    var random = SeededGenerator(seed: 5)
    let parameters = try zip(plain.layers, plain.shapes().parameters).flatMap { layer, shapes in
      try shapes.map { shape in
        NativeModel.Parameter(
          layer: layer.name, name: shape.name,
          tensor: try Tensor(random.floats(shape.shape.reduce(1, *)), shape: shape.shape))
      }
    }
    return NativeModel(
      spec: spec, parameters: parameters,
      provenance: Provenance(source: "", container: "", framework: "", dialect: ""))
  }

  @Test func whatOtherFrameworksDoNotComputeIsLost() throws {
    var lstm = LSTMSpec(units: 2)
    (lstm.recurrentActivation, lstm.options.stateful) = (.hardSigmoidFifth, true)
    let model = try model(
      [
        .init(name: "e", spec: .embedding(EmbeddingSpec(inputDim: 5, outputDim: 3, maskZero: true))),
        .init(name: "l", spec: .lstm(lstm)),
      ], [nil])
    let notes = try ModelExport(model, as: .pytorch).ledger.filter { $0.kind.verdict == .lost }
    #expect(notes.contains { $0.subject == "l" && $0.note.contains("hard_sigmoid") })
    #expect(notes.contains { $0.subject == "l" && $0.note.contains("outlive a batch") })
    #expect(notes.contains { $0.subject == "e" && $0.note.contains("mask") })
  }

  /// Reset before the product is another network than reset after it.
  @Test func whatCannotBeConvertedIsRefusedByName() throws {
    let before = try model([.init(name: "g", spec: .gru(GRUSpec(units: 2, resetAfter: false)))], [nil, 3])
    #expect { try ModelExport(before, as: .pytorch) } throws: { error in
      (error as? RNNError)?.reason == .unsupported && "\(error)".contains("'g' (GRU with resetAfter false)")
    }
    let after = try model([.init(name: "g", spec: .gru(GRUSpec(units: 2, resetAfter: true)))], [nil, 3])
    var options = ModelExport.Options()
    options.dialect = "flax-nnx"
    #expect { try ModelExport(after, as: .npz, options: options) } throws: { error in
      "\(error)".contains("bias[1][h] is not 0")
    }
    options.dialect = "tensorflow1"
    #expect { try ModelExport(after, as: .npz, options: options) } throws: { "\($0)".contains("resetAfter true") }
  }
}
