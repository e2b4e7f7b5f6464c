/// The gradient of a matrix as a sum over examples and steps: transposed(a) b, with a (inner, rows) and b (inner, columns).
package struct GradientProduct {
  /// The matrix's place among the layer's parameters; it is (rows, columns).
  package var parameter: Int
  package var rows: Int
  package var columns: Int
  var inner: Int
  /// Rows of `rows` floats without gaps, and of `columns` floats.
  var a: UnsafePointer<Float>
  var b: UnsafePointer<Float>

  /// Some rows and columns of the gradient, whose bits do not depend on the others.
  package struct Part {
    package var rows: Range<Int>
    package var columns: Range<Int>

    package init(rows: Range<Int>, columns: Range<Int>) {
      (self.rows, self.columns) = (rows, columns)
    }
  }

  package var whole: Part { Part(rows: 0..<rows, columns: 0..<columns) }

  /// gradient += transposed(a) b
  package func add(to gradient: UnsafeMutablePointer<Float>, _ part: Part) {
    multiplyTransposedAdd(
      rows: part.rows.count, columns: part.columns.count, inner: inner, a + part.rows.lowerBound, step: rows,
      b + part.columns.lowerBound, step: columns,
      into: gradient + part.rows.lowerBound * columns + part.columns.lowerBound, step: columns)
  }

  /// gradient <- 0
  package func clear(_ gradient: UnsafeMutablePointer<Float>, _ part: Part) {
    for row in part.rows {
      (gradient + row * columns + part.columns.lowerBound).update(repeating: 0, count: part.columns.count)
    }
  }
}
