import RNNCore
import RNNTestSupport
import Testing

/// BatchNormalization in training against Keras: outputs and gradients by the batch's statistics, and how the moving ones
/// move.
struct BatchStatisticsTests {
  /// Keras 3 calls a wrapped layer once for each step, with that step's statistics; here all steps are one call.
  private static let ofEachStep = "timedistributed"
  /// Of two calls at the same depth, Keras runs the later one first, and the moving statistics tell.
  private static let otherOrder = "shared"

  private static let cases = TrainingCase.all("batch-statistics")

  @Test(arguments: cases.filter { $0.folder.lastPathComponent != ofEachStep })
  func agreesWithKeras(_ fixture: TrainingCase) throws {
    let run = try GradientRun(fixture, isTraining: true)
    let outputs = try fixture.arrays("outputs.npz")
    #expect(run.outputs.count == outputs.count)
    for (output, expected) in zip(run.outputs, outputs) {
      #expect(output.shape == expected.tensor.shape)
      expectClose(output.values, expected.tensor.floats(), expected.name)
    }
    let moving = try fixture.arrays("moving.npz")
    #expect(!moving.isEmpty)
    for (name, expected) in moving where fixture.folder.lastPathComponent != Self.otherOrder {
      expectClose(try #require(run.parameters[name], "\(name)"), expected.floats(), name)
    }
    try run.expectGradients(of: fixture)
  }

  /// The figure of outputs: a few rounding errors of sums around 1, and the order of long sums.
  private func expectClose(_ ours: [Float], _ theirs: [Float], _ what: String) {
    #expect(ours.count == theirs.count, "\(what)")
    let worst = zip(ours, theirs).map { abs($0 - $1) - 2e-6 - 1e-5 * abs($1) }.max() ?? 0
    #expect(worst <= 0, "\(what): \(worst)")
  }

  @Test func thereAreCases() { #expect(Self.cases.count >= 21) }
}
