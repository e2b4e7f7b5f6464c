import RNNCore

/// Turns text into a model's ids: tokens, vocabulary, then Keras's `pad_sequences`.
public struct TextEncoder: Sendable {
  /// No model reads a sequence this long; a larger length in a file is damage.
  public static let maximumLength = 1 << 24

  public let rules: TextRules
  public let vocabulary: Vocabulary
  private let tokenizer: Tokenizer

  /// - Throws: `badData` where the vocabulary is damaged or a rule makes no sense.
  public init(_ bundle: TextBundle) throws {
    rules = bundle.rules
    vocabulary = try Vocabulary(words: bundle.words, offsets: bundle.offsets)
    tokenizer = try Tokenizer(bundle.rules)
    guard !rules.firstID.addingReportingOverflow(vocabulary.count).overflow else {
      throw RNNError.badData("the first id \(rules.firstID) of the text rules is too large")
    }
    if let first = rules.unknownID, first.addingReportingOverflow(rules.unknownCount ?? 1).overflow {
      throw RNNError.badData("the unknown id \(first) of the text rules is too large")
    }
    if let length = rules.length, !(1...TextEncoder.maximumLength).contains(length) {
      throw RNNError.badData("the text rules have the length \(length), expected 1 to \(TextEncoder.maximumLength)")
    }
  }

  /// The ids of a text: `rules.length` of them where that is set, else as many as the text has.
  public func ids(for text: String) -> [Int] {
    var ids: [Int] = []
    if let startID = rules.startID { ids.append(startID) }
    tokenizer.forEachToken(of: text) { token in
      if let id = id(of: token) { ids.append(id) }
    }
    return padded(ids)
  }

  /// The tokens of a text, before they become ids.
  public func tokens(of text: String) -> [String] { tokenizer.tokens(of: text) }

  private func id(of token: ArraySlice<UInt8>) -> Int? {
    if token.isEmpty { return rules.emptyID }
    guard let position = vocabulary.position(of: token) else {
      guard let first = rules.unknownID, let count = rules.unknownCount, count > 1 else { return rules.unknownID }
      return first + Int(Fingerprint64.hash(Array(token)) % UInt64(count))
    }
    let id = rules.firstID + position
    if let limit = rules.idLimit, id >= limit { return rules.unknownID }
    return id
  }

  /// Cut or filled up to the length: `pre` cuts at the start and keeps the last ids, or fills up before them.
  private func padded(_ ids: [Int]) -> [Int] {
    guard let length = rules.length else { return ids }
    if ids.count > length {
      switch rules.truncating {
      case .pre: return Array(ids.suffix(length))
      case .post: return Array(ids.prefix(length))
      }
    }
    let filling = [Int](repeating: rules.paddingID, count: length - ids.count)
    switch rules.padding {
    case .pre: return filling + ids
    case .post: return ids + filling
    }
  }
}
