import Foundation
import RNNCore

// What follows an opcode: numbers, strings and names, as text (protocol 0) or binary.
extension RaggedPickle {
  @inline(__always)
  mutating func integer<Word: FixedWidthInteger>(_: Word.Type) throws -> Word {
    let size = MemoryLayout<Word>.size
    guard bytes.count - position >= size else { throw PickleMachine.damaged("it ends early") }
    let word = bytes.loadUnaligned(fromByteOffset: position, as: Word.self)
    position += size
    return Word(littleEndian: word)
  }

  private mutating func take(_ count: Int) throws -> UnsafeRawBufferPointer.SubSequence {
    guard count >= 0, count <= bytes.count - position else { throw PickleMachine.damaged("it ends early") }
    defer { position += count }
    return bytes[position..<position + count]
  }

  private mutating func lineBytes() throws -> UnsafeRawBufferPointer.SubSequence {
    var end = position
    while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
    guard end < bytes.count else { throw PickleMachine.damaged("a line has no end") }
    defer { position = end + 1 }
    return bytes[position..<end]
  }

  mutating func line() throws -> String { String(decoding: try lineBytes(), as: UTF8.self) }

  mutating func memoIndex(_ opcode: PickleOpcode) throws -> Int {
    switch opcode {
    case .binGet, .binPut: return Int(try integer(UInt8.self))
    case .longBinGet, .longBinPut: return Int(try integer(UInt32.self))
    default:
      let text = try line()
      guard let index = Int(text), index >= 0 else {
        throw PickleMachine.damaged("'\(text.prefix(100))' is no memo number")
      }
      return index
    }
  }

  /// INT and LONG: a line of digits. Python writes True as INT 01, and marks long integers with an L.
  mutating func decimal(_ opcode: PickleOpcode) throws -> RaggedSlot {
    var digits = try lineBytes()
    if opcode == .int, digits.count == 2, digits.first == UInt8(ascii: "0") {
      switch digits.last {
      case UInt8(ascii: "0"): return .bool(false)
      case UInt8(ascii: "1"): return .bool(true)
      default: break
      }
    }
    if digits.last == UInt8(ascii: "L") { digits = digits.dropLast() }
    let isNegative = digits.first == UInt8(ascii: "-")
    if isNegative { digits = digits.dropFirst() }
    guard !digits.isEmpty else { throw PickleMachine.damaged("a number without digits") }
    // Counted downwards: the smallest integer has no positive counterpart.
    var value = 0
    for byte in digits {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else {
        throw PickleMachine.damaged("a number with the byte \(byte)")
      }
      let (product, isWide) = value.multipliedReportingOverflow(by: 10)
      let (sum, isWider) = product.subtractingReportingOverflow(Int(byte & 0x0F))
      guard !isWide, !isWider else { throw RaggedPickle.tooWide }
      value = sum
    }
    guard isNegative || value > .min else { throw RaggedPickle.tooWide }
    return .integer(isNegative ? value : -value)
  }

  private static var tooWide: RNNError { .unsupported("the pickle holds an integer beyond 64 bits") }

  /// LONG1: two's complement, little-endian, of any length.
  mutating func longInteger(_ count: Int) throws -> RaggedSlot {
    let word = try take(count)
    let sign: UInt64 = (word.last ?? 0) & 0x80 != 0 ? .max : 0
    // Bytes that only repeat the sign are no part of the number.
    let excess = word.dropFirst(8)
    let isSignAlone = excess.allSatisfy { $0 == UInt8(truncatingIfNeeded: sign) }
    let value = word.prefix(8).reversed().reduce(sign) { $0 << 8 | UInt64($1) }
    guard isSignAlone, excess.isEmpty || (value ^ sign) >> 63 == 0 else { throw RaggedPickle.tooWide }
    return .integer(Int(truncatingIfNeeded: value))
  }

  /// The strings are names and types, short and of ASCII; others are taken as they come and fit nowhere.
  mutating func text(_ opcode: PickleOpcode) throws -> String {
    let found: UnsafeRawBufferPointer.SubSequence
    switch opcode {
    case .string: return String(decoding: try PickleText.quoted(Data(try lineBytes())), as: UTF8.self)
    case .unicode: return try line()
    case .shortBinString, .shortBinBytes, .shortBinUnicode: found = try take(Int(try integer(UInt8.self)))
    default: found = try take(Int(try integer(UInt32.self)))
    }
    return String(decoding: found.prefix(256), as: UTF8.self)
  }
}
