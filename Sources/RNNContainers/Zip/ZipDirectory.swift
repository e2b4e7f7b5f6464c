import Foundation
import RNNCore

/// The central directory of a zip archive: where it lies, and what it lists.
struct ZipDirectory {
  private let data: Data
  /// Where the directory begins, how long it is and how many members it lists.
  private var offset: Int
  private var size: Int
  private var count: Int

  /// Finds the directory from the end of the archive.
  init(of data: Data) throws {
    self.data = data
    let end = try ZipDirectory.endRecord(of: data)
    var reader = ByteReader(data, at: end + 4)
    let disks = try [reader.integer(UInt16.self), reader.integer(UInt16.self)]
    let countHere = try reader.integer(UInt16.self)
    let countAll = try reader.integer(UInt16.self)
    let size32 = try reader.integer(UInt32.self)
    let offset32 = try reader.integer(UInt32.self)
    (offset, size, count) = (Int(offset32), Int(size32), Int(countAll))
    var limit = end
    let isZip64 =
      countAll == ZipFormat.saturated16 || size32 == ZipFormat.saturated32 || offset32 == ZipFormat.saturated32
    if isZip64, let record = try ZipDirectory.zip64Record(of: data, before: end) {
      (offset, size, count, limit) = record
    } else {
      guard disks.allSatisfy({ $0 == 0 }), countHere == countAll else { throw ZipDirectory.severalFiles }
    }
    guard size <= limit, offset <= limit - size else {
      throw RNNError.badData("the archive's directory lies outside the file: it is damaged or cut off")
    }
    // Each entry takes at least its fixed part, which bounds the memory for the list.
    guard count <= size / ZipFormat.centralHeaderSize else {
      throw RNNError.badData("the archive's directory of \(size) bytes cannot list \(count) members")
    }
  }

  private static let severalFiles = RNNError.unsupported(
    "the archive spans several files", remedy: "Join its parts into one file first.")

  /// The last end record whose comment reaches exactly to the end of the file.
  private static func endRecord(of data: Data) throws -> Int {
    let last = data.count - ZipFormat.endSize
    let first = max(0, last - ZipFormat.maximumCommentSize)
    if last >= 0 {
      for position in stride(from: last, through: first, by: -1) {
        guard data[data.startIndex + position] == 0x50 else { continue }
        var reader = ByteReader(data, at: position)
        guard try reader.integer(UInt32.self) == ZipFormat.endSignature else { continue }
        try reader.skip(ZipFormat.endSize - 6)
        if Int(try reader.integer(UInt16.self)) == last - position { return position }
      }
    }
    throw RNNError.badData(
      "a zip archive without its end: the file is cut off", remedy: "Fetch or save the file again.")
  }

  private static func zip64Record(
    of data: Data, before end: Int
  ) throws -> (offset: Int, size: Int, count: Int, limit: Int)? {
    let locator = end - ZipFormat.zip64LocatorSize
    guard locator >= 0 else { return nil }
    var reader = ByteReader(data, at: locator)
    // Without a locator, 65,535 members or a directory of just that size are meant.
    guard try reader.integer(UInt32.self) == ZipFormat.zip64LocatorSignature else { return nil }
    let disk = try reader.integer(UInt32.self)
    let position = try reader.size64()
    guard disk == 0, try reader.integer(UInt32.self) <= 1 else { throw severalFiles }
    guard position <= locator - ZipFormat.zip64EndSize else {
      throw RNNError.badData("the archive's zip64 record lies outside the file")
    }
    reader = ByteReader(data, at: position)
    guard try reader.integer(UInt32.self) == ZipFormat.zip64EndSignature else {
      throw RNNError.badData("the archive's zip64 record is not where it should be")
    }
    try reader.skip(12)
    let disks = try [reader.integer(UInt32.self), reader.integer(UInt32.self)]
    let countHere = try reader.size64()
    let count = try reader.size64()
    guard disks.allSatisfy({ $0 == 0 }), countHere == count else { throw severalFiles }
    let size = try reader.size64()
    return (try reader.size64(), size, count, position)
  }
}

// MARK: - Members

extension ZipDirectory {
  /// All members, checked against each other.
  func members() throws -> [ZipArchive.Member] {
    guard let entries = data.slice(at: offset, count: size) else {
      throw RNNError.badData("the archive's directory lies outside the file")
    }
    var reader = ByteReader(entries)
    var members: [ZipArchive.Member] = []
    members.reserveCapacity(count)
    // Bytes, since strings that differ may compare equal (combining characters).
    var names: Set<[UInt8]> = []
    for index in 0..<count {
      let member = try locating("member \(index + 1) of the archive's directory") { try entry(&reader) }
      guard names.insert(Array(member.name.utf8)).inserted else {
        throw RNNError.badData("the name stands twice in the archive", at: "member '\(member.name)'")
      }
      members.append(member)
    }
    guard reader.remaining == 0 else {
      throw RNNError.badData("the archive's directory lists \(count) members, yet goes on after them")
    }
    try placeData(&members)
    return members
  }

  private func entry(_ reader: inout ByteReader) throws -> ZipArchive.Member {
    guard try reader.integer(UInt32.self) == ZipFormat.centralSignature else {
      throw RNNError.badData("it does not begin with its signature: the archive is damaged")
    }
    try reader.skip(4)
    let flags = try reader.integer(UInt16.self)
    let method = try reader.integer(UInt16.self)
    try reader.skip(4)
    let crc = try reader.integer(UInt32.self)
    let compressed32 = try reader.integer(UInt32.self)
    let uncompressed32 = try reader.integer(UInt32.self)
    let nameLength = Int(try reader.integer(UInt16.self))
    let extraLength = Int(try reader.integer(UInt16.self))
    let commentLength = Int(try reader.integer(UInt16.self))
    let disk = try reader.integer(UInt16.self)
    try reader.skip(6)
    let offset32 = try reader.integer(UInt32.self)
    let name = try ZipDirectory.name(try reader.bytes(nameLength), isUTF8: flags & ZipFormat.utf8Flag != 0)
    var extra = try ZipDirectory.zip64Extra(in: try reader.bytes(extraLength))
    try reader.skip(commentLength)
    // The zip64 field holds only what is saturated here, in this order.
    func widen(_ value: UInt32) throws -> Int {
      value == ZipFormat.saturated32 && extra != nil ? try extra?.size64() ?? 0 : Int(value)
    }
    let uncompressed = try widen(uncompressed32)
    let compressed = try widen(compressed32)
    let headerOffset = try widen(offset32)
    let isHere = disk == 0 || (disk == ZipFormat.saturated16 && extra != nil)
    guard isHere else { throw ZipDirectory.severalFiles }
    return ZipArchive.Member(
      name: name, method: ZipDirectory.method(method), compressedSize: compressed, uncompressedSize: uncompressed,
      crc: crc, isEncrypted: flags & ZipFormat.encryptedFlag != 0, headerOffset: headerOffset)
  }

  private static func method(_ code: UInt16) -> ZipArchive.Method {
    switch code {
    case ZipFormat.stored: .stored
    case ZipFormat.deflated: .deflated
    default: .other(code)
    }
  }

  /// A name in UTF-8 where it says so; the old code page is taken for Latin-1, since ASCII is what is met.
  private static func name(_ bytes: Data, isUTF8: Bool) throws -> String {
    guard isUTF8 else {
      var name = ""
      name.unicodeScalars.append(contentsOf: bytes.map { Unicode.Scalar($0) })
      return name
    }
    let name = String(decoding: bytes, as: UTF8.self)
    guard name.utf8.elementsEqual(bytes) else { throw RNNError.badData("its name is not UTF-8") }
    return name
  }

  private static func zip64Extra(in extra: Data) throws -> ByteReader? {
    var reader = ByteReader(extra)
    // Some writers pad the field with a few bytes.
    while reader.remaining >= 4 {
      let id = try reader.integer(UInt16.self)
      let length = Int(try reader.integer(UInt16.self))
      let content = try reader.bytes(length)
      if id == ZipFormat.zip64Extra { return ByteReader(content) }
    }
    return nil
  }

  /// Finds where each member's bytes begin; no two members may share a byte, so that together they cannot be larger
  /// than the archive allows.
  private func placeData(_ members: inout [ZipArchive.Member]) throws {
    var end = 0
    for index in members.indices.sorted(by: { members[$0].headerOffset < members[$1].headerOffset }) {
      let member = members[index]
      try locating("member '\(member.name)'") {
        guard member.headerOffset >= end, member.headerOffset <= offset - ZipFormat.localHeaderSize else {
          throw RNNError.badData("it overlaps another member or lies outside the archive")
        }
        var reader = ByteReader(data, at: member.headerOffset)
        guard try reader.integer(UInt32.self) == ZipFormat.localSignature else {
          throw RNNError.badData("there is no member at byte \(member.headerOffset), where the directory says so")
        }
        try reader.skip(22)
        let nameLength = Int(try reader.integer(UInt16.self))
        let extraLength = Int(try reader.integer(UInt16.self))
        let start = member.headerOffset + ZipFormat.localHeaderSize + nameLength + extraLength
        guard start <= offset, member.compressedSize <= offset - start else {
          throw RNNError.badData("its bytes reach past the end of the archive's members")
        }
        members[index].dataOffset = start
        end = start + member.compressedSize
      }
    }
  }
}
