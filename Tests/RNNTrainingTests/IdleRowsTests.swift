import Foundation
import RNNCore
import RNNTestSupport
import Testing

@testable import RNNTraining

/// Rows of an embedding that put their steps off against rows that take them: the same bits.
struct IdleRowsTests {
  private static let words = 60

  /// Some words come in every batch, some now and then, some never.
  private func batches(_ count: Int) throws -> [Trainer.Batch] {
    var generator = SeededGenerator(seed: 5)
    return try (0..<count).map { number in
      let most = number % 10 == 0 ? Self.words - 5 : 8
      let ids = (0..<6 * 4).map { _ in Int64.random(in: 0..<Int64(most), using: &generator) }
      return Trainer.Batch(
        inputs: [try Tensor(ids, shape: [6, 4])], targets: [try Tensor(generator.floats(6), shape: [6, 1])])
    }
  }

  private func model() throws -> NativeModel {
    let layers: [ModelSpec.Layer] = [
      .init(name: "ids", spec: .input(InputSpec(shape: [4], dtype: "int32"))),
      .init(
        name: "words", spec: .embedding(EmbeddingSpec(inputDim: Self.words, outputDim: 19, maskZero: false))),
      .init(name: "lstm", spec: .lstm(LSTMSpec(units: 5))), .init(name: "out", spec: .dense(DenseSpec(units: 1))),
    ]
    let spec = ModelSpec.sequential(name: "m", layers: layers)
    return NativeModel(
      spec: spec, parameters: try ParameterInitialization.parameters(for: spec, seed: 1),
      provenance: Provenance(source: "", container: "", framework: "Keras", dialect: "keras3"))
  }

  private func optimizers() -> [Optimizer] {
    var clipped = Optimizer.adam
    (clipped.clipNorm, clipped.learningRate) = (0.01, .exponential(initial: 0.1, steps: 7, rate: 0.8, staircase: true))
    var added = Optimizer.adam
    (added.slices, added.learningRate, added.globalClipNorm) = (.added, .constant(0.02), 0.05)
    var bounded = Optimizer.adam
    bounded.clipValue = 1e-4
    return [.adam, clipped, added, bounded]
  }

  @Test(arguments: 0..<4, [1, 3])
  func waitingChangesNoBit(_ number: Int, _ threads: Int) throws {
    let configuration = TrainingConfiguration(optimizer: optimizers()[number], losses: [Loss(.meanSquaredError)])
    func train(mayWait: Bool) throws -> (losses: [Double], model: NativeModel) {
      let trainer = try Trainer(try model(), configuration, seed: 2, threads: threads, mayWait: mayWait)
      var losses: [Double] = []
      for (index, batch) in try batches(45).enumerated() {
        losses.append(try trainer.trainStep(batch).loss)
        // A look in between, and a rate that a plateau lowered.
        if index == 20 { losses.append(try trainer.evaluate(batch).loss) }
        if index == 30 { trainer.learningRate *= 0.5 }
      }
      return (losses, try trainer.trainedModel())
    }
    let (waited, dense) = (try train(mayWait: true), try train(mayWait: false))
    #expect(waited.losses == dense.losses)
    #expect(waited.model == dense.model)
    // The rows that wait do move: Keras's Adam is no sparse one.
    let start = try model().parameters[0].tensor.floats()
    let moved = waited.model.parameters[0].tensor.floats()
    let rows = (0..<Self.words).filter { row in
      (row * 19..<(row + 1) * 19).contains { start[$0] != moved[$0] }
    }
    #expect(rows.count > 40 && rows.count <= Self.words - 5)
  }
}
