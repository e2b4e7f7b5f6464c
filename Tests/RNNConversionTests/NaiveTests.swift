import Foundation
import RNNConversion
import RNNCore
import RNNRuntime
import RNNTestSupport
import Testing

/// The naive layers against the framework and against the fast ones, on every fixture.
struct NaiveTests {
  @Test(arguments: Case.imported.filter { !$0.folder.lastPathComponent.contains("float16") })
  func naiveAgreesWithTheFramework(_ fixture: Case) throws {
    let model = try Model(try ModelImport.model(from: fixture.model, options: fixture.options))
    let inputs = try #require(try fixture.arrays("inputs.npz")).map(\.tensor)
    let expected = try #require(try fixture.arrays("outputs.npz"))
    let fast = try model.predict(inputs)
    let single = try NaiveModel.predictFloat(inputs, model)
    let double = try NaiveModel.predict(inputs, model)
    for index in expected.indices where !fixture.folder.lastPathComponent.contains("bfloat16") {
      let theirs = expected[index].tensor.floats()
      // As for the fast layers: a few roundings of numbers around 1, and the order of long sums.
      for ours in [single[index], double[index].map { Float($0) }] {
        #expect(Tolerance.excess(of: ours, over: theirs, twin: nil, absolute: 2e-6, relative: 1e-5) <= 0)
      }
      // The fast layers against float64 on the same weights: the same bound, whatever the framework rounds.
      let excess = Tolerance.excess(
        of: fast[index].floats(), over: double[index].map { Float($0) }, twin: nil, absolute: 2e-6, relative: 1e-5)
      #expect(excess <= 0)
    }
  }
}
