import Foundation
import RNNCore
import RNNTestSupport
import Testing

@Suite struct JSONWritingTests {
  @Test func writesOneLine() {
    let value: JSONValue = ["b": [1, 2.5, nil, true], "a": ["x": [:], "y": []]]
    #expect(value.text() == #"{"b": [1, 2.5, null, true], "a": {"x": {}, "y": []}}"#)
  }

  @Test func indentsObjectsAndKeepsListsOfScalarsOnOneLine() {
    let value: JSONValue = ["a": [1, 2], "b": [[3], ["c": "d"]]]
    #expect(
      value.text(indent: 2) == """
        {
          "a": [1, 2],
          "b": [
            [3],
            {
              "c": "d"
            }
          ]
        }
        """)
  }

  @Test func escapesWhatJSONForbids() {
    #expect(JSONValue.string("\"\\\n\r\t\u{0}\u{1f}\u{7f}é😀/").text() == #""\"\\\n\r\t\u0000\u001f"# + "\u{7f}é😀/\"")
  }

  @Test func writesNumbersAsPythonDoes() {
    #expect(
      JSONValue.array([.number(.nan), .number(.infinity), .number(-.infinity)]).text() == "[NaN, Infinity, -Infinity]")
    #expect(
      JSONValue.array([.integer(.max), .integer(.min), .number(-0.0), .number(0.1)]).text()
        == "[9223372036854775807, -9223372036854775808, -0.0, 0.1]")
  }

  /// What it writes, another reader understands: Foundation's, where JSON has no NaN and no order.
  @Test func foundationReadsIt() throws {
    let text = "\u{0}\u{1}\"\\/\u{2028}\u{FFFF}é😀"
    let value: JSONValue = [
      "s": .string(text), "n": [1, -7, 0.1, .number(.leastNonzeroMagnitude)], "o": ["t": true, "z": nil],
    ]
    for indent in [nil, 0, 3] as [Int?] {
      let read = try JSONSerialization.jsonObject(with: Data(value.text(indent: indent).utf8)) as? [String: Any]
      #expect(read?["s"] as? String == text)
      #expect(read?["n"] as? [Double] == [1, -7, 0.1, .leastNonzeroMagnitude])
      #expect((read?["o"] as? [String: Any])?["t"] as? Bool == true)
      #expect((read?["o"] as? [String: Any])?["z"] is NSNull)
    }
  }

  @Test func randomValuesComeBack() throws {
    var generator = SeededGenerator(seed: 1)
    for _ in 0..<500 {
      let value = JSONWritingTests.random(&generator, depth: 4)
      for indent in [nil, 2] as [Int?] {
        #expect(try JSONValue(parsing: value.text(indent: indent)) == value, "\(value.text())")
      }
    }
  }

  private static func random(_ generator: inout SeededGenerator, depth: Int) -> JSONValue {
    switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &generator) {
    case 0: return nil
    case 1: return .bool(Bool.random(using: &generator))
    case 2: return .integer(Int(truncatingIfNeeded: generator.next()))
    case 3:
      let number = Double(bitPattern: generator.next())
      return .number(number.isNaN ? 0.5 : number)
    case 4: return .number(Double(Int.random(in: -1000...1000, using: &generator)) + 0.25)
    case 5: return .string(text(&generator))
    case 6:
      return .array((0..<Int.random(in: 0..<5, using: &generator)).map { _ in random(&generator, depth: depth - 1) })
    default:
      return .object(
        JSONObject(
          (0..<Int.random(in: 0..<5, using: &generator)).map {
            ("\($0)" + text(&generator), random(&generator, depth: depth - 1))
          }))
    }
  }

  private static func text(_ generator: inout SeededGenerator) -> String {
    var scalars = String.UnicodeScalarView()
    for _ in 0..<Int.random(in: 0..<6, using: &generator) {
      let limit: UInt32 = Bool.random(using: &generator) ? 0x80 : 0x11_0000
      if let scalar = Unicode.Scalar(UInt32.random(in: 0..<limit, using: &generator)) { scalars.append(scalar) }
    }
    return String(scalars)
  }

  @Test func membersAreReplacedInPlaceAndRemoved() {
    var object = JSONObject([("a", 1), ("b", 2), ("c", 3)])
    object["b"] = 9
    object["d"] = 4
    object["a"] = nil
    object["absent"] = nil
    #expect(object.keys == ["b", "c", "d"])
    #expect(JSONValue.object(object).text() == #"{"b": 9, "c": 3, "d": 4}"#)
  }
}
