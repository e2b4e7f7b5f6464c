import RNNCore

/// Cuts text into tokens as Keras's `text_to_word_sequence` and `Tokenizer` do.
///
/// Lower-case the text; turn every filtered character into the separator; cut at each separator; leave out what is
/// empty. At character level every Unicode scalar is a token, and nothing is filtered.
public struct Tokenizer: Sendable {
  private let lower: Bool
  private let isCharacterLevel: Bool
  private let separator: [UInt8]
  /// Filtered characters: ASCII by value, the others by their scalar.
  private var filtersASCII = [Bool](repeating: false, count: 128)
  private var otherFilters: Set<UInt32> = []

  /// - Throws: `badData` where words are cut at an empty separator, as Python does.
  public init(_ rules: TextRules) throws {
    guard rules.isCharacterLevel || !rules.separator.isEmpty else {
      throw RNNError.badData("the text rules have an empty separator")
    }
    lower = rules.lower
    isCharacterLevel = rules.isCharacterLevel
    separator = Array(rules.separator.utf8)
    for scalar in rules.filters.unicodeScalars {
      if scalar.isASCII { filtersASCII[Int(scalar.value)] = true } else { otherFilters.insert(scalar.value) }
    }
  }

  /// The tokens of a text, in order.
  public func tokens(of text: String) -> [String] {
    var result: [String] = []
    forEachToken(of: text) { result.append(String(decoding: $0, as: UTF8.self)) }
    return result
  }

  /// Hands the UTF-8 bytes of each token, in order, to `body`.
  public func forEachToken(of text: String, _ body: (ArraySlice<UInt8>) throws -> Void) rethrows {
    let bytes = lower ? PythonLowercase.bytes(of: text) : Array(text.utf8)
    if isCharacterLevel {
      try forEachScalar(of: bytes, body)
    } else {
      try forEachWord(of: filtered(bytes), body)
    }
  }

  private func forEachScalar(of bytes: [UInt8], _ body: (ArraySlice<UInt8>) throws -> Void) rethrows {
    var start = 0
    while start < bytes.count {
      var end = start + 1
      while end < bytes.count, isContinuation(bytes[end]) { end += 1 }
      try body(bytes[start..<end])
      start = end
    }
  }

  private func forEachWord(of bytes: [UInt8], _ body: (ArraySlice<UInt8>) throws -> Void) rethrows {
    var (start, position) = (0, 0)
    while position < bytes.count {
      if bytes[position] == separator[0], bytes[position...].starts(with: separator) {
        if position > start { try body(bytes[start..<position]) }
        position += separator.count
        start = position
      } else {
        position += 1
      }
    }
    if start < bytes.count { try body(bytes[start...]) }
  }

  /// The text with the separator in place of each filtered character.
  private func filtered(_ bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var position = 0
    while position < bytes.count {
      let byte = bytes[position]
      if byte < 0x80 {
        if filtersASCII[Int(byte)] { result.append(contentsOf: separator) } else { result.append(byte) }
        position += 1
        continue
      }
      var end = position + 1
      while end < bytes.count, isContinuation(bytes[end]) { end += 1 }
      let character = bytes[position..<end]
      if !otherFilters.isEmpty, otherFilters.contains(scalarValue(character)) {
        result.append(contentsOf: separator)
      } else {
        result.append(contentsOf: character)
      }
      position = end
    }
    return result
  }

  private func isContinuation(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }

  private func scalarValue(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    String(decoding: bytes, as: UTF8.self).unicodeScalars.first?.value ?? 0
  }
}
