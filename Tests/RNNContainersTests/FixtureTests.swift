import Foundation
import RNNCore
import RNNTestSupport
import Testing

@testable import RNNContainers

/// The files that `fixtures/containers/generate.py` made with NumPy: dtype, shape and the SHA-256 of the little-endian
/// bytes in row-major order must be NumPy's.
@Suite struct FixtureTests {
  private func expectations(_ folder: String) throws -> [JSONObject.Member] {
    guard let text = TestFiles.contents(TestFiles.fixture("containers/\(folder)/expected.json")) else { return [] }
    return try #require(try JSONValue(parsing: text).object).members
  }

  private func file(_ folder: String, _ name: String) throws -> Data {
    try Data(contentsOf: TestFiles.fixture("containers/\(folder)/\(name)"))
  }

  /// Arrays that NumPy has and no tensor can hold stand in the fixtures with their NumPy type.
  private func isRefused(_ expected: JSONValue) -> Bool {
    expected.string == "refuse" || !DType.allCases.contains { $0.name == expected["dtype"]?.string }
  }

  private func check(_ tensor: Tensor, _ expected: JSONValue, _ name: String) throws {
    #expect(tensor.dtype.name == expected["dtype"]?.string, "\(name)")
    #expect(tensor.shape == expected["shape"]?.array?.compactMap(\.integer), "\(name)")
    #expect(sha256(tensor.bytes) == expected["sha256"]?.string, "\(name)")
  }

  @Test func sha256OfKnownText() {
    #expect(sha256(Data("abc".utf8)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  }

  @Test func arrays() throws {
    for member in try expectations("npy") {
      let data = try file("npy", member.key)
      #expect(ContainerKind.recognise(data) == .npy)
      if isRefused(member.value) {
        expectError(.unsupported) { try Tensor(npy: data) }
        continue
      }
      let tensor = try Tensor(npy: data)
      try check(tensor, member.value, member.key)
      #expect(try Tensor(npy: tensor.npy()) == tensor)
    }
  }

  @Test func archives() throws {
    for member in try expectations("npz") {
      let data = try file("npz", member.key)
      let expected = try #require(member.value.object).members
      if let refused = expected.first(where: { isRefused($0.value) }) {
        expectError(.unsupported, containing: "member '\(refused.key).npy'") { try NPZ.read(data) }
        continue
      }
      let arrays = try NPZ.read(data)
      #expect(arrays.map(\.name) == expected.map(\.key))
      for (array, expectation) in zip(arrays, expected) {
        try check(array.tensor, expectation.value, "\(member.key) \(array.name)")
      }
    }
  }

  /// Models that take text: it is no tensor.
  private static let readText = ["/textvectorization", "/stringlookup"]

  /// Every `.npz` and `.keras` of the fixtures reads, whichever framework wrote it.
  @Test func modelFiles() throws {
    for folder in ["keras-1.2.2", "keras-2.2.4", "tf-keras-2.19", "keras-3.15"] {
      for url in TestFiles.files(under: TestFiles.fixture(folder), withExtension: "npz") {
        let data = try Data(contentsOf: url, options: .mappedIfSafe)
        #expect(ContainerKind.recognise(data) == .npz)
        if url.lastPathComponent == "inputs.npz", Self.readText.contains(where: url.path.contains) {
          #expect(throws: RNNError.self, "\(url.path)") { try NPZ.read(data) }
        } else {
          #expect(throws: Never.self, "\(url.path)") { try NPZ.read(data) }
        }
      }
      for url in TestFiles.files(under: TestFiles.fixture(folder), withExtension: "keras") {
        let data = try Data(contentsOf: url, options: .mappedIfSafe)
        #expect(ContainerKind.recognise(data) == .kerasArchive)
        #expect(throws: Never.self, "\(url.path)") { try KerasArchive(parsing: ZipArchive(parsing: data)) }
      }
    }
  }
}
