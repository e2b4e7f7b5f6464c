import RNNCore
import Testing

@testable import RNNText

/// The expected values are what CPython 3.11 and `keras_preprocessing.text` give.
@Suite struct TokenizerTests {
  private func tokens(_ text: String, _ change: (inout TextRules) -> Void = { _ in }) throws -> [String] {
    var rules = TextRules()
    change(&rules)
    return try Tokenizer(rules).tokens(of: text)
  }

  private func lower(_ text: String) -> String { String(decoding: PythonLowercase.bytes(of: text), as: UTF8.self) }

  private func scalars(_ text: String) -> [UInt32] { text.unicodeScalars.map(\.value) }

  @Test func cutsAsKerasDoes() throws {
    #expect(try tokens("A wonderful film, isn't it?") == ["a", "wonderful", "film", "isn't", "it"])
    #expect(try tokens("one\ttwo\nthree  four") == ["one", "two", "three", "four"])
    #expect(try tokens("<br /><br />") == ["br", "br"])
    #expect(try tokens("").isEmpty)
    #expect(try tokens(" ...!! ").isEmpty)
    // Only the separator cuts: other white space stays inside a word.
    #expect(scalars(try tokens("a\u{A0}b\rc")[0]) == [0x61, 0xA0, 0x62, 0x0D, 0x63])
    #expect(try tokens("Ab", { $0.lower = false }) == ["Ab"])
  }

  @Test func filtersAndSeparatorsOfAllKinds() throws {
    #expect(try tokens("a—b«c»", { $0.filters = "—«»" }) == ["a", "b", "c"])
    #expect(try tokens("a-b c", { $0.filters = "" }) == ["a-b", "c"])
    #expect(try tokens("a,b c", { $0.separator = "," }) == ["a", "b c"])
    #expect(try tokens("a!b", { $0.separator = "<>" }) == ["a", "b"])
    #expect(try tokens("a<>b<c", { ($0.separator, $0.filters) = ("<>", "") }) == ["a", "b<c"])
    #expect(try tokens("aaab", { ($0.separator, $0.filters) = ("aa", "") }) == ["ab"])
    #expect(try tokens("xßyßz", { ($0.separator, $0.filters) = ("ß", "") }) == ["x", "y", "z"])
    expectBadData("empty separator") { try tokens("a", { $0.separator = "" }) }
  }

  @Test func everyScalarIsATokenAtCharacterLevel() throws {
    let found = try tokens("Ae\u{301}, 👍🏽", { $0.isCharacterLevel = true })
    #expect(found.map(scalars) == [[0x61], [0x65], [0x301], [0x2C], [0x20], [0x1F44D], [0x1F3FD]])
    #expect(try tokens("a", { ($0.isCharacterLevel, $0.separator) = (true, "") }) == ["a"])
  }

  @Test func lowercasesAsPythonDoes() {
    #expect(lower("ÀÉ Привет МИР") == "àé привет мир")
    // A capital I with a dot becomes two scalars.
    #expect(scalars(lower("İ")) == [0x69, 0x307])
    #expect(scalars(lower("ẞǅΩ")) == [0xDF, 0x1C6, 0x3C9])
    #expect(scalars(lower("𐐀")) == [0x10428])
  }

  @Test func putsTheFinalSigma() {
    #expect(lower("ΟΔΟΣ") == "οδος")
    #expect(lower("ΟΔΟΣ ΣΑΣ") == "οδος σας")
    // Alone, after no letter, before one, and with what is case-ignorable between.
    #expect(lower("Σ") == "σ")
    #expect(lower(" Σ ") == " σ ")
    #expect(lower("ΑΣ'") == "ας'")
    #expect(lower("Α'Σ") == "α'ς")
    #expect(lower("ΑΣ'Α") == "ασ'α")
    #expect(lower("ΑΣ.Α") == "ασ.α")
    #expect(lower("ΑΣ1") == "ας1")
    #expect(lower("ΑΣΣ") == "ασς")
  }
}
