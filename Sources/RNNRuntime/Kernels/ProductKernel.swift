import CRNNKernels

/// The matrix product, for those outside the layers.
package enum ProductKernel {
  /// c[rows, columns] += a[rows, inner] b[inner, columns], row-major and without gaps.
  package static func multiplyAdd(
    rows: Int, columns: Int, inner: Int, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
    into c: UnsafeMutablePointer<Float>
  ) {
    RNNRuntime.multiplyAdd(
      rows: rows, columns: columns, inner: inner, a, step: inner, b, step: columns, into: c, step: columns)
  }
}
