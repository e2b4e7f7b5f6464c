extension JSONValue {
  /// The value as JSON text.
  ///
  /// Doubles are written in their shortest round-trip form; NaN and infinities as Python writes them.
  /// - Parameter indent: spaces a level for people to read; `nil` for one line.
  public func text(indent: Int? = nil) -> String {
    var writer = JSONWriter(indent: indent)
    writer.write(self, level: 0)
    return writer.output
  }
}

private struct JSONWriter {
  let indent: Int?
  var output = ""

  init(indent: Int?) {
    self.indent = indent
  }

  mutating func write(_ value: JSONValue, level: Int) {
    switch value {
    case .null: output += "null"
    case .bool(let value): output += value ? "true" : "false"
    case .integer(let value): output += String(value)
    case .number(let value): output += JSONWriter.text(of: value)
    case .string(let value): write(string: value)
    case .array(let elements):
      // A list of scalars reads best on one line.
      let isFlat = elements.allSatisfy { $0.array == nil && $0.object == nil }
      sequence("[", "]", count: elements.count, level: level, isFlat: isFlat) { writer, index in
        writer.write(elements[index], level: level + 1)
      }
    case .object(let object):
      sequence("{", "}", count: object.members.count, level: level, isFlat: false) { writer, index in
        writer.write(string: object.members[index].key)
        writer.output += ": "
        writer.write(object.members[index].value, level: level + 1)
      }
    }
  }

  mutating func sequence(
    _ open: String, _ close: String, count: Int, level: Int, isFlat: Bool,
    _ element: (inout JSONWriter, Int) -> Void
  ) {
    output += open
    for index in 0..<count {
      if index > 0 { output += isFlat || indent == nil ? ", " : "," }
      if !isFlat { newLine(level + 1) }
      element(&self, index)
    }
    if count > 0, !isFlat { newLine(level) }
    output += close
  }

  mutating func newLine(_ level: Int) {
    if let indent { output += "\n" + String(repeating: " ", count: indent * level) }
  }

  mutating func write(string: String) {
    output += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": output += "\\\""
      case "\\": output += "\\\\"
      case "\n": output += "\\n"
      case "\r": output += "\\r"
      case "\t": output += "\\t"
      case "\u{0}"..<" ":
        let hex = String(scalar.value, radix: 16)
        output += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: output.unicodeScalars.append(scalar)
      }
    }
    output += "\""
  }

  static func text(of value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
    return "\(value)"
  }
}
