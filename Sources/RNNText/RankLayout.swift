import RNNCore

/// Words laid out by their ranks, so that a position and a first rank say it all.
struct RankLayout {
  /// The rank of the first position.
  var first: Int
  /// The words by position; `nil` where no word has the rank.
  var words: [String?]

  /// - Parameter limit: words at or past this rank are not needed.
  /// - Throws: `badData` where a rank is negative or stands twice, or the ranks are so far apart that the layout would
  ///   be mostly gaps. The memory is bounded by the number of words.
  init(_ ranks: [(word: String, rank: Int)], below limit: Int?) throws {
    var lowest = Int.max
    var highest = -1
    for (word, rank) in ranks {
      guard rank >= 0 else { throw RNNError.badData("the word '\(word)' has the rank \(rank), expected 0 or more") }
      // No token is empty.
      if word.isEmpty { continue }
      if let limit, rank >= limit { continue }
      (lowest, highest) = (min(lowest, rank), max(highest, rank))
    }
    guard highest >= 0 else {
      // Every word is unknown; ids start somewhere nonetheless.
      (first, words) = (1, [])
      return
    }
    // Twice the words would do for everything met; the rest is room for small vocabularies.
    guard highest / 4 <= ranks.count + 250 else {
      throw RNNError.badData(
        "\(ranks.count) words have ranks up to \(highest): that is no vocabulary",
        remedy: "Ranks count the words; give a file of words with ranks from 1 on.")
    }
    first = lowest
    words = [String?](repeating: nil, count: highest - lowest + 1)
    for (word, rank) in ranks where !word.isEmpty {
      if let limit, rank >= limit { continue }
      if let other = words[rank - lowest] {
        throw RNNError.badData("the words '\(other)' and '\(word)' have the same rank \(rank)")
      }
      words[rank - lowest] = word
    }
  }
}
