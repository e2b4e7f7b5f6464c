import Foundation

// What layouts do with numbers. Signs are bits; only a sum can round.
extension Tensor {
  /// Every number with the other sign, NaN and zero included.
  /// - Throws: `badData` for a dtype that has no sign bit.
  public func negated() throws -> Tensor {
    guard dtype.isFloatingPoint else { throw RNNError.badData("\(dtype.name) numbers are not negated") }
    var result = Data(bytes)
    let size = dtype.byteCount
    // Little-endian: the sign is the top bit of the last byte.
    for index in stride(from: size - 1, to: result.count, by: size) { result[index] ^= 0x80 }
    return try Tensor(dtype: dtype, shape: shape, bytes: result)
  }

  /// Zeros of the same dtype and shape.
  public func zeros() throws -> Tensor { try Tensor(dtype: dtype, shape: shape, bytes: Data(count: bytes.count)) }

  /// Whether every bit is 0: nothing is added by adding it.
  public var isAllZeroBits: Bool { bytes.allSatisfy { $0 == 0 } }

  /// The sum, rounded to the dtype.
  /// - Returns: the sum, and whether any number of it was rounded.
  /// - Throws: `badData` where the tensors differ in dtype or shape, or hold no floating-point numbers.
  public func adding(_ other: Tensor) throws -> (sum: Tensor, isRounded: Bool) {
    guard dtype == other.dtype, shape == other.shape, dtype.isFloatingPoint else {
      throw RNNError.badData("\(self) and \(other) are not added")
    }
    if other.isAllZeroBits { return (self, false) }
    if isAllZeroBits { return (other, false) }
    let (left, right) = (doubles(), other.doubles())
    var isRounded = false
    let sums = zip(left, right).map { first, second -> Double in
      let sum = first + second
      // Knuth's two-sum: what the addition of two float64 numbers lost.
      let back = sum - first
      let lost = (first - (sum - back)) + (second - back)
      if sum.isFinite, lost != 0 { isRounded = true }
      return sum
    }
    let result = try Tensor(rounding: sums, to: dtype, shape: shape)
    if !isRounded { isRounded = zip(result.doubles(), sums).contains { $0 != $1 && !($0.isNaN && $1.isNaN) } }
    return (result, isRounded)
  }

  /// Half of every number, and what is then missing to the whole: their sum is exact even where a half is rounded.
  public func halves() throws -> (half: Tensor, rest: Tensor) {
    let whole = doubles()
    let half = try Tensor(rounding: whole.map { $0 / 2 }, to: dtype, shape: shape)
    let rest = try Tensor(rounding: zip(whole, half.doubles()).map { $0 - $1 }, to: dtype, shape: shape)
    return (half, rest)
  }

  /// Numbers rounded to nearest, ties to even.
  /// - Throws: `badData` for a dtype without fractions, or a shape that does not fit.
  public init(rounding values: [Double], to dtype: DType, shape: [Int]) throws {
    var bytes = Data(capacity: values.count * dtype.byteCount)
    func append<Word: FixedWidthInteger>(_ word: Word) {
      withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) }
    }
    switch dtype {
    case .float64: for value in values { append(value.bitPattern) }
    case .float32: for value in values { append(Float(value).bitPattern) }
    case .bfloat16: for value in values { append(Float16Bits.bfloat16(value)) }
    case .float16: for value in values { append(Float16Bits.float16(value)) }
    case .bool, .uint8, .int8, .uint16, .int16, .uint32, .int32, .uint64, .int64:
      throw RNNError.badData("fractions are not rounded to \(dtype.name)")
    }
    try self.init(dtype: dtype, shape: shape, bytes: bytes)
  }
}

/// The nearest numbers of the two 16-bit formats, ties to even.
enum Float16Bits {
  /// 8 bits of exponent, 7 of fraction.
  static func bfloat16(_ value: Double) -> UInt16 { nearest(value, exponentBits: 8, fractionBits: 7) }

  /// 5 bits of exponent, 10 of fraction.
  static func float16(_ value: Double) -> UInt16 { nearest(value, exponentBits: 5, fractionBits: 10) }

  private static func nearest(_ value: Double, exponentBits: Int, fractionBits: Int) -> UInt16 {
    let sign: UInt16 = value.sign == .minus ? 0x8000 : 0
    let infinity = UInt16((1 << exponentBits) - 1) << UInt16(fractionBits)
    if value.isNaN { return sign | infinity | UInt16(1) << UInt16(fractionBits - 1) }
    if value.isInfinite { return sign | infinity }
    let bias = (1 << (exponentBits - 1)) - 1
    // The weight of the last bit: that of the smallest numbers, or of the number's own exponent.
    let exponent = value == 0 ? 1 - bias : max(Int(value.exponent), 1 - bias)
    let units = (value.magnitude * Double(sign: .plus, exponent: fractionBits - exponent, significand: 1))
      .rounded(.toNearestOrEven)
    // Carries run from the fraction into the exponent by themselves, up to infinity.
    let offset = Double(exponent - (1 - bias)) * Double(1 << fractionBits)
    let bits = units + offset
    return sign | (bits >= Double(infinity) ? infinity : UInt16(bits))
  }
}
