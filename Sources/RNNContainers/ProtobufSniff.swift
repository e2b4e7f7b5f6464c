import Foundation

extension ContainerKind {
  /// Whether bytes read as ONNX's `ModelProto`: a small `ir_version` first, and then a graph (field 7) among fields
  /// that it has.
  static func isONNX(_ data: Data) -> Bool {
    var reader = ByteReader(data)
    guard let first = try? field(&reader), first.number == 1, first.wireType == 0,
      (1...100).contains(first.value)
    else { return false }
    // A model has a handful of fields before or after its graph; metadata and operator sets repeat.
    for _ in 0..<1000 {
      guard let next = try? field(&reader), (1...30).contains(next.number) else { return false }
      if next.number == 7 { return next.wireType == 2 }
    }
    return false
  }

  /// Reads one field of a protobuf message, and skips its content.
  private static func field(_ reader: inout ByteReader) throws -> (number: UInt64, wireType: UInt64, value: UInt64) {
    let tag = try varint(&reader)
    let wireType = tag & 7
    var value: UInt64 = 0
    switch wireType {
    case 0: value = try varint(&reader)
    case 1: try reader.skip(8)
    case 2: try reader.skip(Int(exactly: try varint(&reader)) ?? .max)
    case 5: try reader.skip(4)
    // Groups are not used any more, and nothing else exists: no field has number 0.
    default: return (0, wireType, 0)
    }
    return (tag >> 3, wireType, value)
  }

  private static func varint(_ reader: inout ByteReader) throws -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      let byte = try reader.integer(UInt8.self)
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { break }
    }
    return value
  }
}
