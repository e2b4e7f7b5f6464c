import Foundation
import RNNCore
import Testing

@testable import RNNText

@Suite struct VocabularyTests {
  private func make(_ words: [String?]) throws -> Vocabulary {
    let tensors = try TextBundle.tensors(words)
    return try Vocabulary(words: tensors.words, offsets: tensors.offsets)
  }

  @Test func findsEveryWordAndNoOther() throws {
    let words = (0..<5000).map { String(repeating: "x", count: $0 % 23) + String($0) }
    let vocabulary = try make(words)
    #expect(vocabulary.count == 5000)
    for (position, word) in words.enumerated() {
      #expect(vocabulary.position(of: word.utf8) == position)
      #expect(vocabulary.position(of: Array((word + "!").utf8)) == nil)
    }
    #expect(vocabulary.word(at: 4999) == words[4999])
    #expect(vocabulary.word(at: 5000) == nil)
    #expect(vocabulary.word(at: -1) == nil)
  }

  @Test func comparesBytesAndNotCharacters() throws {
    // One is a letter, the other a letter and a combining mark; Swift's strings call them equal, Python's do not.
    let vocabulary = try make(["\u{E9}", "e\u{301}", "日本", "e"])
    #expect(vocabulary.position(of: "\u{E9}".utf8) == 0)
    #expect(vocabulary.position(of: "e\u{301}".utf8) == 1)
    #expect(vocabulary.position(of: "日本".utf8) == 2)
    #expect(vocabulary.position(of: "日".utf8) == nil)
  }

  @Test func gapsAreNoWords() throws {
    let vocabulary = try make([nil, "a", nil, "b"])
    #expect(vocabulary.position(of: [] as [UInt8]) == nil)
    #expect(vocabulary.position(of: "b".utf8) == 3)
    #expect(vocabulary.word(at: 0) == nil)
    #expect(try make([]).position(of: "a".utf8) == nil)
  }

  @Test func wordsMayBeASliceOfAFile() throws {
    let tensors = try TextBundle.tensors(["one", "two"])
    let file = Data([9, 9, 9]) + tensors.words.bytes + Data([9])
    let words = try Tensor(dtype: .uint8, shape: [6], bytes: file.dropFirst(3).dropLast())
    let vocabulary = try Vocabulary(words: words, offsets: tensors.offsets)
    #expect(vocabulary.position(of: "two".utf8) == 1)
    #expect(vocabulary.word(at: 1) == "two")
  }

  @Test func refusesWhatDoesNotFit() throws {
    let words = try Tensor(dtype: .uint8, shape: [4], bytes: Data("abab".utf8))
    func refuses(_ text: String, _ offsets: [Int64]) throws {
      let offsets = try Tensor(offsets, shape: [offsets.count])
      expectBadData(text) { try Vocabulary(words: words, offsets: offsets) }
    }
    try refuses("offset 1", [0, 5])
    try refuses("offset 2", [0, 2, 1])
    try refuses("offset 0", [-1, 2])
    try refuses("offset 1", [0, .max])
    try refuses("with an element", [])
    try refuses("'ab' stands twice", [0, 2, 4])
    let offsets = try Tensor([0, 4] as [Int64], shape: [2])
    expectBadData("expected uint8") { try Vocabulary(words: offsets, offsets: offsets) }
    expectBadData("expected uint8") { try Vocabulary(words: try words.reshaped(to: [2, 2]), offsets: offsets) }
    expectBadData("expected int64") { try Vocabulary(words: words, offsets: words) }
  }
}
