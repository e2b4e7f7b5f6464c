import Foundation
import RNNCore
import Testing

@testable import RNNText

@Suite struct TextEncoderTests {
  private let ranks: [(word: String, rank: Int)] = [("the", 1), ("film", 3), ("good", 2), ("rare", 9)]

  private func imdb(_ text: String, _ length: Int? = nil, numWords: Int? = nil, post: Bool = false) throws -> [Int] {
    let side: TextRules.Side = post ? .post : .pre
    let bundle = try TextBundle.imdb(
      ranks: ranks, numWords: numWords, length: length, padding: side, truncating: side)
    return try TextEncoder(bundle).ids(for: text)
  }

  @Test func followsTheConventionsOfIMDB() throws {
    #expect(try imdb("The good, rare film!") == [1, 4, 5, 12, 6])
    #expect(try imdb("the bad film") == [1, 4, 2, 6])
    #expect(try imdb("the rare film", numWords: 12) == [1, 4, 2, 6])
    #expect(try imdb("the rare film", numWords: 13) == [1, 4, 12, 6])
    #expect(try imdb("the good", numWords: 2) == [1, 2, 2])
    #expect(try imdb("") == [1])
  }

  @Test func padsAndTruncatesAsKerasDoes() throws {
    #expect(try imdb("the good film", 6) == [0, 0, 1, 4, 5, 6])
    #expect(try imdb("the good film", 6, post: true) == [1, 4, 5, 6, 0, 0])
    #expect(try imdb("the good film", 3) == [4, 5, 6])
    #expect(try imdb("the good film", 3, post: true) == [1, 4, 5])
    #expect(try imdb("", 2) == [0, 1])
  }

  @Test func storesOnlyTheWordsThatCanHaveAnID() throws {
    let bundle = try TextBundle.imdb(ranks: ranks, numWords: 6)
    #expect(bundle.words.bytes == Data("thegood".utf8))
    #expect(bundle.rules.firstID == 4)
    let gaps = try TextBundle.keras(wordIndex: ranks)
    #expect(gaps.offsets.integers() == [0, 3, 7, 11, 11, 11, 11, 11, 11, 15])
    #expect(gaps.rules.firstID == 1)
  }

  @Test func followsKerasTokenizer() throws {
    func ids(_ text: String, numWords: Int? = nil, oov: String? = nil) throws -> [Int] {
      try TextEncoder(TextBundle.keras(wordIndex: ranks, numWords: numWords, oovToken: oov)).ids(for: text)
    }
    #expect(try ids("the bad rare film") == [1, 9, 3])
    #expect(try ids("the bad rare film", numWords: 3) == [1])
    #expect(try ids("the bad rare film", numWords: 0) == [1, 9, 3])
    #expect(try ids("the bad rare film", oov: "good") == [1, 2, 9, 3])
    #expect(try ids("the bad rare film", numWords: 3, oov: "good") == [1, 2, 2, 2])
    // Its index counts even where it lies past num_words, and a token without one is none.
    #expect(try ids("the bad", numWords: 3, oov: "rare") == [1, 9])
    #expect(try ids("the bad", oov: "absent") == [1])
    let bundle = try TextBundle.keras(wordIndex: [("a", 1), ("b", 2), ("!", 3)], charLevel: true, length: 5)
    #expect(try TextEncoder(bundle).ids(for: "AxB!") == [0, 0, 1, 2, 3])
  }

  @Test func refusesRanksThatAreNone() {
    func refuses(_ text: String, _ ranks: [(word: String, rank: Int)], numWords: Int? = nil) {
      expectBadData(text) { try TextBundle.imdb(ranks: ranks, numWords: numWords) }
      expectBadData(text) { try TextBundle.keras(wordIndex: ranks, numWords: numWords) }
    }
    refuses("expected 0 or more", [("a", -1)])
    refuses("the same rank 1", [("a", 1), ("b", 1)])
    refuses("no vocabulary", [("a", 1), ("b", .max)])
    refuses("no vocabulary", [("a", 1), ("b", 1_000_000)])
    #expect(throws: Never.self) { try TextBundle.imdb(ranks: [("a", 1), ("b", .max)], numWords: 50) }
    #expect(throws: Never.self) { try TextBundle.imdb(ranks: [("a", 1)], numWords: .min) }
    expectBadData("stands twice") {
      try TextEncoder(try TextBundle.keras(wordIndex: [("a", 1), ("a", 2)])).ids(for: "a")
    }
  }

  @Test func refusesRulesThatMakeNoSense() throws {
    var bundle = try TextBundle.keras(wordIndex: ranks)
    for length in [0, -1, Int.max, Int.min] {
      bundle.rules.length = length
      expectBadData("length") { try TextEncoder(bundle) }
    }
    bundle.rules.length = nil
    bundle.rules.firstID = .max
    expectBadData("first id") { try TextEncoder(bundle) }
  }

  // MARK: - Real vocabularies

  private func ranks(_ data: Data) throws -> [(word: String, rank: Int)] {
    let object = try #require(try JSONValue(parsing: data).object)
    return try object.members.map { ($0.key, try #require($0.value.integer)) }
  }

  /// Ids that Keras gave for the sentences of the sentiment model.
  @Test func agreesWithTheSentimentFixture() throws {
    guard let index = TestFiles.fixture("sentiment/word_index.json"),
      let sentences = TestFiles.fixture("sentiment/sentences.jsonl")
    else { return }
    let encoder = try TextEncoder(try TextBundle.imdb(ranks: try ranks(index), numWords: 5000, length: 100))
    let lines = sentences.split(separator: UInt8(ascii: "\n"))
    #expect(lines.count >= 30)
    for line in lines {
      let sentence = try JSONValue(parsing: line)
      let expected = try #require(sentence["ids"]?.array).compactMap(\.integer)
      #expect(encoder.ids(for: try #require(sentence["text"]?.string)) == expected)
    }
  }

  @Test func holdsTheWholeVocabularyOfIMDB() throws {
    guard let data = TestFiles.shared("imdb_word_index.json") else { return }
    let ranks = try ranks(data)
    let bundle = try TextBundle.imdb(ranks: ranks)
    let encoder = try TextEncoder(bundle)
    #expect(encoder.vocabulary.count == 88_584)
    for (word, rank) in ranks { #expect(encoder.vocabulary.position(of: word.utf8) == rank - 1) }
  }
}
