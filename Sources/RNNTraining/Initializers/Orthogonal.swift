/// Matrices with orthonormal rows or columns, evenly distributed over all of them.
enum Orthogonal {
  /// Row-major. Columns are orthonormal, or rows where these are fewer.
  static func matrix(rows: Int, columns: Int, _ noise: ParameterNoise) -> [Double] {
    let (length, count) = (max(rows, columns), min(rows, columns))
    let vectors = orthonormal(length: length, count: count, noise)
    if rows < columns { return vectors }
    return (0..<rows * columns).map { index in
      let (row, column) = index.quotientAndRemainder(dividingBy: columns)
      return vectors[column * length + row]
    }
  }

  /// `count` vectors one behind the other: those of a normal matrix's QR factorization whose R has a positive
  /// diagonal, by modified Gram-Schmidt. The second pass takes away what rounding left in the first (Giraud et al.
  /// 2005).
  private static func orthonormal(length: Int, count: Int, _ noise: ParameterNoise) -> [Double] {
    var vectors = [Double](repeating: 0, count: length * count)
    vectors.withUnsafeMutableBufferPointer { all in
      for number in 0..<count {
        let own = UnsafeMutableBufferPointer(rebasing: all[number * length..<(number + 1) * length])
        var norm = 0.0
        var attempt = 0
        // A vector that almost depends on those before it is drawn again.
        while norm < 1e-6 {
          for index in 0..<length { own[index] = noise.normal(number * length + index, attempt: attempt) }
          for _ in 0..<2 {
            for earlier in 0..<number {
              let other = UnsafeMutableBufferPointer(rebasing: all[earlier * length..<(earlier + 1) * length])
              let product = dot(own, other)
              for index in 0..<length { own[index] -= product * other[index] }
            }
          }
          norm = dot(own, own).squareRoot()
          attempt += 1
        }
        for index in 0..<length { own[index] /= norm }
      }
    }
    return vectors
  }

  private static func dot(_ one: UnsafeMutableBufferPointer<Double>, _ other: UnsafeMutableBufferPointer<Double>)
    -> Double
  {
    var sum = 0.0
    for index in one.indices { sum += one[index] * other[index] }
    return sum
  }
}
