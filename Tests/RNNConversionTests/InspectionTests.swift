import Foundation
import RNNConversion
import RNNCore
import RNNTestSupport
import Testing

/// What `inspect` tells, against what Keras says of the same model.
struct InspectionTests {
  private func inspection(_ path: String) throws -> Inspection {
    try Inspection(contentsOf: Fixtures.folder.appendingPathComponent(path), helper: helper)
  }

  /// `model.summary()` of the published network: shapes and counts by Keras's formulas.
  @Test func summaryMatchesKeras() throws {
    let seen = try inspection("sentiment/model.h5")
    #expect(seen.container == "HDF5")
    #expect(seen.framework == "Keras")
    #expect(seen.dialect == "keras3")
    let layers = seen.layers.filter { $0.kind != "InputLayer" }
    #expect(
      layers.map(\.kind) == [
        "Embedding", "Dropout", "Conv1D", "MaxPooling1D", "LSTM", "Dense", "Activation",
      ])
    #expect(
      layers.map(\.outputShape) == [
        [nil, 100, 32], [nil, 100, 32], [nil, 96, 64], [nil, 24, 64], [nil, 70], [nil, 1], [nil, 1],
      ])
    #expect(
      layers.map(\.parameterCount) == [
        5000 * 32, 0, 5 * 32 * 64 + 64, 0, 4 * 70 * (64 + 70 + 1), 71, 0,
      ])
  }

  /// Layers around others: their own `count_params()` in Keras 3.15.
  @Test(arguments: [
    ("bidirectional-own-backward-units/model.h5", ["bidirectional": 268]),
    ("rnn-cells--h5/model.h5", ["rnn": 376]),
    ("timedistributed-sequential-mask/model.h5", ["time_distributed": 24, "lstm": 96, "time_distributed_1": 8]),
    ("nested-deep/model.h5", ["middle": 188, "dense_3": 10]),
    ("nested-called-twice/model.h5", ["inner": 176, "dense": 14]),
    ("activation-objects--keras/model.keras", ["dense": 28, "dense_1": 28, "dense_2": 32, "dense_3": 28]),
  ])
  func whatLiesInsideALayerCountsAsItsOwn(_ path: String, _ counts: [String: Int]) throws {
    let layers = try inspection("keras-3.15/" + path).layers.filter { $0.parameterCount > 0 }
    #expect(Dictionary(layers.map { ($0.name, $0.parameterCount) }, uniquingKeysWith: +) == counts)
  }

  @Test func everyEraIsNamedWithItsReason() throws {
    for (path, dialect, version) in [
      ("keras-1.2.2/lstm/model.h5", "keras1", "1.2.2"), ("keras-2.2.4/lstm/model.h5", "keras2", "2.2.4"),
      ("tf-keras-2.19/lstm/model.h5", "keras2", "2.19.0"), ("keras-3.15/lstm/model.h5", "keras3", "3.15.1"),
      ("keras-3.15/published--keras/model.keras", "keras3", "3.15.1"),
    ] {
      let seen = try inspection(path)
      #expect(seen.dialect == dialect)
      #expect(seen.version == version)
      #expect(seen.decisions.first?.contains(version) == true)
    }
    let old = try inspection("keras-1.2.2/lstm/model.h5")
    #expect(old.decisions.contains { $0.contains("i, c, f, o") })
    #expect(old.decisions.contains { $0.contains("0.2 x + 0.5") })
    let new = try inspection("keras-3.15/activation-hard-sigmoid/model.h5")
    #expect(new.decisions.contains { $0.contains("x / 6 + 0.5") })
  }

  @Test func customObjectsAreListed() throws {
    for name in ["custom-loss", "custom-metric", "custom-initializer"] {
      let seen = try inspection("keras-3.15/\(name)/model.h5")
      #expect(seen.ledger.contains { $0.note.contains("custom") }, "\(name)")
      #expect(!seen.layers.isEmpty, "\(name)")
    }
  }

  @Test func weightsWithoutArchitectureAreShown() throws {
    let seen = try inspection("keras-3.15/published--weights/model.weights.h5")
    #expect(seen.layers.isEmpty)
    #expect(seen.tensors.contains { $0.name == "layers/lstm/cell/vars/0" })
    #expect(seen.warnings.contains { $0.contains("architecture") })
  }

  @Test func jsonSaysTheSame() throws {
    let seen = try inspection("sentiment/model.h5")
    let json = try JSONValue(parsing: seen.json.text(indent: 2))
    #expect(json["layers"]?.array?.count == seen.layers.count)
    #expect(json["tensors"]?.array?.count == seen.tensors.count)
    #expect(json["parameters"]?.integer == seen.parameterCount)
    #expect(json["dialect"] == "keras3")
  }
}
