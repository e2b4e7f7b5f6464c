import Foundation
import RNNCore
import RNNTestSupport
import Testing

/// Files that the safetensors package wrote (`fixtures/containers/generate.py`).
@Suite struct SafetensorsFixtureTests {
  private static let folder = Fixtures.folder.appendingPathComponent("containers/safetensors")

  @Test func everyFileOfThePackageReads() throws {
    let text = try Data(contentsOf: Self.folder.appendingPathComponent("expected.json"))
    let files = try #require(try JSONValue(parsing: text).object).members
    #expect(!files.isEmpty)
    for file in files {
      let data = try Data(contentsOf: Self.folder.appendingPathComponent(file.key))
      var expected = try #require(file.value.object)
      let metadata = expected["__metadata__"]?.object
      expected["__metadata__"] = nil
      guard
        expected.members.allSatisfy({ member in DType.allCases.contains { $0.name == member.value["dtype"]?.string } })
      else {
        // 8-bit floats are well formed and not held.
        expectError(.unsupported, naming: "F8_E") { try Safetensors(parsing: data) }
        continue
      }
      let read = try Safetensors(parsing: data)
      #expect(Set(read.entries.map(\.name)) == Set(expected.keys), "\(file.key)")
      for entry in read.entries {
        let told = try #require(expected[entry.name])
        #expect(entry.tensor.dtype.name == told["dtype"]?.string, "\(file.key) \(entry.name)")
        #expect(entry.tensor.shape == told["shape"]?.array?.compactMap(\.integer), "\(file.key) \(entry.name)")
        #expect(sha256(entry.tensor.bytes) == told["sha256"]?.string, "\(file.key) \(entry.name)")
      }
      #expect(Set(read.metadata.map(\.key)) == Set(metadata?.keys ?? []))
      for member in metadata?.members ?? [] { #expect(read[metadata: member.key] == member.value.string) }
    }
  }
}
