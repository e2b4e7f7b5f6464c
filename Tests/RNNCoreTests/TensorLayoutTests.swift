import Foundation
import RNNCore
import RNNTestSupport
import Testing

/// Rearrangements against an index computation that shares nothing with them.
@Suite struct TensorLayoutTests {
  /// Elements whose bytes all differ, so that a wrong width shows too.
  private func make(_ dtype: DType, _ shape: [Int], seed: UInt64 = 7) throws -> Tensor {
    var generator = SeededGenerator(seed: seed)
    let size = try #require(Tensor.byteCount(dtype: dtype, shape: shape))
    return try Tensor(
      dtype: dtype, shape: shape,
      bytes: Data((0..<size).map { _ in UInt8.random(in: .min ... .max, using: &generator) }))
  }

  /// The bytes of the element at a multi-index, by Horner's rule.
  private func element(_ tensor: Tensor, _ index: [Int]) -> [UInt8] {
    let flat = zip(index, tensor.shape).reduce(0) { $0 * $1.1 + $1.0 }
    let size = tensor.dtype.byteCount
    return Array(tensor.bytes).dropFirst(flat * size).prefix(size).map { $0 }
  }

  private func indices(of shape: [Int]) -> [[Int]] {
    shape.reduce([[]]) { found, size in found.flatMap { prefix in (0..<size).map { prefix + [$0] } } }
  }

  private func permutations(_ count: Int) -> [[Int]] {
    if count == 0 { return [[]] }
    return permutations(count - 1).flatMap { rest in
      (0...rest.count).map { Array(rest[..<$0]) + [count - 1] + rest[$0...] }
    }
  }

  @Test(arguments: DType.allCases) func transposesAsNumPyDoes(dtype: DType) throws {
    for shape in [[], [5], [3, 4], [2, 3, 4], [2, 1, 3, 2]] {
      let tensor = try make(dtype, shape)
      for permutation in permutations(shape.count) {
        let result = try tensor.transposed(permutation)
        #expect(result.shape == permutation.map { shape[$0] })
        for index in indices(of: result.shape) {
          // Axis a of the result is axis permutation[a] of the source.
          var source = [Int](repeating: 0, count: shape.count)
          for (axis, value) in zip(permutation, index) { source[axis] = value }
          #expect(element(result, index) == element(tensor, source))
        }
      }
    }
  }

  @Test func emptyTensorsTranspose() throws {
    #expect(try make(.float32, [0, 3]).transposed([1, 0]).shape == [3, 0])
    // No element lies anywhere, so its place may not be computed.
    let huge = try make(.float32, [0, 1 << 40, 1 << 40])
    #expect(try huge.transposed([0, 2, 1]).shape == [0, 1 << 40, 1 << 40])
    expectError(.badData, naming: "too large") { try huge.transposed([2, 1, 0]) }
  }

  @Test func onlyPermutationsTranspose() throws {
    let tensor = try make(.uint8, [2, 3])
    for permutation in [[], [0], [0, 0], [0, 2], [1, 0, 2], [-1, 0]] {
      expectError(.badData, naming: "\(permutation)") { try tensor.transposed(permutation) }
    }
  }

  @Test(arguments: [DType.uint8, .bfloat16, .float32, .float64]) func flipsTheFirstAxis(dtype: DType) throws {
    for shape in [[4], [3, 2], [2, 3, 2], [1, 5]] {
      let tensor = try make(dtype, shape)
      let result = try tensor.flippedAlongFirstAxis()
      #expect(result.shape == shape)
      for index in indices(of: shape) {
        #expect(element(result, index) == element(tensor, [shape[0] - 1 - index[0]] + index.dropFirst()))
      }
      #expect(try result.flippedAlongFirstAxis() == tensor)
    }
    for shape in [[], [0], [0, 4], [4, 0]] {
      let tensor = try make(dtype, shape)
      #expect(try tensor.flippedAlongFirstAxis() == tensor)
    }
  }

  @Test(arguments: [DType.int8, .float16, .int32, .int64]) func joinsAlongTheLastAxis(dtype: DType) throws {
    for leading in [[], [3], [2, 3]] {
      let parts = try [2, 1, 4].enumerated().map { try make(dtype, leading + [$0.element], seed: UInt64($0.offset)) }
      let result = try Tensor.concatenatingLastAxis(parts)
      #expect(result.shape == leading + [7])
      let owners = [(0, 0), (0, 1), (1, 0), (2, 0), (2, 1), (2, 2), (2, 3)]
      for index in indices(of: leading) {
        for (column, owner) in owners.enumerated() {
          #expect(element(result, index + [column]) == element(parts[owner.0], index + [owner.1]))
        }
      }
    }
  }

  @Test func emptyTensorsJoin() throws {
    let (narrow, wide) = (try make(.float32, [3, 0]), try make(.float32, [3, 2]))
    #expect(try Tensor.concatenatingLastAxis([wide, narrow]) == wide)
    #expect(try Tensor.concatenatingLastAxis([narrow, wide]) == wide)
    #expect(try Tensor.concatenatingLastAxis([narrow, narrow]).shape == [3, 0])
    #expect(try Tensor.concatenatingLastAxis([make(.float32, [0, 2]), make(.float32, [0, 5])]).shape == [0, 7])
    let huge = try make(.uint8, [0, 1 << 62])
    expectError(.badData) { try Tensor.concatenatingLastAxis([huge, huge, huge]) }
  }

  @Test func whatDoesNotBelongTogetherDoesNotJoin() throws {
    expectError(.badData) { try Tensor.concatenatingLastAxis([]) }
    let square = try make(.float32, [2, 2])
    for other in [
      try make(.float32, [3, 2]), try make(.float16, [2, 2]), try make(.float32, [2]), try make(.float32, [1, 2, 2]),
      try make(.float32, []),
    ] {
      expectError(.badData, naming: other.description) { try Tensor.concatenatingLastAxis([square, other]) }
      expectError(.badData) { try Tensor.concatenatingLastAxis([other, square]) }
    }
    expectError(.badData) { try Tensor.concatenatingLastAxis([make(.float32, [])]) }
  }
}
