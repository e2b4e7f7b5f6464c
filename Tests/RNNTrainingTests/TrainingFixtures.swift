import Foundation
import RNNContainers
import RNNConversion
import RNNCore
import RNNTestSupport
import RNNTraining
import Testing

/// A folder below `fixtures/training/`: a model and arrays that Keras computed from it.
struct TrainingCase: Sendable, CustomTestStringConvertible {
  let folder: URL

  static func all(_ path: String) -> [TrainingCase] {
    Fixtures.cases(in: Fixtures.folder.appendingPathComponent("training/\(path)"))
      .map(TrainingCase.init).filter { fixture in
        ["h5", "keras"].contains { Fixtures.exists(fixture.folder.appendingPathComponent("model.\($0)")) }
      }
  }

  var testDescription: String {
    "\(folder.deletingLastPathComponent().lastPathComponent)/\(folder.lastPathComponent)"
  }

  /// - Parameter name: `nil` for the one that there is.
  func model(_ name: String? = nil) throws -> NativeModel {
    var options = ImportOptions()
    options.helper = Fixtures.product(HDF5Helper.name)
    let isArchive = !Fixtures.exists(folder.appendingPathComponent("model.h5"))
    let file = name ?? (isArchive ? "model.keras" : "model.h5")
    return try ModelImport.model(from: folder.appendingPathComponent(file), options: options)
  }

  func arrays(_ name: String) throws -> [(name: String, tensor: Tensor)] {
    try NPZ.read(try Data(contentsOf: folder.appendingPathComponent(name)))
  }

  func array(_ name: String, in file: String) throws -> Tensor {
    try #require(try arrays(file).first { $0.name == name }, "\(file) has no '\(name)'").tensor
  }
}

/// Examples in arrays.
struct ArraySource: BatchSource {
  var x: Tensor
  var ys: [Tensor]
  var weights: Tensor?
  var count: Int { x.shape[0] }

  init(x: Tensor, y: Tensor) {
    (self.x, ys) = (x, [y])
  }

  init(x: Tensor, ys: [Tensor], weights: Tensor?) {
    (self.x, self.ys, self.weights) = (x, ys, weights)
  }

  func batch(rows: [Int]) throws -> Trainer.Batch {
    func gather(_ tensor: Tensor) throws -> Tensor {
      let size = tensor.bytes.count / tensor.shape[0]
      let bytes = rows.reduce(into: Data()) { data, row in
        let start = tensor.bytes.startIndex + row * size
        data += tensor.bytes[start..<start + size]
      }
      return try Tensor(dtype: tensor.dtype, shape: [rows.count] + tensor.shape.dropFirst(), bytes: bytes)
    }
    return Trainer.Batch(
      inputs: [try gather(x)], targets: try ys.map(gather), sampleWeights: try weights.map { try gather($0).floats() })
  }
}
