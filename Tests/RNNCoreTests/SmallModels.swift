import Foundation
import RNNCore
import Testing

/// Models that tests build by hand.
enum SmallModels {
  /// Ids (batch, 4) -> embedding (5 x 3) -> GRU (2) -> dense (1): seven parameters of every rank.
  static func classifier() throws -> NativeModel {
    let spec = ModelSpec.sequential(
      name: "classifier",
      layers: [
        .init(name: "ids", spec: .input(InputSpec(shape: [4], dtype: "int32"))),
        .init(name: "words", spec: .embedding(EmbeddingSpec(inputDim: 5, outputDim: 3, maskZero: true))),
        .init(name: "gru", spec: .gru(GRUSpec(units: 2, resetAfter: true)), isTrainable: false),
        .init(name: "out", spec: .dense(DenseSpec(units: 1)), carried: #"{"kernel_initializer": "zeros"}"#),
      ])
    var model = NativeModel(
      spec: spec, parameters: [],
      provenance: Provenance(source: "model.h5", container: "HDF5", framework: "Keras", dialect: "keras2"))
    model.parameters = try [
      parameter("words", "embeddings", [5, 3]), parameter("gru", "kernel", [3, 6]),
      parameter("gru", "recurrent_kernel", [2, 6]), parameter("gru", "bias", [2, 6]),
      parameter("out", "kernel", [2, 1]), parameter("out", "bias", [1]),
    ]
    return model
  }

  /// 0, 1, 2, ... so that every element differs.
  static func parameter(_ layer: String, _ name: String, _ shape: [Int]) throws -> NativeModel.Parameter {
    let count = shape.reduce(1, *)
    return .init(layer: layer, name: name, tensor: try Tensor((0..<count).map { Float($0) }, shape: shape))
  }

  /// The classifier with everything that a `.rnn` file may carry.
  static func complete() throws -> NativeModel {
    var model = try classifier()
    model.optimizerSlots = [
      .init(path: "Adam/iterations:0", tensor: try Tensor([7] as [Int64], shape: [])),
      .init(path: "Adam/m/out/kernel:0", tensor: try Tensor([0.5, -0.5] as [Float], shape: [2, 1])),
    ]
    model.training = #"{"loss": "mse", "x": NaN}"#
    var rules = TextRules()
    rules.unknownID = 2
    rules.length = 4
    rules.truncating = .post
    model.text = TextBundle(
      rules: rules, words: try Tensor(dtype: .uint8, shape: [7], bytes: Data("filmüx".utf8)),
      offsets: try Tensor([0, 4, 6, 7] as [Int64], shape: [4]))
    model.provenance.sha256 = String(repeating: "0", count: 64)
    model.provenance.frameworkVersion = "2.2.4"
    model.provenance.backend = "tensorflow"
    model.provenance.decisions = ["one", "two"]
    model.provenance.tensorNames = (0..<6).map { "w\($0):0" }
    model.ledger = [LedgerEntry(.carried, "out", "kept"), LedgerEntry(.dropped, "metrics", "left out")]
    return model
  }

  /// The metadata and tensors of a file, one of them changed.
  static func changed(_ change: (inout Safetensors) throws -> Void) throws -> Safetensors {
    var file = try complete().safetensors()
    try change(&file)
    return file
  }
}

extension Safetensors {
  /// Sets or, with `nil`, removes an item of the metadata.
  mutating func setMetadata(_ key: String, _ value: String?) {
    metadata.removeAll { $0.key == key }
    if let value { metadata.append((key, value)) }
  }
}
