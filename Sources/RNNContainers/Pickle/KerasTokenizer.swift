import Foundation
import RNNCore

/// What a Keras `Tokenizer` knows: its rules, and each word with its index.
public struct KerasTokenizer: Sendable {
  /// In the file's order: the most frequent word first.
  public var wordIndex: [(word: String, rank: Int)]
  /// `num_words`: indices at or past it are not used.
  public var numWords: Int?
  public var filters = KerasTokenizer.defaultFilters
  public var lower = true
  public var split = " "
  public var charLevel = false
  public var oovToken: String?

  static let defaultFilters = TextRules.kerasFilters

  init(wordIndex: [(word: String, rank: Int)]) throws {
    guard !wordIndex.isEmpty else {
      throw RNNError.badData(
        "the Tokenizer knows no words: it was saved before fit_on_texts", remedy: "Save it again after fitting.")
    }
    self.wordIndex = wordIndex
  }
}

// MARK: - Pickles

extension KerasTokenizer {
  /// The modules in which Keras has had its `Tokenizer`.
  private static let modules = [
    "keras.preprocessing.text", "keras_preprocessing.text", "keras.src.preprocessing.text",
    "keras.src.legacy.preprocessing.text", "keras.legacy.preprocessing.text", "tf_keras.preprocessing.text",
    "tf_keras.src.preprocessing.text", "tensorflow.keras.preprocessing.text",
    "tensorflow.python.keras.preprocessing.text", "tensorflow.python.keras._impl.keras.preprocessing.text",
    "tensorflow.contrib.keras.python.keras.preprocessing.text", "tensorflow_core.python.keras.preprocessing.text",
    "tensorflow_core.keras.preprocessing.text",
  ]

  /// Everything that a pickled `Tokenizer` may name.
  static let rules: PickleRules = {
    var globals: [PickleGlobal: PickleRules.Role] = [
      PickleGlobal("collections", "OrderedDict"): .orderedDictionary,
      PickleGlobal("collections", "defaultdict"): .defaultDictionary,
      PickleGlobal("copy_reg", "_reconstructor"): .reconstructor,
      PickleGlobal("copyreg", "_reconstructor"): .reconstructor,
    ]
    for module in ["builtins", "__builtin__"] {
      globals[PickleGlobal(module, "int")] = .mention
      globals[PickleGlobal(module, "object")] = .mention
    }
    // What Python 3 calls int when it writes for Python 2 (protocols 0 to 2).
    globals[PickleGlobal("__builtin__", "long")] = .mention
    for module in modules { globals[PickleGlobal(module, "Tokenizer")] = .record }
    return PickleRules(
      globals: globals, purpose: "a Keras Tokenizer",
      remedy: "Save the vocabulary with open(\"words.json\", \"w\").write(tokenizer.to_json()).")
  }()

  /// Reads a pickled `Tokenizer`; nothing in it is run.
  /// - Throws: `badData` for a damaged pickle or a `Tokenizer` whose parts are not what they should be, `unsupported`
  ///   for a pickle of anything else.
  public init(pickle: Data) throws {
    let value = try PickleValue(parsing: pickle, rules: KerasTokenizer.rules)
    guard case .object(let object) = value, object.type.name == "Tokenizer", let state = object.state else {
      throw RNNError.unsupported(
        "the pickle holds \(value.kind), expected a Keras Tokenizer", remedy: KerasTokenizer.rules.remedy)
    }
    guard case .dictionary(let pairs) = state["word_index"] else {
      throw RNNError.badData("the Tokenizer has no word_index", remedy: "Save it again after fit_on_texts.")
    }
    let words = try pairs.map { pair in
      guard let word = pair.key.text, case .integer(let rank) = pair.value else {
        throw RNNError.badData("the Tokenizer's word_index maps \(pair.key.kind) to \(pair.value.kind)")
      }
      return (word: word, rank: rank)
    }
    try self.init(wordIndex: words)
    // Keras 1 called it nb_words; attributes that a version lacks keep their defaults.
    let limit = state["num_words"] ?? state["nb_words"] ?? .null
    if limit != .null {
      guard case .integer(let value) = limit else { throw KerasTokenizer.wrong("num_words", limit.kind) }
      numWords = value
    }
    if let value = state["oov_token"], value != .null { oovToken = try KerasTokenizer.text(value, "oov_token") }
    if let value = state["filters"] { filters = try KerasTokenizer.text(value, "filters") }
    if let value = state["split"] { split = try KerasTokenizer.text(value, "split") }
    if let value = state["lower"] { lower = try KerasTokenizer.flag(value, "lower") }
    if let value = state["char_level"] { charLevel = try KerasTokenizer.flag(value, "char_level") }
    // Keras 1 and the first releases of Keras 2 did not lower-case at character level, whatever `lower` says; the
    // characters that they counted tell them apart.
    let isCased = wordIndex.contains { $0.word.unicodeScalars.count == 1 && $0.word != $0.word.lowercased() }
    if charLevel, isCased { lower = false }
  }

  private static func text(_ value: PickleValue, _ name: String) throws -> String {
    guard let text = value.text else { throw wrong(name, value.kind) }
    return text
  }

  /// Python takes 0 and 1 for False and True.
  private static func flag(_ value: PickleValue, _ name: String) throws -> Bool {
    switch value {
    case .bool(let flag): return flag
    case .integer(let number) where number == 0 || number == 1: return number == 1
    case .null, .integer, .bigInteger, .double, .string, .bytes, .list, .tuple, .set, .dictionary, .global, .object,
      .persistent:
      throw wrong(name, value.kind)
    }
  }

  private static func wrong(_ name: String, _ kind: String) -> RNNError {
    .badData("the Tokenizer's \(name) is \(kind)")
  }
}

// MARK: - JSON

extension KerasTokenizer {
  /// Reads what `Tokenizer.to_json()` gives: an object whose dictionaries are JSON inside strings.
  /// - Throws: `badData` where a part is missing or malformed.
  init(json: JSONValue) throws {
    guard let config = json["config"] else { throw RNNError.badData("the Tokenizer has no config") }
    guard let index = config["word_index"]?.string else {
      throw RNNError.badData("the Tokenizer has no word_index", remedy: "Save it again after fit_on_texts.")
    }
    try self.init(wordIndex: try locating("word_index") { try RankJSON.parse(Array(index.utf8)) })
    func member<Value>(_ name: String, _ read: (JSONValue) -> Value?) throws -> Value? {
      guard let value = config[name], !value.isNull else { return nil }
      guard let result = read(value) else { throw KerasTokenizer.wrong(name, value.kind) }
      return result
    }
    numWords = try member("num_words", \.integer)
    oovToken = try member("oov_token", \.string)
    filters = try member("filters", \.string) ?? KerasTokenizer.defaultFilters
    split = try member("split", \.string) ?? " "
    lower = try member("lower", \.bool) ?? true
    charLevel = try member("char_level", \.bool) ?? false
  }
}
