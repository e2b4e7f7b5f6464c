import Foundation
import RNNCore

/// Reads little-endian numbers and slices from bytes, in order; every step is checked against what is there.
struct ByteReader {
  let data: Data
  /// Bytes read so far, counted from the start of `data` whatever its indices are.
  private(set) var position: Int

  init(_ data: Data, at position: Int = 0) {
    self.data = data
    self.position = position
  }

  var remaining: Int { max(0, data.count - position) }

  /// The next `count` bytes, without a copy.
  mutating func bytes(_ count: Int) throws -> Data {
    guard position >= 0, count >= 0, count <= remaining else {
      throw RNNError.badData("the bytes end early: \(count) expected at byte \(position), \(remaining) are there")
    }
    let start = data.startIndex + position
    position += count
    return data[start..<start + count]
  }

  mutating func skip(_ count: Int) throws { _ = try bytes(count) }

  mutating func integer<Word: FixedWidthInteger>(_: Word.Type) throws -> Word {
    let slice = try bytes(MemoryLayout<Word>.size)
    return slice.withUnsafeBytes { Word(littleEndian: $0.loadUnaligned(as: Word.self)) }
  }

  /// A 64-bit size or offset.
  /// - Throws: `badData` where no file could be as large.
  mutating func size64() throws -> Int {
    let value = try integer(UInt64.self)
    guard let size = Int(exactly: value) else { throw RNNError.badData("a size of \(value) bytes cannot be") }
    return size
  }
}

extension Data {
  /// Appends a number, little-endian.
  mutating func append<Word: FixedWidthInteger>(littleEndian value: Word) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }

  /// `count` bytes from `offset`, counted from the start of these bytes, or `nil` where they are not there.
  func slice(at offset: Int, count: Int) -> Data? {
    guard offset >= 0, count >= 0, offset <= self.count, count <= self.count - offset else { return nil }
    return self[(startIndex + offset)..<(startIndex + offset + count)]
  }
}
