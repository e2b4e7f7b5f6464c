import RNNCore

extension Inspection {
  /// The same as data.
  public var json: JSONValue {
    var object = JSONObject([
      ("source", .string(source)), ("container", .string(container)), ("framework", optional(framework)),
      ("version", optional(version)), ("dialect", optional(dialect)), ("origin", optional(origin)),
      ("decisions", .array(decisions.map(JSONValue.string))),
      ("layers", .array(layers.map(\.json))), ("parameters", .integer(parameterCount)),
      ("tensors", .array(tensors.map(\.json))),
      ("training", training.flatMap { try? JSONValue(parsing: $0) } ?? optional(training)),
      (
        "ledger",
        .array(
          ledger.map { entry in
            ["kind": .string(entry.kind.rawValue), "subject": .string(entry.subject), "note": .string(entry.note)]
          })
      ),
      ("warnings", .array(warnings.map(JSONValue.string))),
    ])
    if let text {
      object["text"] = [
        "vocabulary": .integer(vocabularySize ?? 0), "length": text.length.map(JSONValue.integer) ?? .null,
        "padding": .string(text.padding.rawValue), "truncating": .string(text.truncating.rawValue),
        "lower": .bool(text.lower), "filters": .string(text.filters),
      ]
    }
    return .object(object)
  }

  private func optional(_ text: String?) -> JSONValue { text.map(JSONValue.string) ?? .null }
}

extension Inspection.LayerLine {
  var json: JSONValue {
    [
      "name": .string(name), "class": .string(kind),
      "output_shape": .array(outputShape.map { $0.map(JSONValue.integer) ?? .null }),
      "parameters": .integer(parameterCount), "trainable": .bool(isTrainable),
    ]
  }
}

extension Inspection.TensorLine {
  var json: JSONValue {
    [
      "name": .string(name), "dtype": .string(dtype), "shape": .array(shape.map(JSONValue.integer)),
      "min": minimum.map(JSONValue.number) ?? .null, "mean": mean.map(JSONValue.number) ?? .null,
      "max": maximum.map(JSONValue.number) ?? .null, "nan": .integer(nanCount),
    ]
  }
}
