import RNNCore
import RNNTestSupport
import Testing

/// The gradient of every parameter and float input, of every layer kind, against Keras's.
struct GradientTests {
  @Test(arguments: TrainingCase.all("gradients"))
  func agreesWithKeras(_ fixture: TrainingCase) throws {
    try GradientRun(fixture, isTraining: false).expectGradients(of: fixture)
    let left = try GradientRun(fixture, isTraining: false, leavesProducts: true)
    if left.hasProducts { try left.expectGradients(of: fixture) }
  }

  /// LSTMs do, also within other layers.
  @Test func someLeaveTheirProducts() throws {
    let left = try TrainingCase.all("gradients").filter {
      try $0.folder.lastPathComponent.contains("lstm")
        && GradientRun($0, isTraining: false, leavesProducts: true).hasProducts
    }
    #expect(left.count >= 10)
  }

  @Test func thereAreCases() {
    #expect(TrainingCase.all("gradients").count >= 300)
  }
}
