import Foundation
import RNNCore
import RNNTestSupport
import RNNTraining
import Testing

/// Stateful models: a long sequence in pieces, batch after batch.
struct StatefulTests {
  private func model(isStateful: Bool) throws -> NativeModel {
    var lstm = LSTMSpec(units: 5)
    lstm.options.returnSequences = true
    lstm.options.stateful = isStateful
    let layers: [ModelSpec.Layer] = [
      .init(name: "x", spec: .input(InputSpec(shape: [nil, 3]))), .init(name: "lstm", spec: .lstm(lstm)),
      .init(name: "dense", spec: .dense(DenseSpec(units: 2))),
    ]
    let spec = ModelSpec.sequential(name: "m", layers: layers)
    return NativeModel(
      spec: spec, parameters: try ParameterInitialization.parameters(for: spec, seed: 4),
      provenance: Provenance(source: "", container: "", framework: "Keras", dialect: "keras3"))
  }

  /// Two streams of 24 steps, whole or in four pieces of 6: the loss is the same, step for step.
  @Test func piecesAreTheWhole() throws {
    var generator = SeededGenerator(seed: 8)
    let (x, y) = (generator.floats(2 * 24 * 3), generator.floats(2 * 24 * 2))
    let whole = ArraySource(x: try Tensor(x, shape: [2, 24, 3]), y: try Tensor(y, shape: [2, 24, 2]))
    // Rows of a file follow each other in time: piece 0 to 3 of stream 0, then of stream 1.
    let pieces = ArraySource(x: try Tensor(x, shape: [8, 6, 3]), y: try Tensor(y, shape: [8, 6, 2]))
    let configuration = TrainingConfiguration(optimizer: .adam, losses: [Loss(.meanSquaredError)])
    var options = FitOptions()
    options.batchSize = 2
    func loss(_ isStateful: Bool, _ source: ArraySource) throws -> Double {
      let trainer = try Trainer(try model(isStateful: isStateful), configuration)
      return try #require(try Fit(trainer, options).evaluate(source)["loss"])
    }
    let expected = try loss(false, whole)
    #expect(abs(try loss(true, pieces) - expected) < 1e-6)
    // Without states the pieces are another sequence.
    #expect(abs(try loss(false, pieces) - expected) > 1e-5)
  }

  /// Each epoch starts from rest, and training brings the loss down.
  @Test func trainsOverPieces() throws {
    var generator = SeededGenerator(seed: 9)
    let source = ArraySource(
      x: try Tensor(generator.floats(8 * 6 * 3), shape: [8, 6, 3]),
      y: try Tensor(generator.floats(8 * 6 * 2), shape: [8, 6, 2]))
    var optimizer = Optimizer.adam
    optimizer.learningRate = .constant(0.02)
    let trainer = try Trainer(
      try model(isStateful: true), TrainingConfiguration(optimizer: optimizer, losses: [Loss(.meanSquaredError)]))
    var options = FitOptions()
    options.batchSize = 2
    options.epochs = 30
    let history = try Fit(trainer, options).run(source).history
    let losses = try history.map { try #require($0["loss"]) }
    #expect(losses[29] < losses[0] / 2)
    let evaluated = try #require(try Fit(trainer, options).evaluate(source)["loss"])
    #expect(try #require(try Fit(trainer, options).evaluate(source)["loss"]) == evaluated)
  }
}
