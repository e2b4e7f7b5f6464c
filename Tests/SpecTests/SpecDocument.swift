import Foundation
import RNNTestSupport
import Testing

/// A document of `spec/`, as far as tests look into it: headings, tables, fenced blocks.
struct SpecDocument {
  /// A row of a table: its cells, as they are written.
  typealias Row = [String]

  let name: String
  let text: String

  init(_ name: String) throws {
    self.name = name
    text = try String(contentsOf: Fixtures.root.appendingPathComponent("spec/\(name)"), encoding: .utf8)
  }

  /// The lines under a heading, those of its subsections included.
  func section(_ heading: String) throws -> [String] {
    let lines = text.components(separatedBy: "\n")
    let start = try #require(
      lines.firstIndex { SpecDocument.level($0) > 0 && $0.drop { $0 == "#" }.dropFirst() == heading },
      "\(name) has no heading '\(heading)'")
    let level = SpecDocument.level(lines[start])
    return Array(lines[(start + 1)...].prefix { SpecDocument.level($0) == 0 || SpecDocument.level($0) > level })
  }

  private static func level(_ line: String) -> Int {
    let marks = line.prefix { $0 == "#" }.count
    return line.dropFirst(marks).hasPrefix(" ") ? marks : 0
  }

  /// The text, or a section's, as if it stood on one line.
  func prose(_ heading: String? = nil) throws -> String {
    let source = try heading.map { try section($0).joined(separator: "\n") } ?? text
    return source.split { $0.isWhitespace }.joined(separator: " ")
  }

  /// The rows of a section's table, its header left out.
  func table(_ heading: String, _ number: Int = 0) throws -> [Row] {
    var tables: [[Row]] = [[]]
    for line in try section(heading) {
      if line.hasPrefix("|") {
        tables[tables.count - 1].append(SpecDocument.cells(line))
      } else if tables.last?.isEmpty == false {
        tables.append([])
      }
    }
    let found = tables.filter { !$0.isEmpty }
    try #require(found.indices.contains(number), "'\(heading)' in \(name) has no table \(number)")
    return Array(found[number].dropFirst(2))
  }

  private static func cells(_ line: String) -> Row {
    line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast()
      .map { $0.trimmingCharacters(in: .whitespaces) }
  }

  /// The contents of the fenced blocks of a language.
  func blocks(_ language: String) -> [String] {
    text.components(separatedBy: "```\(language)\n").dropFirst().compactMap { $0.components(separatedBy: "```").first }
  }
}

extension String {
  /// What stands in backticks.
  var codes: [String] {
    components(separatedBy: "`").enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
  }

  /// The only thing in backticks.
  var code: String { codes.count == 1 ? codes[0] : "not one code: \(self)" }

  /// What stands in square brackets.
  var brackets: [String] {
    components(separatedBy: "[").dropFirst().compactMap { $0.components(separatedBy: "]").first }
  }
}

/// A source file, for the few tables that no test can reach otherwise.
enum SourceFile {
  static func text(_ path: String) throws -> String {
    try String(contentsOf: Fixtures.root.appendingPathComponent("Sources/\(path)"), encoding: .utf8)
  }

  /// The integer behind `static let name =`, which may be shifted.
  static func constant(_ name: String, in path: String) throws -> Int {
    let source = try text(path)
    let line = try #require(
      source.components(separatedBy: "\n").first { $0.contains("let \(name) = ") }, "\(path) has no constant '\(name)'")
    let value = try #require(line.components(separatedBy: " = ").last)
    let parts = value.replacing("_", with: "").components(separatedBy: " << ").compactMap { Int($0) }
    return try #require(parts.count == 2 ? parts[0] << parts[1] : parts.first)
  }
}
