import Foundation
import RNNCore
import RNNHDF5
import RNNTestSupport
import Testing

extension HDF5Tests {
  /// Files that h5py wrote (`fixtures/containers/hdf5.py`): dtype, shape, SHA-256 of the little-endian bytes, strings.
  @Suite struct FixtureTests {
    private static let folder = Fixtures.folder.appendingPathComponent("containers/hdf5")

    private static func expectations() throws -> [(file: String, told: JSONObject)] {
      let text = try Data(contentsOf: folder.appendingPathComponent("expected.json"))
      let files = try #require(try JSONValue(parsing: text).object).members
      return try files.map { ($0.key, try #require($0.value.object)) }
    }

    private static func refused(_ told: JSONObject) -> [String] {
      told.members.filter { $0.value.string == "refuse" }.map(\.key)
    }

    private func image(_ name: String) throws -> Data {
      try Data(contentsOf: Self.folder.appendingPathComponent(name))
    }

    @Test func whatH5pyWroteReads() throws {
      let files = try Self.expectations().filter { Self.refused($0.told).isEmpty }
      #expect(files.count >= 6)
      for (file, told) in files {
        let checkpoint = try locating(file) { try readCheckpoint(try image(file)) }
        for member in told.members { try check(member.key, member.value, checkpoint, "\(file) \(member.key)") }
        // And nothing else: datasets of strings stand among the attributes.
        let strings = checkpoint.attributes.filter { $0.name == "strings" }.map(\.path)
        let attributes = checkpoint.attributes.filter { $0.name != "strings" }.map { "\($0.path)@\($0.name)" }
        #expect(Set(checkpoint.entries.map(\.path) + strings + attributes) == Set(told.keys), "\(file)")
      }
    }

    private func check(_ place: String, _ told: JSONValue, _ checkpoint: Checkpoint, _ comment: Comment) throws {
      let parts = place.split(separator: "@").map(String.init)
      let isString = told["dtype"]?.string == "string"
      let found: AttributeValue?
      if parts.count == 2 {
        found = checkpoint.attribute(parts[1], at: parts[0])
      } else if isString {
        found = checkpoint.attribute("strings", at: place)
      } else {
        found = checkpoint.tensor(at: place).map { .tensor($0) }
      }
      switch try #require(found, comment) {
      case .string(let text):
        #expect(isString && told["shape"] == [], comment)
        #expect(told["values"] == [.string(text)], comment)
      case .strings(let texts):
        #expect(isString && told["values"] == .array(texts.map(JSONValue.string)), comment)
      case .tensor(let tensor):
        #expect(tensor.dtype.name == told["dtype"]?.string, comment)
        if told["shape"]?.isNull == true {
          #expect(tensor.shape == [0], comment)
        } else {
          #expect(tensor.shape == told["shape"]?.array?.compactMap(\.integer), comment)
          #expect(sha256(tensor.bytes) == told["sha256"]?.string, comment)
        }
      }
    }

    @Test func whatIsRefusedIsRefusedByName() throws {
      let messages = [
        "external-link.h5": "external link", "soft-link.h5": "soft link", "external-storage.h5": "external storage",
        "virtual.h5": "virtual dataset", "lzf.h5": "filter 32000", "types.h5": "elements are",
      ]
      let files = try Self.expectations().filter { !Self.refused($0.told).isEmpty }
      #expect(Set(files.map(\.file)) == Set(messages.keys))
      for (file, told) in files {
        let data = try image(file)
        expectError(.unsupported, naming: try #require(messages[file])) { try readCheckpoint(data) }
        do {
          _ = try readCheckpoint(data)
        } catch let error as RNNError {
          #expect(Self.refused(told).contains { error.place.first == "/" + $0 }, "\(file): \(error)")
        }
      }
    }
  }
}
