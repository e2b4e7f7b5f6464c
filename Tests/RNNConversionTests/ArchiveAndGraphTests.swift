import Foundation
import RNNContainers
import RNNConversion
import RNNCore
import RNNDialects
import RNNRuntime
import RNNTestSupport
import Testing

/// Keras's models written as ONNX graphs and as `.keras` archives, and read again: the numbers of Keras, the same bits.
struct ArchiveAndGraphTests {
  private static let cases = Case.imported.filter { $0.testDescription.hasPrefix("keras-3.15/") }

  private func write(_ model: NativeModel, _ format: ExportFormat) throws -> (url: URL, export: ModelExport) {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent(
      UUID().uuidString + "." + format.fileExtension)
    var options = ModelExport.Options()
    options.helper = helper
    let export = try ModelExport(model, as: format, options: options)
    try export.write(to: url, replacing: false)
    return (url, export)
  }

  private func read(_ url: URL, config: URL? = nil) throws -> NativeModel {
    var options = ImportOptions()
    options.helper = helper
    options.config = config
    return try ModelImport.model(from: url, options: options)
  }

  /// What is not refused and loses nothing gives Keras's numbers, by another reader than the one that wrote the graph.
  @Test func graphsGiveTheSameNumbers() throws {
    var agreed = 0
    for fixture in Self.cases where !fixture.testDescription.contains("float16") {
      let native = try fixture.native()
      guard native.text == nil, let expected = try fixture.arrays("outputs.npz"),
        let inputs = try fixture.arrays("inputs.npz")
      else { continue }
      let url: URL
      do {
        let (file, export) = try write(native, .onnx)
        url = file
        guard !export.ledger.contains(where: { $0.kind == .dropped && $0.note.contains("mask") }) else { continue }
      } catch let error as RNNError {
        #expect(error.reason == .unsupported, "\(fixture): \(error)")
        continue
      }
      defer { try? FileManager.default.removeItem(at: url) }
      let again: NativeModel
      do { again = try read(url) } catch let error as RNNError {
        // Some nodes are written that are not read: a graph that comes from here need not come back.
        #expect(error.reason == .unsupported, "\(fixture): \(error)")
        continue
      }
      let model = try Model(again)
      // By name where the names are the graph's, else in order.
      func ordered(_ given: [(name: String, tensor: Tensor)], _ names: [String]) -> [Tensor] {
        let found = names.compactMap { name in given.first { $0.name == name }?.tensor }
        return found.count == names.count ? found : given.map(\.tensor)
      }
      let outputs = try model.predict(ordered(inputs, model.inputNames))
      #expect(outputs.count == expected.count)
      for (output, other) in zip(outputs, ordered(expected, model.outputNames)) {
        #expect(output.shape == other.shape, "\(fixture)")
        #expect(
          Tolerance.excess(
            of: output.floats(), over: other.floats(), twin: nil, absolute: 2e-6, relative: 1e-5) <= 0,
          "\(fixture)")
      }
      agreed += 1
    }
    #expect(agreed > 350, "\(agreed)")
  }

  /// What Keras 3 computes otherwise than the Keras that a model is from; of its own models nothing.
  @Test func whatAnotherVersionComputesOtherwiseIsSaid() throws {
    func losses(_ fixture: Case) throws -> [LedgerEntry]? {
      do {
        var options = ModelExport.Options()
        options.helper = helper
        return try ModelExport(try fixture.native(), as: .keras, options: options).ledger.filter {
          $0.note.contains(" in Keras 3") || $0.note.contains("Keras 3.15.1 has")
        }
      } catch let error as RNNError {
        #expect(error.reason == .unsupported, "\(fixture): \(error)")
        return nil
      }
    }
    for fixture in Self.cases { #expect(try losses(fixture)?.isEmpty ?? true, "\(fixture)") }
    // As Keras 3.15 computes these otherwise, when it opens them, or not.
    let expected = [
      "encoder-decoder-lstm--h5": "ignoresMask", "merge-add-mask-one": "maskRule",
      "merge-maximum-mask-one": "skipsMasked",
      "einsumdense-bias-as-long-as-last": "misplacedBiasAxis", "lstm-masked": nil,
      "merge-add--h5": nil, "merge-add-other-rank": nil,
    ]
    var seen = 0
    for fixture in Case.imported where fixture.testDescription.hasPrefix("tf-keras-2.19/") {
      guard let field = expected[fixture.folder.lastPathComponent] else { continue }
      let found = try #require(try losses(fixture), "\(fixture)").filter { $0.kind == .dropped }
      #expect(found.isEmpty == (field == nil), "\(fixture): \(found)")
      if let field { #expect(found.contains { $0.note.contains(field) }, "\(fixture)") }
      seen += 1
    }
    #expect(seen >= 5)
  }

  /// Keras finds the weights of an RNN under that class alone; a name of a cell is nobody's own class.
  @Test(arguments: ["rnn-lstmcell--keras", "rnn-grucell", "rnn-simplernncell"])
  func anRNNAroundACellStaysOne(_ name: String) throws {
    let fixture = try #require(Self.cases.first { $0.testDescription == "keras-3.15/\(name)" })
    let native = try fixture.native()
    #expect(!native.ledger.contains { $0.note.contains("custom") }, "\(native.ledger)")
    let archive = try KerasExport.archive(of: native)
    #expect(archive.config.contains(#""class_name": "RNN""#), "\(archive.config)")
    #expect(archive.weights.groups.contains { $0.hasSuffix("rnn/cell/vars") }, "\(archive.weights.groups)")
  }

  @Test(arguments: [ExportFormat.keras, .kerasWeights]) func archivesHoldTheSameBits(_ format: ExportFormat) throws {
    var agreed = 0
    for fixture in Self.cases {
      let native = try fixture.native()
      let url: URL
      do { url = try write(native, format).url } catch let error as RNNError {
        #expect(error.reason == .unsupported, "\(fixture): \(error)")
        continue
      }
      defer { try? FileManager.default.removeItem(at: url) }
      var config: URL?
      if format == .kerasWeights {
        let file = url.appendingPathExtension("rnn")
        try native.write(to: file, replacing: false)
        config = file
      }
      defer { if let config { try? FileManager.default.removeItem(at: config) } }
      let again = try read(url, config: config)
      #expect(again.parameters == native.parameters, "\(fixture)")
      if format == .keras {
        #expect(again.spec.plain.calls == native.spec.plain.calls, "\(fixture)")
        #expect(again.optimizerSlots.map(\.tensor) == native.optimizerSlots.map(\.tensor), "\(fixture)")
      }
      agreed += 1
    }
    #expect(agreed > 350, "\(agreed)")
  }
}
