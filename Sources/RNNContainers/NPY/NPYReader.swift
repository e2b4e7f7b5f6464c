import Foundation
import RNNCore

extension Tensor {
  /// Reads an `.npy` file of version 1.0, 2.0 or 3.0; the numbers stay a slice of `npy` where they already stand
  /// little-endian and in row-major order.
  ///
  /// `<V2`, NumPy's way to write bfloat16, is read as bfloat16.
  /// - Throws: `badData` for a damaged file, also one that is too short or too long; `unsupported` for a dtype that is
  ///   no tensor's, object arrays (Python pickles) among them.
  public init(npy: Data) throws {
    let (header, length) = try NPYHeader.parse(npy)
    let dtype = header.type.dtype
    guard let size = Tensor.byteCount(dtype: dtype, shape: header.shape) else {
      throw RNNError.badData("the shape \(header.shape) is too large to address")
    }
    let there = npy.count - length
    guard there == size, let stored = npy.slice(at: length, count: size) else {
      let damage = there < size ? "the file is cut off" : "something follows the array"
      throw RNNError.badData(
        "\(dtype.name) of shape \(header.shape) takes \(size) bytes, but \(there) are there: \(damage)")
    }
    var bytes = header.type.isBigEndian ? reversingBytes(of: stored, width: dtype.byteCount) : stored
    // With fewer than two dimensions that count, both orders are the same.
    if header.isFortranOrder, header.shape.count(where: { $0 != 1 }) > 1, size > 0 {
      bytes = rowMajor(bytes, shape: header.shape, width: dtype.byteCount)
    }
    try self.init(dtype: dtype, shape: header.shape, bytes: bytes)
  }
}

/// Turns big-endian elements into little-endian ones.
private func reversingBytes(of data: Data, width: Int) -> Data {
  var result = Data(count: data.count)
  result.withUnsafeMutableBytes { (target: UnsafeMutableRawBufferPointer) in
    data.withUnsafeBytes { (source: UnsafeRawBufferPointer) in
      for start in stride(from: 0, to: source.count, by: width) {
        for byte in 0..<width { target[start + byte] = source[start + width - 1 - byte] }
      }
    }
  }
  return result
}

/// Turns elements whose first dimension is the fastest into row-major order. `data` is not empty.
private func rowMajor(_ data: Data, shape: [Int], width: Int) -> Data {
  switch width {
  case 1: rowMajor(data, shape: shape, as: UInt8.self)
  case 2: rowMajor(data, shape: shape, as: UInt16.self)
  case 4: rowMajor(data, shape: shape, as: UInt32.self)
  default: rowMajor(data, shape: shape, as: UInt64.self)
  }
}

private func rowMajor<Word: FixedWidthInteger>(_ data: Data, shape: [Int], as _: Word.Type) -> Data {
  let width = MemoryLayout<Word>.size
  var strides: [Int] = []
  var step = 1
  for dimension in shape {
    strides.append(step)
    step *= dimension
  }
  let last = shape.count - 1
  var index = [Int](repeating: 0, count: shape.count)
  var source = 0
  var result = Data(count: data.count)
  result.withUnsafeMutableBytes { (target: UnsafeMutableRawBufferPointer) in
    data.withUnsafeBytes { (raw: UnsafeRawBufferPointer) in
      for row in stride(from: 0, to: step, by: shape[last]) {
        for column in 0..<shape[last] {
          let word = raw.loadUnaligned(fromByteOffset: (source + column * strides[last]) * width, as: Word.self)
          target.storeBytes(of: word, toByteOffset: (row + column) * width, as: Word.self)
        }
        // The next row: count up the other dimensions, the last of them first.
        var axis = last - 1
        while axis >= 0 {
          index[axis] += 1
          source += strides[axis]
          if index[axis] < shape[axis] { break }
          source -= shape[axis] * strides[axis]
          index[axis] = 0
          axis -= 1
        }
      }
    }
  }
  return result
}
