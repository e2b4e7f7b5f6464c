import Foundation
import RNNCore
import RNNTestSupport
import RNNTraining
import Testing

/// Twenty steps from the same start on the same batches, for every optimizer, clipping, schedule and penalty.
struct TrajectoryTests {
  static let cases = ["keras-3.15", "tf-keras-2.19", "keras-2.2.4"].flatMap { TrainingCase.all("optimizers/\($0)") }

  @Test(arguments: cases)
  func agreesWithKeras(_ fixture: TrainingCase) throws {
    let native = try fixture.model()
    let trainer = try Trainer(native, try TrainingConfiguration(for: native))
    let batches = try fixture.arrays("batches.npz")
    func step(_ name: String, _ index: Int) throws -> Tensor? {
      guard let all = batches.first(where: { $0.name == name })?.tensor else { return nil }
      let size = all.bytes.count / all.shape[0]
      let start = all.bytes.startIndex + index * size
      return try Tensor(dtype: all.dtype, shape: Array(all.shape.dropFirst()), bytes: all.bytes[start..<start + size])
    }
    let losses = try fixture.array("losses", in: "losses.npz").floats()
    let hasTwin = Fixtures.exists(fixture.folder.appendingPathComponent("twin64.npz"))
    let twinLosses = hasTwin ? try fixture.array("losses", in: "twin64.npz").doubles() : nil
    let classWeights = batches.first { $0.name == "class_weight" }?.tensor.floats()
    for index in losses.indices {
      let x = try #require(try step("x", index))
      let y = try #require(try step("y", index))
      var weights = try step("sample_weight", index)?.floats()
      if let classWeights { weights = y.floats().map { classWeights[Int($0)] } }
      let result = try trainer.trainStep(.init(inputs: [x], targets: [y], sampleWeights: weights))
      let expected = Double(losses[index])
      // The figure, or 4 times Keras's own float32 distance from its float64 twin.
      let allowed = max(1e-5, 4 * abs(expected - (twinLosses?[index] ?? expected)))
      #expect(abs(result.loss - expected) <= allowed, "step \(index): \(result.loss) \(expected)")
    }
    let trained = try trainer.trainedModel()
    for (name, tensor) in try fixture.arrays("after.npz") {
      let ours = try #require(
        trained.parameters.first { NativeModel.path(layer: $0.layer, parameter: $0.name) == name }, "\(name)")
      let twin = hasTwin ? try fixture.arrays("twin64.npz").first { $0.name == name }?.tensor.doubles() : nil
      let theirs = tensor.floats()
      for (index, value) in ours.tensor.floats().enumerated() {
        let distance = twin.map { abs(Double(theirs[index]) - $0[index]) } ?? 0
        let error = abs(Double(value) - Double(theirs[index]))
        #expect(error <= max(1e-4, 4 * distance), "\(name)[\(index)]: \(value) \(theirs[index])")
        if error > max(1e-4, 4 * distance) { break }
      }
    }
  }

  @Test func thereAreCases() {
    #expect(Self.cases.count >= 60)
  }
}
