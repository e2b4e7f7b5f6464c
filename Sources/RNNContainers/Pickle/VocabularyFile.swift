import Foundation
import RNNCore

/// A file of words that belongs to a model.
public enum VocabularyFile: Sendable {
  /// A Keras `Tokenizer`, pickled or as its `to_json()`: it has rules of its own.
  case tokenizer(KerasTokenizer)
  /// A JSON object of words and ranks, as Keras publishes for its IMDB data set.
  case ranks([(word: String, rank: Int)])

  private static let remedy =
    "A vocabulary is a pickled Keras Tokenizer, its to_json(), or a JSON object of words and ranks."

  /// Recognises the kind by its content.
  /// - Throws: `badData` for a damaged file, `unsupported` for one of another kind.
  public init(parsing data: Data) throws {
    let kind = ContainerKind.recognise(data)
    switch kind {
    case .pickle: self = .tokenizer(try KerasTokenizer(pickle: data))
    case .json: self = try VocabularyFile.json(data)
    case .hdf5, .kerasArchive, .npz, .npy, .torchZip, .torchLegacy, .safetensors, .onnx, .tflite, .otherZip,
      .damagedZip, .unknown:
      throw RNNError.unsupported("the file is \(kind.name), expected a vocabulary", remedy: VocabularyFile.remedy)
    }
  }

  private static func json(_ data: Data, isUnwrapped: Bool = false) throws -> VocabularyFile {
    let text = data.starts(with: [0xEF, 0xBB, 0xBF]) ? data.dropFirst(3) : data
    if hasIntegerFirst(text) {
      let ranks = try RankJSON.parse(text)
      return .ranks(ranks)
    }
    let value = try JSONValue(parsing: text)
    // json.dump(tokenizer.to_json(), file) makes a string of the text.
    if case .string(let inner) = value, !isUnwrapped, inner.hasPrefix("{") {
      return try json(Data(inner.utf8), isUnwrapped: true)
    }
    guard value["class_name"]?.string == "Tokenizer" else {
      throw RNNError.unsupported("the JSON is no vocabulary", remedy: remedy)
    }
    return .tokenizer(try KerasTokenizer(json: value))
  }

  /// Whether the first member of an object is a number: then it maps words to ranks.
  private static func hasIntegerFirst(_ text: Data) -> Bool {
    let bytes = [UInt8](text.prefix(4096))
    guard let open = bytes.firstIndex(where: { !isSpace($0) }), bytes[open] == UInt8(ascii: "{"),
      let quote = bytes[(open + 1)...].firstIndex(where: { !isSpace($0) }), bytes[quote] == UInt8(ascii: "\"")
    else { return false }
    var position = quote + 1
    while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
      position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
    }
    guard position < bytes.count,
      let colon = bytes[(position + 1)...].firstIndex(where: { !isSpace($0) }), bytes[colon] == UInt8(ascii: ":"),
      let value = bytes[(colon + 1)...].first(where: { !isSpace($0) })
    else { return false }
    return value == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(value)
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }
}
