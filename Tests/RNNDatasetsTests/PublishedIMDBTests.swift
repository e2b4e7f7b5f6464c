import Foundation
import RNNContainers
import RNNCore
import RNNTestSupport
import RNNText
import Testing

@testable import RNNDatasets

/// Against `keras.datasets.imdb.load_data` (`fixtures/datasets/imdb-expected.npz`).
@Suite struct PublishedIMDBTests {
  private func cases() throws -> [JSONValue] {
    try #require(try JSONValue(parsing: try FixtureArrays.data("imdb-cases.json")).array)
  }

  private func options(_ json: JSONValue) throws -> PublishedIMDB.Options {
    var options = PublishedIMDB.Options()
    for member in try #require(json.object).members {
      let value = member.value.integer
      switch member.key {
      case "num_words": options.numWords = value
      case "skip_top": options.skipTop = try #require(value)
      case "maxlen": options.maxlen = value
      case "seed": options.seed = UInt32(try #require(value))
      case "start_char": options.startChar = value
      case "oov_char": options.oovChar = value
      case "index_from": options.indexFrom = try #require(value)
      default: Issue.record("an unknown argument: \(member.key)")
      }
    }
    return options
  }

  @Test func givesKerassRowsInKerassOrder() throws {
    let expected = try FixtureArrays("imdb-expected.npz")
    for (index, json) in try cases().enumerated() {
      let set = try PublishedIMDB(contentsOf: FixtureArrays.url("imdb.npz"), options: try options(json))
      for (name, part) in [("train", set.train), ("test", set.test)] {
        let prefix = "\(index)_\(name)_"
        #expect(part.sequences == (try expected.lists(prefix)), "\(json) \(name)")
        #expect(part.labels == (try expected.integers(prefix + "labels")), "\(json) \(name)")
      }
    }
  }

  @Test func becomesADataset() throws {
    let set = try PublishedIMDB(contentsOf: FixtureArrays.url("imdb.npz"), options: .init(numWords: 50))
    let data = try set.dataset(length: 12, padding: .post)
    #expect(data.inputs.map(\.shape) == [[60, 12]])
    #expect(data.targets.map(\.shape) == [[60]])
    #expect(data.inputs == [try SequencePadding.pad(set.train.sequences, length: 12, padding: .post)])
    #expect(data.targets[0].integers() == set.train.labels)
    #expect(data.validation?.count == 45)
    #expect(data.evaluation.targets[0].integers() == set.test.labels)
    #expect(data.text == nil)
    // Without a length, that of the longest review of both halves.
    let longest = max(set.train.sequences.longest, set.test.sequences.longest)
    let free = try set.dataset()
    #expect(free.inputs[0].shape == [60, longest])
    #expect(free.validation?.inputs[0].shape == [45, longest])
  }

  @Test func givesTheRulesOfItsText() throws {
    let ranks = (1...20).map { (word: "w\($0)", rank: $0) }
    let url = FixtureArrays.url("imdb.npz")
    let text = "w1 w2 w9 w20 new"
    let usual = try PublishedIMDB(contentsOf: url, options: .init(numWords: 13)).dataset(length: 7, ranks: ranks)
    #expect(try TextEncoder(try #require(usual.text)).ids(for: text) == [0, 1, 4, 5, 12, 2, 2])
    let options = PublishedIMDB.Options(
      numWords: 25, skipTop: 12, startChar: 15, oovChar: 14, indexFrom: 10)
    let other = try PublishedIMDB(contentsOf: url, options: options).text(ranks: ranks)
    #expect(try TextEncoder(other).ids(for: text) == [15, 14, 12, 19, 14, 14])
    let bare = try PublishedIMDB(
      contentsOf: url, options: .init(numWords: 13, startChar: nil, oovChar: nil, indexFrom: 0))
    #expect(try TextEncoder(try bare.text(ranks: ranks)).ids(for: text) == [1, 2, 9])
  }

  @Test func readsRowsOfOneLength() throws {
    let file = try archive([
      ("x_train", try Tensor(ids: [5, 6, 7, 8], shape: [2, 2])), ("y_train", try Tensor(ids: [1, 0], shape: [2])),
      ("x_test", try Tensor(ids: [9, 4], shape: [1, 2])), ("y_test", try Tensor(ids: [1], shape: [1])),
    ])
    let set = try PublishedIMDB(npz: file, options: .init(numWords: 100, startChar: nil, indexFrom: 0))
    #expect(set.test == .init(sequences: RaggedIntegers(rows: [[9, 4]]), labels: [1]))
    #expect(Set([set.train.sequences[0], set.train.sequences[1]].map(Array.init)) == [[5, 6], [7, 8]])
  }

  @Test func refusesWhatDoesNotFit() throws {
    let url = FixtureArrays.url("imdb.npz")
    let message = expectError(.usage, containing: "shorter than the maximum length 2") {
      try PublishedIMDB(contentsOf: url, options: .init(maxlen: 2))
    }
    #expect(message.contains("imdb.npz"))
    expectError(.badData, containing: "too large to add") {
      try PublishedIMDB(contentsOf: url, options: .init(indexFrom: .max))
    }
    let (ids, labels) = (try Tensor(ids: [1, 2], shape: [2, 1]), try Tensor(ids: [1], shape: [1]))
    expectError(.badData, containing: "'y_train' is missing; there are: 'x_train'") {
      try PublishedIMDB(npz: try archive([("x_train", ids)]))
    }
    expectError(.badData, containing: "2 reviews, 'y_train' 1 labels") {
      try PublishedIMDB(npz: try archive([("x_train", ids), ("y_train", labels)]))
    }
    expectError(.unsupported, containing: "'x_train' is float32 [1]") {
      try PublishedIMDB(npz: try archive([("x_train", try Tensor([1] as [Float], shape: [1])), ("y_train", labels)]))
    }
    expectError(.unsupported, containing: "'y_train' is no list") {
      try PublishedIMDB(npz: try archive([("x_train", ids), ("y_train", ids)]))
    }
    expectError(.badData) { try PublishedIMDB(npz: Data([1, 2, 3])) }
    expectError(.noInput) { try PublishedIMDB(contentsOf: URL(fileURLWithPath: "/nowhere/imdb.npz")) }
  }

  /// The whole published set, and the words to it.
  @Test func readsThePublishedSet() throws {
    guard let url = Fixtures.shared("imdb.npz"), let words = Fixtures.shared("imdb_word_index.json") else { return }
    let set = try PublishedIMDB(contentsOf: url, options: .init(numWords: 20_000))
    for part in [set.train, set.test] {
      #expect(part.sequences.count == 25_000)
      #expect(part.labels.count { $0 == 1 } == 12_500)
      #expect(part.sequences[0].first == 1)
    }
    #expect(set.train.sequences.longest == 2494)
    guard case .ranks(let ranks) = try VocabularyFile(parsing: try InputFile.contents(of: words)) else {
      Issue.record("no ranks")
      return
    }
    let text = try set.text(ranks: ranks)
    #expect(text == (try TextBundle.imdb(ranks: ranks, numWords: 20_000)))
  }
}
