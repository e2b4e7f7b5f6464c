/// Python's `str.lower()`: every scalar by its full Unicode mapping, and the capital sigma by its place in the word
/// (CPython, `Objects/unicodeobject.c`, `lower_ucs4` and `handle_capital_sigma`).
///
/// `String.lowercased()` gives the same but for the final sigma.
enum PythonLowercase {
  /// UTF-8 of the text in lower case.
  static func bytes(of text: String) -> [UInt8] {
    var text = text
    let ascii: [UInt8]? = text.withUTF8 { bytes in
      guard bytes.allSatisfy({ $0 < 0x80 }) else { return nil }
      return bytes.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
    }
    return ascii ?? full(text)
  }

  private static func full(_ text: String) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.utf8.count)
    let scalars = text.unicodeScalars
    for index in scalars.indices {
      let scalar = scalars[index]
      if scalar == "\u{3A3}" {
        result.append(contentsOf: (isFinalSigma(at: index, in: scalars) ? "\u{3C2}" : "\u{3C3}").utf8)
      } else if scalar.isASCII {
        let byte = UInt8(truncatingIfNeeded: scalar.value)
        result.append((0x41...0x5A).contains(byte) ? byte | 0x20 : byte)
      } else {
        result.append(contentsOf: scalar.properties.lowercaseMapping.utf8)
      }
    }
    return result
  }

  /// Whether a cased letter stands before the sigma and none after it, what is case-ignorable left aside.
  private static func isFinalSigma(at index: String.Index, in scalars: String.UnicodeScalarView) -> Bool {
    guard let before = scalars[..<index].last(where: { !$0.properties.isCaseIgnorable }), before.properties.isCased
    else { return false }
    let after = scalars[scalars.index(after: index)...].first { !$0.properties.isCaseIgnorable }
    return after.map { !$0.properties.isCased } ?? true
  }
}
