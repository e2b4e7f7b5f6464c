import Foundation

/// How a pickle begins and ends.
enum PickleSyntax {
  /// Whether bytes look like a Python pickle of any protocol.
  static func recognises(_ data: Data) -> Bool {
    guard let first = data.first, data.count >= 2 else { return false }
    if first == 0x80 { return (2...5).contains(data[data.startIndex + 1]) }
    // Protocols 0 and 1 have no header: a class's name, or a container with its mark, and a full stop at the end.
    guard data.last == UInt8(ascii: ".") else { return false }
    switch first {
    case UInt8(ascii: "c"):
      let line = data.prefix(256).dropFirst().prefix { $0 != UInt8(ascii: "\n") }
      return line.count < 255 && !line.isEmpty
        && line.allSatisfy { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "_") || isLetterOrDigit($0) }
    case UInt8(ascii: "("): return "dlt".utf8.contains(data[data.startIndex + 1])
    case UInt8(ascii: "}"), UInt8(ascii: "]"): return data.count == 2 || "qr(.".utf8.contains(data[data.startIndex + 1])
    default: return false
    }
  }

  private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "a")...UInt8(ascii: "z"):
      true
    default: false
    }
  }
}
