import Foundation
import RNNCore
import RNNTestSupport
import Testing

@Suite struct AtomicFileTests {
  private struct Failure: Error {}

  private func write(_ text: String, to url: URL, replacing: Bool = false) throws {
    try AtomicFile.write(to: url, replacing: replacing) { sink in
      // In pieces, an empty one among them.
      for character in text { try sink(Data(String(character).utf8)) }
      try sink(Data())
    }
  }

  private func text(_ url: URL) throws -> String { try String(contentsOf: url, encoding: .utf8) }

  @Test func theContentIsWhatWasHandedOver() throws {
    let folder = try TemporaryFolder()
    try write("content", to: folder.file("a"))
    #expect(try text(folder.file("a")) == "content")
    try write("", to: folder.file("empty"))
    #expect(try text(folder.file("empty")).isEmpty)
    let large = Data((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 * 7) })
    try AtomicFile.write(to: folder.file("large"), replacing: false) { try $0(large) }
    #expect(try Data(contentsOf: folder.file("large")) == large)
    #expect(folder.names == ["a", "empty", "large"])
  }

  @Test func aSliceIsWrittenFromItsOwnStart() throws {
    let folder = try TemporaryFolder()
    let slice = Data([1, 2, 3, 4, 5])[2..<4]
    try AtomicFile.write(to: folder.file("a"), replacing: false) { try $0(slice) }
    #expect(try Data(contentsOf: folder.file("a")) == Data([3, 4]))
  }

  @Test func theBeginningMayComeLast() throws {
    let folder = try TemporaryFolder()
    let large = Data((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 * 7) })
    try AtomicFile.write(to: folder.file("a"), replacing: false) {
      try $0(Data("head".utf8))
      try $0(large)
    } beginning: {
      Data("HEAD".utf8)
    }
    #expect(try Data(contentsOf: folder.file("a")) == Data("HEAD".utf8) + large)
    #expect(throws: Failure.self) {
      try AtomicFile.write(to: folder.file("b"), replacing: false, { try $0(large) }, beginning: { throw Failure() })
    }
    #expect(folder.names == ["a"])
  }

  @Test func aFailureLeavesNothing() throws {
    let folder = try TemporaryFolder()
    #expect(throws: Failure.self) {
      try AtomicFile.write(to: folder.file("a"), replacing: false) { sink in
        try sink(Data("half".utf8))
        #expect(!folder.contains("a"))
        throw Failure()
      }
    }
    #expect(folder.names.isEmpty)
  }

  @Test func aFailureLeavesTheOldFile() throws {
    let folder = try TemporaryFolder()
    try write("old", to: folder.file("a"))
    #expect(throws: Failure.self) {
      try AtomicFile.write(to: folder.file("a"), replacing: true) { sink in
        try sink(Data("half".utf8))
        #expect(try text(folder.file("a")) == "old")
        throw Failure()
      }
    }
    #expect(try text(folder.file("a")) == "old")
    #expect(folder.names == ["a"])
  }

  @Test func aFileInTheWayStaysUnlessReplaced() throws {
    let folder = try TemporaryFolder()
    try write("old", to: folder.file("a"))
    expectError(.cannotWrite, naming: "/a:", "exists already", "--force") {
      try AtomicFile.write(to: folder.file("a"), replacing: false) { _ in Issue.record("the work was begun") }
    }
    #expect(try text(folder.file("a")) == "old")
    try write("a longer text", to: folder.file("a"), replacing: true)
    #expect(try text(folder.file("a")) == "a longer text")
    try write("new", to: folder.file("a"), replacing: true)
    #expect(try text(folder.file("a")) == "new")
    try write("b", to: folder.file("b"), replacing: true)
    #expect(folder.names == ["a", "b"])
  }

  @Test func aFileThatAppearsMeanwhileStays() throws {
    let folder = try TemporaryFolder()
    expectError(.cannotWrite, naming: "exists already") {
      try AtomicFile.write(to: folder.file("a"), replacing: false) { sink in
        try sink(Data("mine".utf8))
        try Data("theirs".utf8).write(to: folder.file("a"))
      }
    }
    #expect(try text(folder.file("a")) == "theirs")
    #expect(folder.names == ["a"])
  }

  @Test func aDirectoryIsNoDestination() throws {
    let folder = try TemporaryFolder()
    for replacing in [false, true] {
      expectError(.cannotWrite, naming: "is a directory") { try write("x", to: folder.url, replacing: replacing) }
    }
    #expect(folder.names.isEmpty)
  }

  @Test func theFolderMustExist() throws {
    let folder = try TemporaryFolder()
    expectError(.cannotWrite, naming: "none/a", "Create the folder") { try write("x", to: folder.file("none/a")) }
    try write("x", to: folder.file("file"))
    expectError(.cannotWrite, naming: "file/a") { try write("x", to: folder.file("file/a")) }
    #expect(folder.names == ["file"])
  }

  @Test func theCheckKnowsBeforehand() throws {
    let folder = try TemporaryFolder()
    #expect(throws: Never.self) { try AtomicFile.checkDestination(folder.file("a").path, replacing: false) }
    try write("x", to: folder.file("a"))
    #expect(throws: Never.self) { try AtomicFile.checkDestination(folder.file("a").path, replacing: true) }
    expectError(.cannotWrite) { try AtomicFile.checkDestination(folder.file("a").path, replacing: false) }
    expectError(.cannotWrite) { try AtomicFile.checkDestination(folder.url.path, replacing: true) }
  }

  @Test func manyWritersLeaveOneWholeFile() async throws {
    let folder = try TemporaryFolder()
    let url = folder.file("a")
    await withTaskGroup(of: Void.self) { group in
      for writer in 0..<8 {
        group.addTask {
          let piece = Data(repeating: UInt8(writer), count: 1000)
          try? AtomicFile.write(to: url, replacing: true) { sink in for _ in 0..<50 { try sink(piece) } }
        }
      }
    }
    let content = try Data(contentsOf: url)
    #expect(content.count == 50_000)
    #expect(Set(content).count == 1)
    #expect(folder.names == ["a"])
  }
}
