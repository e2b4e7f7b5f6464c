import Foundation
import RNNCore
import Testing

@testable import RNNContainers

@Suite struct ZipTests {
  private func write(
    _ members: [(String, Data)], compressed: Bool = false, limit: Int? = nil, countLimit: Int? = nil
  ) throws -> Data {
    var result = Data()
    var writer =
      limit == nil && countLimit == nil
      ? ZipWriter() : ZipWriter(limit: limit ?? .max, countLimit: countLimit ?? .max)
    for (name, content) in members { try writer.add(name, [content], compressed: compressed) { result.append($0) } }
    try writer.finish { result.append($0) }
    return result
  }

  private func contents(_ data: Data) throws -> [String: Data] {
    let archive = try ZipArchive(parsing: data)
    return try archive.members.reduce(into: [:]) { $0[$1.name] = try archive.contents(of: $1) }
  }

  private let samples: [(String, Data)] = [
    ("one.txt", Data("hello".utf8)), ("empty", Data()),
    ("größe/\u{65E5}\u{672C}.bin", Data(repeating: 7, count: 300_000)),
  ]

  @Test(arguments: [false, true]) func roundTrip(compressed: Bool) throws {
    let data = try write(samples, compressed: compressed)
    let read = try contents(data.shifted)
    #expect(read == Dictionary(uniqueKeysWithValues: samples))
    #expect(try ZipArchive(parsing: data).members.map(\.name) == samples.map(\.0))
    #expect(try write(samples, compressed: compressed) == data)
    if compressed { #expect(data.count < 10_000) }
  }

  @Test func deflatesIncompressibleBytesOfManyPieces() throws {
    var generator = Seeded(state: 1)
    let pieces = (0..<5).map { _ in Data((0..<70_000).map { _ in UInt8.random(in: 0...255, using: &generator) }) }
    let whole = pieces.reduce(Data(), +)
    let stream = try Zlib.deflate(pieces + [Data()])
    #expect(try Zlib.inflate(stream, size: whole.count) == whole)
    #expect(try Zlib.inflate(try Zlib.deflate([]), size: 0).isEmpty)
  }

  /// The same fields that an archive over 4 GiB needs, with the limit lowered.
  @Test(arguments: [1, 6, 100_000]) func zip64(limit: Int) throws {
    let data = try write(samples, limit: limit)
    #expect(try contents(data) == Dictionary(uniqueKeysWithValues: samples))
    #expect(try contents(try write(samples, countLimit: 2)) == Dictionary(uniqueKeysWithValues: samples))
  }

  @Test func manyMembers() throws {
    let members = (0..<70_000).map { ("\($0)", Data()) }
    let archive = try ZipArchive(parsing: try write(members))
    #expect(archive.members.count == members.count)
    #expect(archive.members.last?.name == "69999")
  }

  @Test func refusesTheSameNameTwiceWhenWriting() {
    expectError(.usage, containing: "twice") { try write([("a", Data()), ("a", Data())]) }
  }

  @Test func acceptsCommentsAndLyingLocalHeaders() throws {
    var zip = HandMadeZip()
    zip.comment = Data("PK\u{5}\u{6} a comment".utf8)
    zip.members[0].localSizes = .max
    zip.members[0].localExtra = Data(repeating: 0, count: 20)
    #expect(try contents(zip.bytes()) == ["a": Data("hello".utf8)])
  }

  @Test func readsNamesWithoutTheUTF8FlagAsLatin1() throws {
    var zip = HandMadeZip()
    zip.members[0].name = Data([0xE4])
    #expect(try ZipArchive(parsing: zip.bytes()).members[0].name == "ä")
    zip.members[0].flags = 0x800
    expectError(.badData, containing: "UTF-8") { try ZipArchive(parsing: zip.bytes()) }
  }

  @Test func refusesWhatIsNotSupported() throws {
    func refuses(_ text: String, _ change: (inout HandMadeZip) -> Void) {
      var zip = HandMadeZip()
      change(&zip)
      expectError(.unsupported, containing: text) { try contents(zip.bytes()) }
    }
    refuses("encrypted") { $0.members[0].flags = 1 }
    refuses("compression method 12") { $0.members[0].method = 12 }
    refuses("several files") { $0.disk = 1 }
    refuses("several files") { $0.members[0].disk = 2 }
  }

  @Test func refusesDamage() {
    func refuses(_ text: String, _ change: (inout HandMadeZip) -> Void) {
      var zip = HandMadeZip()
      change(&zip)
      expectError(.badData, containing: text) { try contents(zip.bytes()) }
    }
    refuses("checksum") { $0.members[0].crc = 1 }
    refuses("stands twice") { $0.members.append(.init()) }
    refuses("overlaps") { $0.members.append(.init(name: Data("b".utf8), headerOffset: 0)) }
    refuses("reach past") { $0.members[0].compressedSize = 6 }
    refuses("stored as it is") { $0.members[0].uncompressedSize = 6 }
    refuses("no member at byte 1") { $0.members[0].headerOffset = 1 }
    refuses("outside the archive") { $0.members[0].headerOffset = .max }
    refuses("cannot list") { $0.count = 2 }
    refuses("goes on") { $0.count = 0 }
    refuses("outside the file") { $0.directorySize = 1 << 30 }
    refuses("outside the file") { $0.directoryOffset = 1 << 30 }
    refuses("end early") { $0.directorySize = 46 }
    refuses("cannot hold") {
      $0.members[0].method = 8
      $0.members[0].uncompressedSize = 1 << 31
    }
    refuses("damaged") { $0.members[0].method = 8 }
    expectError(.badData, containing: "cut off") { try ZipArchive(parsing: Data("PK\u{3}\u{4}".utf8)) }
    expectError(.badData) { try ZipArchive(parsing: Data()) }
  }

  @Test func refusesDeflatedMembersOfAnotherSize() throws {
    for (declared, text) in [(4, "more than"), (6, "5 bytes, 6 are declared")] {
      var zip = HandMadeZip()
      zip.members[0].crc = Zlib.crc32(of: [Data("hello".utf8)])
      zip.members[0].content = try Zlib.deflate([Data("hello".utf8)])
      zip.members[0].method = 8
      zip.members[0].uncompressedSize = UInt32(declared)
      expectError(.badData, containing: text) { try contents(zip.bytes()) }
    }
  }

  @Test func refusesZip64RecordsThatLie() {
    func record(offset: UInt64, size: UInt64, count: UInt64, position: UInt64?) -> Data {
      var zip = HandMadeZip()
      zip.count = .max
      var record = Data()
      record.append(littleEndian: ZipFormat.zip64EndSignature)
      record.append(littleEndian: UInt64(44))
      record.append(Data(repeating: 0, count: 12))
      for field in [count, count, size, offset] { record.append(littleEndian: field) }
      let start = UInt64(zip.bytes().count - 22)
      record.append(littleEndian: ZipFormat.zip64LocatorSignature)
      record.append(littleEndian: UInt32(0))
      record.append(littleEndian: position ?? start)
      record.append(littleEndian: UInt32(1))
      zip.beforeEnd = record
      return zip.bytes()
    }
    #expect(throws: Never.self) { try contents(record(offset: 36, size: 47, count: 1, position: nil)) }
    for huge in [UInt64.max, UInt64(Int.max), 1 << 40] {
      expectError(.badData) { try contents(record(offset: huge, size: 47, count: 1, position: nil)) }
      expectError(.badData) { try contents(record(offset: 36, size: huge, count: 1, position: nil)) }
      expectError(.badData) { try contents(record(offset: 36, size: 47, count: huge, position: nil)) }
      expectError(.badData) { try contents(record(offset: 36, size: 47, count: 1, position: huge)) }
    }
  }

  /// No byte of an archive, changed, and no cut may do worse than an error.
  @Test func survivesMutation() throws {
    let data = try write([("a.npy", Data("hello".utf8)), ("b", Data(repeating: 1, count: 90))], compressed: true)
    for length in 0..<data.count { #expect(throws: RNNError.self) { try contents(data.prefix(length)) } }
    for index in data.indices {
      for value: UInt8 in [0, 1, 0x7F, 0x80, 0xFF] {
        var copy = data
        copy[index] = value
        do { _ = try contents(copy) } catch { #expect(error is RNNError) }
      }
    }
  }
}
