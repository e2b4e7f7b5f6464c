import Foundation
import RNNCore

/// Writes a zip archive piece by piece, front to back, so that it never stands in memory as a whole.
///
/// The same members give the same bytes: every date is 1980-01-01. Sizes stand before the members, and the zip64
/// fields only where 32 bits do not hold a number.
public struct ZipWriter {
  private struct Entry {
    var name: Data
    var method: UInt16
    var crc: UInt32
    var compressedSize: Int
    var uncompressedSize: Int
    var offset: Int
  }

  private var entries: [Entry] = []
  private var names: Set<Data> = []
  private var position = 0
  /// Sizes and offsets from this one on stand in zip64 fields; smaller in tests alone.
  private let limit: Int
  private let countLimit: Int

  public init() { self.init(limit: Int(ZipFormat.saturated32), countLimit: Int(ZipFormat.saturated16)) }

  init(limit: Int, countLimit: Int) {
    self.limit = limit
    self.countLimit = countLimit
  }

  /// Writes one member.
  /// - Parameters:
  ///   - name: the path inside the archive, in UTF-8.
  ///   - pieces: the content, end to end.
  ///   - compressed: whether it is deflated.
  ///   - sink: takes the bytes in order; the same for every call.
  /// - Throws: `usage` for a name that is taken or too long, and what `sink` throws.
  public mutating func add(
    _ name: String, _ pieces: [Data], compressed: Bool = false, to sink: (Data) throws -> Void
  ) throws {
    let nameBytes = Data(name.utf8)
    guard nameBytes.count <= Int(UInt16.max) else { throw RNNError.usage("a name of over 65,535 bytes") }
    guard names.insert(nameBytes).inserted else { throw RNNError.usage("the name '\(name)' stands twice") }
    let stored = compressed ? [try Zlib.deflate(pieces)] : pieces
    let entry = Entry(
      name: nameBytes, method: compressed ? ZipFormat.deflated : ZipFormat.stored, crc: Zlib.crc32(of: pieces),
      compressedSize: stored.reduce(0) { $0 + $1.count }, uncompressedSize: pieces.reduce(0) { $0 + $1.count },
      offset: position)
    var header = Data()
    header.append(littleEndian: ZipFormat.localSignature)
    let sizes = [entry.uncompressedSize, entry.compressedSize]
    // Before a member, both sizes are wide or none is.
    let extra = sizes.contains { $0 >= limit } ? zip64Extra(sizes) : Data()
    appendCommon(of: entry, to: &header, isWide: !extra.isEmpty, extra: extra)
    header.append(nameBytes)
    header.append(extra)
    try sink(header)
    for piece in stored where !piece.isEmpty { try sink(piece) }
    position += header.count + entry.compressedSize
    entries.append(entry)
  }

  /// Writes the directory that ends the archive.
  public mutating func finish(to sink: (Data) throws -> Void) throws {
    var directory = Data()
    for entry in entries { appendDirectoryEntry(entry, to: &directory) }
    let start = position
    let isWide = entries.count >= countLimit || directory.count >= limit || start >= limit
    var end = Data()
    if isWide {
      end.append(littleEndian: ZipFormat.zip64EndSignature)
      end.append(littleEndian: UInt64(ZipFormat.zip64EndSize - 12))
      end.append(littleEndian: ZipWriter.versionMade)
      end.append(littleEndian: ZipWriter.wideVersion)
      end.append(littleEndian: UInt64(0))
      for count in [entries.count, entries.count, directory.count, start] { end.append(littleEndian: UInt64(count)) }
      end.append(littleEndian: ZipFormat.zip64LocatorSignature)
      end.append(littleEndian: UInt32(0))
      end.append(littleEndian: UInt64(start + directory.count))
      end.append(littleEndian: UInt32(1))
    }
    end.append(littleEndian: ZipFormat.endSignature)
    end.append(littleEndian: UInt32(0))
    for _ in 0..<2 { end.append(littleEndian: isWide ? ZipFormat.saturated16 : UInt16(entries.count)) }
    end.append(littleEndian: isWide ? ZipFormat.saturated32 : UInt32(directory.count))
    end.append(littleEndian: isWide ? ZipFormat.saturated32 : UInt32(start))
    end.append(littleEndian: UInt16(0))
    try sink(directory + end)
    position = start + directory.count + end.count
  }

  // MARK: - Fields

  /// Unix, version 4.5: what reads zip64.
  private static let versionMade: UInt16 = 0x032D
  private static let plainVersion: UInt16 = 20
  private static let wideVersion: UInt16 = 45
  /// 1980-01-01, midnight.
  private static let date: UInt32 = 0x0021_0000
  /// A regular file that its owner may write and everyone may read.
  private static let attributes: UInt32 = 0o100644 << 16

  /// What stands alike before a member and in the directory, from "version needed" to the lengths.
  private func appendCommon(of entry: Entry, to header: inout Data, isWide: Bool, extra: Data) {
    header.append(littleEndian: extra.isEmpty ? ZipWriter.plainVersion : ZipWriter.wideVersion)
    let isASCII = entry.name.allSatisfy { $0 < 0x80 }
    header.append(littleEndian: isASCII ? UInt16(0) : ZipFormat.utf8Flag)
    header.append(littleEndian: entry.method)
    header.append(littleEndian: ZipWriter.date)
    header.append(littleEndian: entry.crc)
    for size in [entry.compressedSize, entry.uncompressedSize] {
      header.append(littleEndian: isWide || size >= limit ? ZipFormat.saturated32 : UInt32(size))
    }
    header.append(littleEndian: UInt16(entry.name.count))
    header.append(littleEndian: UInt16(extra.count))
  }

  private func appendDirectoryEntry(_ entry: Entry, to directory: inout Data) {
    let wide = [entry.uncompressedSize, entry.compressedSize, entry.offset].filter { $0 >= limit }
    let extra = wide.isEmpty ? Data() : zip64Extra(wide)
    directory.append(littleEndian: ZipFormat.centralSignature)
    directory.append(littleEndian: ZipWriter.versionMade)
    appendCommon(of: entry, to: &directory, isWide: false, extra: extra)
    // No comment, first disk, no internal attributes.
    for _ in 0..<3 { directory.append(littleEndian: UInt16(0)) }
    directory.append(littleEndian: ZipWriter.attributes)
    directory.append(littleEndian: entry.offset >= limit ? ZipFormat.saturated32 : UInt32(entry.offset))
    directory.append(entry.name)
    directory.append(extra)
  }

  private func zip64Extra(_ values: [Int]) -> Data {
    var extra = Data()
    extra.append(littleEndian: ZipFormat.zip64Extra)
    extra.append(littleEndian: UInt16(values.count * 8))
    for value in values { extra.append(littleEndian: UInt64(value)) }
    return extra
  }
}
