import Foundation
import RNNCore

/// Reads comma-separated values (RFC 4180): fields in quotes may hold commas, line breaks and doubled quotes; lines end
/// with LF or CR LF. Empty lines are left out.
enum CSVReader {
  struct Row: Equatable {
    /// Where it begins, from 1.
    var line: Int
    var fields: [String]

    /// The column of this name; capitals and spaces around it count only where they tell two columns apart.
    func place(of name: String) -> Int? {
      func plain(_ text: String) -> String { text.trimmingCharacters(in: .whitespaces).lowercased() }
      return fields.firstIndex(of: name) ?? fields.firstIndex { plain($0) == plain(name) }
    }
  }

  /// - Throws: `badData` with the line of a quote that is never closed, or is followed by text, and of bytes that are
  ///   not UTF-8.
  static func rows(of data: Data) throws -> [Row] {
    try Text.withoutMark(data).withUnsafeBytes { bytes in
      var parser = CSVParser(bytes: bytes)
      return try parser.document()
    }
  }
}

private struct CSVParser {
  let bytes: UnsafeRawBufferPointer
  var position = 0
  var line = 1
  /// Whether the last field stood in quotes.
  private var isQuoted = false

  init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  mutating func document() throws -> [CSVReader.Row] {
    var rows: [CSVReader.Row] = []
    while position < bytes.count {
      let start = line
      let row = CSVReader.Row(line: start, fields: try locating("line \(start)") { try self.row() })
      // An empty line is no row; a line of "" is.
      if row.fields != [""] || isQuoted { rows.append(row) }
    }
    return rows
  }

  private mutating func row() throws -> [String] {
    var fields: [String] = []
    while true {
      isQuoted = position < bytes.count && bytes[position] == UInt8(ascii: "\"")
      fields.append(isQuoted ? try quoted() : try plain())
      guard position < bytes.count else { return fields }
      let separator = bytes[position]
      position += 1
      if separator == UInt8(ascii: ",") { continue }
      if separator == UInt8(ascii: "\r"), position < bytes.count, bytes[position] == UInt8(ascii: "\n") {
        position += 1
      }
      line += 1
      return fields
    }
  }

  /// Up to a comma or the end of the line.
  private mutating func plain() throws -> String {
    let start = position
    while position < bytes.count, !isEnd(bytes[position]) { position += 1 }
    return try text(bytes[start..<position])
  }

  /// What stands between quotes; a doubled quote is one.
  private mutating func quoted() throws -> String {
    position += 1
    var content: [UInt8] = []
    var start = position
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if byte == UInt8(ascii: "\n") { line += 1 }
      guard byte == UInt8(ascii: "\"") else { continue }
      content.append(contentsOf: bytes[start..<position - 1])
      guard position < bytes.count else { return try text(content) }
      if bytes[position] == UInt8(ascii: "\"") {
        start = position
        position += 1
        continue
      }
      guard isEnd(bytes[position]) else {
        throw RNNError.badData("text follows a closing quote", remedy: "Double the quotes inside a quoted field.")
      }
      return try text(content)
    }
    throw RNNError.badData("a quote is never closed", remedy: "Double the quotes inside a quoted field.")
  }

  private func isEnd(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
  }

  private func text(_ content: some Sequence<UInt8>) throws -> String {
    guard let text = String(bytes: content, encoding: .utf8) else {
      throw RNNError.badData("a field is not UTF-8", remedy: "Save the file as UTF-8.")
    }
    return text
  }
}
