import Foundation

@testable import RNNContainers

/// A zip put together field by field, so that every field can lie.
struct HandMadeZip {
  struct Member {
    var name = Data("a".utf8)
    var content = Data("hello".utf8)
    var flags: UInt16 = 0
    var method: UInt16 = 0
    var crc: UInt32?
    var compressedSize: UInt32?
    var uncompressedSize: UInt32?
    var headerOffset: UInt32?
    var localSizes: UInt32?
    var localExtra = Data()
    var centralExtra = Data()
    var disk: UInt16 = 0
  }

  var members = [Member()]
  var comment = Data()
  var count: UInt16?
  var directorySize: UInt32?
  var directoryOffset: UInt32?
  var disk: UInt16 = 0
  /// Stands between the directory and the end record: zip64 records.
  var beforeEnd = Data()

  func bytes() -> Data {
    var result = Data()
    var directory = Data()
    for member in members {
      let size = UInt32(member.content.count)
      let crc = member.crc ?? Zlib.crc32(of: [member.content])
      let offset = UInt32(result.count)
      result.append(littleEndian: ZipFormat.localSignature)
      result.append(common(member, crc, member.localSizes ?? size, member.localSizes ?? size, member.localExtra))
      result.append(member.name + member.localExtra + member.content)
      directory.append(littleEndian: ZipFormat.centralSignature)
      directory.append(littleEndian: UInt16(20))
      directory.append(
        common(member, crc, member.compressedSize ?? size, member.uncompressedSize ?? size, member.centralExtra))
      directory.append(littleEndian: UInt16(0))
      directory.append(littleEndian: member.disk)
      directory.append(littleEndian: UInt16(0))
      directory.append(littleEndian: UInt32(0))
      directory.append(littleEndian: member.headerOffset ?? offset)
      directory.append(member.name + member.centralExtra)
    }
    let start = result.count
    result.append(directory + beforeEnd)
    result.append(littleEndian: ZipFormat.endSignature)
    result.append(littleEndian: disk)
    result.append(littleEndian: UInt16(0))
    for _ in 0..<2 { result.append(littleEndian: count ?? UInt16(members.count)) }
    result.append(littleEndian: directorySize ?? UInt32(directory.count))
    result.append(littleEndian: directoryOffset ?? UInt32(start))
    result.append(littleEndian: UInt16(comment.count))
    result.append(comment)
    return result
  }

  private func common(_ member: Member, _ crc: UInt32, _ compressed: UInt32, _ full: UInt32, _ extra: Data) -> Data {
    var result = Data()
    for field in [UInt16(20), member.flags, member.method] { result.append(littleEndian: field) }
    result.append(littleEndian: UInt32(0))
    for field in [crc, compressed, full] { result.append(littleEndian: field) }
    result.append(littleEndian: UInt16(member.name.count))
    result.append(littleEndian: UInt16(extra.count))
    return result
  }
}
