import Foundation
import RNNContainers
import RNNConversion
import RNNCore
import RNNRuntime
import RNNTestSupport
import Testing

/// A model that was imported gives the numbers of the framework that wrote it.
struct AgreementTests {
  @Test(arguments: Case.numeric)
  func outputsAgree(_ fixture: Case) throws {
    let model = try Model(try fixture.native())
    let inputs = try #require(try fixture.arrays("inputs.npz"))
    let expected = try #require(try fixture.arrays("outputs.npz"))
    let twins = try fixture.arrays("outputs64.npz")
    let outputs = try model.predict(inputs.map(\.tensor))
    #expect(model.inputNames.count == inputs.count)
    #expect(outputs.count == expected.count)
    for (index, output) in outputs.enumerated() {
      #expect(output.shape == expected[index].tensor.shape)
      // 2e-6 is a few rounding errors of sums around 1; 1e-5 allows for the order of long sums.
      let excess = Tolerance.excess(
        of: output.floats(), over: expected[index].tensor.floats(), twin: twins?[index].tensor.doubles(),
        absolute: max(2e-6, fixture.storageRounding), relative: 1e-5)
      #expect(excess <= 0)
    }
  }

  @Test(arguments: Case.refused)
  func unsupportedLayersAreNamed(_ fixture: Case) throws {
    let error = #expect(throws: RNNError.self) {
      try ModelImport.model(from: fixture.model, options: fixture.options)
    }
    // A Conv1D or an attention over tensors of rank 4 is told by its shape.
    let isByShape = ["conv1d-rank-4", "multiheadattention-axes"].contains(fixture.folder.lastPathComponent)
    #expect(error?.reason == (isByShape ? .badData : .unsupported))
    #expect(error?.description.contains(try #require(fixture.refusedClass)) == true)
    #expect(error?.description.contains("layer '") == true)
  }

  /// There are cases at all: a missing folder must not look like success.
  @Test func everyOriginHasCases() {
    for origin in Case.origins { #expect(Case.imported.filter { $0.testDescription.hasPrefix(origin) }.count >= 250) }
    #expect(Case.texts.count >= 50)
  }
}

extension Case {
  /// Half-precision policies: the framework computes in half precision and rounds every intermediate value, where we
  /// compute in float32. Its outputs are below 4 here, and two layers of sums differ by a few units of its last place:
  /// 2^-10 for float16, 2^-7 for bfloat16, times 2.
  fileprivate var storageRounding: Double {
    let name = folder.lastPathComponent
    if name.contains("bfloat16") { return 2 * 0x1p-7 }
    if name.contains("float16") { return 2 * 0x1p-10 }
    return 0
  }
}
