import Foundation
import RNNCore

enum Text {
  /// Bytes as text.
  /// - Throws: `badData` with the first line that is not UTF-8.
  static func utf8(_ data: Data) throws -> String {
    if let text = String(data: data, encoding: .utf8) { return text }
    var line = 1
    for part in data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      if String(data: part, encoding: .utf8) == nil { break }
      line += 1
    }
    throw RNNError.badData("the text is not UTF-8", at: "line \(line)", remedy: "Save it as UTF-8.")
  }

  /// Text in the order of its Unicode scalars, as Python sorts it.
  static func isBefore(_ left: String, _ right: String) -> Bool { left.utf8.lexicographicallyPrecedes(right.utf8) }

  /// Without the byte order mark that some programs put first.
  static func withoutMark(_ data: Data) -> Data { data.starts(with: [0xEF, 0xBB, 0xBF]) ? data.dropFirst(3) : data }
}
