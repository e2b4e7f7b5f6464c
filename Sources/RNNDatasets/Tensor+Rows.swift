import Foundation
import RNNCore

extension Tensor {
  /// int32 values.
  init(int32 values: [Int32], shape: [Int]) throws {
    try self.init(dtype: .int32, shape: shape, bytes: values.withUnsafeBytes { Data($0) })
  }

  /// The first element of an int32 tensor that is no index below `depth`.
  func firstID(notBelow depth: Int) -> Int32? {
    bytes.withUnsafeBytes { raw in
      for index in 0..<count {
        let id = Int32(littleEndian: raw.loadUnaligned(fromByteOffset: index * 4, as: Int32.self))
        if id < 0 || Int(id) >= depth { return id }
      }
      return nil
    }
  }

  /// Bytes of one row; 0 without rows.
  private var rowSize: Int { shape.first.map { $0 == 0 ? 0 : bytes.count / $0 } ?? 0 }

  /// A run of rows, without a copy. The range lies inside the tensor.
  func rows(_ range: Range<Int>) throws -> Tensor {
    let start = bytes.startIndex
    let slice = bytes[(start + range.lowerBound * rowSize)..<(start + range.upperBound * rowSize)]
    return try Tensor(dtype: dtype, shape: [range.count] + shape.dropFirst(), bytes: slice)
  }

  /// These rows, in this order. All lie inside the tensor.
  func gathering(_ rows: [Int]) throws -> Tensor {
    let shape = [rows.count] + shape.dropFirst()
    guard let size = Tensor.byteCount(dtype: dtype, shape: shape) else {
      throw RNNError.usage("\(rows.count) rows of \(self) are too large to address")
    }
    var result = Data(count: size)
    let rowSize = rowSize
    if rowSize > 0 {
      result.withUnsafeMutableBytes { target in
        bytes.withUnsafeBytes { source in
          guard let source = source.baseAddress, let target = target.baseAddress else { return }
          for (index, row) in rows.enumerated() {
            memcpy(target + index * rowSize, source + row * rowSize, rowSize)
          }
        }
      }
    }
    return try Tensor(dtype: dtype, shape: shape, bytes: result)
  }

  /// int32 ids as float32 vectors with a 1 at the id; every id is below `depth`.
  func oneHot(depth: Int) throws -> Tensor {
    guard let size = Tensor.byteCount(dtype: .float32, shape: shape + [depth]) else {
      throw RNNError.usage("one-hot vectors of length \(depth) for \(self) are too large to address")
    }
    var result = Data(count: size)
    result.withUnsafeMutableBytes { target in
      bytes.withUnsafeBytes { source in
        for index in 0..<count {
          let id = Int(Int32(littleEndian: source.loadUnaligned(fromByteOffset: index * 4, as: Int32.self)))
          target.storeBytes(
            of: Float(1).bitPattern.littleEndian, toByteOffset: (index * depth + id) * 4, as: UInt32.self)
        }
      }
    }
    return try Tensor(dtype: .float32, shape: shape + [depth], bytes: result)
  }
}
