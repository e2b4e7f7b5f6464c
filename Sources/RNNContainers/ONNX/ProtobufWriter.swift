import Foundation

/// Fields of a protocol buffer, one behind the other.
struct ProtobufWriter {
  private(set) var data = Data()

  private mutating func tag(_ number: Int, _ kind: Int) { varint(UInt64(number << 3 | kind)) }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest > 0x7F {
      data.append(UInt8(rest & 0x7F | 0x80))
      rest >>= 7
    }
    data.append(UInt8(rest))
  }

  mutating func integer(_ number: Int, _ value: Int) {
    tag(number, 0)
    varint(UInt64(bitPattern: Int64(value)))
  }

  mutating func float(_ number: Int, _ value: Double) {
    tag(number, 5)
    data.append(littleEndian: Float(value).bitPattern)
  }

  mutating func bytes(_ number: Int, _ value: Data) {
    tag(number, 2)
    varint(UInt64(value.count))
    data.append(value)
  }

  mutating func text(_ number: Int, _ value: String) { bytes(number, Data(value.utf8)) }

  mutating func message(_ number: Int, _ body: (inout ProtobufWriter) -> Void) {
    var inner = ProtobufWriter()
    body(&inner)
    bytes(number, inner.data)
  }
}
