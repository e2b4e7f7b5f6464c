import Foundation

extension Tensor {
  /// The elements as float32, the arithmetic's type; wider types are rounded to nearest even.
  public func floats() -> [Float] {
    switch dtype {
    case .bool, .uint8: map(UInt8.self) { Float($0) }
    case .int8: map(Int8.self) { Float($0) }
    case .uint16: map(UInt16.self) { Float($0) }
    case .int16: map(Int16.self) { Float($0) }
    case .uint32: map(UInt32.self) { Float($0) }
    case .int32: map(Int32.self) { Float($0) }
    case .uint64: map(UInt64.self) { Float($0) }
    case .int64: map(Int64.self) { Float($0) }
    case .float16: map(UInt16.self) { Float(float16BitPattern: $0) }
    case .bfloat16: map(UInt16.self) { Float(bitPattern: UInt32($0) << 16) }
    case .float32: map(UInt32.self) { Float(bitPattern: $0) }
    case .float64: map(UInt64.self) { Float(Double(bitPattern: $0)) }
    }
  }

  /// The elements as float32, into memory for `count` of them.
  public func copyFloats(to target: UnsafeMutablePointer<Float>) {
    if dtype == .float32 {
      bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(start: target, count: $0.count).copyMemory(from: $0) }
    } else {
      for (index, value) in floats().enumerated() { target[index] = value }
    }
  }

  /// The elements as float64, exact for every dtype but large 64-bit integers.
  public func doubles() -> [Double] {
    switch dtype {
    case .bool, .uint8: map(UInt8.self) { Double($0) }
    case .int8: map(Int8.self) { Double($0) }
    case .uint16: map(UInt16.self) { Double($0) }
    case .int16: map(Int16.self) { Double($0) }
    case .uint32: map(UInt32.self) { Double($0) }
    case .int32: map(Int32.self) { Double($0) }
    case .uint64: map(UInt64.self) { Double($0) }
    case .int64: map(Int64.self) { Double($0) }
    case .float16: map(UInt16.self) { Double(Float(float16BitPattern: $0)) }
    case .bfloat16: map(UInt16.self) { Double(Float(bitPattern: UInt32($0) << 16)) }
    case .float32: map(UInt32.self) { Double(Float(bitPattern: $0)) }
    case .float64: map(UInt64.self) { Double(bitPattern: $0) }
    }
  }

  /// The elements as integers, or `nil` where one is not an integer that `Int` can hold.
  public func integers() -> [Int]? {
    switch dtype {
    case .bool, .uint8: return map(UInt8.self) { Int($0) }
    case .int8: return map(Int8.self) { Int($0) }
    case .uint16: return map(UInt16.self) { Int($0) }
    case .int16: return map(Int16.self) { Int($0) }
    case .uint32: return map(UInt32.self) { Int($0) }
    case .int32: return map(Int32.self) { Int($0) }
    case .uint64, .int64, .float16, .bfloat16, .float32, .float64:
      var result: [Int] = []
      result.reserveCapacity(count)
      for index in 0..<count {
        guard let value = integer(at: index) else { return nil }
        result.append(value)
      }
      return result
    }
  }

  /// One element as an integer, or `nil` where it is none.
  public func integer(at index: Int) -> Int? {
    switch dtype {
    case .bool, .uint8: Int(load(UInt8.self, at: index))
    case .int8: Int(load(Int8.self, at: index))
    case .uint16: Int(load(UInt16.self, at: index))
    case .int16: Int(load(Int16.self, at: index))
    case .uint32: Int(load(UInt32.self, at: index))
    case .int32: Int(load(Int32.self, at: index))
    case .uint64: Int(exactly: load(UInt64.self, at: index))
    case .int64: Int(load(Int64.self, at: index))
    case .float16: Int(exactly: Float(float16BitPattern: load(UInt16.self, at: index)))
    case .bfloat16: Int(exactly: Float(bitPattern: UInt32(load(UInt16.self, at: index)) << 16))
    case .float32: Int(exactly: Float(bitPattern: load(UInt32.self, at: index)))
    case .float64: Int(exactly: Double(bitPattern: load(UInt64.self, at: index)))
    }
  }

  /// All elements as rows of an embedding, or `nil` where one is none, or their type is not the common one for ids: an
  /// element at a time then says more.
  package func ids(below rows: Int) -> [Int32]? {
    let limit = Int64(min(rows, Int(Int32.max)))
    var areRows = true
    func row(_ id: Int64) -> Int32 {
      areRows = areRows && id >= 0 && id < limit
      return Int32(truncatingIfNeeded: id)
    }
    guard dtype == .int32 || dtype == .int64 else { return nil }
    let ids = dtype == .int32 ? map(Int32.self) { row(Int64($0)) } : map(Int64.self, row)
    return areRows ? ids : nil
  }

  /// One element as text, for messages.
  public func describeElement(at index: Int) -> String {
    if dtype.isFloatingPoint { return "\(doubles()[index])" }
    if dtype == .uint64 { return "\(load(UInt64.self, at: index))" }
    return integer(at: index).map(String.init) ?? "?"
  }

  private func load<Word: FixedWidthInteger>(_: Word.Type, at index: Int) -> Word {
    bytes.withUnsafeBytes {
      Word(littleEndian: $0.loadUnaligned(fromByteOffset: index * MemoryLayout<Word>.size, as: Word.self))
    }
  }

  private func map<Word: FixedWidthInteger, Value>(_: Word.Type, _ transform: (Word) -> Value) -> [Value] {
    let size = MemoryLayout<Word>.size
    return bytes.withUnsafeBytes { raw in
      [Value](unsafeUninitializedCapacity: count) { buffer, initialized in
        for index in 0..<count {
          let word = Word(littleEndian: raw.loadUnaligned(fromByteOffset: index * size, as: Word.self))
          buffer.initializeElement(at: index, to: transform(word))
        }
        initialized = count
      }
    }
  }
}

extension Float {
  /// The value of an IEEE 754 half. `Swift.Float16` does not exist on every platform this package builds for.
  public init(float16BitPattern bits: UInt16) {
    let sign = UInt32(bits & 0x8000) << 16
    let exponent = UInt32(bits >> 10) & 0x1F
    let fraction = UInt32(bits & 0x3FF)
    switch exponent {
    case 0:
      // Zero and subnormals: fraction x 2^-24 is exact in float32.
      let magnitude = Float(fraction) * 0x1p-24
      self = Float(bitPattern: magnitude.bitPattern | sign)
    case 0x1F:
      self = Float(bitPattern: sign | 0x7F80_0000 | (fraction << 13))
    default:
      self = Float(bitPattern: sign | ((exponent + 112) << 23) | (fraction << 13))
    }
  }
}
