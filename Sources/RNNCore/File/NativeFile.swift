import Foundation

/// The `.rnn` file: a profile of safetensors, specified in spec/native-format.md.
public enum NativeFile {
  public static let format = "rnnconv"
  /// Files of a newer version are refused.
  public static let version = 1

  enum Prefix {
    static let parameters = "parameters/"
    static let optimizer = "optimizer/"
    static let states = "states/"
  }

  enum Key {
    static let format = "format"
    static let version = "format_version"
    static let model = "model"
    static let text = "text"
    static let training = "training"
    static let provenance = "provenance"
    static let ledger = "ledger"
  }

  static let wordsName = "text/words"
  static let offsetsName = "text/offsets"

  /// Whether a safetensors file says that it is a `.rnn`.
  public static func isNative(_ file: Safetensors) -> Bool { file[metadata: Key.format] == format }
}

// MARK: - Reading

extension NativeModel {
  /// Reads a `.rnn` file; tensors stay slices of the mapped file.
  public init(contentsOf url: URL) throws {
    let data = try InputFile.contents(of: url)
    self = try locating(url.path) { try NativeModel(parsing: data) }
  }

  /// - Throws: `badData` for a damaged file, `unsupported` for a newer version.
  public init(parsing data: Data) throws {
    guard data.count > 8, data[data.startIndex + 8] == UInt8(ascii: "{") else {
      throw RNNError.badData(
        "the file is no .rnn file", remedy: "If it is a Keras model, import it first: rnnconv import FILE.")
    }
    try self.init(try Safetensors(parsing: data))
  }

  public init(_ file: Safetensors) throws {
    guard NativeFile.isNative(file) else {
      throw RNNError.badData(
        "a safetensors file, but no .rnn: its metadata has no format '\(NativeFile.format)'",
        remedy: "Import the model that it belongs to first.")
    }
    guard let version = file[metadata: NativeFile.Key.version], version.contains(where: { $0 != "0" }),
      version.allSatisfy({ "0"..."9" ~= $0 })
    else { throw RNNError.badData("the metadata has no format_version") }
    // A number too long for an integer is newer, too.
    guard Int(version).map({ $0 <= NativeFile.version }) ?? false else {
      throw RNNError.unsupported(
        "the file has format version \(version), this program reads up to \(NativeFile.version)",
        remedy: "Use a newer rnnconv.")
    }
    guard let spec = try NativeFile.decode(ModelSpec.self, NativeFile.Key.model, file),
      let provenance = try NativeFile.decode(Provenance.self, NativeFile.Key.provenance, file)
    else { throw RNNError.badData("the metadata lacks the model or its provenance") }
    self.init(spec: spec, parameters: [], provenance: provenance)
    training = file[metadata: NativeFile.Key.training]
    ledger = try NativeFile.decode([LedgerEntry].self, NativeFile.Key.ledger, file) ?? []
    let textTensors = try takeTensors(file)
    text = try NativeFile.text(file, textTensors)
    try validate()
  }

  /// Sorts the tensors by their prefixes and returns those of the text.
  private mutating func takeTensors(_ file: Safetensors) throws -> [String: Tensor] {
    var textTensors: [String: Tensor] = [:]
    var parametersByPath: [String: Tensor] = [:]
    for entry in file.entries {
      if let path = entry.name.dropping(prefix: NativeFile.Prefix.parameters) {
        guard parametersByPath.updateValue(entry.tensor, forKey: path) == nil else {
          throw RNNError.badData("the parameter '\(path)' stands twice")
        }
      } else if let path = entry.name.dropping(prefix: NativeFile.Prefix.optimizer) {
        optimizerSlots.append(OptimizerSlot(path: path, tensor: entry.tensor))
      } else if let path = entry.name.dropping(prefix: NativeFile.Prefix.states) {
        recurrentStates.append(try NativeFile.state(path, entry.tensor))
      } else if entry.name == NativeFile.wordsName || entry.name == NativeFile.offsetsName {
        textTensors[entry.name] = entry.tensor
      } else {
        throw RNNError.badData("the tensor '\(entry.name)' has none of the reserved prefixes")
      }
    }
    // The order of the parameters is that of the layers, wherever their bytes stand.
    // Only a graph that holds together can be made plain.
    _ = try spec.shapes()
    let plain = spec.plain
    for (layer, shapes) in zip(plain.layers, try plain.shapes().parameters) {
      for shape in shapes {
        let path = NativeModel.path(layer: layer.name, parameter: shape.name)
        guard let tensor = parametersByPath.removeValue(forKey: path) else { continue }
        parameters.append(Parameter(layer: layer.name, name: shape.name, tensor: tensor))
      }
    }
    // What is missing and what is left over, `validate` names together.
    for (path, tensor) in parametersByPath.sorted(by: { $0.key < $1.key }) {
      let name = path.split(separator: "/", omittingEmptySubsequences: false).last.map(String.init) ?? path
      parameters.append(Parameter(layer: CheckpointPath.parent(of: path), name: name, tensor: tensor))
    }
    return textTensors
  }
}

extension NativeFile {
  static func decode<Value: Decodable>(_: Value.Type, _ key: String, _ file: Safetensors) throws -> Value? {
    guard let text = file[metadata: key] else { return nil }
    // Foundation's decoder takes one of two equal keys without a word.
    _ = try locating("metadata '\(key)'") { try JSONValue(parsing: text) }
    do {
      return try jsonDecoder.decode(Value.self, from: Data(text.utf8))
    } catch {
      throw RNNError.badData("metadata '\(key)' cannot be read: \(describe(error))")
    }
  }

  static func text(_ file: Safetensors, _ tensors: [String: Tensor]) throws -> TextBundle? {
    guard let rules = try decode(TextRules.self, Key.text, file) else {
      guard tensors.isEmpty else { throw RNNError.badData("a vocabulary without its rules in metadata 'text'") }
      return nil
    }
    guard let words = tensors[wordsName], let offsets = tensors[offsetsName], words.dtype == .uint8,
      words.shape.count == 1, offsets.dtype == .int64, offsets.shape.count == 1, offsets.count > 0
    else { throw RNNError.badData("the vocabulary needs text/words (U8) and text/offsets (I64), both of rank 1") }
    return TextBundle(rules: rules, words: words, offsets: offsets)
  }

  /// A state's name is its call and its number.
  fileprivate static func state(_ path: String, _ tensor: Tensor) throws -> NativeModel.RecurrentState {
    let numbers = path.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard numbers.count == 2, let call = numbers[0], let state = numbers[1], call >= 0, state >= 0,
      (2...3).contains(tensor.shape.count)
    else {
      throw RNNError.badData(
        "the tensor 'states/\(path)' is no recurrent state: states/CALL/NUMBER of rank 2, a ConvLSTM1D's of rank 3")
    }
    return NativeModel.RecurrentState(call: call, state: state, tensor: tensor)
  }

  private static var jsonDecoder: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    return decoder
  }

  static var jsonEncoder: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    return encoder
  }

  private static func describe(_ error: any Error) -> String {
    guard let error = error as? DecodingError else { return error.localizedDescription }
    func place(_ context: DecodingError.Context) -> String {
      context.codingPath.map(\.stringValue).joined(separator: ".")
    }
    switch error {
    case .keyNotFound(let key, let context): return "'\(key.stringValue)' is missing in '\(place(context))'"
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
      return "'\(place(context))' is not what was expected"
    @unknown default: return "it is malformed"
    }
  }
}

// MARK: - Writing

extension NativeModel {
  /// Writes a `.rnn` file atomically.
  public func write(to url: URL, replacing: Bool) throws {
    let file = try safetensors()
    try AtomicFile.write(to: url, replacing: replacing) { try file.write(to: $0) }
  }

  /// Writes a `.rnn` file atomically.
  /// - Parameter digest: waits for the source's SHA-256, 64 hexadecimal digits; asked when the tensors are written.
  /// - Returns: the model with its digest.
  package func write(to url: URL, replacing: Bool, digest: () throws -> String) throws -> NativeModel {
    var model = self
    model.provenance.sha256 = String(repeating: "0", count: 64)
    var file = try model.safetensors()
    let length = try file.header().count
    try AtomicFile.write(to: url, replacing: replacing) {
      try file.write(to: $0)
    } beginning: {
      model.provenance.sha256 = try digest()
      let text = String(decoding: try NativeFile.jsonEncoder.encode(model.provenance), as: UTF8.self)
      file.metadata = file.metadata.map { $0.key == NativeFile.Key.provenance ? ($0.key, text) : $0 }
      let header = try file.header()
      guard header.count == length else {
        throw RNNError(.internalError, "a digest of another length than SHA-256's")
      }
      return header
    }
    return model
  }

  /// The file's content.
  public func safetensors() throws -> Safetensors {
    try validate()
    var file = Safetensors()
    func add(_ key: String, _ value: some Encodable) throws {
      let text = String(decoding: try NativeFile.jsonEncoder.encode(value), as: UTF8.self)
      file.metadata.append((key, text))
    }
    file.metadata.append((NativeFile.Key.format, NativeFile.format))
    file.metadata.append((NativeFile.Key.version, String(NativeFile.version)))
    try add(NativeFile.Key.model, spec)
    if let text { try add(NativeFile.Key.text, text.rules) }
    if let training { file.metadata.append((NativeFile.Key.training, training)) }
    try add(NativeFile.Key.provenance, provenance)
    if !ledger.isEmpty { try add(NativeFile.Key.ledger, ledger) }
    for parameter in parameters {
      let path = NativeModel.path(layer: parameter.layer, parameter: parameter.name)
      file.entries.append(.init(name: NativeFile.Prefix.parameters + path, tensor: parameter.tensor))
    }
    for slot in optimizerSlots {
      file.entries.append(.init(name: NativeFile.Prefix.optimizer + slot.path, tensor: slot.tensor))
    }
    for state in recurrentStates {
      file.entries.append(.init(name: "\(NativeFile.Prefix.states)\(state.call)/\(state.state)", tensor: state.tensor))
    }
    if let text {
      file.entries.append(.init(name: NativeFile.offsetsName, tensor: text.offsets))
      // Bytes stand last, so that they move no other tensor from its alignment.
      file.entries.append(.init(name: NativeFile.wordsName, tensor: text.words))
    }
    return file
  }
}

extension String {
  /// The rest after `prefix`, or `nil`. By bytes: a combining mark after the prefix belongs to the rest.
  package func dropping(prefix: String) -> String? {
    utf8.starts(with: prefix.utf8) ? String(decoding: utf8.dropFirst(prefix.utf8.count), as: UTF8.self) : nil
  }
}
