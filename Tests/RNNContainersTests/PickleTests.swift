import Foundation
import RNNCore
import Testing

@testable import RNNContainers

@Suite struct PickleTests {
  private let rules = PickleRules(
    globals: [
      PickleGlobal("m", "C"): .record, PickleGlobal("builtins", "int"): .mention,
      PickleGlobal("collections", "OrderedDict"): .orderedDictionary,
      PickleGlobal("collections", "defaultdict"): .defaultDictionary,
    ], purpose: "a test", remedy: "Do something else.")

  private func parse(_ data: Data) throws -> PickleValue { try PickleValue(parsing: data.shifted, rules: rules) }
  private func parse(hex: String) throws -> PickleValue { try parse(Data(hex: hex)) }
  private func parse(text: String) throws -> PickleValue { try parse(Data(text.utf8)) }

  @Test func readsNumbers() throws {
    let cases: [(String, PickleValue)] = [
      ("4E", .null), ("88", .bool(true)), ("89", .bool(false)), ("4BFF", .integer(255)), ("4D0001", .integer(256)),
      ("4AFEFFFFFF", .integer(-2)), ("8A00", .integer(0)), ("8A01FF", .integer(-1)), ("8A020080", .integer(-32768)),
      ("8A08FFFFFFFFFFFFFF7F", .integer(.max)), ("8B0100000005", .integer(5)),
      ("8A09000000000000000001", .bigInteger(Data([0, 0, 0, 0, 0, 0, 0, 0, 1]))),
      ("47 3FF8000000000000", .double(1.5)),
    ]
    for (hex, value) in cases { #expect(try parse(hex: "8002" + hex + "2E") == value, "\(hex)") }
    let texts: [(String, PickleValue)] = [
      ("I12\n", .integer(12)), ("I01\n", .bool(true)), ("I00\n", .bool(false)), ("L-5L\n", .integer(-5)),
      ("F-2.5\n", .double(-2.5)),
    ]
    for (text, value) in texts { #expect(try parse(text: text + ".") == value, "\(text)") }
  }

  @Test func readsStrings() throws {
    let cases: [(String, PickleValue)] = [
      ("8C02C3A9", .string("é")), ("5801000000 61", .string("a")), ("8D0100000000000000 61", .string("a")),
      ("430161", .bytes(Data("a".utf8))), ("4201000000 61", .bytes(Data("a".utf8))), ("5500", .bytes(Data())),
      ("5401000000 61", .bytes(Data("a".utf8))), ("8E0100000000000000 61", .bytes(Data("a".utf8))),
    ]
    for (hex, value) in cases { #expect(try parse(hex: hex + "2E") == value, "\(hex)") }
    #expect(try parse(text: #"S'a\n\x41\'"'"# + "\n.") == .bytes(Data("a\nA'\"".utf8)))
    #expect(try parse(text: #"V\u00e9\ud83d\ude00\U0001F600x"# + "\n.") == .string("é😀😀x"))
  }

  @Test func readsContainers() throws {
    #expect(try parse(hex: "5D 2E") == .list([]))
    #expect(try parse(hex: "5D 4B01 61 28 4B02 4B03 65 2E") == .list([.integer(1), .integer(2), .integer(3)]))
    #expect(try parse(hex: "4B01 4B02 86 2E") == .tuple([.integer(1), .integer(2)]))
    #expect(try parse(hex: "28 4B01 74 2E") == .tuple([.integer(1)]))
    #expect(try parse(hex: "8F 28 4B01 90 2E") == .set([.integer(1)]))
    let pair = PickleValue.Pair(key: .string("a"), value: .integer(1))
    #expect(try parse(hex: "7D 8C0161 4B01 73 2E") == .dictionary([pair]))
    #expect(try parse(hex: "28 8C0161 4B01 64 2E") == .dictionary([pair]))
    #expect(try parse(hex: "7D 28 8C0161 4B01 75 2E")["a"] == .integer(1))
    // A later value for the same key counts, as in Python.
    #expect(try parse(hex: "7D 28 8C0161 4B01 8C0161 4B02 75 2E")["a"] == .integer(2))
    // What is put into the memo is the object itself and not a copy.
    #expect(try parse(hex: "5D 94 30 6800 4B07 61 30 6800 2E") == .list([.integer(7)]))
    // A second pickle may follow.
    #expect(try parse(hex: "4E 2E 88 2E") == .null)
  }

  @Test func makesRecordsAndDictionaries() throws {
    let record = PickleValue.object(
      .init(type: PickleGlobal("m", "C"), arguments: [.integer(1)], state: .dictionary([])))
    #expect(try parse(hex: "636D0A430A 4B01 85 52 7D 62 2E") == record)
    #expect(try parse(hex: "8C016D 8C0143 93 4B01 85 81 7D 62 2E") == record)
    let expected = PickleValue.dictionary([.init(key: .integer(1), value: .integer(2))])
    let ordered = Data("ccollections\nOrderedDict\n".utf8)
    #expect(try parse(ordered + Data(hex: "29 52 4B01 4B02 73 2E")) == expected)
    #expect(try parse(ordered + Data(hex: "5D 5D 28 4B01 4B02 65 61 85 52 2E")) == expected)
    let byDefault = Data("ccollections\ndefaultdict\ncbuiltins\nint\n".utf8)
    #expect(try parse(byDefault + Data(hex: "85 52 4B01 4B02 73 2E")) == expected)
  }

  @Test func refusesEveryOtherName() {
    expectError(.unsupported, containing: "the pickle names os.system, which does not belong to a test") {
      try parse(text: "cos\nsystem\n(S'rm -rf /'\ntR.")
    }
    expectError(.unsupported, containing: "builtins.eval") { try parse(hex: "8C086275696C74696E738C046576616C932E") }
    expectError(.unsupported, containing: "Do something else") { try parse(text: "cm\nD\n.") }
    expectError(.unsupported, containing: "calls builtins.int") { try parse(text: "cbuiltins\nint\n)R.") }
    for (hex, name) in [("51", "BINPERSID"), ("92", "NEWOBJ_EX"), ("82", "EXT1"), ("6F", "OBJ"), ("97", "NEXT_BUFFER")]
    {
      expectError(.unsupported, containing: name) { try parse(hex: "4E" + hex + "012E") }
    }
    expectError(.unsupported, containing: "protocol 6") { try parse(hex: "80062E") }
    expectError(.unsupported, containing: "beyond 64 bits") { try parse(text: "L123456789012345678901234L\n.") }
  }

  @Test func refusesDamage() {
    for hex in [
      "", "2E", "4E", "FF", "52 2E", "4E 4E 52 2E", "4E 29 52 2E", "62 2E", "5D 4E 62 2E", "61 2E", "7D 4E 61 2E",
      "5D 4E 4E 73 2E", "5D 4B01 65 2E", "7D 28 4E 75 2E", "28 4E 64 2E", "6800 2E", "94 2E", "7100 2E", "31 2E",
      "30 2E",
      "28 2E", "4E 28 32 2E", "85 2E", "4E 86 2E", "8C05 61 2E", "8C01FF 2E", "42FFFFFFFF 2E", "54FFFFFFFF 2E",
      "8DFFFFFFFFFFFFFFFF 2E", "8BFFFFFFFF 2E", "8BFFFFFF7F 2E", "95FFFFFFFFFFFFFF7F 2E", "4E 4E 93 2E", "49 61 0A 2E",
      "53 27 0A 2E", "53 61 0A 2E", "53 27 5C 27 0A 2E", "53 27 5C 78 67 67 27 0A 2E", "56 5C 75 30 0A 2E",
      "56 5C 75 64 38 30 30 0A 2E", "46 78 0A 2E", "67 2D 31 0A 2E", "4B", "63 6D", "63 6D 0A 43 0A 4E 52 2E",
      "63 6D 0A 43 0A 29 52 4E 62 4E 62 2E",
    ] {
      expectError(.badData) { try parse(hex: hex) }
    }
    expectError(.badData, containing: "(byte 1 of the pickle)") { try parse(hex: "4EFF") }
  }

  @Test func refusesStructuresThatContainThemselves() {
    expectError(.unsupported, containing: "contains itself") { try parse(hex: "5D 94 6800 61 2E") }
    expectError(.unsupported, containing: "contains itself") { try parse(hex: "7D 94 4E 6800 73 2E") }
    expectError(.unsupported, containing: "contains itself") { try parse(hex: "636D0A430A 29 52 94 6800 62 2E") }
    expectError(.unsupported, containing: "contains itself") { try parse(hex: "5D 94 5D 6800 61 61 2E") }
  }

  @Test func limitsDepth() throws {
    func nested(_ levels: Int) -> Data {
      Data(repeating: 0x5D, count: levels) + Data(repeating: 0x61, count: levels - 1) + Data([0x2E])
    }
    #expect(throws: Never.self) { try parse(nested(64)) }
    expectError(.unsupported, containing: "deeper than 64") { try parse(nested(65)) }
    expectError(.unsupported, containing: "deeper than 64") { try parse(nested(300_000)) }
    // The same depth put together from shared parts: each list is turned before the one around it is met.
    var staircase = Data([0x5D, 0x94, 0x30, 0x5D])
    for level in 0..<100 { staircase += [0x5D, 0x94, 0x68, UInt8(level), 0x61, 0x61] }
    // The outermost list holds every one of them, the flattest first.
    expectError(.unsupported, containing: "deeper than 64") { try parse(staircase + [0x2E]) }
  }

  @Test func sharedPartsDoNotMultiply() throws {
    // Ten lists, each holding the one before it ten times: 10^10 elements if they were copied.
    var bomb = Data(hex: "5D 94 4B01 61 30")
    for level in 0..<10 {
      bomb += Data([0x5D, 0x94, 0x28])
      for _ in 0..<10 { bomb += [0x68, UInt8(level)] }
      bomb += Data(hex: "65 30")
    }
    guard case .list(let items) = try parse(bomb + Data(hex: "680A 2E")) else {
      Issue.record("no list")
      return
    }
    #expect(items.count == 10)
  }

  @Test func limitsWhatAPickleMayHold() {
    var rules = rules
    rules.maximumValues = 100
    rules.maximumObjects = 20
    let nulls = Data(repeating: 0x4E, count: 101) + [0x2E]
    expectError(.unsupported, containing: "100 values") { try PickleValue(parsing: nulls, rules: rules) }
    let lists = Data(repeating: 0x5D, count: 21) + [0x2E]
    expectError(.unsupported, containing: "20 objects") { try PickleValue(parsing: lists, rules: rules) }
    // One list of pairs, given to OrderedDict again and again.
    var calls = Data("ccollections\nOrderedDict\n".utf8) + Data(hex: "94 30 5D 28")
    for _ in 0..<10 { calls += Data(hex: "4E 4E 86") }
    calls += Data(hex: "65 85 94 30")
    for _ in 0..<10 { calls += Data(hex: "6800 6801 52 30") }
    expectError(.unsupported, containing: "values") { try PickleValue(parsing: calls + [0x2E], rules: rules) }
  }

  @Test func survivesMutation() throws {
    for (_, base64) in TokenizerPickles.all where base64.count < 600 || base64.hasPrefix("Y2") {
      let data = try #require(Data(base64Encoded: base64, options: .ignoreUnknownCharacters))
      for length in 0..<data.count {
        #expect(throws: RNNError.self) { try KerasTokenizer(pickle: data.prefix(length)) }
      }
      for index in data.indices {
        for value in [UInt8(0x28), 0x52, 0x61, 0xFF, data[index] ^ 1] {
          var copy = data
          copy[index] = value
          do { _ = try KerasTokenizer(pickle: copy) } catch { #expect(error is RNNError) }
        }
      }
    }
  }
}
