import RNNContainers
import RNNCore
import RNNDatasets
import Testing

/// Against `keras.utils.pad_sequences` (`fixtures/datasets/padding.npz`).
@Suite struct SequencePaddingTests {
  @Test(
    arguments: [
      (nil, TextRules.Side.pre, TextRules.Side.pre, 0), (nil, .post, .pre, 0), (5, .pre, .pre, 0), (5, .pre, .post, 0),
      (5, .post, .pre, -1), (5, .post, .post, 9), (1, .pre, .post, 0), (12, .post, .post, 3),
    ] as [(Int?, TextRules.Side, TextRules.Side, Int32)])
  func padsAsKeras(_ length: Int?, _ padding: TextRules.Side, _ truncating: TextRules.Side, _ value: Int32) throws {
    let fixture = try FixtureArrays("padding.npz")
    let name = "\(length.map(String.init) ?? "None")_\(padding.rawValue)_\(truncating.rawValue)_\(value)"
    let padded = try SequencePadding.pad(
      try fixture.lists(), length: length, padding: padding, truncating: truncating, value: value)
    #expect(padded == (try fixture.tensor(name)), "\(name)")
  }

  @Test func refusesWhatDoesNotFit() throws {
    let rows = RaggedIntegers(rows: [[1], [1 << 40]])
    expectError(.badData, containing: "row 1") { try SequencePadding.pad(rows) }
    expectError(.usage) { try SequencePadding.pad(rows, length: 0) }
    expectError(.badData, containing: "too large") { try SequencePadding.pad(rows, length: .max) }
    #expect(try SequencePadding.pad(RaggedIntegers(rows: [[Int]]())).shape == [0, 0])
    // What is cut away need not fit.
    #expect(try SequencePadding.pad(RaggedIntegers(rows: [[1 << 40, 5]]), length: 1).integers() == [5])
  }
}
