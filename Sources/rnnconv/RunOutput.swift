import Foundation
import RNNContainers
import RNNCore

/// Outputs as files and as text.
enum RunOutput {
  static func write(_ outputs: [(String, Tensor)], to path: String, replacing: Bool) throws {
    let url = URL(fileURLWithPath: path)
    if path.hasSuffix(".npz") {
      try AtomicFile.write(to: url, replacing: replacing) { try NPZ.write(outputs, to: $0) }
      return
    }
    guard let only = outputs.first, outputs.count == 1 else {
      throw RNNError.usage("the model has \(outputs.count) outputs, an .npy file holds one", remedy: "Write an .npz.")
    }
    let header = only.1.npyHeader()
    try AtomicFile.write(to: url, replacing: replacing) { sink in
      try sink(header)
      try sink(only.1.bytes)
    }
  }

  /// Outputs of single examples, one above the other.
  static func stacked(_ tensors: [Tensor]) throws -> Tensor {
    guard let first = tensors.first, tensors.allSatisfy({ $0.shape == first.shape }) else {
      throw RNNError.badData(
        "the texts give outputs of different lengths, which no array holds", remedy: "Import the model with --maxlen.")
    }
    return try Tensor(tensors.flatMap { $0.floats() }, shape: [tensors.count] + first.shape.dropFirst())
  }

  /// One line for each example: its values, or a JSON object.
  static func text(of outputs: [(String, Tensor)], asJSON: Bool) throws -> String {
    let examples = outputs.first?.1.shape.first ?? 0
    var lines = ""
    for example in 0..<examples {
      if asJSON {
        let members = outputs.map { ($0.0, json(example, of: $0.1)) }
        lines += JSONValue.object(JSONObject([("outputs", .object(JSONObject(members)))])).text() + "\n"
      } else {
        lines += outputs.flatMap { row(example, of: $0.1).map(Console.number) }.joined(separator: "\t") + "\n"
      }
    }
    return lines
  }

  /// The values of one example, flat.
  static func row(_ example: Int, of tensor: Tensor) -> [Float] {
    let size = tensor.count / max(tensor.shape.first ?? 1, 1)
    return Array(tensor.floats()[example * size..<(example + 1) * size])
  }

  /// The values of one example as nested lists.
  static func json(_ example: Int, of tensor: Tensor) -> JSONValue {
    nested(row(example, of: tensor)[...], Array(tensor.shape.dropFirst()))
  }

  private static func nested(_ values: ArraySlice<Float>, _ shape: [Int]) -> JSONValue {
    guard let first = shape.first else { return JSONValue.float32(values.first ?? .nan) }
    let size = first == 0 ? 0 : values.count / first
    return .array(
      (0..<first).map { index in
        let start = values.startIndex + index * size
        return nested(values[start..<start + size], Array(shape.dropFirst()))
      })
  }
}

extension JSONValue {
  /// The shortest decimal that is this float and no other: fewer digits than its double has.
  static func float32(_ value: Float) -> JSONValue {
    .number(Double("\(value)") ?? Double(value))
  }
}
