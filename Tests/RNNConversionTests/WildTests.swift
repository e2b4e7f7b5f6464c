import Foundation
import RNNContainers
import RNNConversion
import RNNCore
import RNNRuntime
import RNNTestSupport
import Testing

/// Files as people published them, where they lie beside the project.
struct WildTests {
  private static let folders = Fixtures.shared("wild").map { wild in
    Fixtures.cases(in: wild) { $0.lastPathComponent != "tokenizers" }
  }

  /// Two networks that amplify roundings: by the folder's name, the largest difference from the framework that is
  /// allowed. What float32 may lose, layers in float64 tell besides, see `Tolerance`.
  private static let amplifying: [(name: String, bound: Float)] = [("afaad5", 3e-5), ("d354cc", 5e-4)]

  private func modelFile(in folder: URL) throws -> URL {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    return folder.appendingPathComponent(try #require(names.first { $0.hasPrefix("model.") }))
  }

  private func options() -> ImportOptions {
    var options = ImportOptions()
    options.helper = helper
    return options
  }

  /// What is imported agrees; what is not ends with bad data or not supported, and says what stopped it.
  @Test func everyFileAgreesOrIsRefusedByName() throws {
    guard let folders = Self.folders else { return }
    var agreed = 0
    var refused = 0
    for folder in folders {
      let file = try modelFile(in: folder)
      do {
        let model = try Model(try ModelImport.model(from: file, options: options()))
        guard let expected = try arrays(folder, "outputs.npz") else { continue }
        let inputs = try #require(try arrays(folder, "inputs.npz"))
        let outputs = try model.predict(inputs.map(\.tensor))
        func excess(twins: [[Double]]?) -> Double {
          expected.indices.map { index in
            Tolerance.excess(
              of: outputs[index].floats(), over: expected[index].tensor.floats(), twin: twins?[index], absolute: 1e-5,
              relative: 1e-5)
          }.max() ?? .infinity
        }
        if let bound = Self.amplifying.first(where: { folder.lastPathComponent.contains($0.name) })?.bound {
          let twins = try NaiveModel.predict(inputs.map(\.tensor), model)
          #expect(excess(twins: twins) <= 0, "\(folder.lastPathComponent)")
          let worst = zip(outputs, expected).flatMap { zip($0.floats(), $1.tensor.floats()) }.map { abs($0 - $1) }.max()
          #expect(worst ?? .infinity <= bound, "\(folder.lastPathComponent)")
        } else {
          #expect(excess(twins: nil) <= 0, "\(folder.lastPathComponent)")
        }
        #expect(folder.lastPathComponent.hasPrefix("agree"), "\(folder.lastPathComponent)")
        agreed += 1
      } catch let error as RNNError {
        #expect([.badData, .unsupported].contains(error.reason), "\(folder.lastPathComponent): \(error)")
        #expect(error.description.count > folder.path.count + 20, "\(folder.lastPathComponent): \(error)")
        refused += 1
      }
    }
    print("wild files: \(agreed) agree, \(refused) are refused by name")
    // All but the ONNX graphs.
    #expect(agreed >= 43)
  }

  private func arrays(_ folder: URL, _ name: String) throws -> [(name: String, tensor: Tensor)]? {
    let url = folder.appendingPathComponent(name)
    return Fixtures.exists(url) ? try NPZ.read(try Data(contentsOf: url)) : nil
  }

  /// Files of Keras 1.2.2 and 2.0 to 2.2 with inputs and outputs.
  @Test func legacyFilesAreInspected() throws {
    guard let legacy = Fixtures.shared("legacy-keras") else { return }
    let files = try FileManager.default.subpathsOfDirectory(atPath: legacy.path).filter { $0.hasSuffix(".h5") }
    #expect(!files.isEmpty)
    for name in files {
      let inspection = try Inspection(contentsOf: legacy.appendingPathComponent(name), helper: helper)
      #expect(!inspection.tensors.isEmpty, "\(name)")
      #expect(["keras1", "keras2"].contains(inspection.dialect), "\(name)")
    }
  }

  /// Every sample of every container version is recognised and shown.
  @Test func samplesAreInspected() throws {
    guard let samples = Fixtures.shared("container-samples") else { return }
    let names = try FileManager.default.subpathsOfDirectory(atPath: samples.path).filter { name in
      [".h5", ".keras"].contains { name.hasSuffix($0) } && !name.contains("crashers") && !name.hasPrefix("misc")
    }
    #expect(names.count > 50)
    for name in names {
      let inspection = try Inspection(contentsOf: samples.appendingPathComponent(name), helper: helper)
      #expect(!inspection.tensors.isEmpty, "\(name)")
    }
  }
}
