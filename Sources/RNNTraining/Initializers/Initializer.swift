import RNNCore

/// How a parameter is filled before training, as Keras's initializer of the same name.
///
/// Keras's own numbers come from the generator of its backend; ours have the same distribution.
public enum Initializer: Sendable, Equatable {
  case constant(Double)
  case uniform(minimum: Double, maximum: Double)
  case normal(mean: Double, deviation: Double)
  /// A normal of this deviation, drawn again where it is further than two of them from the mean.
  case truncatedNormal(mean: Double, deviation: Double)
  case varianceScaling(VarianceScaling)
  /// Orthonormal rows or columns, whichever are fewer, times `gain`. Rows are all axes but the last; in Keras 1, the
  /// first.
  case orthogonal(gain: Double, rules: KerasRules = .later)
  /// Ones on the diagonal of a matrix, times `gain`. Keras 2 repeats the square on the longer axis; Keras 1 knows only
  /// squares.
  case identity(gain: Double, rules: KerasRules = .later)

  public static let zeros = Initializer.constant(0)
  public static let ones = Initializer.constant(1)
  public static let glorotUniform = Initializer.varianceScaling(VarianceScaling(mode: .average, distribution: .uniform))

  /// The numbers of one parameter, row-major: the same for the same arguments on every machine.
  /// - Parameters:
  ///   - parameter: its number within the model.
  ///   - part: 0 to 3, where the parameter is put together from several.
  /// - Throws: `unsupported` where the initializer has no value of this shape.
  public func values(shape: [Int], seed: UInt64, parameter: Int, part: Int = 0) throws -> [Float] {
    let count = shape.reduce(1, *)
    let noise = ParameterNoise(seed: seed, parameter: parameter, part: part)
    switch self {
    case .constant(let value):
      return [Float](repeating: Float(value), count: count)
    case .uniform(let minimum, let maximum):
      return (0..<count).map { Float(minimum + (maximum - minimum) * noise.uniform($0)) }
    case .normal(let mean, let deviation):
      return (0..<count).map { Float(mean + deviation * noise.normal($0)) }
    case .truncatedNormal(let mean, let deviation):
      return (0..<count).map { Float(mean + deviation * noise.truncatedNormal($0)) }
    case .varianceScaling(let scaling):
      return try scaling.distribution(over: shape).values(shape: shape, seed: seed, parameter: parameter, part: part)
    case .orthogonal(let gain, let rules):
      guard shape.count >= 2 else {
        throw RNNError.unsupported("an orthogonal initializer needs two axes or more, but the shape is \(shape)")
      }
      let columns = rules == .keras1 ? shape.dropFirst().reduce(1, *) : shape.last ?? 1
      return Orthogonal.matrix(rows: count / max(columns, 1), columns: columns, noise).map { Float(gain * $0) }
    case .identity(let gain, let rules):
      return try Initializer.identity(shape, Float(gain), rules)
    }
  }

  private static func identity(_ shape: [Int], _ gain: Float, _ rules: KerasRules) throws -> [Float] {
    guard shape.count == 2 else {
      throw RNNError.unsupported("an identity initializer needs two axes, but the shape is \(shape)")
    }
    let (rows, columns) = (shape[0], shape[1])
    let short = min(rows, columns)
    guard rules != .keras1 || rows == columns else {
      throw RNNError.unsupported("Keras 1's identity initializer needs a square, but the shape is \(shape)")
    }
    guard rules != .keras2 || short > 0 && max(rows, columns) % short == 0 else {
      throw RNNError.unsupported("Keras 2's identity initializer repeats whole squares, but the shape is \(shape)")
    }
    return (0..<rows * columns).map { index in
      let (row, column) = index.quotientAndRemainder(dividingBy: columns)
      let isOne = rules == .keras2 ? row % short == column % short : row == column
      return isOne ? gain : 0
    }
  }
}
