import RNNCore
import RNNTestSupport
import Testing

/// The gradient of every parameter and float input, of every layer kind, against Keras's.
struct GradientTests {
  /// What no model of ours carries.
  private static let refused = ["convlstm1d-masked-rows"]

  @Test(arguments: TrainingCase.all("gradients").filter { refused.contains($0.folder.lastPathComponent) })
  func whatIsNotCarriedIsRefused(_ fixture: TrainingCase) {
    let error = #expect(throws: RNNError.self) { try fixture.model() }
    #expect(error?.reason == .unsupported)
  }

  @Test(arguments: TrainingCase.all("gradients").filter { !refused.contains($0.folder.lastPathComponent) })
  func agreesWithKeras(_ fixture: TrainingCase) throws {
    try GradientRun(fixture, isTraining: false).expectGradients(of: fixture)
  }

  @Test func thereAreCases() {
    #expect(TrainingCase.all("gradients").count >= 300)
  }
}
