import Foundation
import RNNContainers
import RNNCore

/// Keras's `pad_sequences`: rows of different lengths become one array.
public enum SequencePadding {
  /// - Parameters:
  ///   - length: the length of every row; the longest row's where `nil`.
  ///   - padding: the side on which short rows are filled up.
  ///   - truncating: the side on which long rows are cut.
  ///   - value: what fills them up.
  /// - Returns: int32 (rows, length).
  /// - Throws: `usage` for a length below 1, `badData` for a value beyond 32 bits or an array too large to address.
  public static func pad(
    _ rows: RaggedIntegers, length: Int? = nil, padding: TextRules.Side = .pre, truncating: TextRules.Side = .pre,
    value: Int32 = 0
  ) throws -> Tensor {
    if let length, length < 1 { throw RNNError.usage("sequences of length \(length), expected 1 or more") }
    let length = length ?? rows.longest
    let shape = [rows.count, length]
    guard let size = Tensor.byteCount(dtype: .int32, shape: shape) else {
      throw RNNError.badData(
        "\(rows.count) sequences of length \(length) are too large to address", remedy: "Choose a shorter length.")
    }
    var result = [Int32](repeating: value, count: size / 4)
    let wrong: Int? = rows.values.withUnsafeBufferPointer { values in
      result.withUnsafeMutableBufferPointer { target in
        for row in 0..<rows.count {
          let (start, end) = (rows.offsets[row], rows.offsets[row + 1])
          let kept = min(end - start, length)
          let from = truncating == .pre ? end - kept : start
          let to = row * length + (padding == .pre ? length - kept : 0)
          for index in 0..<kept {
            guard let id = Int32(exactly: values[from + index]) else { return row }
            target[to + index] = id
          }
        }
        return nil
      }
    }
    if let wrong { throw RNNError.badData("row \(wrong) holds a number beyond 32 bits, which no id is") }
    return try Tensor(int32: result, shape: shape)
  }
}
