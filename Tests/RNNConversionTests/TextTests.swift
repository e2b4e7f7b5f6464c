import Foundation
import RNNConversion
import RNNCore
import RNNRuntime
import RNNTestSupport
import Testing

/// Text through the library, against Keras's ids and probabilities.
struct TextTests {
  private let folder = Fixtures.folder.appendingPathComponent("sentiment")

  private func model(_ change: (inout TextOptions) -> Void = { _ in }) throws -> Model {
    var options = ImportOptions()
    options.helper = helper
    options.text.vocabulary = folder.appendingPathComponent("word_index.json")
    change(&options.text)
    return try Model(try ModelImport.model(from: folder.appendingPathComponent("model.h5"), options: options))
  }

  @Test func sentencesHaveKerasIdsAndProbabilities() throws {
    let model = try model()
    let lines = try String(contentsOf: folder.appendingPathComponent("sentences.jsonl"), encoding: .utf8)
    for line in lines.split(separator: "\n") {
      let json = try JSONValue(parsing: String(line))
      let text = try #require(json["text"]?.string)
      let expected = try #require(json["probability"]?.double)
      #expect(try model.ids(for: text).integers() == json["ids"]?.array?.compactMap(\.integer), "\(text)")
      let value = Double(try model.predict(text)[0])
      // 2e-6 is a few float32 roundings of a probability; 1e-5 allows for the order of long sums.
      #expect(abs(value - expected) <= 2e-6 + 1e-5 * expected, "\(text)")
    }
  }

  @Test func theUserCanChangeLengthAndSides() throws {
    let text = "a b c"
    let standard = try #require(try model().ids(for: text).integers())
    #expect(standard.count == 100)
    #expect(standard.prefix(96).allSatisfy { $0 == 0 })
    let post = try #require(try model { $0.padding = .post }.ids(for: text).integers())
    #expect(post == Array(standard.suffix(4)) + [Int](repeating: 0, count: 96))
    let few = try #require(try model { $0.numWords = 10 }.ids(for: "the zebra").integers())
    // "the" has rank 1 and so id 4; everything from id 10 on is unknown, 2.
    #expect(few.suffix(3) == [1, 4, 2])
  }

  @Test func aVocabularyNeedsAnEmbedding() throws {
    var options = ImportOptions()
    options.helper = helper
    options.text.vocabulary = folder.appendingPathComponent("word_index.json")
    let file = Fixtures.folder.appendingPathComponent("keras-3.15/lstm/model.h5")
    let error = #expect(throws: RNNError.self) { try ModelImport.model(from: file, options: options) }
    #expect(error?.what.contains("Embedding") == true)
  }

  @Test func theTextSurvivesTheNativeFile() throws {
    let temporary = try TemporaryFolder()
    let first = try model()
    try first.native.write(to: temporary.file("model.rnn"), replacing: false)
    let second = try Model(contentsOf: temporary.file("model.rnn"))
    let text = "A Wonderful Film -- truly!"
    #expect(try second.predict(text) == first.predict(text))
  }
}
