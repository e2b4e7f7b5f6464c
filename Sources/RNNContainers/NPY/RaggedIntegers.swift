import Foundation
import RNNCore

/// Rows of integers, each as long as it is: what data sets hold as object arrays of lists. Stored end to end.
public struct RaggedIntegers: Sendable, Equatable {
  /// The values of all rows, one row after the other.
  public let values: [Int]
  /// Where each row starts in `values`, and after the last row its end.
  public let offsets: [Int]

  /// - Throws: `badData` where the offsets do not begin with 0, go down, or do not end with the values.
  public init(values: [Int], offsets: [Int]) throws {
    let isRising = zip(offsets, offsets.dropFirst()).allSatisfy { $0 <= $1 }
    guard offsets.first == 0, offsets.last == values.count, isRising else {
      throw RNNError.badData("the offsets do not divide \(values.count) values into rows")
    }
    self.init(unchecked: values, offsets: offsets)
  }

  public init(rows: some Sequence<some Sequence<Int>>) {
    var values: [Int] = []
    var offsets = [0]
    for row in rows {
      values.append(contentsOf: row)
      offsets.append(values.count)
    }
    self.init(unchecked: values, offsets: offsets)
  }

  init(unchecked values: [Int], offsets: [Int]) {
    self.values = values
    self.offsets = offsets
  }

  /// Reads an `.npy` file whose array is one-dimensional and holds lists of ints: a pickle, read under closed lists of
  /// opcodes and names; nothing in it is run.
  /// - Throws: `badData` for damage, also where the header and the pickle disagree; `unsupported` for another element
  ///   type, and for a pickle that names or holds anything else.
  public init(npy: Data) throws {
    let (fields, length) = try NPYHeaderFields.parse(npy)
    guard fields.isObjectArray else {
      throw RNNError.unsupported("the dtype is \(fields.descr.text), expected an object array of lists ('|O')")
    }
    guard fields.shape.count == 1 else {
      throw RNNError.unsupported(
        "an object array of shape \(fields.shape), expected one dimension of lists of ints",
        remedy: "Save plain numbers: numpy.asarray(a, dtype=\"int64\").")
    }
    self = try npy.dropFirst(length).withUnsafeBytes { bytes in
      var machine = RaggedPickle(bytes)
      return try machine.run()
    }
    guard count == fields.shape[0] else {
      throw RNNError.badData("the header says \(fields.shape[0]) rows, but the pickle holds \(count)")
    }
  }

  /// Rows.
  public var count: Int { offsets.count - 1 }

  /// The length of the longest row; 0 without rows.
  public var longest: Int { zip(offsets, offsets.dropFirst()).reduce(0) { max($0, $1.1 - $1.0) } }

  /// One row, without a copy.
  public subscript(row: Int) -> ArraySlice<Int> { values[offsets[row]..<offsets[row + 1]] }
}
