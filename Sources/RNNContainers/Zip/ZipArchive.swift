import Foundation
import RNNCore

/// A zip archive in memory, read only; nothing is ever unpacked to disk.
///
/// The central directory is the truth: NumPy writes saturated sizes and PyTorch zeros into the headers before the
/// members. Those are read only to find where a member's bytes begin.
public struct ZipArchive: Sendable {
  /// How a member's bytes are stored.
  public enum Method: Sendable, Equatable {
    case stored
    case deflated
    /// Any other method; such members are listed, but cannot be read.
    case other(UInt16)
  }

  public struct Member: Sendable, Equatable {
    /// The path inside the archive, as the file writes it.
    public let name: String
    public let method: Method
    /// Bytes inside the archive.
    public let compressedSize: Int
    /// Bytes of the content.
    public let uncompressedSize: Int
    /// CRC-32 of the content.
    public let crc: UInt32
    public let isEncrypted: Bool
    /// Where the member's own header begins.
    let headerOffset: Int
    /// Where its bytes begin.
    var dataOffset = 0

    /// Entries for folders end in a separator and hold nothing.
    public var isDirectory: Bool { uncompressedSize == 0 && (name.hasSuffix("/") || name.hasSuffix("\\")) }
  }

  /// In the order of the central directory; names are unique.
  public let members: [Member]
  private let data: Data

  /// Reads the central directory and checks that every member lies inside the archive and apart from the others.
  /// - Throws: `badData` where the archive is damaged or two members have one name, `unsupported` for an archive that
  ///   spans several files.
  public init(parsing data: Data) throws {
    let directory = try ZipDirectory(of: data)
    self.data = data
    members = try directory.members()
  }

  /// The member of exactly this name.
  public func member(named name: String) -> Member? {
    members.first { $0.name.utf8.elementsEqual(name.utf8) }
  }

  /// The content of a member, its checksum verified; a slice of the archive where it is stored.
  /// - Throws: `badData` where the bytes are damaged, `unsupported` where they are encrypted or compressed in another
  ///   way than by deflate.
  public func contents(of member: Member) throws -> Data {
    try locating("member '\(member.name)'") {
      guard !member.isEncrypted else {
        throw RNNError.unsupported("the member is encrypted", remedy: "Save the archive again without a password.")
      }
      guard let stored = data.slice(at: member.dataOffset, count: member.compressedSize) else {
        throw RNNError.badData("its bytes reach past the end of the archive")
      }
      let content: Data
      switch member.method {
      case .stored:
        guard member.compressedSize == member.uncompressedSize else {
          throw RNNError.badData(
            "stored as it is, yet \(member.compressedSize) bytes stand for \(member.uncompressedSize)")
        }
        content = stored
      case .deflated:
        content = try Zlib.inflate(stored, size: member.uncompressedSize)
      case .other(let code):
        throw RNNError.unsupported(
          "compression method \(code) is not supported",
          remedy: "Save the archive again, stored or deflated.")
      }
      let found = Zlib.crc32(of: [content])
      guard found == member.crc else {
        throw RNNError.badData(
          "the checksum is \(hexadecimal(found)), expected \(hexadecimal(member.crc)): the bytes are damaged",
          remedy: "Fetch or save the file again.")
      }
      return content
    }
  }
}

private func hexadecimal(_ value: UInt32) -> String {
  let digits = String(value, radix: 16)
  return String(repeating: "0", count: 8 - digits.count) + digits
}
