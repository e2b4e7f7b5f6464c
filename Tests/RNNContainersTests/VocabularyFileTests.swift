import Foundation
import RNNCore
import RNNText
import Testing

@testable import RNNContainers

@Suite struct VocabularyFileTests {
  private func tokenizer(_ data: Data, location: SourceLocation = #_sourceLocation) throws -> KerasTokenizer? {
    switch try VocabularyFile(parsing: data) {
    case .tokenizer(let tokenizer): return tokenizer
    case .ranks:
      Issue.record("ranks, no Tokenizer", sourceLocation: location)
      return nil
    }
  }

  private func ranks(_ text: String, location: SourceLocation = #_sourceLocation) throws -> [String] {
    switch try VocabularyFile(parsing: Data(text.utf8).shifted) {
    case .ranks(let ranks): return ranks.map { "\($0.word)=\($0.rank)" }
    case .tokenizer:
      Issue.record("a Tokenizer, no ranks", sourceLocation: location)
      return []
    }
  }

  @Test func readsTokenizersOfEveryProtocol() throws {
    for (origin, base64) in TokenizerPickles.all {
      let data = try #require(Data(base64Encoded: base64, options: .ignoreUnknownCharacters))
      let read = try #require(try tokenizer(data))
      let words = Dictionary(uniqueKeysWithValues: read.wordIndex.map { ($0.word, $0.rank) })
      #expect(words == ["the": 1, "h\u{E9}": 2], "\(origin)")
      #expect(read.numWords == 70000, "\(origin)")
      #expect(read.filters == "!\n\t" && read.split == " ", "\(origin)")
      #expect(read.lower && !read.charLevel && read.oovToken == nil, "\(origin)")
    }
  }

  @Test func readsTokenizerJSON() throws {
    let json = #"""
      {"class_name": "Tokenizer", "config": {"num_words": 50, "filters": "!", "lower": false, "split": ",",
      "char_level": true, "oov_token": "<OOV>", "document_count": 2, "word_counts": "{\"a\": 3}",
      "word_index": "{\"<OOV>\": 1, \"caf\\u00e9\": 2, \"\\\"\": 3}"}}
      """#
    for text in [json, JSONValue.string(json).text()] {
      let read = try #require(try tokenizer(Data(text.utf8)))
      #expect(read.wordIndex.map(\.word) == ["<OOV>", "caf\u{E9}", "\""])
      #expect(read.wordIndex.map(\.rank) == [1, 2, 3])
      #expect(read.numWords == 50 && read.filters == "!" && !read.lower && read.split == "," && read.charLevel)
      #expect(read.oovToken == "<OOV>")
    }
    let least = #"{"class_name": "Tokenizer", "config": {"num_words": null, "word_index": "{\"a\": 1}"}}"#
    let read = try #require(try tokenizer(Data(least.utf8)))
    #expect(read.numWords == nil && read.filters == TextRules.kerasFilters && read.lower && read.oovToken == nil)
  }

  @Test func readsRanks() throws {
    #expect(try ranks(#"{"the": 1, "a\"b" : 2 ,"é":34701}"#) == ["the=1", "a\"b=2", "é=34701"])
    #expect(try ranks("\u{FEFF} {\n\"the\":1}\n") == ["the=1"])
    // Two words for Python, though Swift's strings call them equal.
    #expect(try ranks("{\"\u{E9}\":1,\"e\u{301}\":2}").count == 2)
  }

  @Test func refusesDamagedJSON() {
    for text in [
      #"{"a":1"#, #"{"a":1,}"#, #"{"a":1}x"#, #"{"a":1,"b"}"#, #"{"a":1,"b":1.5}"#, #"{"a":1,"b":}"#, #"{"a":1,"b"#,
      #"{"a":1 "b":2}"#, #"{"a":1,"b":99999999999999999999}"#, #"{"a":1,"b\"#, #"{"a":1,"b\q":2}"#, #"{"a":1,2:3}"#,
      #"{"a":-}"#, #"{"class_name": "Tokenizer", "config": {"word_index": "{}"}}"#,
      #"{"class_name": "Tokenizer", "config": {}}"#, #"{"class_name": "Tokenizer"}"#, "{",
      #"{"class_name": "Tokenizer", "config": {"word_index": "{\"a\":1}", "lower": "yes"}}"#,
    ] {
      expectError(.badData) { try VocabularyFile(parsing: Data(text.utf8)) }
    }
    expectError(.badData, containing: "not UTF-8") { try VocabularyFile(parsing: Data(hex: "7B22FF223A317D")) }
  }

  @Test func refusesOtherFilesByName() throws {
    func refuses(_ text: String, _ data: Data) {
      expectError(.unsupported, containing: text) { try VocabularyFile(parsing: data) }
    }
    refuses("an HDF5 file", Data(hex: "894844460D0A1A0A"))
    refuses("of no known kind", Data("hello".utf8))
    refuses("no vocabulary", Data("[1, 2]".utf8))
    refuses("no vocabulary", Data(#"{"1": "the"}"#.utf8))
    refuses("no vocabulary", Data(#""a string""#.utf8))
    refuses("sklearn.preprocessing._data.StandardScaler", Data("csklearn.preprocessing._data\nStandardScaler\n.".utf8))
    refuses("expected a Keras Tokenizer", Data(hex: "80047D2E"))
    // A Tokenizer that something other than its state follows.
    refuses("never run", Data("c__builtin__\nint\n)R.".utf8))
  }

  @Test func refusesTokenizersThatAreNone() {
    let start = "ckeras.preprocessing.text\nTokenizer\n)R"
    func refuses(_ text: String, _ state: String, _ reason: RNNError.Reason = .badData) {
      expectError(reason, containing: text) { try KerasTokenizer(pickle: Data((start + state + ".").utf8)) }
    }
    refuses("expected a Keras Tokenizer", "", .unsupported)
    refuses("no word_index", "}b")
    refuses("knows no words", "(S'word_index'\n}db")
    refuses("maps a string to None", "(S'word_index'\n(Va\nNddb")
    refuses("num_words is a list", "(S'word_index'\n(Va\nI1\ndS'num_words'\n]db")
    refuses("lower is an int", "(S'word_index'\n(Va\nI1\ndS'lower'\nI7\ndb")
  }

  @Test func oldTokenizersDoNotLowercaseCharacters() throws {
    func lower(_ word: String) throws -> Bool {
      let state = "(S'nb_words'\nI9\nS'char_level'\nI01\nS'word_index'\n(V\(word)\nI1\nVUNK\nI2\nddb."
      let read = try KerasTokenizer(pickle: Data(("ckeras.preprocessing.text\nTokenizer\n)R" + state).utf8))
      #expect(read.numWords == 9 && read.charLevel)
      return read.lower
    }
    #expect(try !lower("A"))
    #expect(try lower("a"))
  }

  // MARK: - Against Keras

  /// Ids that Keras's own `texts_to_sequences` gave.
  private func check(_ file: Data, _ expected: JSONValue, _ name: String) throws {
    let read = try #require(try tokenizer(file))
    let bundle = try TextBundle.keras(
      wordIndex: read.wordIndex, numWords: read.numWords, filters: read.filters, lower: read.lower, split: read.split,
      charLevel: read.charLevel, oovToken: read.oovToken)
    let encoder = try TextEncoder(bundle)
    let cases = try #require(expected.array ?? expected["cases"]?.array)
    #expect(!cases.isEmpty)
    for item in cases {
      let ids = try #require(item["ids"]?.array).compactMap(\.integer)
      #expect(encoder.ids(for: try #require(item["text"]?.string)) == ids, "\(name)")
    }
    guard expected.object != nil else { return }
    if let words = expected["words"]?.integer { #expect(read.wordIndex.count == words, "\(name)") }
    if let value = expected["num_words"] { #expect(read.numWords == value.integer, "\(name)") }
    if let value = expected["oov_token"] { #expect(read.oovToken == value.string, "\(name)") }
    if let value = expected["filters"]?.string { #expect(read.filters == value, "\(name)") }
    if let value = expected["lower"]?.bool { #expect(read.lower == value, "\(name)") }
    if let value = expected["char_level"]?.bool { #expect(read.charLevel == value, "\(name)") }
  }

  @Test func agreesWithKeras() throws {
    let suffix = ".expected.json"
    for folder in [TestFiles.shared("wild/tokenizers"), TestFiles.fixture("tokenizers")] {
      let files = ["json", "pickle", "pkl"].flatMap { TestFiles.files(under: folder, withExtension: $0) }
      for url in files where !url.path.hasSuffix(suffix) {
        let expectation = URL(fileURLWithPath: url.deletingPathExtension().path + suffix)
        guard let text = TestFiles.contents(expectation) else { continue }
        if url.lastPathComponent.contains("unfitted") {
          // Keras would answer every text with nothing; a person wants to hear why.
          let error = #expect(throws: RNNError.self) { try VocabularyFile(parsing: try Data(contentsOf: url)) }
          #expect(error?.what.contains("fit_on_texts") == true)
          continue
        }
        try check(try Data(contentsOf: url), try JSONValue(parsing: text), url.lastPathComponent)
      }
    }
  }

  @Test func readsTheWholeVocabularyOfIMDB() throws {
    guard let data = TestFiles.contents(TestFiles.shared("imdb_word_index.json")) else { return }
    guard case .ranks(let ranks) = try VocabularyFile(parsing: data) else {
      Issue.record("no ranks")
      return
    }
    #expect(ranks.count == 88_584)
    #expect(ranks.first { $0.rank == 1 }?.word == "the")
  }
}
