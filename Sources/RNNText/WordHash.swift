/// A hash of short byte strings: 8 bytes at a time through a 64 x 64 -> 128 bit multiplication, its halves folded.
///
/// The seed is drawn anew for every table. A file could otherwise bring words that all fall into one slot, and take
/// hours to load.
struct WordHash: Sendable {
  private let seed: UInt64
  private let factor: UInt64

  init() {
    seed = .random(in: .min ... .max)
    factor = .random(in: .min ... .max) | 1
  }

  func callAsFunction(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var code = seed ^ UInt64(bytes.count)
    var offset = 0
    while bytes.count - offset >= 8 {
      code = fold(code ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      offset += 8
    }
    let rest = bytes.count - offset
    if rest >= 4 {
      // Two reads that may overlap cover 4 to 7 bytes.
      let low = bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
      let high = bytes.loadUnaligned(fromByteOffset: bytes.count - 4, as: UInt32.self)
      code = fold(code ^ (UInt64(low) | UInt64(high) << 32))
    } else if rest > 0 {
      // And three cover 1 to 3.
      let (first, middle, last) = (bytes[offset], bytes[offset + rest / 2], bytes[bytes.count - 1])
      code = fold(code ^ (UInt64(first) | UInt64(middle) << 8 | UInt64(last) << 16))
    }
    return fold(code ^ (seed >> 1))
  }

  private func fold(_ value: UInt64) -> UInt64 {
    let product = value.multipliedFullWidth(by: factor)
    return product.high ^ product.low
  }
}
