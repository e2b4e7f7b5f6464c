import Foundation
import RNNCore
import RNNTestSupport
import Testing

@Suite struct InputFileTests {
  @Test func theBytesOfAFile() throws {
    let folder = try TemporaryFolder()
    let content = Data((0..<100_000).map { UInt8(truncatingIfNeeded: $0 * 13) })
    try content.write(to: folder.file("a"))
    #expect(try InputFile.contents(of: folder.file("a")) == content)
    #expect(try InputFile.check(folder.file("a")) == content.count)
    try FileManager.default.createSymbolicLink(at: folder.file("link"), withDestinationURL: folder.file("a"))
    #expect(try InputFile.contents(of: folder.file("link")) == content)
  }

  /// The mapping lives as long as its bytes, also where the file's name is gone.
  @Test func theBytesStayWhenTheNameGoes() throws {
    let folder = try TemporaryFolder()
    try Data("content".utf8).write(to: folder.file("a"))
    let slice = try InputFile.contents(of: folder.file("a")).dropFirst(3)
    try FileManager.default.removeItem(at: folder.file("a"))
    #expect(slice == Data("tent".utf8))
  }

  /// Pages that were let go are read again; memory that is no file's is not touched.
  @Test func whatWasLetGoIsReadAgain() throws {
    let folder = try TemporaryFolder()
    let content = Data((0..<100_000).map { UInt8(truncatingIfNeeded: $0 * 13) })
    try content.write(to: folder.file("a"))
    let mapped = try InputFile.contents(of: folder.file("a"))
    // Not the same bytes by reference.
    let own = Data([UInt8](content))
    for data in [mapped, own] {
      for range in [0..<100_000, 5..<90_000, 8192..<8193, 7..<7] {
        data[range].withUnsafeBytes { MappedFiles.shared.release($0) }
        #expect(data == content)
      }
    }
  }

  @Test func whatIsNoReadableFileIsNamed() throws {
    let folder = try TemporaryFolder()
    expectError(.noInput, naming: "/none") { try InputFile.contents(of: folder.file("none")) }
    expectError(.usage, naming: "is a directory") { try InputFile.contents(of: folder.url) }
    expectError(.usage, naming: "/dev/null") { try InputFile.contents(of: URL(fileURLWithPath: "/dev/null")) }
    try Data().write(to: folder.file("empty"))
    expectError(.badData, naming: "/empty", "empty") { try InputFile.contents(of: folder.file("empty")) }
    try Data([1]).write(to: folder.file("file"))
    expectError(.noInput) { try InputFile.contents(of: folder.file("file/inside")) }
  }
}
