import Foundation
import RNNCore
import RNNHDF5
import RNNTestSupport
import Testing

extension HDF5Tests {
  /// Files of real Keras versions that lie beside the project.
  @Suite struct SampleTests {
    private func files(_ folder: String) -> [URL] {
      guard let url = Fixtures.shared("container-samples/" + folder) else { return [] }
      let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
      return names.sorted().filter { $0.hasSuffix(".h5") }.map { url.appendingPathComponent($0) }
    }

    /// Whole models and old weight files state the version that wrote them.
    @Test(arguments: [("k12", "1.2.2"), ("k224", "2.2.4"), ("k3.0.5", "3.0.5")])
    func everyFileReadsAndTellsItsVersion(folder: String, version: String) throws {
      for file in files(folder) {
        let checkpoint = try locating(file.lastPathComponent) { try readCheckpoint(try Data(contentsOf: file)) }
        #expect(!checkpoint.entries.isEmpty, "\(file.lastPathComponent)")
        if checkpoint.attribute("model_config", at: "") != nil {
          #expect(checkpoint.attribute("keras_version", at: "")?.string == version, "\(file.lastPathComponent)")
        }
      }
    }

    /// What is read can be written, and reads again as the same.
    @Test func realFilesComeBack() throws {
      for file in files("k224") + files("k315") {
        let checkpoint = try readCheckpoint(try Data(contentsOf: file))
        let again = try readCheckpoint(try HDF5Writer.image(of: checkpoint))
        #expect(again.entries == checkpoint.entries, "\(file.lastPathComponent)")
        #expect(again.groups == checkpoint.groups, "\(file.lastPathComponent)")
        #expect(again.attributes == checkpoint.attributes, "\(file.lastPathComponent)")
      }
    }
  }
}
