import Foundation
import RNNCore

/// The few Python literals that the header of an `.npy` file is made of.
indirect enum PythonLiteral: Equatable {
  case none
  case bool(Bool)
  case integer(Int)
  case string(String)
  case tuple([PythonLiteral])
  case list([PythonLiteral])
  case dictionary([(key: String, value: PythonLiteral)])

  static func == (left: PythonLiteral, right: PythonLiteral) -> Bool { left.text == right.text }

  /// As Python's `repr` writes it, for messages.
  var text: String {
    switch self {
    case .none: "None"
    case .bool(let value): value ? "True" : "False"
    case .integer(let value): String(value)
    case .string(let value): "'\(value)'"
    case .tuple(let elements):
      "(" + elements.map(\.text).joined(separator: ", ") + (elements.count == 1 ? ",)" : ")")
    case .list(let elements): "[" + elements.map(\.text).joined(separator: ", ") + "]"
    case .dictionary(let members): "{" + members.map { "'\($0.key)': \($0.value.text)" }.joined(separator: ", ") + "}"
    }
  }

  /// - Throws: `badData` with the byte where the text is no such literal.
  init(parsing bytes: Data) throws {
    var parser = PythonLiteralParser(bytes: Array(bytes))
    self = try parser.document()
  }
}

private struct PythonLiteralParser {
  let bytes: [UInt8]
  var position = 0
  var depth = 0

  /// Structured dtypes nest; nothing that is read does so deeply.
  static let maximumDepth = 32

  init(bytes: [UInt8]) { self.bytes = bytes }

  func failure(_ what: String) -> RNNError { .badData("the header is malformed at byte \(position): \(what)") }

  mutating func document() throws -> PythonLiteral {
    let value = try self.value()
    skipSpace()
    guard position == bytes.count else { throw failure("text after its end") }
    return value
  }

  mutating func skipSpace() {
    while position < bytes.count, bytes[position] == 0x20 || (0x09...0x0D).contains(bytes[position]) { position += 1 }
  }

  mutating func consume(_ character: Unicode.Scalar) -> Bool {
    guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  mutating func value() throws -> PythonLiteral {
    skipSpace()
    guard position < bytes.count else { throw failure("it ends where a value should stand") }
    switch bytes[position] {
    case UInt8(ascii: "'"), UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "("):
      let (elements, hasComma) = try sequence(")")
      // (3) is a number in brackets, (3,) a tuple.
      if elements.count == 1, !hasComma { return elements[0] }
      return .tuple(elements)
    case UInt8(ascii: "["): return .list(try sequence("]").elements)
    case UInt8(ascii: "{"): return .dictionary(try dictionary())
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .integer(try integer())
    default: return try name()
    }
  }

  mutating func enter() throws {
    depth += 1
    if depth > Self.maximumDepth { throw failure("nested deeper than \(Self.maximumDepth) levels") }
    position += 1
  }

  mutating func sequence(_ end: Unicode.Scalar) throws -> (elements: [PythonLiteral], hasComma: Bool) {
    try enter()
    defer { depth -= 1 }
    var elements: [PythonLiteral] = []
    var hasComma = false
    while true {
      skipSpace()
      if consume(end) { return (elements, hasComma) }
      guard elements.isEmpty || hasComma else { throw failure("expected ',' or '\(end)'") }
      elements.append(try value())
      skipSpace()
      hasComma = consume(",")
    }
  }

  mutating func dictionary() throws -> [(key: String, value: PythonLiteral)] {
    try enter()
    defer { depth -= 1 }
    var members: [(key: String, value: PythonLiteral)] = []
    var hasComma = true
    while true {
      skipSpace()
      if consume("}") { return members }
      guard hasComma else { throw failure("expected ',' or '}'") }
      guard case .string(let key) = try value() else { throw failure("expected a key in quotes") }
      guard !members.contains(where: { $0.key == key }) else { throw failure("the key '\(key)' stands twice") }
      guard members.count < 16 else { throw failure("more keys than any header has") }
      skipSpace()
      guard consume(":") else { throw failure("expected ':' after the key '\(key)'") }
      members.append((key, try value()))
      skipSpace()
      hasComma = consume(",")
    }
  }

  mutating func string() throws -> String {
    let quote = bytes[position]
    position += 1
    let start = position
    while position < bytes.count, bytes[position] != quote {
      guard bytes[position] != UInt8(ascii: "\\") else { throw failure("escapes are not expected here") }
      position += 1
    }
    guard position < bytes.count else { throw failure("a string without an end") }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    position += 1
    return text
  }

  mutating func integer() throws -> Int {
    let start = position
    _ = consume("-")
    while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) { position += 1 }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    guard let value = Int(text) else { throw failure("'\(text)' is no number that can be used") }
    // Python 2 marks its long integers.
    _ = consume("L")
    return value
  }

  mutating func name() throws -> PythonLiteral {
    for (word, value) in [("True", PythonLiteral.bool(true)), ("False", .bool(false)), ("None", .none)] {
      let end = position + word.utf8.count
      if end <= bytes.count, bytes[position..<end].elementsEqual(word.utf8) {
        position = end
        return value
      }
    }
    throw failure("expected a value")
  }
}
