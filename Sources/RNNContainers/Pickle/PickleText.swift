import Foundation
import RNNCore

/// The strings of protocol 0, which are lines of text.
enum PickleText {
  /// STRING: a Python 2 `repr` in quotes.
  static func quoted(_ line: Data) throws -> Data {
    let bytes = Array(line)
    guard bytes.count >= 2, let quote = bytes.first, quote == bytes.last, quote == 0x27 || quote == 0x22 else {
      throw PickleMachine.damaged("a string without quotes")
    }
    var result = Data()
    var position = 1
    let end = bytes.count - 1
    while position < end {
      let byte = bytes[position]
      position += 1
      guard byte == UInt8(ascii: "\\") else {
        result.append(byte)
        continue
      }
      guard position < end else { throw PickleMachine.damaged("half an escape") }
      let escape = bytes[position]
      position += 1
      switch escape {
      case UInt8(ascii: "n"): result.append(0x0A)
      case UInt8(ascii: "r"): result.append(0x0D)
      case UInt8(ascii: "t"): result.append(0x09)
      case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""): result.append(escape)
      case UInt8(ascii: "x"):
        let value = try hexadecimal(bytes[..<end], at: &position, digits: 2)
        result.append(UInt8(truncatingIfNeeded: value))
      default: throw PickleMachine.damaged("an unknown escape")
      }
    }
    return result
  }

  /// UNICODE: Latin-1 with `\u` and `\U` escapes.
  static func rawUnicode(_ line: Data) throws -> String {
    let bytes = Array(line)
    var result = ""
    var position = 0
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      let isEscape =
        byte == UInt8(ascii: "\\") && position < bytes.count
        && (bytes[position] == UInt8(ascii: "u") || bytes[position] == UInt8(ascii: "U"))
      guard isEscape else {
        result.unicodeScalars.append(Unicode.Scalar(byte))
        continue
      }
      let digits = bytes[position] == UInt8(ascii: "u") ? 4 : 8
      position += 1
      var value = try hexadecimal(bytes[...], at: &position, digits: digits)
      // Narrow builds of Python 2 write two halves for what lies past 16 bits.
      let hasSecond = bytes[position...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")])
      if (0xD800..<0xDC00).contains(value), hasSecond {
        position += 2
        let second = try hexadecimal(bytes[...], at: &position, digits: 4)
        guard (0xDC00..<0xE000).contains(second) else { throw PickleMachine.damaged("half of a surrogate pair") }
        value = 0x10000 + (value - 0xD800) << 10 + (second - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(value) else { throw PickleMachine.damaged("an escape is no character") }
      result.unicodeScalars.append(scalar)
    }
    return result
  }

  private static func hexadecimal(_ bytes: ArraySlice<UInt8>, at position: inout Int, digits: Int) throws -> UInt32 {
    guard bytes.endIndex - position >= digits else { throw PickleMachine.damaged("half an escape") }
    var value: UInt32 = 0
    for byte in bytes[position..<position + digits] {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw PickleMachine.damaged("an escape is no number")
      }
      value = value << 4 | UInt32(digit)
    }
    position += digits
    return value
  }
}
