import Foundation
import RNNContainers
import RNNCore
import RNNRuntime

/// What `--input` names.
enum RunInput {
  case arrays([(name: String, tensor: Tensor)])
  case texts(TextLines)
  case series(URL)

  var isSeries: Bool {
    if case .series = self { return true }
    return false
  }

  private static let knownExtensions: Set<String> = [
    "npy", "npz", "txt", "jsonl", "json", "csv", "tsv", "h5", "keras", "rnn", "onnx", "pt", "pth", "pkl",
    "safetensors",
  ]

  /// - Throws: `usage` for an existing file of another kind, `noInput` for a file that is not there.
  init(_ input: String, isText: Bool) throws {
    if isText {
      self = .texts(.single(input))
    } else if input == "-" {
      self = .texts(.lines(.standardInput, named: "standard input", isJSON: false))
    } else if FileManager.default.fileExists(atPath: input) {
      self = try RunInput.file(input)
    } else if input.contains("/") || RunInput.knownExtensions.contains((input as NSString).pathExtension.lowercased()) {
      throw RNNError.noInput(
        "the input file '\(input)' does not exist", remedy: "If it is meant as text, add --text.")
    } else {
      self = .texts(.single(input))
    }
  }

  private static func file(_ path: String) throws -> RunInput {
    let url = URL(fileURLWithPath: path)
    var isDirectory: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue {
      throw RNNError.usage("the input '\(path)' is a folder", remedy: "Name a file in it, or add --text.")
    }
    switch url.pathExtension.lowercased() {
    case "npy", "npz": return .arrays(try arrays(in: path))
    case "csv":
      try InputFile.check(url)
      return .series(url)
    case "txt", "jsonl":
      try InputFile.check(url)
      let isJSON = url.pathExtension.lowercased() == "jsonl"
      return .texts(.lines(try FileHandle(forReadingFrom: url), named: path, isJSON: isJSON))
    default:
      throw RNNError.usage(
        "the input '\(path)' is a file, but neither .npy, .npz, .csv, .txt nor .jsonl",
        remedy: "Rename it, or use --text to take the words themselves.")
    }
  }

  /// The arrays of an `.npy` or `.npz` file.
  static func arrays(in path: String) throws -> [(name: String, tensor: Tensor)] {
    let contents = try InputFile.contents(of: URL(fileURLWithPath: path))
    return try locating(path) {
      path.lowercased().hasSuffix(".npz") ? try NPZ.read(contents) : [("", try Tensor(npy: contents))]
    }
  }

  /// The arrays by the names of the inputs, or, when no name matches, in their own order.
  static func ordered(_ arrays: [(name: String, tensor: Tensor)], for model: Model) throws -> [Tensor] {
    let names = model.inputNames
    guard arrays.count == names.count else {
      throw RNNError.badData(
        "the model takes \(Console.count(names.count, "input")) (\(names.joined(separator: ", "))), the file holds "
          + "\(Console.count(arrays.count, "array")) (\(arrays.map(\.name).joined(separator: ", ")))")
    }
    let matching = names.filter { name in arrays.contains { $0.name == name } }
    if matching.isEmpty { return arrays.map(\.tensor) }
    return try names.map { name in
      guard let array = arrays.first(where: { $0.name == name }) else {
        throw RNNError.badData(
          "the file has no array for the input '\(name)', only \(arrays.map(\.name).joined(separator: ", "))",
          remedy: "Name the arrays after the inputs.")
      }
      return array.tensor
    }
  }
}
