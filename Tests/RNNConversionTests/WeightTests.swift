import Crypto
import Foundation
import RNNConversion
import RNNCore
import RNNDialects
import RNNTestSupport
import Testing

/// Weights keep their bits: on the way in, and on the way out again.
struct WeightTests {
  /// What h5py read from the file: for each weight its layer and digest, in the file's order.
  private func digests(_ fixture: Case) throws -> [(layer: String, sha256: String)] {
    let data = try Data(contentsOf: fixture.folder.appendingPathComponent("weights.json"))
    return try #require(try JSONValue(parsing: data).array).map { entry in
      (try #require(entry["layer"]?.string), try #require(entry["sha256"]?.string))
    }
  }

  private func sha256(_ data: Data) -> String {
    SHA256.hash(data: data).map { String(format: "%02x", $0) }.joined()
  }

  /// The last axis of `tensor` in `count` blocks.
  private func blocks(_ tensor: Tensor, _ count: Int) -> [Data] {
    let size = tensor.dtype.byteCount
    let width = (tensor.shape.last ?? 0) / count * size
    let rows = tensor.bytes.count / max(width * count, 1)
    return (0..<count).map { block in
      (0..<rows).reduce(into: Data()) { data, row in
        let start = tensor.bytes.startIndex + (row * count + block) * width
        data += tensor.bytes[start..<start + width]
      }
    }
  }

  @Test(arguments: Case.imported)
  func importKeepsEveryBit(_ fixture: Case) throws {
    let model = try ModelImport.model(from: fixture.model, options: fixture.options)
    let expected = try digests(fixture)
    var found: [String] = []
    for layer in model.spec.layers {
      let parameters = model.parameters.filter { $0.layer == layer.name }.map(\.tensor)
      // Keras 1's arrays: W, U, b of one gate after the other; its LSTM has the gates as i, c, f, o.
      let order: [Int] =
        switch (layer.spec.kind, expected.filter { $0.layer == layer.name }.count) {
        case (.lstm, 12): [0, 2, 1, 3]
        case (.gru, 9): [0, 1, 2]
        default: [0]
        }
      let gates = parameters.map { blocks($0, order.count) }
      for gate in order { found += gates.map { sha256($0[gate]) } }
    }
    // A variable tree names its groups after classes, so that its order is not the model's.
    let isTree = fixture.model.lastPathComponent.contains("weights.h5") || fixture.model.pathExtension == "keras"
    let digests = expected.map(\.sha256)
    #expect(isTree ? found.sorted() == digests.sorted() : found == digests)
  }

  @Test(arguments: Case.imported)
  func exportReadsBackTheSame(_ fixture: Case) throws {
    let folder = try TemporaryFolder()
    let model = try ModelImport.model(from: fixture.model, options: fixture.options)
    let native = folder.file("model.rnn")
    try model.write(to: native, replacing: false)
    let reread = try NativeModel(contentsOf: native)
    #expect(try reread.safetensors() == model.safetensors())
    let exported = folder.file("again.h5")
    try ModelExport.write(reread, as: .kerasH5, to: exported, replacing: false, helper: helper)
    var options = ImportOptions()
    options.helper = helper
    let again = try ModelImport.model(from: exported, options: options)
    #expect(again.parameters == model.parameters)
    #expect(again.optimizerSlots == (model.training == nil ? [] : model.optimizerSlots))
    #expect(again.spec.calls == model.spec.calls)
    #expect(again.spec.layers.map(\.name) == model.spec.layers.map(\.name))
    #expect(zip(again.spec.layers, model.spec.layers).allSatisfy { sameArithmetic($0.spec, $1.spec) })
    if model.provenance.dialect != "keras1", let names = model.provenance.tensorNames {
      #expect(again.provenance.tensorNames == names)
    }
  }

  /// Equal, where NaN (a mask value) equals itself.
  private func sameArithmetic(_ left: LayerSpec, _ right: LayerSpec) -> Bool {
    if case .masking(let one) = left, case .masking(let other) = right, one.maskValue.isNaN {
      return other.maskValue.isNaN
    }
    return left == right
  }

  @Test(arguments: Case.imported.filter { !$0.folder.lastPathComponent.contains("float") })
  func npzReadsBackTheSame(_ fixture: Case) throws {
    let folder = try TemporaryFolder()
    let model = try ModelImport.model(from: fixture.model, options: fixture.options)
    guard !model.parameters.isEmpty else { return }
    let native = folder.file("model.rnn")
    try model.write(to: native, replacing: false)
    let exported = folder.file("weights.npz")
    try ModelExport.write(model, as: .npz, to: exported, replacing: false)
    var options = ImportOptions()
    options.config = native
    let again = try ModelImport.model(from: exported, options: options)
    #expect(again.parameters == model.parameters)
    #expect(again.spec.layers.map(\.spec.kind) == model.spec.layers.map(\.spec.kind))
  }
}
