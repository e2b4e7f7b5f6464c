import Foundation
import RNNCore
import RNNTestSupport
import RNNTraining
import Testing

/// Every value that Keras's `fit` reports, for what a model can be compiled with beyond a plain loss: reductions, ignored
/// classes, activations under the other cross-entropy, masks and weights in metrics, several outputs, penalties.
struct HistoryTests {
  static let cases = ["keras-3.15", "tf-keras-2.19"].flatMap { TrainingCase.all("histories/\($0)") }

  @Test(arguments: cases)
  func agreesWithKeras(_ fixture: TrainingCase) throws {
    let native = try fixture.model("model.keras")
    let json = try JSONValue(
      parsing: try Data(contentsOf: fixture.folder.appendingPathComponent("history.json")))
    let expected = try #require(json["history"]?.object)
    let count = try #require(json["rows"]?.integer)
    let arrays = try fixture.arrays("data.npz")
    func source(_ rows: Range<Int>) throws -> ArraySource {
      func part(_ tensor: Tensor) throws -> Tensor {
        let size = tensor.bytes.count / tensor.shape[0]
        let start = tensor.bytes.startIndex
        return try Tensor(
          dtype: tensor.dtype, shape: [rows.count] + tensor.shape.dropFirst(),
          bytes: Data(tensor.bytes[start + rows.lowerBound * size..<start + rows.upperBound * size]))
      }
      return ArraySource(
        x: try part(arrays[0].tensor), ys: try arrays.filter { $0.name.hasPrefix("y") }.map { try part($0.tensor) },
        weights: try arrays.first { $0.name == "sample_weight" }.map { try part($0.tensor) })
    }
    var options = FitOptions()
    (options.epochs, options.batchSize, options.isShuffled) = (2, try #require(json["batch_size"]?.integer), false)
    let trainer = try Trainer(native, try TrainingConfiguration(for: native))
    let history = try Fit(trainer, options).run(
      try source(0..<count), validation: try source(count..<arrays[0].tensor.shape[0])
    ).history
    #expect(Set(history[0].values.map(\.name)) == Set(expected.keys))
    for member in expected.members {
      for (line, theirs) in zip(history, try #require(member.value.array)) {
        let (ours, theirs) = (try #require(line[member.key]), try #require(theirs.double))
        // The figure of losses over 20 steps is 1e-5; accuracies and areas of few rows are exact or far off.
        #expect(abs(ours - theirs) <= 1e-5 * max(1, abs(theirs)), "\(member.key): \(ours) \(theirs)")
      }
    }
    let trained = try trainer.trainedModel()
    for (name, tensor) in try fixture.arrays("after.npz") {
      let ours = try #require(
        trained.parameters.first { NativeModel.path(layer: $0.layer, parameter: $0.name) == name }, "\(name)")
      let worst = zip(ours.tensor.floats(), tensor.floats()).map { abs($0 - $1) }.max() ?? 0
      #expect(worst <= 1e-4, "\(name): \(worst)")
    }
    // And it is read back as the same training.
    #expect(try TrainingConfiguration(for: trained) == TrainingConfiguration(for: native))
  }

  @Test func thereAreCases() {
    #expect(Self.cases.count >= 51)
  }
}
