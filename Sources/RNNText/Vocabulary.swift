import Foundation
import RNNCore

/// Words by position, looked up by their bytes.
///
/// The words stay where they are (a slice of a mapped file); an open-addressing table over them is built at load, for
/// a dictionary of strings would take longer than everything else that a program does at start.
public struct Vocabulary: Sendable {
  private let words: Data
  /// Where each word starts, and after the last its end.
  private let offsets: [Int]
  /// For each slot 0 where it is free, else the upper half of the word's hash and its position plus 1.
  private var table: [UInt64]
  private let hash: WordHash

  /// Positions, the gaps (empty words) among them.
  public var count: Int { offsets.count - 1 }

  /// - Parameters:
  ///   - words: UTF-8 words end to end: uint8 (bytes).
  ///   - offsets: where each word starts, and after the last its end: int64 (words + 1). An empty word is a gap: no
  ///     text has it.
  /// - Throws: `badData` where the two do not fit together or a word stands twice.
  public init(words: Tensor, offsets: Tensor) throws {
    guard words.dtype == .uint8, words.shape.count == 1 else {
      throw RNNError.badData("the vocabulary's words are \(words), expected uint8 of rank 1")
    }
    guard offsets.dtype == .int64, offsets.shape.count == 1, offsets.count > 0 else {
      throw RNNError.badData("the vocabulary's offsets are \(offsets), expected int64 of rank 1 with an element")
    }
    guard offsets.count <= Int(Int32.max) else { throw RNNError.badData("a vocabulary of over 2^31 words") }
    self.words = words.bytes
    self.offsets = try Vocabulary.checked(offsets, end: words.bytes.count)
    hash = WordHash()
    table = []
    table = try self.makeTable()
  }

  private static func checked(_ offsets: Tensor, end: Int) throws -> [Int] {
    var previous = 0
    return try offsets.bytes.withUnsafeBytes { raw in
      try (0..<offsets.count).map { index in
        let value = Int(Int64(littleEndian: raw.loadUnaligned(fromByteOffset: index * 8, as: Int64.self)))
        guard value >= previous, value <= end else {
          throw RNNError.badData(
            "offset \(index) of the vocabulary is \(value), expected \(previous) to \(end): it is damaged")
        }
        previous = value
        return value
      }
    }
  }

  private func makeTable() throws -> [UInt64] {
    // At most half full, so that probes stay short.
    var capacity = 16
    while capacity < count * 2 { capacity *= 2 }
    var table = [UInt64](repeating: 0, count: capacity)
    let mask = capacity - 1
    let duplicate: Int? = words.withUnsafeBytes { raw in
      table.withUnsafeMutableBufferPointer { table in
        for position in 0..<count {
          let word = UnsafeRawBufferPointer(rebasing: raw[offsets[position]..<offsets[position + 1]])
          if word.isEmpty { continue }
          let code = hash(word)
          let upper = code & 0xFFFF_FFFF_0000_0000
          var slot = Int(truncatingIfNeeded: code) & mask
          while table[slot] != 0 {
            if table[slot] & 0xFFFF_FFFF_0000_0000 == upper, isWord(word, at: table[slot], in: raw) { return position }
            slot = (slot + 1) & mask
          }
          table[slot] = upper | UInt64(position + 1)
        }
        return nil
      }
    }
    if let duplicate {
      throw RNNError.badData("the word '\(word(at: duplicate) ?? "")' stands twice in the vocabulary")
    }
    return table
  }

  private func isWord(_ word: UnsafeRawBufferPointer, at slot: UInt64, in raw: UnsafeRawBufferPointer) -> Bool {
    let position = Int(slot & 0xFFFF_FFFF) - 1
    let start = offsets[position]
    guard offsets[position + 1] - start == word.count, let here = word.baseAddress, let there = raw.baseAddress else {
      return false
    }
    return memcmp(here, there.advanced(by: start), word.count) == 0
  }

  /// The position of a word, given by its UTF-8 bytes, or `nil` where it is not in the vocabulary.
  public func position(of word: some Collection<UInt8>) -> Int? {
    let found = word.withContiguousStorageIfAvailable { position(ofBytes: UnsafeRawBufferPointer($0)) }
    return found ?? Array(word).withUnsafeBytes { position(ofBytes: $0) }
  }

  private func position(ofBytes word: UnsafeRawBufferPointer) -> Int? {
    if word.isEmpty { return nil }
    let code = hash(word)
    let mask = table.count - 1
    var slot = Int(truncatingIfNeeded: code) & mask
    return words.withUnsafeBytes { raw in
      while table[slot] != 0 {
        let isSameHash = table[slot] & 0xFFFF_FFFF_0000_0000 == code & 0xFFFF_FFFF_0000_0000
        if isSameHash, isWord(word, at: table[slot], in: raw) { return Int(table[slot] & 0xFFFF_FFFF) - 1 }
        slot = (slot + 1) & mask
      }
      return nil
    }
  }

  /// The word at a position, or `nil` where there is none.
  public func word(at position: Int) -> String? {
    guard position >= 0, position < count, offsets[position] < offsets[position + 1] else { return nil }
    let start = words.startIndex
    return String(decoding: words[(start + offsets[position])..<(start + offsets[position + 1])], as: UTF8.self)
  }
}
