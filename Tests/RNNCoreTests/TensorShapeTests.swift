import Foundation
import RNNCore
import Testing

@Suite struct TensorShapeTests {
  private func make(_ shape: [Int], _ count: Int = 0, _ dtype: DType = .float32) throws -> Tensor {
    try Tensor(dtype: dtype, shape: shape, bytes: Data(count: count))
  }

  @Test func bytesMustFitTheShape() throws {
    for dtype in DType.allCases {
      #expect(try make([2, 3], 6 * dtype.byteCount, dtype).count == 6)
      #expect(try make([], dtype.byteCount, dtype).count == 1)
      expectError(.badData, naming: dtype.name, "\(6 * dtype.byteCount)", "\(6 * dtype.byteCount - 1)") {
        try make([2, 3], 6 * dtype.byteCount - 1, dtype)
      }
      expectError(.badData) { try make([], 0, dtype) }
      expectError(.badData) { try make([0], 1, dtype) }
    }
  }

  /// The widths of the formats themselves.
  @Test func everyTypeHasItsSize() {
    let sizes: [DType: Int] = [
      .bool: 1, .uint8: 1, .int8: 1, .uint16: 2, .int16: 2, .float16: 2, .bfloat16: 2, .uint32: 4, .int32: 4,
      .float32: 4, .uint64: 8, .int64: 8, .float64: 8,
    ]
    #expect(DType.allCases.allSatisfy { sizes[$0] == $0.byteCount })
  }

  @Test func negativeAndOverflowingShapesAreRefused() {
    for shape in [
      [-1], [-1, -4], [0, -1], [.min], [.max], [.max, 2], [1 << 32, 1 << 32], [1 << 61, 2], [1 << 62, 2, 0], [.max, 0],
    ] {
      #expect(Tensor.byteCount(dtype: .float32, shape: shape) == nil, "\(shape)")
      expectError(.badData, naming: "\(shape)") { try make(shape) }
    }
    #expect(Tensor.byteCount(dtype: .float64, shape: [(1 << 60) - 1]) == .max - 7)
    #expect(Tensor.byteCount(dtype: .uint8, shape: [.max]) == .max)
  }

  @Test func emptyShapesAreWhateverFollows() throws {
    #expect(try make([0, 1 << 62, 1 << 62]).count == 0)
    #expect(try make([3, 0, .max]).count == 0)
  }

  @Test func aSliceOfALargerFileIsATensor() throws {
    let file = Data([9, 9, 9]) + Data([1, 2, 3, 4]) + Data([9])
    let tensor = try Tensor(dtype: .uint8, shape: [4], bytes: file[3..<7])
    #expect(tensor.integers() == [1, 2, 3, 4])
    #expect(try tensor == Tensor(dtype: .uint8, shape: [4], bytes: Data([1, 2, 3, 4])))
    #expect(try tensor.reshaped(to: [2, 2]).transposed([1, 0]).integers() == [1, 3, 2, 4])
    #expect(try tensor.flippedAlongFirstAxis().integers() == [4, 3, 2, 1])
    #expect(try Tensor.concatenatingLastAxis([tensor, tensor]).integers() == [1, 2, 3, 4, 1, 2, 3, 4])
  }

  @Test func reshapingKeepsTheSize() throws {
    let tensor = try make([2, 6], 48)
    #expect(try tensor.reshaped(to: [3, 1, 4]).shape == [3, 1, 4])
    #expect(try tensor.reshaped(to: [3, 1, 4]).bytes == tensor.bytes)
    expectError(.badData) { try tensor.reshaped(to: [11]) }
    expectError(.badData) { try tensor.reshaped(to: [-2, -6]) }
  }

  @Test func shapesReadAsPeopleWriteThem() {
    #expect(describe(shape: []) == "()")
    #expect(describe(shape: [nil, 3, nil]) == "(?, 3, ?)")
  }
}
