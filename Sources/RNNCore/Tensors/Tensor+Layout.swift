import Foundation

// Rearrangements move bytes and never look at them, so they are exact for every dtype.
extension Tensor {
  /// Axes in another order, as `numpy.transpose(permutation)`.
  /// - Throws: `badData` where `permutation` is none of the axes.
  public func transposed(_ permutation: [Int]) throws -> Tensor {
    guard permutation.sorted() == Array(shape.indices) else {
      throw RNNError.badData("\(permutation) is no permutation of \(shape.count) axes")
    }
    var strides = [Int](repeating: 1, count: shape.count)
    // Only an empty tensor's strides can overflow, and nothing is found by them.
    for axis in shape.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] &* shape[axis + 1] }
    let newShape = permutation.map { shape[$0] }
    let newStrides = permutation.map { strides[$0] }
    var result = Data(capacity: bytes.count)
    let size = dtype.byteCount
    bytes.withUnsafeBytes { raw in
      var index = [Int](repeating: 0, count: newShape.count)
      for _ in 0..<count {
        let source = zip(index, newStrides).reduce(0) { $0 + $1.0 * $1.1 } * size
        result.append(contentsOf: raw[source..<source + size])
        for axis in newShape.indices.reversed() {
          index[axis] += 1
          if index[axis] < newShape[axis] { break }
          index[axis] = 0
        }
      }
    }
    return try Tensor(dtype: dtype, shape: newShape, bytes: result)
  }

  /// The first axis reversed.
  public func flippedAlongFirstAxis() throws -> Tensor {
    guard let length = shape.first, length > 0 else { return self }
    let row = bytes.count / length
    var result = Data(capacity: bytes.count)
    for index in (0..<length).reversed() {
      let start = bytes.startIndex + index * row
      result.append(bytes[start..<start + row])
    }
    return try Tensor(dtype: dtype, shape: shape, bytes: result)
  }

  /// Tensors of equal dtype and leading axes, side by side along the last axis.
  public static func concatenatingLastAxis(_ tensors: [Tensor]) throws -> Tensor {
    guard let first = tensors.first, !first.shape.isEmpty else {
      throw RNNError.badData("nothing to join, or a scalar")
    }
    let leading = first.shape.dropLast()
    guard tensors.allSatisfy({ $0.dtype == first.dtype && $0.shape.dropLast() == leading && !$0.shape.isEmpty }) else {
      throw RNNError.badData(
        "tensors that belong together differ: " + tensors.map(\.description).joined(separator: ", "))
    }
    var total = 0
    for tensor in tensors {
      let (sum, overflow) = total.addingReportingOverflow(tensor.shape.last ?? 0)
      guard !overflow else { throw RNNError.badData("tensors that are joined would be too large to address") }
      total = sum
    }
    let byteCount = tensors.reduce(0) { $0 + $1.bytes.count }
    // Without bytes there are no rows to go through, however many the shape has.
    let rows = byteCount == 0 ? 0 : leading.reduce(1, *)
    var result = Data(capacity: byteCount)
    for row in 0..<rows {
      for tensor in tensors {
        let size = tensor.bytes.count / rows
        let start = tensor.bytes.startIndex + row * size
        result.append(tensor.bytes[start..<start + size])
      }
    }
    return try Tensor(dtype: first.dtype, shape: leading + [total], bytes: result)
  }
}
