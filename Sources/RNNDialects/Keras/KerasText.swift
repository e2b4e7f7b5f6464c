import RNNCore

/// A layer that reads text: `TextVectorization`, `StringLookup`. The native model begins with its ids; rules and words go
/// into the model's text bundle (keras/src/layers/preprocessing).
struct KerasText {
  var layer: String
  var rules: TextRules
  /// As the configuration states them, without the special tokens.
  var words: [String]?
  /// What stands before the words in a vocabulary file.
  var specials: [String]
  /// A word that stands for no word, where that is not the empty one.
  private var mask: String?
  /// Ids that are handed on, or what is made of them.
  var counts: TokenCountsSpec.Mode?
  /// A vector's width, where it is not that of the vocabulary.
  var maximum: Int?
  var weights: [Float]?

  static let classes: Set<String> = ["TextVectorization", "StringLookup"]

  /// Of an ngram, or ids for unknown words: far more than anybody has.
  private static let mostWords = 1024

  /// FarmHash's fingerprint of nothing.
  private static let emptyFingerprint: UInt64 = 0x9AE1_6A3B_2F90_404F

  /// Of ASCII, what `strip_punctuation` leaves out.
  private static let punctuation = "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'"

  init(_ className: String, _ name: String, _ config: JSONObject) throws {
    layer = name
    rules = TextRules()
    rules.filters = ""
    rules.lower = false
    rules.padding = .post
    rules.truncating = .post
    specials = []
    let isLookup = className == "StringLookup"
    let mode = config["output_mode"]?.string ?? "int"
    if mode != "int" {
      guard let known = TokenCountsSpec.Mode(rawValue: mode) else {
        throw RNNError.unsupported("the output_mode '\(mode)'")
      }
      counts = known
    }
    for key in ["sparse", "ragged", "invert"] where config[key]?.bool == true {
      throw RNNError.unsupported("\(className) with \(key)=true")
    }
    if isLookup { try readLookup(config) } else { try readVectorization(config) }
    // One left out would move the ids of those behind it.
    if let list = config["vocabulary"], list.array != nil {
      guard let strings = list.strings else {
        throw RNNError.badData("the vocabulary holds something else than words")
      }
      words = strings
    }
    if let list = config["idf_weights"], list.array != nil {
      guard let numbers = list.doubles else {
        throw RNNError.badData("the idf_weights hold something else than numbers")
      }
      weights = numbers.map { Float($0) }
    }
    if config["pad_to_max_tokens"]?.bool == true { maximum = config["max_tokens"]?.integer }
  }

  private mutating func readVectorization(_ config: JSONObject) throws {
    switch config["standardize"]?.string {
    case nil: break
    case "lower"?: (rules.lower, rules.lowersASCII) = (true, true)
    case "strip_punctuation"?: rules.strips = KerasText.punctuation
    case "lower_and_strip_punctuation"?:
      (rules.lower, rules.lowersASCII, rules.strips) = (true, true, KerasText.punctuation)
    case let other?: throw RNNError.unsupported("the standardization '\(other)'")
    }
    if let value = config["standardize"], value.string == nil, !value.isNull {
      throw RNNError.unsupported("a standardization that is code")
    }
    switch config["split"]?.string {
    case nil: (rules.split, rules.emptyID) = (.whole, counts == nil ? 0 : nil)
    case "whitespace"?: rules.split = .whitespace
    case "character"?: rules.isCharacterLevel = true
    case let other?: throw RNNError.unsupported("the split '\(other)'")
    }
    if let width = config["ngrams"]?.integer {
      guard (1...KerasText.mostWords).contains(width) else { throw RNNError.badData("ngrams of \(width) words") }
      rules.ngrams = Array(1...width)
    }
    if let stated = config["ngrams"], stated.array != nil {
      guard let widths = stated.integers else { throw RNNError.badData("ngrams of \(stated.text()) words") }
      rules.ngrams = widths
    }
    specials = counts == nil ? ["", "[UNK]"] : ["[UNK]"]
    rules.unknownID = specials.count - 1
    rules.length = counts == nil ? config["output_sequence_length"]?.integer : nil
  }

  private mutating func readLookup(_ config: JSONObject) throws {
    rules.split = .whole
    let unknown = config["num_oov_indices"]?.integer ?? 1
    if let salt = config["salt"], !salt.isNull { throw RNNError.unsupported("StringLookup with a salt") }
    let token = config["mask_token"]?.string
    if let token {
      guard token.isEmpty || counts == nil else {
        throw RNNError.unsupported("StringLookup with the mask_token '\(token)' and another output_mode than int")
      }
      if counts == nil { specials.append(token) }
      if !token.isEmpty { mask = token }
    }
    if unknown > 0 {
      guard unknown <= KerasText.mostWords else { throw RNNError.unsupported("num_oov_indices=\(unknown)") }
      rules.unknownID = specials.count
      if unknown > 1 { rules.unknownCount = unknown }
      specials += Array(repeating: config["oov_token"]?.string ?? "[UNK]", count: unknown)
    }
    // An empty word is the mask's, or one like any other that is not known.
    if token?.isEmpty != true {
      rules.emptyID = rules.unknownID.map { first in
        unknown > 1 ? first + Int(KerasText.emptyFingerprint % UInt64(unknown)) : first
      }
    } else if counts == nil {
      rules.emptyID = 0
    }
  }

  /// The bundle, where the words are known.
  /// - Parameter file: a vocabulary file's text: one word a line, the special ones first.
  func bundle(file: String?) throws -> TextBundle {
    var all = words ?? []
    if words == nil {
      guard let file else {
        throw RNNError.badData(
          "the file holds no vocabulary", at: "layer '\(layer)'",
          remedy: "Save the model as .keras: a .h5 file loses what adapt() learned.")
      }
      all = file.components(separatedBy: "\n").map { $0.hasSuffix("\r") ? String($0.dropLast()) : $0 }
      while all.last?.isEmpty == true, all.count > 1 { all.removeLast() }
    }
    if Array(all.prefix(specials.count)) == specials { all.removeFirst(specials.count) }
    var rules = rules
    guard let mask else {
      rules.firstID = specials.count
      return try TextBundle(rules: rules, listing: all)
    }
    // The mask is a word like others, with the first id.
    rules.firstID = 0
    let gap = [String?](repeating: nil, count: specials.count - 1)
    let tensors = try TextBundle.tensors([mask] + gap + all)
    return TextBundle(rules: rules, words: tensors.words, offsets: tensors.offsets)
  }

  /// What the layer comes to behind its ids.
  func spec(vocabulary count: Int, weights found: [Float]?) -> LayerSpec {
    guard let counts else { return .identity(IdentitySpec()) }
    let size = maximum ?? count + specials.count
    var values = found ?? weights ?? []
    // Weights of a vocabulary that was given leave the special tokens out, which then have their mean.
    if found == nil, let weights, weights.count == count {
      let mean = weights.reduce(0, +) / Float(max(weights.count, 1))
      values = specials.map { _ in mean } + weights
    }
    return .tokenCounts(TokenCountsSpec(mode: counts, size: size, weights: counts == .tfIDF ? values : []))
  }
}
