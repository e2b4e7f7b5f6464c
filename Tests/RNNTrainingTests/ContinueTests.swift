import Foundation
import RNNCore
import RNNTestSupport
import RNNTraining
import Testing

/// A half-trained model of each Keras, with Adam's state, trained on for three epochs beside that Keras.
struct ContinueTests {
  @Test(arguments: [
    ("keras-3.15", "model.h5"), ("keras-3.15", "model.keras"), ("tf-keras-2.19", "model.h5"),
    ("keras-2.2.4", "model.h5"),
  ])
  func goesOnAsKeras(_ origin: String, _ file: String) throws {
    let fixture = try #require(TrainingCase.all("continue").first { $0.folder.lastPathComponent == origin })
    let native = try fixture.model(file)
    let trainer = try Trainer(native, try TrainingConfiguration(for: native))
    #expect(trainer.iteration > 0)
    let json = try JSONValue(
      parsing: try Data(contentsOf: fixture.folder.appendingPathComponent("case.json")))
    var options = FitOptions()
    options.batchSize = try #require(json["batch_size"]?.integer)
    options.epochs = 3
    options.isShuffled = false
    let source = ArraySource(
      x: try fixture.array("x", in: "data.npz"), y: try fixture.array("y", in: "data.npz"))
    let history = try Fit(trainer, options).run(source).history
    let expected = try fixture.array("epochs", in: "losses.npz").floats()
    for (line, loss) in zip(history, expected) {
      // The figure.
      #expect(abs(try #require(line["loss"]) - Double(loss)) <= 1e-4)
    }
    #expect(history.count == 3)
  }

  /// The same bits for any number of threads. (For a training that was interrupted: FitTests.)
  @Test func threadsChangeNoBit() throws {
    let fixture = try #require(TrainingCase.all("continue").first { $0.folder.lastPathComponent == "keras-3.15" })
    let native = try fixture.model()
    let source = ArraySource(
      x: try fixture.array("x", in: "data.npz"), y: try fixture.array("y", in: "data.npz"))
    var options = FitOptions()
    options.batchSize = 16
    options.epochs = 2
    func train(threads: Int) throws -> NativeModel {
      let trainer = try Trainer(native, try TrainingConfiguration(for: native), seed: 7, threads: threads)
      _ = try Fit(trainer, options).run(source)
      return try trainer.trainedModel()
    }
    let one = try train(threads: 1)
    #expect(try train(threads: 2).parameters == one.parameters)
    #expect(try train(threads: 4).parameters == one.parameters)
  }

  /// A checkpoint keeps schedules and the formulas of its era: what is read back trains in the same way.
  @Test(arguments: TrajectoryTests.cases)
  func checkpointsKeepTheConfiguration(_ fixture: TrainingCase) throws {
    let native = try fixture.model()
    let configuration = try TrainingConfiguration(for: native)
    let saved = try Trainer(native, configuration).trainedModel()
    #expect(try TrainingConfiguration(for: saved) == configuration)
    // Also where our own words stand for the file's.
    let written = try Optimizer(keras: configuration.optimizer.kerasConfig, dialect: "keras3", version: nil)
    #expect(written.learningRate == configuration.optimizer.learningRate)
    #expect(written.rule == configuration.optimizer.rule || native.provenance.dialect != "keras3")
  }
}
