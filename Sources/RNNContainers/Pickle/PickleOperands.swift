import Foundation
import RNNCore

// What follows an opcode: numbers, strings and names, as text (protocol 0) or binary.
extension PickleMachine {
  /// A line of text, without its end.
  mutating func line() throws -> Data {
    let rest = reader.data.dropFirst(reader.position)
    guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else {
      throw PickleMachine.damaged("a line has no end")
    }
    let line = try reader.bytes(end - rest.startIndex)
    try reader.skip(1)
    return line
  }

  private mutating func asciiLine() throws -> String { String(decoding: try line(), as: UTF8.self) }

  mutating func memoIndex(_ opcode: PickleOpcode) throws -> Int {
    switch opcode {
    case .binGet, .binPut: return Int(try reader.integer(UInt8.self))
    case .longBinGet, .longBinPut: return Int(try reader.integer(UInt32.self))
    default:
      let text = try asciiLine()
      guard let index = Int(text), index >= 0 else { throw PickleMachine.damaged("'\(text)' is no memo number") }
      return index
    }
  }

  mutating func number(_ opcode: PickleOpcode) throws -> PickleSlot {
    switch opcode {
    case .binInt: return .integer(Int(try reader.integer(Int32.self)))
    case .binInt1: return .integer(Int(try reader.integer(UInt8.self)))
    case .binInt2: return .integer(Int(try reader.integer(UInt16.self)))
    case .binFloat: return .double(Double(bitPattern: UInt64(bigEndian: try nativeWord())))
    case .long1: return longInteger(try reader.bytes(Int(try reader.integer(UInt8.self))))
    case .long4:
      let length = Int(try reader.integer(Int32.self))
      return longInteger(try reader.bytes(length))
    case .float:
      let text = try asciiLine()
      guard let value = Double(text) else { throw PickleMachine.damaged("'\(text.prefix(100))' is no number") }
      return .double(value)
    default: return try decimal(try asciiLine())
    }
  }

  private mutating func nativeWord() throws -> UInt64 {
    try reader.bytes(8).withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
  }

  /// INT and LONG: Python writes True as 01, and marks long integers with an L.
  private func decimal(_ line: String) throws -> PickleSlot {
    if line == "00" || line == "01" { return .bool(line == "01") }
    let digits = line.hasSuffix("L") ? String(line.dropLast()) : line
    if let value = Int(digits) { return .integer(value) }
    let isNumber = !digits.isEmpty && digits.utf8.allSatisfy { $0 == 0x2D || (0x30...0x39).contains($0) }
    guard isNumber else { throw PickleMachine.damaged("'\(line.prefix(100))' is no integer") }
    throw RNNError.unsupported("the pickle holds an integer beyond 64 bits")
  }

  /// Two's complement, little-endian, of any length.
  private func longInteger(_ bytes: Data) -> PickleSlot {
    guard bytes.count <= 8 else { return .bigInteger(Data(bytes)) }
    var word: UInt64 = (bytes.last ?? 0) & 0x80 != 0 ? .max : 0
    for byte in bytes.reversed() { word = word << 8 | UInt64(byte) }
    return .integer(Int(truncatingIfNeeded: word))
  }

  mutating func text(_ opcode: PickleOpcode) throws -> PickleSlot {
    switch opcode {
    case .string: return .bytes(try PickleText.quoted(try line()))
    case .unicode: return .string(try PickleText.rawUnicode(try line()))
    case .binString: return .bytes(try reader.bytes(Int(try reader.integer(Int32.self))))
    case .shortBinString, .shortBinBytes: return .bytes(try reader.bytes(Int(try reader.integer(UInt8.self))))
    case .binBytes: return .bytes(try reader.bytes(Int(try reader.integer(UInt32.self))))
    case .binBytes8: return .bytes(try reader.bytes(try reader.size64()))
    case .shortBinUnicode: return try utf8(Int(try reader.integer(UInt8.self)))
    case .binUnicode: return try utf8(Int(try reader.integer(UInt32.self)))
    default: return try utf8(try reader.size64())
    }
  }

  private mutating func utf8(_ count: Int) throws -> PickleSlot {
    let bytes = try reader.bytes(count)
    let text = String(decoding: bytes, as: UTF8.self)
    // Decoding repairs what is not UTF-8: half surrogate pairs, which Python's strings may hold.
    guard text.utf8.elementsEqual(bytes) else { throw PickleMachine.damaged("a string is not UTF-8") }
    return .string(text)
  }
}
