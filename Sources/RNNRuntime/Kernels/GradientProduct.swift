/// The gradient of a matrix as a sum over examples and steps: transposed(a) b, with a (inner, rows) and b (inner, columns).
package struct GradientProduct {
  /// The matrix's place among the layer's parameters; it is (rows, columns).
  package var parameter: Int
  var rows: Int
  package var columns: Int
  var inner: Int
  /// Rows of `rows` floats without gaps, and of `columns` floats.
  var a: UnsafePointer<Float>
  var b: UnsafePointer<Float>

  /// gradient += transposed(a) b, for some of the columns. The bits of a column do not depend on the others.
  package func add(to gradient: UnsafeMutablePointer<Float>, columns part: Range<Int>) {
    multiplyTransposedAdd(
      rows: rows, columns: part.count, inner: inner, a, step: rows, b + part.lowerBound, step: columns,
      into: gradient + part.lowerBound, step: columns)
  }

  /// Sets some columns of the gradient to 0.
  package func clear(_ gradient: UnsafeMutablePointer<Float>, columns part: Range<Int>) {
    for row in 0..<rows { (gradient + row * columns + part.lowerBound).update(repeating: 0, count: part.count) }
  }
}
