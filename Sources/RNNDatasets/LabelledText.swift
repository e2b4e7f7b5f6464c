import Foundation
import RNNContainers
import RNNCore
import RNNText

/// Texts and what each is to be recognised as: CSV with the columns `text` and `label`, or JSON lines with these keys.
public struct LabelledText: Sendable, Equatable {
  /// What the texts are to be recognised as.
  public enum Labels: Sendable, Equatable {
    case numbers([Double])
    /// For each text the number of its class; the names are sorted.
    case classes([Int], names: [String])
  }

  /// In the order of the file.
  public let texts: [String]
  /// One for each text.
  public let labels: Labels

  /// The names of the columns or keys.
  public struct Columns: Sendable, Equatable {
    public var text: String
    public var label: String

    public init(text: String = "text", label: String = "label") {
      self.text = text
      self.label = label
    }
  }

  /// Reads a file, which is JSON lines if it begins with `{` and a JSON object makes up its first line, else CSV.
  /// - Throws: `badData`, naming the file and line, where a row is malformed or lacks a part.
  public init(contentsOf url: URL, columns: Columns = Columns()) throws {
    let data = try InputFile.contents(of: url)
    self = try locating(url.path) {
      let first = Text.withoutMark(data).prefix { $0 != UInt8(ascii: "\n") }
      let isJSON =
        first.first == UInt8(ascii: "{")
        && (url.pathExtension.lowercased() == "jsonl" || (try? JSONValue(parsing: first))?.object != nil)
      return isJSON
        ? try LabelledText(jsonLines: data, columns: columns) : try LabelledText(csv: data, columns: columns)
    }
  }

  /// CSV, quoted as RFC 4180 says. The first line names the columns; without such a line every row is a text and its
  /// label.
  public init(csv data: Data, columns: Columns = Columns()) throws {
    var rows = try CSVReader.rows(of: data)
    guard let header = rows.first else { throw RNNError.badData("the file holds no rows") }
    let places = (text: header.place(of: columns.text), label: header.place(of: columns.label))
    var (text, label) = (0, 1)
    var isHeadless = false
    if let textPlace = places.text, let labelPlace = places.label, textPlace != labelPlace {
      (text, label) = (textPlace, labelPlace)
      rows.removeFirst()
    } else {
      // Other columns than the usual ones were asked for, or there is no telling which is which.
      guard columns == Columns(), header.fields.count == 2, places.text == nil, places.label == nil else {
        let found = header.fields.map { "'\($0.prefix(40))'" }.prefix(20).joined(separator: ", ")
        throw RNNError.badData(
          "no columns '\(columns.text)' and '\(columns.label)'; there are: \(found)", at: "line \(header.line)",
          remedy: "Name the columns in the first line, or give two columns, the text first.")
      }
      isHeadless = true
    }
    let pairs = try rows.map { row in
      guard row.fields.count == header.fields.count else {
        throw RNNError.badData(
          "\(row.fields.count) columns, expected \(header.fields.count)", at: "line \(row.line)",
          remedy: "Put fields that hold commas, quotes or line breaks into quotes.")
      }
      return Pair(line: row.line, text: row.fields[text], label: row.fields[label], isText: nil)
    }
    try self.init(pairs, isHeadless: isHeadless)
  }

  /// One JSON object a line; the label is a number, a boolean or a string. Empty lines are left out.
  public init(jsonLines data: Data, columns: Columns = Columns()) throws {
    var pairs: [Pair] = []
    var line = 0
    for part in Text.withoutMark(data).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      line += 1
      if part.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
      pairs.append(try locating("line \(line)") { try Pair(line: line, json: try JSONValue(parsing: part), columns) })
    }
    try self.init(pairs, isHeadless: false)
  }

  private init(_ pairs: [Pair], isHeadless: Bool) throws {
    guard !pairs.isEmpty else { throw RNNError.badData("the file holds no rows") }
    texts = pairs.map(\.text)
    let numbers = pairs.map(\.number)
    if numbers.allSatisfy({ $0 != nil }) {
      labels = .numbers(numbers.compactMap { $0 })
      return
    }
    if isHeadless, pairs.count > 1, numbers[0] == nil, numbers.dropFirst().allSatisfy({ $0 != nil }) {
      throw RNNError.badData(
        "the label '\(pairs[0].label.prefix(40))' is no number, but those of all other rows are",
        at: "line \(pairs[0].line)", remedy: "If this line names the columns, call them 'text' and 'label'.")
    }
    var places: [[UInt8]: Int] = [:]
    for pair in pairs { places[Array(pair.label.utf8)] = 0 }
    let names = places.keys.sorted { $0.lexicographicallyPrecedes($1) }
    for (place, name) in names.enumerated() { places[name] = place }
    labels = .classes(
      pairs.map { places[Array($0.label.utf8)] ?? 0 }, names: names.map { String(decoding: $0, as: UTF8.self) })
  }

  // MARK: - Use

  /// The texts as ids, and the labels.
  /// - Parameters:
  ///   - bundle: the model's vocabulary and rules; where these have no length, that of the longest text is taken.
  ///   - known: the classes that the model was trained on, whose numbers labels of these names get.
  /// - Returns: inputs int32 (texts, length); targets (texts): int32 for classes and whole numbers, else float32.
  /// - Throws: `badData` for a label that is none of the known classes.
  public func dataset(_ bundle: TextBundle, classes known: [String]? = nil) throws -> Dataset {
    let encoder = try TextEncoder(bundle)
    let rows = RaggedIntegers(rows: texts.lazy.map { encoder.ids(for: $0) })
    guard let padding = Int32(exactly: bundle.rules.paddingID) else {
      throw RNNError.badData("the padding \(bundle.rules.paddingID) of the text rules is no id")
    }
    let inputs = try SequencePadding.pad(
      rows, length: max(1, rows.longest), padding: bundle.rules.padding, truncating: bundle.rules.truncating,
      value: padding)
    let labels = try labels(known)
    let examples = try Examples(inputs: [inputs], targets: [try LabelledText.targets(labels)])
    guard case .classes(_, let names) = labels else { return Dataset(training: examples, text: bundle, classes: known) }
    return Dataset(training: examples, text: bundle, classes: names)
  }

  /// With the numbers that the known classes have.
  private func labels(_ known: [String]?) throws -> Labels {
    guard let known, case .classes(let classes, let names) = labels else { return labels }
    let places = try names.map { name in
      guard let place = known.firstIndex(of: name) else {
        throw RNNError.badData(
          "the label '\(name.prefix(40))' is none of the classes \(known.map { "'\($0)'" }.joined(separator: ", "))",
          remedy: "Use the labels that the model was trained on.")
      }
      return place
    }
    return .classes(classes.map { places[$0] }, names: known)
  }

  private static func targets(_ labels: Labels) throws -> Tensor {
    switch labels {
    case .classes(let classes, _): return try Tensor(int32: classes.map { Int32(clamping: $0) }, shape: [classes.count])
    case .numbers(let numbers):
      let whole = numbers.compactMap { Int32(exactly: $0) }
      if whole.count == numbers.count { return try Tensor(int32: whole, shape: [whole.count]) }
      return try Tensor(numbers.map { Float($0) }, shape: [numbers.count])
    }
  }
}

/// A row of the file.
private struct Pair {
  var line: Int
  var text: String
  var label: String
  /// JSON says whether a label is text; CSV leaves it to its look.
  var isText: Bool?

  init(line: Int, text: String, label: String, isText: Bool?) {
    self.line = line
    self.text = text
    self.label = label
    self.isText = isText
  }

  init(line: Int, json: JSONValue, _ columns: LabelledText.Columns) throws {
    guard json.object != nil else { throw RNNError.badData("\(json.kind), expected an object") }
    guard let text = json[columns.text]?.string else {
      throw RNNError.badData(
        "'\(columns.text)' is \(json[columns.text]?.kind ?? "missing"), expected a string",
        remedy: "Every line is an object with '\(columns.text)' and '\(columns.label)'.")
    }
    switch json[columns.label] {
    case .string(let label): self.init(line: line, text: text, label: label, isText: true)
    case .integer(let label): self.init(line: line, text: text, label: String(label), isText: false)
    case .number(let label) where label.isFinite:
      self.init(line: line, text: text, label: String(label), isText: false)
    case .bool(let label): self.init(line: line, text: text, label: label ? "1" : "0", isText: false)
    case let other:
      throw RNNError.badData("'\(columns.label)' is \(other?.kind ?? "missing"), expected a number or a string")
    }
  }

  /// The label as a number, where it is one.
  var number: Double? {
    if isText == true { return nil }
    let digits = label.utf8.drop { $0 == 0x20 }
    guard !digits.isEmpty, digits.allSatisfy({ (0x30...0x39).contains($0) || "+-.eE ".utf8.contains($0) }) else {
      return nil
    }
    guard let value = Double(label.trimmingCharacters(in: .whitespaces)), value.isFinite else { return nil }
    return value
  }
}
