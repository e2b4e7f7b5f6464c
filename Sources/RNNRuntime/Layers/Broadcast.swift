import RNNCore

/// Tensors of different shapes, walked together by the elements of their common shape.
struct Broadcast {
  /// The common shape.
  let shape: [Int]
  /// For each tensor and axis, how far the next element lies; 0 along an axis that is repeated.
  private let strides: [[Int]]

  /// - Parameter shapes: of the same rank, and of sizes that are equal or 1.
  init(_ shapes: [[Int]]) {
    let rank = shapes.first?.count ?? 0
    shape = (0..<rank).map { axis in shapes.map { $0[axis] }.first { $0 != 1 } ?? 1 }
    strides = shapes.map { own in
      var stride = 1
      var result = [Int](repeating: 0, count: rank)
      for axis in (0..<rank).reversed() {
        result[axis] = own[axis] == 1 ? 0 : stride
        stride *= own[axis]
      }
      return result
    }
  }

  /// A shape with axes of size 1 put in at `place` until it has the rank.
  static func padded(_ shape: [Int], rank: Int, at place: Int) -> [Int] {
    var result = shape
    result.insert(contentsOf: Array(repeating: 1, count: max(rank - shape.count, 0)), at: min(place, shape.count))
    return result
  }

  /// Calls `body` for every element of the common shape, in order, with its number and each tensor's own place.
  func forEach(_ body: (Int, [Int]) -> Void) {
    let count = elementCount(shape)
    var places = [Int](repeating: 0, count: strides.count)
    var position = [Int](repeating: 0, count: shape.count)
    for element in 0..<count {
      body(element, places)
      var axis = shape.count - 1
      while axis >= 0 {
        position[axis] += 1
        for tensor in strides.indices { places[tensor] += strides[tensor][axis] }
        if position[axis] < shape[axis] { break }
        for tensor in strides.indices { places[tensor] -= strides[tensor][axis] * shape[axis] }
        position[axis] = 0
        axis -= 1
      }
    }
  }
}
