import Crypto
import Foundation
import RNNConversion
import RNNCore
import RNNDialects
import RNNTestSupport
import Testing

/// Weights keep their bits: on the way in, and on the way out again.
struct WeightTests {
  /// What h5py read from the file: for each weight its layer, name and digest, in the file's order.
  private func digests(_ fixture: Case) throws -> [(layer: String, name: String, sha256: String)] {
    let data = try Data(contentsOf: fixture.folder.appendingPathComponent("weights.json"))
    return try #require(try JSONValue(parsing: data).array).map { entry in
      (
        try #require(entry["layer"]?.string), try #require(entry["name"]?.string),
        try #require(entry["sha256"]?.string)
      )
    }
  }

  private func sha256(_ data: Data) -> String {
    SHA256.hash(data: data).map { String(format: "%02x", $0) }.joined()
  }

  /// The last axis of `tensor` in `count` blocks.
  private func blocks(_ tensor: Tensor, _ count: Int) -> [Data] {
    guard count > 1 else { return [Data(tensor.bytes)] }
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

  /// The arrays that a layer's parameters make up in its file. Keras 1 has W, U, b of one gate after the other; its
  /// LSTM has the gates as i, c, f, o.
  private func digests(of layer: ModelSpec.Layer, _ parameters: [Tensor], byGates: Bool) -> [String] {
    let order: [Int] =
      switch layer.spec.kind {
      case .lstm where byGates: [0, 2, 1, 3]
      case .gru where byGates: [0, 1, 2]
      default: [0]
      }
    let gates = parameters.map { blocks($0, order.count) }
    return order.flatMap { gate in gates.map { sha256($0[gate]) } }
  }

  /// The plain layers that a layer of the whole model comes to, those with parameters.
  private func parts(of layer: ModelSpec.Layer, _ model: NativeModel) -> [ModelSpec.Layer] {
    model.spec.plain.layers.filter { plain in
      (plain.name == layer.name || plain.name.hasPrefix(layer.name + "/")) && !plain.spec.parameterNames.isEmpty
    }
  }

  /// CuDNN's layers are turned on the way in: WeightLayoutTests say how.
  @Test(arguments: Case.imported.filter { !$0.folder.lastPathComponent.hasPrefix("cudnn") })
  func importKeepsEveryBit(_ fixture: Case) throws {
    let model = try fixture.native()
    // The weights of a vocabulary stand in its layer's configuration.
    let expected = try digests(fixture).filter { !$0.name.hasSuffix("idf_weights") }
    // A variable tree names its groups after classes, so that its order is not the model's; and a layer that is used
    // inside a model and outside stands there once.
    let isTree = fixture.model.lastPathComponent == "model.weights.h5" || fixture.model.pathExtension == "keras"
    var all: [String] = []
    var unusedCount = 0
    for layer in model.spec.layers {
      let parts = parts(of: layer, model)
      guard !parts.isEmpty else { continue }
      let stored = expected.filter { $0.layer == layer.name }.map(\.sha256)
      let tensors = parts.map { part in model.parameters.filter { $0.layer == part.name }.map(\.tensor) }
      let byGates = !isTree && stored.count > tensors.joined().count
      let found = zip(parts, tensors).flatMap { digests(of: $0, $1, byGates: byGates) }
      all += found
      // What Keras 1 stores with mode 1 and never uses, and how many examples a Normalization saw.
      let isKeras1 = model.provenance.dialect == "keras1"
      let unused =
        (isKeras1 ? 2 * parts.filter { $0.spec.kind == .layerNormalization }.count : 0)
        + parts.filter { $0.spec.kind == .normalization }.count
      unusedCount += unused
      guard !isTree else { continue }
      // Some versions store the layers of a model inside as if they stood in the whole model.
      guard !stored.isEmpty else { continue }
      #expect(stored.count == found.count + unused, "\(layer.name)")
      if parts.count == 1 {
        #expect(Array(stored.prefix(found.count)) == found, "\(layer.name)")
      } else if unused == 0 {
        #expect(stored.sorted() == found.sorted(), "\(layer.name)")
      } else {
        #expect(Set(found).isSubset(of: stored), "\(layer.name)")
      }
    }
    #expect(Set(all).isSubset(of: expected.map(\.sha256)))
    if isTree {
      #expect(Set(expected.map(\.sha256)).subtracting(all).count == unusedCount)
    } else {
      #expect(all.count + unusedCount == expected.count)
    }
  }

  /// A layer that no later Keras has, or that is no layer of Keras at all.
  private func isWritable(_ spec: LayerSpec) -> Bool {
    let own: Set<LayerSpec.Kind> = [
      .lstmVariant, .highway, .maxoutDense, .parametricSoftplus, .sReLU, .unary,
      .binary, .reduction, .slice, .expandDims, .squeeze, .stack, .matrixProduct, .reverseSteps, .foldSteps,
      .unfoldSteps, .swapBatch, .whereValid, .withMask, .maskOf, .withoutMask, .rearrange, .split, .select, .cumulative,
      .einsum, .cosine,
    ]
    if case .tokenCounts(let tokens) = spec, tokens.mode == .tfIDF { return false }
    if case .layerNormalization(let normalization) = spec, normalization.form == .doubleEpsilon { return false }
    if case .batchNormalization(let normalization) = spec, normalization.alwaysUsesBatch { return false }
    if spec.activations.contains(.tanhGelu) { return false }
    if case .model(let nested) = spec { return isWritable(nested.model) }
    return !own.contains(spec.kind) && spec.innerLayers.allSatisfy { isWritable($0.spec) }
  }

  private func isWritable(_ model: ModelSpec) -> Bool {
    Set(model.calls.map(\.layer)).allSatisfy { isWritable(model.layers[$0].spec) }
  }

  @Test(arguments: Case.imported)
  func exportReadsBackTheSame(_ fixture: Case) throws {
    let folder = try TemporaryFolder()
    let model = try fixture.native()
    let native = folder.file("model.rnn")
    try model.write(to: native, replacing: false)
    let reread = try NativeModel(contentsOf: native)
    #expect(try reread.safetensors() == model.safetensors())
    let exported = folder.file("again.h5")
    guard isWritable(model.spec) else {
      let error = #expect(throws: RNNError.self) {
        try ModelExport.write(reread, as: .kerasH5, to: exported, replacing: false, helper: helper)
      }
      #expect(error?.reason == .unsupported)
      return
    }
    try ModelExport.write(reread, as: .kerasH5, to: exported, replacing: false, helper: helper)
    var options = ImportOptions()
    options.helper = helper
    let again = try ModelImport.model(from: exported, options: options)
    #expect(again.parameters == model.parameters)
    #expect(again.optimizerSlots == (model.training == nil ? [] : model.optimizerSlots))
    #expect(again.spec.calls == model.spec.calls)
    let isRenamed = fixture.testDescription.contains(/keras-3.*(merge-concatenate.*mask|attention-self-masks)/)
    let names = model.spec.layers.map { layer in
      isRenamed && layer.spec.kind == .concatenate ? layer.name + "_layer" : layer.name
    }
    #expect(again.spec.layers.map(\.name) == names)
    #expect(again.spec.layers.map(\.isTrainable) == model.spec.layers.map(\.isTrainable))
    let isSameEra = again.provenance.dialect == model.provenance.dialect
    for (ours, theirs) in zip(again.spec.layers, model.spec.layers) {
      #expect(arithmetic(ours.spec, isSameEra) == arithmetic(theirs.spec, isSameEra), "\(ours.name)")
    }
    if model.provenance.dialect != "keras1", let names = model.provenance.tensorNames {
      #expect(again.provenance.tensorNames == names)
    }
  }

  /// What a layer computes: without what only training needs, and where the file is now another version's, without what
  /// that decides. A mask value that is NaN equals itself.
  private func arithmetic(_ spec: LayerSpec, _ isSameEra: Bool) -> LayerSpec {
    var result = spec
    result.innerLayers = spec.innerLayers.map { layer in
      ModelSpec.Layer(name: layer.name, spec: arithmetic(layer.spec, isSameEra), isTrainable: layer.isTrainable)
    }
    if case .masking(let masking) = result, masking.maskValue.isNaN {
      return .masking(MaskingSpec(maskValue: -.greatestFiniteMagnitude))
    }
    // Where text was, nothing is left to do; tf_keras's Identity, which stands there then, ends masks as well.
    if case .withoutMask = result { return .identity(IdentitySpec()) }
    guard !isSameEra else { return result }
    if case .batchNormalization(var normalization) = result {
      normalization.correction = .none
      result = .batchNormalization(normalization)
    }
    if case .timeDistributed(var wrapper) = result {
      wrapper.masks = .whole
      result = .timeDistributed(wrapper)
    }
    // Of masks there is one rule for each version.
    if case .concatenate(var concatenation) = result {
      concatenation.maskRule = .anyMask
      result = .concatenate(concatenation)
    }
    if case .dot(var dot) = result {
      dot.epsilon = 0
      result = .dot(dot)
    }
    return result
  }

  @Test(arguments: Case.imported.filter { !$0.folder.lastPathComponent.contains("float") })
  func npzReadsBackTheSame(_ fixture: Case) throws {
    let folder = try TemporaryFolder()
    let model = try fixture.native()
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
