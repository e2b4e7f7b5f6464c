import RNNCore

/// Cuts text into tokens as Keras's `text_to_word_sequence` and `Tokenizer` do.
///
/// Lower-case the text; turn every filtered character into the separator; cut at each separator; leave out what is
/// empty. At character level every Unicode scalar is a token, and nothing is filtered.
public struct Tokenizer: Sendable {
  private let rules: TextRules
  private let lower: Bool
  private let isCharacterLevel: Bool
  private let separator: [UInt8]
  /// Filtered characters: ASCII by value, the others by their scalar.
  private var filtersASCII = [Bool](repeating: false, count: 128)
  private var otherFilters: Set<UInt32> = []
  private var stripped: Set<UInt32> = []
  private static let widestRun = 1 << 10

  /// - Throws: `badData` where words are cut at an empty separator, as Python does.
  public init(_ rules: TextRules) throws {
    guard rules.isCharacterLevel || !rules.separator.isEmpty else {
      throw RNNError.badData("the text rules have an empty separator")
    }
    self.rules = rules
    lower = rules.lower
    for scalar in (rules.strips ?? "").unicodeScalars { stripped.insert(scalar.value) }
    guard rules.ngrams?.allSatisfy({ (1...Tokenizer.widestRun).contains($0) }) ?? true else {
      throw RNNError.badData("the text rules have the ngrams \(rules.ngrams ?? [])")
    }
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
    guard let widths = rules.ngrams else { return try forEachSingle(of: text, body) }
    var words: [ArraySlice<UInt8>] = []
    forEachSingle(of: text) { words.append($0) }
    for width in widths where width <= words.count {
      for start in 0...words.count - width {
        try body(ArraySlice(words[start..<start + width].joined(separator: [UInt8(ascii: " ")])))
      }
    }
  }

  private func forEachSingle(of text: String, _ body: (ArraySlice<UInt8>) throws -> Void) rethrows {
    let bytes = stripped(lowered(text))
    if isCharacterLevel { return try forEachScalar(of: bytes, body) }
    switch rules.split {
    case nil: try forEachWord(of: filtered(bytes), body)
    case .whitespace?:
      try bytes.split { (0x09...0x0D).contains($0) || $0 == 0x20 }.forEach(body)
    case .whole?: if !bytes.isEmpty || rules.emptyID != nil { try body(bytes[...]) }
    }
  }

  private func lowered(_ text: String) -> [UInt8] {
    guard lower else { return Array(text.utf8) }
    guard rules.lowersASCII ?? false else { return PythonLowercase.bytes(of: text) }
    return text.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
  }

  private func stripped(_ bytes: [UInt8]) -> [UInt8] {
    guard !stripped.isEmpty else { return bytes }
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    forEachScalar(of: bytes) { character in
      if !stripped.contains(scalarValue(character)) { result += character }
    }
    return result
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
        if position > start || rules.emptyID != nil { try body(bytes[start..<position]) }
        position += separator.count
        start = position
      } else {
        position += 1
      }
    }
    if start < bytes.count || rules.emptyID != nil { try body(bytes[start...]) }
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
