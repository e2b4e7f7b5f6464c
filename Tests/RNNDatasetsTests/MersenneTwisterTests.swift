import RNNDatasets
import Testing

/// Against `numpy.random.RandomState` (`fixtures/datasets/mersenne.npz`).
@Suite struct MersenneTwisterTests {
  private static let seeds: [UInt32] = [0, 1, 113, 5489, .max]

  @Test(arguments: seeds) func givesNumPysBits(_ seed: UInt32) throws {
    let expected = try FixtureArrays("mersenne.npz").integers("raw_\(seed)")
    var generator = MersenneTwister(seed: seed)
    #expect(expected.map { _ in Int(generator.next()) } == expected)
  }

  /// Two shuffles in a row, as the two halves of a published set have them.
  @Test(arguments: seeds, [0, 1, 2, 3, 1000, 1025]) func shufflesAsNumPy(_ seed: UInt32, _ count: Int) throws {
    let expected = try FixtureArrays("mersenne.npz").integers("shuffle_\(seed)_\(count)")
    var generator = MersenneTwister(seed: seed)
    var words = (0..<count).map { "\($0)" }
    generator.shuffle(&words)
    #expect(words == expected.prefix(count).map { "\($0)" })
    #expect(generator.permutation(count) == Array(expected.suffix(count)))
  }

  @Test func intervalsStayWithin() {
    var generator = MersenneTwister(seed: 3)
    #expect(generator.interval(upTo: 0) == 0)
    for limit in [1, 2, 5, 0x7FFF_FFFF, UInt32.max] {
      let drawn = (0..<100).map { _ in generator.interval(upTo: limit) }
      #expect(drawn.allSatisfy { $0 <= limit })
      #expect(Set(drawn).count > 1)
    }
    #expect(generator.permutation(-1).isEmpty)
  }
}
