import Foundation
import RNNCore
import Testing

@Suite struct TensorValueTests {
  /// IEEE 754: (-1)^s 2^(e - 15) (1 + f / 1024), and f 2^-24 where e is 0.
  private func half(_ bits: UInt16) -> Double {
    let sign: Double = bits & 0x8000 == 0 ? 1 : -1
    let exponent = Int(bits >> 10 & 0x1F)
    let fraction = Double(bits & 0x3FF) / 1024
    switch exponent {
    case 0: return sign * fraction * pow(2, -14)
    case 31: return fraction == 0 ? sign * .infinity : .nan
    default: return sign * (1 + fraction) * pow(2, Double(exponent - 15))
    }
  }

  private func tensor(_ dtype: DType, words: [some FixedWidthInteger]) throws -> Tensor {
    let bytes = words.flatMap { word in withUnsafeBytes(of: word.littleEndian) { Array($0) } }
    return try Tensor(dtype: dtype, shape: [words.count], bytes: Data(bytes))
  }

  @Test func everyHalfHasItsValue() throws {
    let patterns = Array(UInt16.min...UInt16.max)
    let all = try tensor(.float16, words: patterns)
    let (floats, doubles) = (all.floats(), all.doubles())
    var wrong: [UInt16] = []
    for (index, pattern) in patterns.enumerated() {
      let expected = half(pattern)
      let isRight =
        expected.isNaN
        ? floats[index].isNaN && doubles[index].isNaN
        : Double(floats[index]) == expected && doubles[index] == expected && floats[index].sign == expected.sign
          && doubles[index].sign == expected.sign
      if !isRight { wrong.append(pattern) }
    }
    #expect(wrong.isEmpty)
    // The payload and the sign of a NaN stay.
    #expect(Float(float16BitPattern: 0xFE01).bitPattern == 0xFFC0_2000)
  }

  /// bfloat16 is the upper half of a float32: (-1)^s 2^(e - 127) (1 + f / 128).
  @Test func everyBfloat16HasItsValue() throws {
    let patterns = Array(UInt16.min...UInt16.max)
    let floats = try tensor(.bfloat16, words: patterns).floats()
    var wrong: [UInt16] = []
    for (pattern, value) in zip(patterns, floats) {
      let exponent = Int(pattern >> 7 & 0xFF)
      let fraction = Double(pattern & 0x7F) / 128
      let magnitude: Double =
        switch exponent {
        case 0: fraction * pow(2, -126)
        case 255: fraction == 0 ? .infinity : .nan
        default: (1 + fraction) * pow(2, Double(exponent - 127))
        }
      let isRight = magnitude.isNaN ? value.isNaN : Double(abs(value)) == magnitude
      if !isRight || (value.sign == .minus) != (pattern & 0x8000 != 0) { wrong.append(pattern) }
    }
    #expect(wrong.isEmpty)
  }

  @Test func bytesAreLittleEndianOnEveryMachine() throws {
    func bytes(_ dtype: DType, _ bytes: [UInt8]) throws -> Tensor {
      try Tensor(dtype: dtype, shape: [], bytes: Data(bytes))
    }
    #expect(try bytes(.uint16, [0x34, 0x12]).integers() == [0x1234])
    #expect(try bytes(.int32, [0xFE, 0xFF, 0xFF, 0xFF]).integers() == [-2])
    #expect(try bytes(.uint64, [8, 7, 6, 5, 4, 3, 2, 1]).integers() == [0x0102_0304_0506_0708])
    #expect(try bytes(.float32, [0, 0, 0x20, 0xC0]).floats() == [-2.5])
    #expect(try bytes(.float64, [0, 0, 0, 0, 0, 0, 0x04, 0xC0]).doubles() == [-2.5])
    #expect(try bytes(.float16, [0x00, 0xC1]).floats() == [-2.5])
    #expect(try bytes(.bfloat16, [0x20, 0xC0]).floats() == [-2.5])
    #expect(try Tensor([1.5, -2] as [Float], shape: [2]).bytes == Data([0, 0, 0xC0, 0x3F, 0, 0, 0, 0xC0]))
    #expect(try Tensor([-2] as [Int64], shape: []).bytes == Data([0xFE] + [UInt8](repeating: 0xFF, count: 7)))
  }

  @Test func integersOfEveryTypeReachTheirBounds() throws {
    #expect(try tensor(.int8, words: [Int8.min, .max]).integers() == [-128, 127])
    #expect(try tensor(.uint8, words: [UInt8.max]).floats() == [255])
    #expect(try tensor(.bool, words: [0, 1] as [UInt8]).doubles() == [0, 1])
    #expect(try tensor(.int16, words: [Int16.min, .max]).doubles() == [-32768, 32767])
    #expect(try tensor(.uint32, words: [UInt32.max]).integers() == [4_294_967_295])
    #expect(try tensor(.int64, words: [Int64.min, .max]).integers() == [.min, .max])
    #expect(try tensor(.uint64, words: [UInt64(1) << 63]).integers() == nil)
    #expect(try tensor(.uint64, words: [UInt64.max]).floats() == [0x1p64])
  }

  @Test func wideNumbersRoundToNearestEven() throws {
    // 2^24 + 1 and 2^24 + 3 lie halfway between two floats.
    #expect(try tensor(.int32, words: [16_777_217, 16_777_219] as [Int32]).floats() == [16_777_216, 16_777_220])
    let doubles = [1 + 0x1p-24, 1 + 0x1p-24 + 0x1p-52, 1e300, -1e-300]
    let narrow = try tensor(.float64, words: doubles.map(\.bitPattern)).floats()
    #expect(narrow == [1, 1 + 0x1p-23, .infinity, 0])
    #expect(narrow[3].sign == .minus)
  }

  @Test func onlyWholeNumbersAreIntegers() throws {
    let floats = try Tensor([3, -0.0, 2.5, .nan, .infinity, 0x1p62, 0x1p63, -0x1p63] as [Float], shape: [8])
    #expect((0..<8).map { floats.integer(at: $0) } == [3, 0, nil, nil, nil, 1 << 62, nil, .min])
    #expect(floats.integers() == nil)
    #expect(try tensor(.float64, words: [Double(7).bitPattern]).integers() == [7])
    #expect(try tensor(.float16, words: [0x4700, 0x4701] as [UInt16]).integer(at: 0) == 7)
    #expect(try tensor(.float16, words: [0x4700, 0x4701] as [UInt16]).integer(at: 1) == nil)
    #expect(try tensor(.bfloat16, words: [0x40E0] as [UInt16]).integers() == [7])
    #expect(try tensor(.uint64, words: [UInt64.max, 5]).integer(at: 1) == 5)
  }

  @Test func unalignedBytesRead() throws {
    for offset in 0..<8 {
      let bytes =
        Data(repeating: 0xAA, count: offset) + Data([0, 0, 0, 0, 0, 0, 0xF8, 0x3F, 0, 0, 0, 0, 0, 0, 0, 0x40])
      let tensor = try Tensor(dtype: .float64, shape: [2], bytes: bytes.dropFirst(offset))
      #expect(tensor.doubles() == [1.5, 2])
    }
  }

  @Test func elementsAreDescribedAsTheyAre() throws {
    #expect(try Tensor([2.5] as [Float], shape: []).describeElement(at: 0) == "2.5")
    #expect(try tensor(.uint64, words: [UInt64.max]).describeElement(at: 0) == "18446744073709551615")
    #expect(try tensor(.int8, words: [Int8(-3)]).describeElement(at: 0) == "-3")
  }
}
