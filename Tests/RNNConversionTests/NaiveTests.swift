import Foundation
import RNNConversion
import RNNCore
import RNNRuntime
import RNNTestSupport
import Testing

/// The naive layers against the framework and against the fast ones, on every fixture.
struct NaiveTests {
  /// Where nothing is valid, a score less 1e9 keeps as many digits of the score as the precision has: these are
  /// float32's numbers, which no float64 can have.
  private static let roundedScores = ["attention-masks-causal-scores", "additiveattention-masks-causal-scores"]

  @Test(arguments: Case.numeric.filter { !$0.folder.lastPathComponent.contains("float16") })
  func naiveAgreesWithTheFramework(_ fixture: Case) throws {
    let model = try Model(try fixture.native())
    let inputs = try #require(try fixture.arrays("inputs.npz")).map(\.tensor)
    let expected = try #require(try fixture.arrays("outputs.npz"))
    let fast = try model.predict(inputs)
    let single = try NaiveModel.predictFloat(inputs, model)
    let double = try NaiveModel.predict(inputs, model)
    for index in expected.indices where !fixture.folder.lastPathComponent.contains("bfloat16") {
      let theirs = expected[index].tensor.floats()
      // As for the fast layers: a few roundings of numbers around 1, and the order of long sums.
      let isRounded = Self.roundedScores.contains(fixture.folder.lastPathComponent)
      for ours in isRounded ? [single[index]] : [single[index], double[index].map { Float($0) }] {
        #expect(Tolerance.excess(of: ours, over: theirs, twin: nil, absolute: 2e-6, relative: 1e-5) <= 0)
      }
      guard !isRounded else { continue }
      // The fast layers against float64 on the same weights: the same bound, whatever the framework rounds.
      let excess = Tolerance.excess(
        of: fast[index].floats(), over: double[index].map { Float($0) }, twin: nil, absolute: 2e-6, relative: 1e-5)
      #expect(excess <= 0)
    }
  }
}
