import Foundation
import RNNCore
import RNNTestSupport
import Testing

@Suite struct NativeFileRefusalTests {
  private func refuses(
    _ reason: RNNError.Reason = .badData, _ message: String, location: SourceLocation = #_sourceLocation,
    _ change: (inout Safetensors) throws -> Void
  ) {
    expectError(reason, naming: message, location: location) {
      try NativeModel(parsing: try SmallModels.changed(change).serialized())
    }
  }

  private func tensor(_ shape: [Int]) throws -> Tensor {
    try Tensor([Float](repeating: 0, count: shape.reduce(1, *)), shape: shape)
  }

  @Test func otherSafetensorsAreNoModels() {
    refuses(.badData, "no .rnn") { $0.setMetadata("format", nil) }
    refuses(.badData, "no .rnn") { $0.setMetadata("format", "pt") }
  }

  @Test func statesNeedACallAndANumber() throws {
    for name in ["states/", "states/0", "states/a/0", "states/0/-1", "states/0/1/2"] {
      let states = try tensor([1, 2])
      refuses(.badData, "'\(name)'") { $0.entries.append(.init(name: name, tensor: states)) }
    }
    let flat = try tensor([2])
    refuses(.badData, "rank 2") { $0.entries.append(.init(name: "states/0/0", tensor: flat)) }
  }

  @Test func newerVersionsAreNotSupported() {
    refuses(.unsupported, "version 2") { $0.setMetadata("format_version", "2") }
    refuses(.unsupported, "version 1000") { $0.setMetadata("format_version", "1000") }
    for text in ["", "0", "-1", "1.0", "one", " 1"] {
      refuses(.badData, "format_version") { $0.setMetadata("format_version", text) }
    }
    refuses(.badData, "format_version") { $0.setMetadata("format_version", nil) }
  }

  @Test func theModelAndItsProvenanceAreNeeded() {
    for key in ["model", "provenance"] {
      refuses(.badData, "the model or its provenance") { $0.setMetadata(key, nil) }
      for text in ["", "{", "null", "[]", "{}", "1"] { refuses(.badData, "'\(key)'") { $0.setMetadata(key, text) } }
    }
    for key in ["text", "ledger"] {
      for text in ["", "{", "1"] { refuses(.badData, "'\(key)'") { $0.setMetadata(key, text) } }
    }
  }

  @Test func unknownWordsInTheModelAreRefused() throws {
    let text = try #require(try SmallModels.complete().safetensors()[metadata: "model"])
    for (old, new) in [
      ("\"Dense\"", "\"Lambda\""), ("\"sigmoid\"", "\"sigmoid2\""), ("\"units\":2", "\"units\":2.5"),
      ("\"units\":2", "\"units\":\"2\""), ("\"units\":2", "\"units\":99999999999999999999"),
      ("\"resetAfter\":true", "\"resetAfter\":1"),
    ] {
      let changed = text.replacingOccurrences(of: old, with: new)
      #expect(changed != text)
      refuses(.badData, "'model'") { $0.setMetadata("model", changed) }
    }
  }

  @Test func everyMissingOrMisshapenParameterIsNamed() throws {
    var model = try SmallModels.classifier()
    model.parameters[0].tensor = try tensor([3, 5])
    model.parameters[4].name = "kernels"
    model.parameters.append(model.parameters[5])
    model.parameters.remove(at: 1)
    expectError(
      .badData, naming: "'words/embeddings' is [3, 5], expected [5, 3]", "'gru/kernel' [3, 6] is missing",
      "'out/kernel' [2, 1] is missing", "'out/kernels' belongs to no layer", "'out/bias' stands twice"
    ) { try model.validate() }
  }

  @Test func aFileNamesEveryParameterThatDoesNotFit() throws {
    expectError(
      .badData, naming: "words/embeddings", "gru/bias", "out/more", "nowhere/kernel", "out/bias"
    ) {
      try NativeModel(
        parsing: try SmallModels.changed { file in
          file.entries.removeAll { ["parameters/words/embeddings", "parameters/gru/bias"].contains($0.name) }
          file.entries.append(.init(name: "parameters/out/more", tensor: try tensor([2])))
          file.entries.append(.init(name: "parameters/nowhere/kernel", tensor: try tensor([2])))
          let bias = try #require(file.entries.firstIndex { $0.name == "parameters/out/bias" })
          file.entries[bias].tensor = try tensor([1, 1])
        }.serialized())
    }
  }

  @Test func tensorsOutsideTheReservedNamesAreRefused() {
    for name in ["kernel", "", "text/more", "Parameters/out/kernel", "model/parameters/out/kernel", "text"] {
      refuses(.badData, "'\(name)'") { $0.entries.append(.init(name: name, tensor: try tensor([1]))) }
    }
  }

  @Test func aVocabularyIsTwoTensorsAndItsRules() throws {
    refuses(.badData, "without its rules") { $0.setMetadata("text", nil) }
    for name in ["text/words", "text/offsets"] {
      refuses(.badData, "vocabulary") { $0.entries.removeAll { $0.name == name } }
      for replacement in [
        try Tensor([0, 1] as [Float], shape: [2]), try Tensor(dtype: .uint8, shape: [1, 7], bytes: Data(count: 7)),
        try Tensor([0] as [Int64], shape: []), try Tensor([] as [Int64], shape: [0]),
        try Tensor([0, 7] as [Int64], shape: [1, 2]),
      ] {
        refuses(.badData, "vocabulary") { file in
          let index = try #require(file.entries.firstIndex { $0.name == name })
          file.entries[index].tensor = replacement
        }
      }
    }
  }

  @Test func aBrokenGraphIsRefused() throws {
    let text = try #require(try SmallModels.complete().safetensors()[metadata: "model"])
    let data = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    func with(_ key: String, _ value: Any) throws -> String {
      var copy = data
      copy[key] = value
      return String(decoding: try JSONSerialization.data(withJSONObject: copy), as: UTF8.self)
    }
    let calls = try #require(data["calls"] as? [[String: Any]])
    var far = calls
    far[2]["layer"] = Int.max
    var negative = calls
    negative[3]["inputs"] = [["call": -1, "output": 0]]
    var ahead = calls
    ahead[1]["inputs"] = [["call": 3, "output": 0]]
    for (key, value) in [
      ("calls", far as Any), ("calls", negative), ("calls", ahead), ("calls", [Any]()), ("inputs", [9]),
      ("inputs", [-1]),
      ("inputs", [Int]()), ("outputs", [["call": 9, "output": 0]]), ("outputs", [["call": 3, "output": 1]]),
      ("outputs", [["call": 3, "output": -1]]), ("outputs", [Any]()), ("layers", [Any]()),
    ] {
      let changed = try with(key, value)
      refuses(.badData, "") { $0.setMetadata("model", changed) }
    }
  }
}
