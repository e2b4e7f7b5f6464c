import RNNCore
import RNNTestSupport
import Testing

/// The gradient of every parameter and float input, of every layer kind, against Keras's.
struct GradientTests {
  @Test(arguments: TrainingCase.all("gradients"))
  func agreesWithKeras(_ fixture: TrainingCase) throws {
    try GradientRun(fixture, isTraining: false).expectGradients(of: fixture)
  }

  @Test func thereAreCases() {
    #expect(TrainingCase.all("gradients").count >= 300)
  }
}
