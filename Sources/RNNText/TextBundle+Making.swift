import RNNCore

extension TextBundle {
  /// Keras's IMDB conventions: the sequence starts with 1, a word's id is its rank + 3, an unknown word is 2.
  /// - Parameters:
  ///   - ranks: each word with its rank, the most frequent word first; in any order.
  ///   - numWords: words whose id is at or past this one are unknown.
  ///   - length: the length of a sequence, `nil` for as long as the text is.
  /// - Throws: `badData` where ranks are negative or far apart, or a rank or word stands twice.
  public static func imdb(
    ranks: [(word: String, rank: Int)], numWords: Int? = nil, length: Int? = nil,
    padding: TextRules.Side = .pre, truncating: TextRules.Side = .pre
  ) throws -> TextBundle {
    let offset = 3
    var rules = TextRules()
    rules.startID = 1
    rules.unknownID = 2
    rules.idLimit = numWords
    (rules.length, rules.padding, rules.truncating) = (length, padding, truncating)
    let layout = try RankLayout(ranks, below: numWords.map { $0 < .min + offset ? .min : $0 - offset })
    rules.firstID = layout.first + offset
    let tensors = try TextBundle.tensors(layout.words)
    return TextBundle(rules: rules, words: tensors.words, offsets: tensors.offsets)
  }

  /// The rules of Keras's `Tokenizer.texts_to_sequences`: a word's id is its index; a word that is missing, or whose
  /// index is at or past `numWords`, becomes the index of `oovToken`, or is left out where there is none.
  /// - Parameters:
  ///   - wordIndex: each word with its index; in any order.
  ///   - numWords: `nil` or 0 for all words, as in Keras.
  ///   - length: the length of a sequence, `nil` for as long as the text is.
  /// - Throws: `badData` where indices are negative or far apart, or an index or word stands twice.
  public static func keras(
    wordIndex: [(word: String, rank: Int)], numWords: Int? = nil, filters: String = TextRules.kerasFilters,
    lower: Bool = true, split: String = " ", charLevel: Bool = false, oovToken: String? = nil, length: Int? = nil,
    padding: TextRules.Side = .pre, truncating: TextRules.Side = .pre
  ) throws -> TextBundle {
    var rules = TextRules()
    rules.lower = lower
    rules.filters = filters
    rules.separator = split
    rules.isCharacterLevel = charLevel
    rules.idLimit = numWords == 0 ? nil : numWords
    // Its index counts even where it lies past numWords.
    rules.unknownID = oovToken.flatMap { token in
      wordIndex.first { $0.word.utf8.elementsEqual(token.utf8) }?.rank
    }
    (rules.length, rules.padding, rules.truncating) = (length, padding, truncating)
    let layout = try RankLayout(wordIndex, below: rules.idLimit)
    rules.firstID = layout.first
    let tensors = try TextBundle.tensors(layout.words)
    return TextBundle(rules: rules, words: tensors.words, offsets: tensors.offsets)
  }
}
