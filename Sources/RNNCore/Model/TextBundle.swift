import Foundation

/// What turns text into a model's ids: rules and a vocabulary.
public struct TextBundle: Sendable, Equatable {
  public var rules: TextRules
  /// UTF-8 words end to end, uint8 (bytes).
  public var words: Tensor
  /// Where each word starts in `words`, and after the last its end: int64 (words + 1). The word at position p has id
  /// p + `rules.firstID`.
  public var offsets: Tensor

  public init(rules: TextRules, words: Tensor, offsets: Tensor) {
    self.rules = rules
    self.words = words
    self.offsets = offsets
  }
}

/// Tokenising, ids and padding, as Keras's `Tokenizer` and its IMDB data set define them.
public struct TextRules: Sendable, Equatable, Codable {
  public enum Side: String, Sendable, Codable, CaseIterable {
    case pre
    case post
  }

  /// Whether text is lower-cased (Unicode, as Python does it).
  public var lower = true
  /// Characters that become separators.
  public var filters = TextRules.kerasFilters
  public var separator = " "
  /// Every character is a token.
  public var isCharacterLevel = false
  /// Whether only A to Z are lower-cased: TensorFlow.
  public var lowersASCII: Bool?
  /// Characters that are left out before words are cut.
  public var strips: String?
  /// What cuts words in the separator's place.
  public var split: Split?
  /// Tokens are runs of so many words, joined by a space, one width after the other; `nil` leaves words alone.
  public var ngrams: [Int]?
  /// The id of the first word of the vocabulary.
  public var firstID = 1
  /// An id before the first token, if any.
  public var startID: Int?
  /// The id of a word that is not in the vocabulary or lies past `idLimit`; such words are left out where `nil`.
  public var unknownID: Int?
  /// Over how many ids from `unknownID` on such words are spread, by FarmHash's fingerprint; 1 where `nil`.
  public var unknownCount: Int?
  /// The id of an empty word, which then counts as one; left out where `nil`.
  public var emptyID: Int?
  /// Ids at or past this one are unknown.
  public var idLimit: Int?
  /// The id that fills up short sequences.
  public var paddingID = 0
  /// The length of a sequence; `nil` leaves sequences as long as they are.
  public var length: Int?
  public var padding: Side = .pre
  public var truncating: Side = .pre

  /// Where words end.
  public enum Split: String, Sendable, Codable, CaseIterable {
    /// ASCII white space, however much.
    case whitespace
    /// The text is one word.
    case whole
  }

  public init() {}

  /// The filter of Keras's `Tokenizer`: punctuation but the apostrophe, tab and newline.
  public static let kerasFilters = "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n"
}

extension TextBundle {
  /// - Parameter words: by position.
  public init(rules: TextRules, listing words: [String]) throws {
    let (words, offsets) = try TextBundle.tensors(words)
    self.init(rules: rules, words: words, offsets: offsets)
  }

  /// The two tensors of a vocabulary, from its words by position; `nil` is a gap.
  public static func tensors(_ words: [String?]) throws -> (words: Tensor, offsets: Tensor) {
    var bytes = Data()
    var offsets: [Int64] = [0]
    offsets.reserveCapacity(words.count + 1)
    for word in words {
      if let word { bytes.append(contentsOf: word.utf8) }
      offsets.append(Int64(bytes.count))
    }
    return (
      try Tensor(dtype: .uint8, shape: [bytes.count], bytes: bytes), try Tensor(offsets, shape: [offsets.count])
    )
  }
}
