import Foundation

/// A dense array as a file stores it: little-endian, row-major, in its own dtype.
///
/// The bytes may be a slice of a larger (mapped) file; nothing is copied until it is needed.
public struct Tensor: Sendable, Equatable {
  public let dtype: DType
  /// Dimensions, slowest first; `[]` is a scalar.
  public let shape: [Int]
  /// `count * dtype.byteCount` bytes.
  public let bytes: Data

  /// - Throws: `badData` when the shape is negative, overflows or does not fit the bytes.
  public init(dtype: DType, shape: [Int], bytes: Data) throws {
    guard let expected = Tensor.byteCount(dtype: dtype, shape: shape) else {
      throw RNNError.badData("the shape \(shape) is negative or too large to address")
    }
    guard expected == bytes.count else {
      throw RNNError.badData(
        "\(dtype.name) of shape \(shape) takes \(expected) bytes, but \(bytes.count) are there")
    }
    self.dtype = dtype
    self.shape = shape
    self.bytes = bytes
  }

  /// Elements; 1 for a scalar.
  public var count: Int { bytes.count / dtype.byteCount }

  /// Bytes of a tensor, or `nil` if a dimension is negative or the product overflows.
  public static func byteCount(dtype: DType, shape: [Int]) -> Int? {
    var total = dtype.byteCount
    for dimension in shape {
      guard dimension >= 0 else { return nil }
      let (product, overflow) = total.multipliedReportingOverflow(by: dimension)
      if overflow { return nil }
      total = product
    }
    return total
  }

  public init(_ values: [Float], shape: [Int]) throws {
    try self.init(dtype: .float32, shape: shape, bytes: values.withUnsafeBytes { Data($0) })
  }

  public init(_ values: [Int64], shape: [Int]) throws {
    try self.init(dtype: .int64, shape: shape, bytes: values.withUnsafeBytes { Data($0) })
  }

  /// The same bytes under another shape of the same size.
  public func reshaped(to shape: [Int]) throws -> Tensor {
    try Tensor(dtype: dtype, shape: shape, bytes: bytes)
  }
}

extension Tensor: CustomStringConvertible {
  public var description: String { "\(dtype.name) \(shape)" }
}

/// Shapes as people write them: `(3, 4)`, with `?` for a free dimension.
public func describe(shape: [Int?]) -> String {
  "(" + shape.map { $0.map(String.init) ?? "?" }.joined(separator: ", ") + ")"
}
