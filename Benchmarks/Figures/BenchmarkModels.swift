import Foundation
import RNNConversion
import RNNContainers
import RNNCore
import RNNTraining

/// The models that are measured, written for everybody who runs them, and their batches.
enum BenchmarkModels {
  static func write(into folder: URL, helper: URL) throws {
    let sentiment = try model(FullSizeModel.spec)
    let ids = try integers(words(rows: 256), [256, 100])
    try write(sentiment, "imdb", ids, folder, helper)
    try write(sentiment, "imdb1", try integers(words(rows: 1), [1, 100]), folder, helper)
    var random = Random(seed: 3)
    let steps = (0..<32 * 200 * 64).map { _ in Float(random.next() * 2 - 1) }
    try write(try model(gru), "gru", try Tensor(steps, shape: [32, 200, 64]), folder, helper)
    for units in [8, 16, 32, 64] {
      let whole = try model(streaming(units))
      try whole.write(to: folder.appendingPathComponent("streaming\(units).rnn"), replacing: true)
      var step = whole
      step.spec = streamingStep(units)
      try ModelExport.write(
        step, as: .onnx, to: folder.appendingPathComponent("streaming\(units).onnx"), replacing: true)
    }
  }

  private static func write(_ model: NativeModel, _ name: String, _ x: Tensor, _ folder: URL, _ helper: URL) throws {
    func file(_ ending: String) -> URL { folder.appendingPathComponent(name + ending) }
    try model.write(to: file(".rnn"), replacing: true)
    try ModelExport.write(model, as: .onnx, to: file(".onnx"), replacing: true)
    try ModelExport.write(model, as: .pytorch, to: file(".pt"), replacing: true)
    try ModelExport.write(model, as: .keras, to: file(".keras"), replacing: true, helper: helper)
    var data = Data()
    try NPZ.write([("x", x)]) { data.append($0) }
    try data.write(to: file(".npz"))
  }

  static func model(_ spec: ModelSpec) throws -> NativeModel {
    NativeModel(
      spec: spec, parameters: try ParameterInitialization.parameters(for: spec, seed: 0),
      provenance: Provenance(source: "", container: "", framework: "Keras", dialect: "keras3"))
  }

  // MARK: - Batches

  private static func integers(_ values: [Int32], _ shape: [Int]) throws -> Tensor {
    try Tensor(dtype: .int32, shape: shape, bytes: values.withUnsafeBytes { Data($0) })
  }

  /// Ids as frequent as words are (Zipf's law: the rank r with a probability of 1 / r).
  static func words(rows: Int) -> [Int32] {
    var random = Random(seed: 7)
    return (0..<rows * 100).map { _ in Int32(exp(random.next() * log(Double(19_997)))) + 2 }
  }

  /// 200 batches of 30 reviews, and 20 of 32 pieces of a text whose every character depends on the one before.
  static func writeBatches(into folder: URL) throws {
    var random = Random(seed: 8)
    let labels = (0..<6000).map { _ in Int32(random.next() * 2) }
    try writeBatch(words(rows: 6000), [6000, 100], labels, [6000], folder, "imdb")
    var text: [Int32] = [0]
    while text.count <= 20 * 32 * 64 {
      text.append((text[text.count - 1] * 31 + Int32(random.next() * 5)) % 96)
    }
    let shape = [20 * 32, 64]
    try writeBatch(Array(text.dropLast()), shape, Array(text.dropFirst()), shape, folder, "characters")
  }

  private static func writeBatch(
    _ x: [Int32], _ xShape: [Int], _ y: [Int32], _ yShape: [Int], _ folder: URL, _ name: String
  ) throws {
    var data = Data()
    try NPZ.write([("x", try integers(x, xShape)), ("y", try integers(y, yShape))]) { data.append($0) }
    try data.write(to: folder.appendingPathComponent("\(name).batches.npz"))
  }

  // MARK: - Models

  static var characters: ModelSpec {
    var lstm = LSTMSpec(units: 256)
    lstm.options.returnSequences = true
    var dense = DenseSpec(units: 96)
    dense.activation = .softmax
    return .sequential(
      name: "characters",
      layers: [
        ModelSpec.Layer(name: "input", spec: .input(InputSpec(shape: [64], dtype: "int32"))),
        ModelSpec.Layer(
          name: "embedding", spec: .embedding(EmbeddingSpec(inputDim: 96, outputDim: 64, maskZero: false))),
        ModelSpec.Layer(name: "lstm", spec: .lstm(lstm)), ModelSpec.Layer(name: "lstm_1", spec: .lstm(lstm)),
        ModelSpec.Layer(name: "dense", spec: .dense(dense)),
      ])
  }

  private static var gru: ModelSpec {
    var gru = GRUSpec(units: 128, resetAfter: true)
    gru.options.returnSequences = true
    var backward = gru
    backward.options.goBackwards = true
    let both = BidirectionalSpec(
      forward: ModelSpec.Layer(name: "forward_gru", spec: .gru(gru)),
      backward: ModelSpec.Layer(name: "backward_gru", spec: .gru(backward)), merge: .concatenate)
    return .sequential(
      name: "gru",
      layers: [
        ModelSpec.Layer(name: "input", spec: .input(InputSpec(shape: [200, 64]))),
        ModelSpec.Layer(name: "bidirectional", spec: .bidirectional(both)),
      ])
  }

  /// A sequence in, a number at each step out.
  private static func streaming(_ units: Int) -> ModelSpec {
    var lstm = LSTMSpec(units: units)
    lstm.options.returnSequences = true
    return .sequential(
      name: "streaming",
      layers: [
        ModelSpec.Layer(name: "input", spec: .input(InputSpec(shape: [nil, 1]))),
        ModelSpec.Layer(name: "lstm", spec: .lstm(lstm)),
        ModelSpec.Layer(name: "dense", spec: .dense(DenseSpec(units: 1))),
      ])
  }

  /// One step of it, with the states going in and out, as a graph without a memory must have it.
  private static func streamingStep(_ units: Int) -> ModelSpec {
    var lstm = LSTMSpec(units: units)
    lstm.options.returnState = true
    let layers = [
      ModelSpec.Layer(name: "input", spec: .input(InputSpec(shape: [1, 1]))),
      ModelSpec.Layer(name: "h", spec: .input(InputSpec(shape: [units]))),
      ModelSpec.Layer(name: "c", spec: .input(InputSpec(shape: [units]))),
      ModelSpec.Layer(name: "lstm", spec: .lstm(lstm)),
      ModelSpec.Layer(name: "dense", spec: .dense(DenseSpec(units: 1))),
    ]
    func of(_ call: Int, _ output: Int = 0) -> ModelSpec.Reference { ModelSpec.Reference(call: call, output: output) }
    return ModelSpec(
      name: "step", isSequential: false, layers: layers,
      calls: [
        ModelSpec.Call(layer: 0, inputs: []), ModelSpec.Call(layer: 1, inputs: []),
        ModelSpec.Call(layer: 2, inputs: []),
        ModelSpec.Call(layer: 3, inputs: [of(0), of(1), of(2)]), ModelSpec.Call(layer: 4, inputs: [of(3)]),
      ], inputs: [0, 1, 2], outputs: [of(4), of(3, 1), of(3, 2)])
  }
}

/// A plain generator of numbers in 0 ..< 1 (Knuth's MMIX).
struct Random {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> Double {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Double(state >> 11) * 0x1p-53
  }
}
