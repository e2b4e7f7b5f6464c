import Foundation

extension JSONValue {
  /// Parses one JSON document.
  ///
  /// Strict where files lie (duplicate keys, trailing text, invalid UTF-8, depth), lenient where Keras is: `NaN`,
  /// `Infinity` and `-Infinity` are numbers.
  /// - Throws: `badData` with the byte offset of the first error.
  public init(parsing bytes: some Collection<UInt8>, maximumDepth: Int = 256) throws {
    let value = try bytes.withContiguousStorageIfAvailable { buffer in
      var parser = JSONParser(bytes: buffer, maximumDepth: maximumDepth)
      return try parser.document()
    }
    if let value {
      self = value
    } else {
      self = try JSONValue(parsing: Array(bytes), maximumDepth: maximumDepth)
    }
  }

  public init(parsing text: String) throws {
    try self.init(parsing: Array(text.utf8))
  }
}

private struct JSONParser {
  let bytes: UnsafeBufferPointer<UInt8>
  let maximumDepth: Int
  var position = 0
  var depth = 0

  init(bytes: UnsafeBufferPointer<UInt8>, maximumDepth: Int) {
    self.bytes = bytes
    self.maximumDepth = maximumDepth
  }

  func failure(_ what: String) -> RNNError {
    .badData("JSON is malformed at byte \(position): \(what)")
  }

  mutating func document() throws -> JSONValue {
    let value = try self.value()
    skipWhitespace()
    guard position == bytes.count else { throw failure("text after the end of the document") }
    return value
  }

  mutating func skipWhitespace() {
    while position < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[position]) { position += 1 }
  }

  mutating func value() throws -> JSONValue {
    skipWhitespace()
    guard position < bytes.count else { throw failure("the text ends where a value should stand") }
    switch bytes[position] {
    case UInt8(ascii: "{"): return .object(try object())
    case UInt8(ascii: "["): return .array(try array())
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): try literal("true"); return .bool(true)
    case UInt8(ascii: "f"): try literal("false"); return .bool(false)
    case UInt8(ascii: "n"): try literal("null"); return .null
    case UInt8(ascii: "N"): try literal("NaN"); return .number(.nan)
    case UInt8(ascii: "I"): try literal("Infinity"); return .number(.infinity)
    default: return try number()
    }
  }

  mutating func literal(_ text: StaticString) throws {
    let length = text.utf8CodeUnitCount
    let matches = text.withUTF8Buffer { expected in
      position + length <= bytes.count
        && (0..<length).allSatisfy { bytes[position + $0] == expected[$0] }
    }
    guard matches else { throw failure("expected \(text)") }
    position += length
  }

  mutating func enter() throws {
    depth += 1
    if depth > maximumDepth { throw failure("nested deeper than \(maximumDepth) levels") }
  }

  mutating func object() throws -> JSONObject {
    try enter()
    defer { depth -= 1 }
    position += 1
    var members: [JSONObject.Member] = []
    // By their bytes: Swift holds canonically equivalent strings for equal, JSON does not.
    var seen: Set<[UInt8]> = []
    skipWhitespace()
    if consume(UInt8(ascii: "}")) { return JSONObject(uniqueMembers: []) }
    while true {
      skipWhitespace()
      guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
        throw failure("expected a key in quotes")
      }
      let key = try string()
      guard seen.insert(Array(key.utf8)).inserted else { throw failure("the key \"\(key)\" stands twice") }
      skipWhitespace()
      guard consume(UInt8(ascii: ":")) else { throw failure("expected ':' after the key \"\(key)\"") }
      members.append(JSONObject.Member(key: key, value: try value()))
      skipWhitespace()
      if consume(UInt8(ascii: ",")) { continue }
      if consume(UInt8(ascii: "}")) { return JSONObject(uniqueMembers: members) }
      throw failure("expected ',' or '}'")
    }
  }

  mutating func array() throws -> [JSONValue] {
    try enter()
    defer { depth -= 1 }
    position += 1
    var elements: [JSONValue] = []
    skipWhitespace()
    if consume(UInt8(ascii: "]")) { return [] }
    while true {
      elements.append(try value())
      skipWhitespace()
      if consume(UInt8(ascii: ",")) { continue }
      if consume(UInt8(ascii: "]")) { return elements }
      throw failure("expected ',' or ']'")
    }
  }

  mutating func consume(_ byte: UInt8) -> Bool {
    guard position < bytes.count, bytes[position] == byte else { return false }
    position += 1
    return true
  }

  mutating func number() throws -> JSONValue {
    let start = position
    let isNegative = consume(UInt8(ascii: "-"))
    if isNegative, position < bytes.count, bytes[position] == UInt8(ascii: "I") {
      try literal("Infinity")
      return .number(-.infinity)
    }
    let integerStart = position
    try digits()
    if position - integerStart > 1, bytes[integerStart] == UInt8(ascii: "0") {
      throw failure("a number with a leading zero")
    }
    var isInteger = true
    if consume(UInt8(ascii: ".")) {
      isInteger = false
      try digits()
    }
    if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
      isInteger = false
      position += 1
      if !consume(UInt8(ascii: "+")) { _ = consume(UInt8(ascii: "-")) }
      try digits()
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isInteger, let value = Int(text) { return .integer(value) }
    guard let value = Double(text) else { throw failure("'\(text)' is no number") }
    return .number(value)
  }

  mutating func digits() throws {
    let start = position
    while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) { position += 1 }
    if position == start { throw failure("expected a value") }
  }

  mutating func string() throws -> String {
    position += 1
    let start = position
    while position < bytes.count, bytes[position] != UInt8(ascii: "\""), bytes[position] != UInt8(ascii: "\\") {
      if bytes[position] < 0x20 { throw failure("a control character inside a string") }
      position += 1
    }
    guard position < bytes.count else { throw failure("a string without an end") }
    if bytes[position] == UInt8(ascii: "\"") {
      let text = try utf8(bytes[start..<position])
      position += 1
      return text
    }
    return try escapedString(from: start)
  }

  mutating func escapedString(from start: Int) throws -> String {
    var content = Array(bytes[start..<position])
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return try content.withUnsafeBufferPointer { try utf8($0[...]) }
      case UInt8(ascii: "\\"): content.append(contentsOf: try escape())
      case 0..<0x20: throw failure("a control character inside a string")
      default: content.append(byte)
      }
    }
    throw failure("a string without an end")
  }

  mutating func escape() throws -> [UInt8] {
    guard position < bytes.count else { throw failure("a string without an end") }
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"): return Array(String(Character(try unicodeEscape())).utf8)
    default: throw failure("an unknown escape")
    }
  }

  mutating func unicodeEscape() throws -> Unicode.Scalar {
    let first = try hexadecimal()
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard (0xD800..<0xDC00).contains(first), consume(UInt8(ascii: "\\")), consume(UInt8(ascii: "u")) else {
      throw failure("half of a surrogate pair")
    }
    let second = try hexadecimal()
    guard (0xDC00..<0xE000).contains(second),
      let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
    else { throw failure("half of a surrogate pair") }
    return scalar
  }

  mutating func hexadecimal() throws -> UInt32 {
    guard position + 4 <= bytes.count else { throw failure("a short \\u escape") }
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue else {
        throw failure("a malformed \\u escape")
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }

  func utf8(_ slice: Slice<UnsafeBufferPointer<UInt8>>) throws -> String {
    // Decoding repairs what is not UTF-8; a repaired string differs from its bytes.
    let text = String(decoding: slice, as: UTF8.self)
    guard text.utf8.elementsEqual(slice) else { throw failure("a string that is not UTF-8") }
    return text
  }
}
