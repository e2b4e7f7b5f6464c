import Foundation
import RNNContainers
import RNNCore
import RNNTraining

/// Our side of `peers/training.py`: one pass over the batches warms up, the next is timed.
enum TrainingWork {
  static func sentiment(_ folder: URL, threads: Int) throws -> Reading {
    try train(FullSizeModel.spec, .binaryCrossentropy, folder, "imdb", batch: 30, threads: threads, perCharacter: false)
  }

  static func characters(_ folder: URL, threads: Int) throws -> Reading {
    try train(
      BenchmarkModels.characters, .sparseCategoricalCrossentropy, folder, "characters", batch: 32, threads: threads,
      perCharacter: true)
  }

  private static func train(
    _ spec: ModelSpec, _ loss: Loss.Kind, _ folder: URL, _ name: String, batch: Int, threads: Int, perCharacter: Bool
  ) throws -> Reading {
    let arrays = try NPZ.read(try Data(contentsOf: folder.appendingPathComponent("\(name).batches.npz"))).map(\.tensor)
    let trainer = try Trainer(
      try BenchmarkModels.model(spec), TrainingConfiguration(optimizer: .adam, losses: [Loss(loss)]), threads: threads)
    let rows = arrays[0].shape[0]
    func part(_ tensor: Tensor, _ first: Int, _ shape: [Int]) throws -> Tensor {
      let width = tensor.bytes.count / rows
      let start = tensor.bytes.startIndex + first * width
      return try Tensor(dtype: .int32, shape: shape, bytes: tensor.bytes[start..<start + batch * width])
    }
    let target = arrays[1].shape.count == 1 ? [batch, 1] : [batch] + arrays[1].shape.dropFirst() + [1]
    func epoch() throws -> Double {
      var total = 0.0
      for first in stride(from: 0, to: rows, by: batch) {
        let x = try part(arrays[0], first, [batch] + arrays[0].shape.dropFirst())
        total += try trainer.trainStep(.init(inputs: [x], targets: [try part(arrays[1], first, target)])).loss
      }
      return total / Double(rows / batch)
    }
    _ = try epoch()
    let start = Clock.seconds()
    let mean = try epoch()
    // What was put off belongs to the steps.
    _ = try trainer.trainedModel()
    let seconds = Clock.seconds() - start
    let units = perCharacter ? arrays[0].count : rows / batch
    return Reading(p50: seconds * 1e6 / Double(units), loss: mean)
  }
}
