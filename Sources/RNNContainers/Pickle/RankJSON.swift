import Foundation
import RNNCore

/// A JSON object of words and integers, in one pass: a vocabulary of 88,584 words is read at every start.
///
/// Unlike `JSONValue`, words that differ only in how an accent is written (one scalar or two) are two words here, as
/// in Python.
enum RankJSON {
  /// - Throws: `badData` where the text is anything but one flat object of integers.
  static func parse(_ bytes: some Collection<UInt8>) throws -> [(word: String, rank: Int)] {
    let result = try bytes.withContiguousStorageIfAvailable { buffer in
      var parser = RankParser(bytes: buffer)
      return try parser.document()
    }
    return try result ?? parse(Array(bytes))
  }
}

private struct RankParser {
  let bytes: UnsafeBufferPointer<UInt8>
  var position = 0

  init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  func failure(_ what: String) -> RNNError { .badData("the vocabulary is malformed at byte \(position): \(what)") }

  mutating func document() throws -> [(word: String, rank: Int)] {
    guard next() == UInt8(ascii: "{") else { throw failure("expected an object of words and ranks") }
    position += 1
    var result: [(word: String, rank: Int)] = []
    if next() == UInt8(ascii: "}") {
      position += 1
    } else {
      while true {
        guard next() == UInt8(ascii: "\"") else { throw failure("expected a word in quotes") }
        let word = try string()
        guard next() == UInt8(ascii: ":") else { throw failure("expected ':' after the word '\(word)'") }
        position += 1
        result.append((word, try integer(of: word)))
        let separator = next()
        position += 1
        if separator == UInt8(ascii: "}") { break }
        guard separator == UInt8(ascii: ",") else {
          position -= 1
          throw failure("expected ',' or '}'")
        }
      }
    }
    guard next() == nil else { throw failure("text after its end") }
    return result
  }

  /// The next byte that is no white space.
  mutating func next() -> UInt8? {
    while position < bytes.count {
      let byte = bytes[position]
      if byte > 0x20 || (byte != 0x20 && byte != 0x0A && byte != 0x0D && byte != 0x09) { return byte }
      position += 1
    }
    return nil
  }

  mutating func integer(of word: String) throws -> Int {
    _ = next()
    let start = position
    if position < bytes.count, bytes[position] == UInt8(ascii: "-") { position += 1 }
    let digits = position
    var value = 0
    while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
      let (product, isWide) = value.multipliedReportingOverflow(by: 10)
      let (sum, isWider) = product.addingReportingOverflow(Int(bytes[position] & 0x0F))
      guard !isWide, !isWider else { throw failure("the rank of '\(word)' is too large") }
      value = sum
      position += 1
    }
    let isWhole = position == bytes.count || !".eE".utf8.contains(bytes[position])
    guard position > digits, isWhole else {
      position = start
      throw failure("the rank of '\(word)' is no whole number")
    }
    return digits > start ? -value : value
  }

  mutating func string() throws -> String {
    position += 1
    let start = position
    var isASCII = true
    while position < bytes.count, bytes[position] != UInt8(ascii: "\""), bytes[position] != UInt8(ascii: "\\") {
      if bytes[position] < 0x20 { throw failure("a control character inside a word") }
      if bytes[position] >= 0x80 { isASCII = false }
      position += 1
    }
    guard position < bytes.count else { throw failure("a word without an end") }
    if bytes[position] == UInt8(ascii: "\\") { return try escapedString(from: start) }
    let slice = bytes[start..<position]
    position += 1
    let text = String(decoding: slice, as: UTF8.self)
    // Decoding repairs what is not UTF-8.
    guard isASCII || text.utf8.elementsEqual(slice) else { throw failure("a word that is not UTF-8") }
    return text
  }

  /// Words with escapes are rare enough to be left to the general reader.
  mutating func escapedString(from start: Int) throws -> String {
    while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
      position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
    }
    guard position < bytes.count else { throw failure("a word without an end") }
    position += 1
    guard let text = try JSONValue(parsing: bytes[(start - 1)..<position]).string else {
      throw failure("expected a word in quotes")
    }
    return text
  }
}
