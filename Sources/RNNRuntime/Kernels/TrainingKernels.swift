import CRNNKernels

/// The hot loops of training, for those outside the layers.
package enum TrainingKernels {
  /// One step of Adam over `count` floats; `squares` is taken for the gradient's square where given.
  package static func adam(
    _ p: UnsafeMutablePointer<Float>, _ g: UnsafePointer<Float>, squares: UnsafePointer<Float>?,
    _ m: UnsafeMutablePointer<Float>, _ v: UnsafeMutablePointer<Float>, count: Int, alpha: Float, keep1: Float,
    keep2: Float, epsilon: Float
  ) {
    Kernels.table.adam(p, g, squares, m, v, count, alpha, keep1, keep2, epsilon)
  }

  /// For each position: sum[ids[position]] += rows[position], and its squares to `squares`; rows of `width` floats, of
  /// which only the `columns` are taken.
  package static func addRows(
    _ sum: UnsafeMutablePointer<Float>, squares: UnsafeMutablePointer<Float>?, _ rows: UnsafePointer<Float>,
    ids: [Int], width: Int, columns: Range<Int>
  ) {
    Kernels.table.add_rows(sum, squares, rows, ids, ids.count, width, columns.lowerBound, columns.count)
  }

  /// Whether nothing is NaN or infinite.
  package static func areFinite(_ x: UnsafePointer<Float>, count: Int) -> Bool {
    Kernels.table.are_finite(x, count) != 0
  }

  /// Steps of Adam with gradients of 0, each with its own alpha: to the bits of `adam`.
  package static func adamIdle(
    _ p: UnsafeMutablePointer<Float>, _ m: UnsafeMutablePointer<Float>, _ v: UnsafeMutablePointer<Float>, count: Int,
    alphas: UnsafePointer<Float>, steps: Int, keep1: Float, keep2: Float, epsilon: Float
  ) {
    Kernels.table.adam_idle(p, m, v, count, alphas, steps, keep1, keep2, epsilon)
  }

  /// sum <- sum + x
  package static func add(_ sum: UnsafeMutablePointer<Float>, _ x: UnsafePointer<Float>, count: Int) {
    Kernels.table.add(sum, x, count)
  }
}
