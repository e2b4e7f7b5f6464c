import Foundation

// Rearrangements move bytes and never look at them, so they are exact for every dtype.
extension Tensor {
  /// Axes in another order, as `numpy.transpose(permutation)`.
  /// - Throws: `badData` where `permutation` is none of the axes.
  public func transposed(_ permutation: [Int]) throws -> Tensor {
    guard permutation.sorted() == Array(shape.indices) else {
      throw RNNError.badData("\(permutation) is no permutation of \(shape.count) axes")
    }
    let size = dtype.byteCount
    var strides = [Int](repeating: size, count: shape.count)
    // Only an empty tensor's strides can overflow, and nothing is found by them.
    for axis in shape.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] &* shape[axis + 1] }
    let newShape = permutation.map { shape[$0] }
    guard count > 0, let last = permutation.last else { return try reshaped(to: newShape) }
    let outer = newShape.dropLast().map { $0 }
    let outerStrides = permutation.dropLast().map { strides[$0] }
    let (run, step) = (shape[last], strides[last])
    var result = Data(count: bytes.count)
    result.withUnsafeMutableBytes { target in
      bytes.withUnsafeBytes { source in
        var index = [Int](repeating: 0, count: outer.count)
        var (start, place) = (0, 0)
        while place < target.count {
          for element in 0..<run {
            let from = start + element * step
            target[place..<place + size].copyBytes(from: source[from..<from + size])
            place += size
          }
          for axis in outer.indices.reversed() {
            index[axis] += 1
            start += outerStrides[axis]
            if index[axis] < outer[axis] { break }
            start -= outerStrides[axis] * outer[axis]
            index[axis] = 0
          }
        }
      }
    }
    return try Tensor(dtype: dtype, shape: newShape, bytes: result)
  }

  /// One axis at another place, the others in their order, as `numpy.moveaxis`.
  /// - Throws: `badData` where there is no such axis.
  package func moved(_ axis: Int, to place: Int) throws -> Tensor {
    guard axis != place else { return self }
    guard shape.indices.contains(axis), shape.indices.contains(place) else {
      throw RNNError.badData("the array is \(describe(shape: shape)), and its axis \(max(axis, place)) is wanted")
    }
    var order = Array(shape.indices)
    order.insert(order.remove(at: axis), at: place)
    return try transposed(order)
  }

  /// The first axis reversed.
  public func flippedAlongFirstAxis() throws -> Tensor { shape.isEmpty ? self : try flipped(along: 0) }

  /// One axis reversed.
  /// - Throws: `badData` where there is no such axis.
  public func flipped(along axis: Int) throws -> Tensor {
    let (outer, length, row) = try rows(along: axis)
    var result = Data(capacity: bytes.count)
    for block in 0..<outer {
      for index in (0..<length).reversed() {
        let start = bytes.startIndex + (block * length + index) * row
        result.append(bytes[start..<start + row])
      }
    }
    return try Tensor(dtype: dtype, shape: shape, bytes: result)
  }

  /// A range of one axis.
  /// - Throws: `badData` where it reaches past the axis.
  public func slice(_ range: Range<Int>, along axis: Int) throws -> Tensor {
    let (outer, length, row) = try rows(along: axis)
    guard range.lowerBound >= 0, range.upperBound <= length || bytes.isEmpty && range.upperBound <= shape[axis] else {
      throw RNNError.badData("the positions \(range) lie outside an axis of \(shape[axis])")
    }
    var newShape = shape
    newShape[axis] = range.count
    if axis == 0 || outer == 1 {
      let start = bytes.startIndex + range.lowerBound * row
      return try Tensor(dtype: dtype, shape: newShape, bytes: bytes[start..<start + range.count * row])
    }
    var result = Data(capacity: outer * range.count * row)
    for block in 0..<outer {
      let start = bytes.startIndex + (block * length + range.lowerBound) * row
      result.append(bytes[start..<start + range.count * row])
    }
    return try Tensor(dtype: dtype, shape: newShape, bytes: result)
  }

  /// How often an axis is gone through, its length, and the bytes of one position; no rows where there are no bytes,
  /// however many the shape has.
  private func rows(along axis: Int) throws -> (outer: Int, length: Int, row: Int) {
    guard shape.indices.contains(axis) else {
      throw RNNError.badData("a tensor of shape \(shape) has no axis \(axis)")
    }
    guard !bytes.isEmpty else { return (0, 0, 0) }
    let outer = shape[..<axis].reduce(1, *)
    return (outer, shape[axis], bytes.count / outer / shape[axis])
  }

  /// Tensors of equal dtype and leading axes, side by side along the last axis.
  public static func concatenatingLastAxis(_ tensors: [Tensor]) throws -> Tensor {
    guard let first = tensors.first, !first.shape.isEmpty else {
      throw RNNError.badData("nothing to join, or a scalar")
    }
    return try joining(tensors, along: first.shape.count - 1)
  }

  /// Tensors of equal dtype and equal other axes, one behind the other along an axis.
  /// - Throws: `badData` where they do not fit together.
  public static func joining(_ tensors: [Tensor], along axis: Int) throws -> Tensor {
    guard let first = tensors.first, first.shape.indices.contains(axis) else {
      throw RNNError.badData("nothing to join, or no axis \(axis)")
    }
    func others(_ tensor: Tensor) -> [Int] { Array(tensor.shape[..<axis]) + [-1] + tensor.shape[(axis + 1)...] }
    guard
      tensors.allSatisfy({
        $0.dtype == first.dtype && $0.shape.count == first.shape.count && others($0) == others(first)
      })
    else {
      throw RNNError.badData(
        "tensors that belong together differ: " + tensors.map(\.description).joined(separator: ", "))
    }
    var total = 0
    for tensor in tensors {
      let (sum, overflow) = total.addingReportingOverflow(tensor.shape[axis])
      guard !overflow else { throw RNNError.badData("tensors that are joined would be too large to address") }
      total = sum
    }
    let byteCount = tensors.reduce(0) { $0 + $1.bytes.count }
    // Without bytes there are no rows to go through, however many the shape has.
    let outer = byteCount == 0 ? 0 : first.shape[..<axis].reduce(1, *)
    var result = Data(capacity: byteCount)
    for row in 0..<outer {
      for tensor in tensors {
        let size = tensor.bytes.count / outer
        let start = tensor.bytes.startIndex + row * size
        result.append(tensor.bytes[start..<start + size])
      }
    }
    var shape = first.shape
    shape[axis] = total
    return try Tensor(dtype: first.dtype, shape: shape, bytes: result)
  }
}
