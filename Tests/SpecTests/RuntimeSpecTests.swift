import RNNTestSupport
import Testing

@testable import RNNRuntime
@testable import RNNTraining

/// `spec/runtime.md` against the code.
struct RuntimeSpecTests {
  @Test func numbersAreThoseOfTheCode() throws {
    let prose = try SpecDocument("runtime.md").prose()
    #expect(prose.contains("A batch is cut into \(Trainer.shardCount) shards"))
    #expect(prose.contains("up to \(Trainer.shardCount - 1) threads of its own"))
    #expect(prose.contains("`\(Kernels.environmentVariable)` forces one"))
    #expect(prose.contains("`\(Kernels.instructionSet)`"))
  }
}
