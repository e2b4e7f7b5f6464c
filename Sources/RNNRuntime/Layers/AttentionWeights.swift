import RNNCore
import RealModule

/// The matrix of weights of one example (and head), from scores: masked, through a softmax, and in training with some
/// dropped.
struct AttentionWeights<Scalar: Real & BinaryFloatingPoint> {
  let rows: Int
  let columns: Int
  /// Behind the softmax.
  var softened: [Scalar]
  /// Whether the row sees the column.
  let isSeen: [Bool]
  /// For each weight 1, or in training what dropout makes of it.
  var kept: [Scalar]

  /// What the output is made with.
  var dropped: [Scalar] { zip(softened, kept).map { $0 * $1 } }

  /// - Parameters:
  ///   - scores: rows x columns.
  ///   - zeroesUnseen: whether what is not seen weighs nothing even in a row that sees nothing.
  ///   - isValid: whether a row sees a column.
  ///   - maskedScore: the score that takes the place of one that is not seen.
  ///   - firstElement: the number of the first weight among the batch's, for the random numbers.
  init(
    _ scores: [Scalar], rows: Int, columns: Int, dropout: Double, noise: LayerNoise?, firstElement: Int,
    zeroesUnseen: Bool = false, isValid: (Int, Int) -> Bool, maskedScore: (Scalar) -> Scalar
  ) {
    (self.rows, self.columns) = (rows, columns)
    let isSeen = (0..<rows * columns).map { isValid($0 / columns, $0 % columns) }
    self.isSeen = isSeen
    softened = []
    softened.reserveCapacity(scores.count)
    for row in 0..<rows {
      let seen = (0..<columns).map { column -> Scalar in
        let score = scores[row * columns + column]
        return isSeen[row * columns + column] ? score : maskedScore(score)
      }
      softened += NaiveActivation.row(.softmax, seen)
    }
    kept = Array(repeating: 1, count: scores.count)
    if zeroesUnseen {
      for index in kept.indices where !isSeen[index] { kept[index] = 0 }
    }
    guard dropout > 0, let noise else { return }
    for index in kept.indices {
      kept[index] *= noise.uniform(firstElement + index) >= Float(dropout) ? Scalar(1 / (1 - Float(dropout))) : 0
    }
  }

  /// d loss / d scores from d loss / d weights as the output saw them.
  func scoreGradient(_ gradient: [Scalar]) -> [Scalar] {
    var result = zip(gradient, kept).map { $0 * $1 }
    for row in 0..<rows {
      var product: Scalar = 0
      for index in row * columns..<(row + 1) * columns { product += result[index] * softened[index] }
      for index in row * columns..<(row + 1) * columns { result[index] = softened[index] * (result[index] - product) }
    }
    return result
  }
}

/// Which steps attention sees.
enum AttentionMask {
  /// Whether a step of one example is valid.
  static func isValid(_ mask: UnsafeMutablePointer<UInt8>?, _ example: Int, _ step: Int, of steps: Int) -> Bool {
    mask.map { $0[example * steps + step] != 0 } ?? true
  }
}
