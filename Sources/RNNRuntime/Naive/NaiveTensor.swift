import RNNCore
import RealModule

/// A tensor of the naive implementations: plain arrays, in any precision.
struct NaiveTensor<Scalar: Real & BinaryFloatingPoint> {
  /// Batch first.
  var shape: [Int]
  /// Row-major.
  var values: [Scalar]
  /// For each position, mostly a step, whether it is valid; `nil` where nothing is masked.
  var mask: [Bool]?
  /// The mask's shape.
  var maskShape: [Int]?

  /// The last axis.
  var width: Int { shape[shape.count - 1] }
  /// Everything but the last axis.
  var rows: Int { shape.dropLast().reduce(1, *) }

  func row(_ index: Int) -> [Scalar] { Array(values[index * width..<(index + 1) * width]) }

  /// The batch as another axis, the others in their order.
  func withBatch(at axis: Int) -> NaiveTensor {
    guard axis > 0, axis < shape.count, !values.isEmpty else { return self }
    let batch = shape[0]
    let before = shape[1...axis].reduce(1, *)
    let after = shape[(axis + 1)...].reduce(1, *)
    var moved = self
    moved.shape.insert(moved.shape.removeFirst(), at: axis)
    for example in 0..<batch {
      for outer in 0..<before {
        for inner in 0..<after {
          moved.values[(outer * batch + example) * after + inner] = values[(example * before + outer) * after + inner]
        }
      }
    }
    return moved
  }

  /// Every last axis through `transform`.
  func mapRows(_ transform: ([Scalar]) -> [Scalar]) -> NaiveTensor {
    let mapped = (0..<rows).map { transform(row($0)) }
    return NaiveTensor(
      shape: shape.dropLast() + [mapped.first?.count ?? 0], values: mapped.flatMap(\.self), mask: mask,
      maskShape: maskShape)
  }
}

/// A matrix of weights, row-major.
struct NaiveMatrix<Scalar: Real & BinaryFloatingPoint> {
  var columns: Int
  var values: [Scalar]

  init(_ tensor: Tensor) {
    columns = tensor.shape.last ?? 0
    values = tensor.doubles().map { Scalar($0) }
  }

  /// sums + x M, the products added in ascending order of M's rows, `firstRow` on.
  func product(_ x: [Scalar], addedTo sums: [Scalar], firstRow: Int = 0, columns range: Range<Int>? = nil) -> [Scalar] {
    var sums = sums
    let range = range ?? 0..<columns
    for (index, factor) in x.enumerated() {
      let start = (firstRow + index) * columns
      for column in range { sums[column - range.lowerBound] += factor * values[start + column] }
    }
    return sums
  }
}

/// The parameters of one layer by name.
struct LayerWeights {
  var names: [String]
  var tensors: [Tensor]

  func tensor(_ name: String) throws -> Tensor {
    guard let index = names.firstIndex(of: name), tensors.indices.contains(index) else {
      throw RNNError(.internalError, "the parameter '\(name)' is missing")
    }
    return tensors[index]
  }
}
