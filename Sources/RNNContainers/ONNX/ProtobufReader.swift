import Foundation
import RNNCore

/// Protocol buffers, as far as ONNX uses them: a message is a list of numbered fields.
///
/// An own reader of some fifty lines, for a dozen messages are needed: code generated for all of ONNX would be ten
/// thousand, and every size would still have to be checked against the bytes that are there.
struct ProtobufReader {
  enum Value {
    case varint(UInt64)
    case fixed32(UInt32)
    case fixed64(UInt64)
    case bytes(Data)
  }

  private var reader: ByteReader

  init(_ data: Data) { reader = ByteReader(data) }

  /// The next field, `nil` at the end.
  /// - Throws: `badData` where the bytes are no field.
  mutating func next() throws -> (number: Int, value: Value)? {
    guard reader.remaining > 0 else { return nil }
    let tag = try varint()
    guard let number = Int(exactly: tag >> 3), number > 0, number < 1 << 29 else {
      throw ProtobufReader.damaged("a field has the number \(tag >> 3)")
    }
    switch tag & 7 {
    case 0: return (number, .varint(try varint()))
    case 1: return (number, .fixed64(try reader.integer(UInt64.self)))
    case 2:
      guard let count = Int(exactly: try varint()) else { throw ProtobufReader.damaged("a field is absurdly long") }
      return (number, .bytes(try reader.bytes(count)))
    case 5: return (number, .fixed32(try reader.integer(UInt32.self)))
    case let kind: throw ProtobufReader.damaged("a field has the wire type \(kind)")
    }
  }

  private mutating func varint() throws -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), through: 63, by: 7) {
      let byte = UInt64(try reader.integer(UInt8.self))
      guard shift < 63 || byte <= 1 else { break }
      value |= (byte & 0x7F) << shift
      if byte & 0x80 == 0 { return value }
    }
    throw ProtobufReader.damaged("a number has more than 64 bits")
  }

  static func damaged(_ what: String) -> RNNError {
    .badData("the protocol buffer is damaged: \(what)", remedy: "Fetch or save the file again.")
  }
}

extension ProtobufReader.Value {
  func data() throws -> Data {
    guard case .bytes(let data) = self else { throw ProtobufReader.damaged("a number stands for a text or message") }
    return data
  }

  func text() throws -> String {
    guard let text = String(bytes: try data(), encoding: .utf8) else {
      throw ProtobufReader.damaged("a text is no UTF-8")
    }
    return text
  }

  func integer() throws -> Int {
    guard case .varint(let value) = self else { throw ProtobufReader.damaged("an integer is stored as something else") }
    return Int(truncatingIfNeeded: value)
  }

  func float() throws -> Double {
    guard case .fixed32(let bits) = self else { throw ProtobufReader.damaged("a float is stored as something else") }
    return Double(Float(bitPattern: bits))
  }

  /// One integer of a list, or many packed into bytes.
  func integers() throws -> [Int] {
    guard case .bytes(let data) = self else { return [try integer()] }
    var reader = ByteReader(data)
    var values: [Int] = []
    while reader.remaining > 0 {
      var value: UInt64 = 0
      var shift: UInt64 = 0
      while true {
        let byte = UInt64(try reader.integer(UInt8.self))
        guard shift < 63 || shift == 63 && byte <= 1 else { throw ProtobufReader.damaged("a number is too long") }
        value |= (byte & 0x7F) << shift
        if byte & 0x80 == 0 { break }
        shift += 7
      }
      values.append(Int(truncatingIfNeeded: value))
    }
    return values
  }

  /// One number of a list of fixed width, or many packed, as their bytes.
  func fixedBytes() throws -> Data {
    var data = Data()
    switch self {
    case .bytes(let packed): return packed
    case .fixed32(let bits): data.append(littleEndian: bits)
    case .fixed64(let bits): data.append(littleEndian: bits)
    case .varint: throw ProtobufReader.damaged("a float is stored as an integer")
    }
    return data
  }
}
