import RNNCore
import Testing

@Suite struct JSONReadingTests {
  private func parse(_ text: String) throws -> JSONValue { try JSONValue(parsing: text) }

  private func refuses(_ text: String, _ message: String = "", location: SourceLocation = #_sourceLocation) {
    expectError(.badData, naming: message, location: location) { try JSONValue(parsing: text) }
  }

  @Test func keepsTheOrderOfKeys() throws {
    let object = try #require(try parse("{\"z\": 1, \"a\": 2, \"m\": {\"y\": 3, \"b\": 4}}").object)
    #expect(object.keys == ["z", "a", "m"])
    #expect(object["m"]?.object?.keys == ["y", "b"])
  }

  @Test func readsEveryKindOfValue() throws {
    #expect(try parse(" [null, true, false, 0, \"x\", [], {}] \n\t\r") == [nil, true, false, 0, "x", [], [:]])
  }

  @Test func refusesAKeyThatStandsTwice() {
    refuses("{\"a\": 1, \"a\": 1}", "\"a\" stands twice")
    refuses("[{\"b\": {\"key\": 1, \"k\\u0065y\": 2}}]", "\"key\" stands twice")
    // A surrogate pair and the scalar itself are one key.
    refuses("{\"\\ud83d\\ude00\": 1, \"\u{1F600}\": 2}", "stands twice")
  }

  /// JSON compares keys scalar by scalar; Swift holds canonically equivalent strings for equal.
  @Test func keysThatOnlyLookAlikeAreDifferent() throws {
    let object = try #require(try parse("{\"caf\\u00e9\": 1, \"cafe\\u0301\": 2}").object)
    #expect(object.members.map(\.value) == [1, 2])
  }

  @Test func readsWhatPythonWritesForNumbersThatAreNone() throws {
    #expect(try #require(try parse("NaN").double).isNaN)
    #expect(try parse("[Infinity, -Infinity]") == [.number(.infinity), .number(-.infinity)])
    for text in ["nan", "-NaN", "+Infinity", "Infinit", "Inf", "-inf", "NaNs"] { refuses(text) }
  }

  @Test func integersOf64BitsAreExact() throws {
    #expect(try parse("9223372036854775807") == .integer(.max))
    #expect(try parse("-9223372036854775808") == .integer(.min))
    // 2^53 + 1 is no double.
    #expect(try parse("9007199254740993") == .integer((1 << 53) + 1))
    #expect(try parse("9223372036854775808") == .number(0x1p63))
    #expect(try parse("-9223372036854775809") == .number(-0x1p63))
  }

  @Test func doublesAreTheNearest() throws {
    #expect(
      try parse("[0.1, 1e3, 1E-2, -2.5e+1, 5e-324, 1.7976931348623157e308]")
        == [0.1, 1000.0, 0.01, -25.0, .number(.leastNonzeroMagnitude), .number(.greatestFiniteMagnitude)])
    #expect(try parse("-0.0").double?.sign == .minus)
    #expect(try parse("1e400") == .number(.infinity))
  }

  @Test func wholeDoublesServeAsIntegers() throws {
    #expect(try parse("5.0").integer == 5)
    #expect(try parse("5.5").integer == nil)
    #expect(try parse("1e300").integer == nil)
    #expect(try parse("NaN").integer == nil)
    #expect(try parse("7").double == 7)
    #expect(try parse("true").integer == nil)
    #expect(try parse("\"5\"").integer == nil)
  }

  @Test func refusesNumbersOutsideTheGrammar() {
    for text in ["01", "-01", "00", "1.", ".5", "-", "+1", "1e", "1e+", "0x10", "1_000", "--1", "1.5.2"] {
      refuses(text)
    }
  }

  @Test func readsEveryEscape() throws {
    #expect(try parse(#""\"\\\/\b\f\n\r\t\u0041\u00e9""#) == "\"\\/\u{8}\u{c}\n\r\tA\u{e9}")
    #expect(try parse(#""\uD83D\uDE00\u0000""#) == "\u{1F600}\u{0}")
    #expect(try parse(#""\ud800\udc00\uDBFF\uDFFF""#) == "\u{10000}\u{10FFFF}")
  }

  @Test func refusesHalvesOfSurrogatePairs() {
    for text in [
      #""\ud83d""#, #""\ud83dx""#, #""\ude00""#, #""\ud83d\n""#, #""\ud83d\u0041""#, #""\ud83d\ud83d""#,
      #""\ude00\ud83d""#,
    ] { refuses(text, "surrogate") }
  }

  @Test func refusesMalformedStrings() {
    for text in [
      #""\x41""#, #""\u12""#, #""\u12g4""#, #""\u 123""#, #""\u+123""#, "\"a\nb\"", "\"a\u{1}\"", "\"abc", "\"\\",
      #""a\"#,
    ] {
      refuses(text)
    }
  }

  @Test func refusesBytesThatAreNoUTF8() {
    let sequences: [[UInt8]] = [
      [0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82], [0x80],
    ]
    for bytes in sequences {
      let quoted = [UInt8(ascii: "\"")] + bytes + [UInt8(ascii: "\"")]
      expectError(.badData, naming: "UTF-8") { try JSONValue(parsing: quoted) }
      // The same behind an escape, which takes another road through the parser.
      let escaped = Array("\"\\n".utf8) + bytes + [UInt8(ascii: "\"")]
      expectError(.badData, naming: "UTF-8") { try JSONValue(parsing: escaped) }
    }
    expectError(.badData) { try JSONValue(parsing: [0xEF, 0xBB, 0xBF] + Array("{}".utf8)) }
  }

  @Test func refusesTextAfterTheDocument() {
    for text in ["{} {}", "1 2", "null,", "[]]", "\"a\"b", "{}\u{0}"] { refuses(text, "after the end") }
  }

  @Test func refusesBrokenStructure() {
    for text in [
      "", "  ", "[1,]", "[,1]", "[1 2]", "{\"a\" 1}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:2}", "[", "{", "{\"a\"",
      "{\"a\":", "[1", "tru", "nul", "falsE", "]", "}", ":", "'a'", "/* */ 1",
    ] { refuses(text) }
  }

  @Test func depthIsBounded() throws {
    func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
    #expect(throws: Never.self) { try parse(nested(256)) }
    refuses(nested(257), "nested deeper than 256")
    refuses(String(repeating: "[", count: 1_000_000), "nested deeper")
    refuses(String(repeating: "{\"a\":", count: 1_000_000), "nested deeper")
    #expect(throws: Never.self) { try JSONValue(parsing: Array("[[]]".utf8), maximumDepth: 2) }
    expectError(.badData, naming: "deeper than 2") { try JSONValue(parsing: Array("[[{}]]".utf8), maximumDepth: 2) }
    // Neighbours do not add up.
    #expect(try parse("[" + Array(repeating: "[[]]", count: 300).joined(separator: ",") + "]").array?.count == 300)
  }

  @Test func errorsTellTheByte() {
    refuses("{\"a\": [1, 2, x]}", "byte 13")
  }

  @Test func readsBytesThatAreNotContiguous() throws {
    #expect(
      try JSONValue(
        parsing: Array("[1, \"a\"]".utf8).reversed().reversed() as ReversedCollection<ReversedCollection<[UInt8]>>) == [
          1, "a",
        ])
  }
}
