/// FarmHash's `Fingerprint64` (Google 2014), by which TensorFlow spreads words that a vocabulary lacks over several ids.
/// All arithmetic wraps.
enum Fingerprint64 {
  private static let k0: UInt64 = 0xC3A5_C85C_97CB_3127
  private static let k1: UInt64 = 0xB492_B66F_BE98_F273
  private static let k2: UInt64 = 0x9AE1_6A3B_2F90_404F

  static func hash(_ bytes: [UInt8]) -> UInt64 {
    switch bytes.count {
    case 0...16: upTo16(bytes)
    case 17...32: upTo32(bytes)
    case 33...64: upTo64(bytes)
    case _: longer(bytes)
    }
  }

  private static func word(_ bytes: [UInt8], _ place: Int) -> UInt64 {
    (0..<8).reduce(0) { $0 | UInt64(bytes[place + $1]) << UInt64(8 * $1) }
  }

  private static func half(_ bytes: [UInt8], _ place: Int) -> UInt64 {
    (0..<4).reduce(0) { $0 | UInt64(bytes[place + $1]) << UInt64(8 * $1) }
  }

  private static func rotate(_ value: UInt64, _ count: UInt64) -> UInt64 { value >> count | value << (64 - count) }
  private static func shiftMix(_ value: UInt64) -> UInt64 { value ^ value >> 47 }

  private static func join(_ u: UInt64, _ v: UInt64, _ factor: UInt64) -> UInt64 {
    let a = shiftMix((u ^ v) &* factor)
    return shiftMix((v ^ a) &* factor) &* factor
  }

  private static func factor(_ count: Int) -> UInt64 { k2 &+ UInt64(count) &* 2 }

  private static func upTo16(_ s: [UInt8]) -> UInt64 {
    let count = s.count
    if count >= 8 {
      let factor = factor(count)
      let (a, b) = (word(s, 0) &+ k2, word(s, count - 8))
      return join(rotate(b, 37) &* factor &+ a, (rotate(a, 25) &+ b) &* factor, factor)
    }
    if count >= 4 { return join(UInt64(count) &+ half(s, 0) << 3, half(s, count - 4), factor(count)) }
    guard count > 0 else { return k2 }
    let y = UInt64(UInt32(s[0]) &+ UInt32(s[count >> 1]) << 8)
    let z = UInt64(UInt32(count) &+ UInt32(s[count - 1]) << 2)
    return shiftMix(y &* k2 ^ z &* k0) &* k2
  }

  private static func upTo32(_ s: [UInt8]) -> UInt64 {
    let factor = factor(s.count)
    let (a, b) = (word(s, 0) &* k1, word(s, 8))
    let (c, d) = (word(s, s.count - 8) &* factor, word(s, s.count - 16) &* k2)
    return join(rotate(a &+ b, 43) &+ rotate(c, 30) &+ d, a &+ rotate(b &+ k2, 18) &+ c, factor)
  }

  private static func upTo64(_ s: [UInt8]) -> UInt64 {
    let factor = factor(s.count)
    let (a, b) = (word(s, 0) &* k2, word(s, 8))
    let (c, d) = (word(s, s.count - 8) &* factor, word(s, s.count - 16) &* k2)
    let y = rotate(a &+ b, 43) &+ rotate(c, 30) &+ d
    let z = join(y, a &+ rotate(b &+ k2, 18) &+ c, factor)
    let (e, f) = (word(s, 16) &* factor, word(s, 24))
    let (g, h) = ((y &+ word(s, s.count - 32)) &* factor, (z &+ word(s, s.count - 24)) &* factor)
    return join(rotate(e &+ f, 43) &+ rotate(g, 30) &+ h, e &+ rotate(f &+ a, 18) &+ g, factor)
  }

  private static func weak(_ s: [UInt8], _ place: Int, _ a: UInt64, _ b: UInt64) -> (UInt64, UInt64) {
    var (a, b) = (a &+ word(s, place), b)
    b = rotate(b &+ a &+ word(s, place + 24), 21)
    let c = a
    a = a &+ word(s, place + 8) &+ word(s, place + 16)
    b = b &+ rotate(a, 44)
    return (a &+ word(s, place + 24), b &+ c)
  }

  private static func longer(_ s: [UInt8]) -> UInt64 {
    let count = s.count
    var x: UInt64 = 81
    var y: UInt64 = 81 &* k1 &+ 113
    var z = shiftMix(y &* k2 &+ 113) &* k2
    var (v, w): ((UInt64, UInt64), (UInt64, UInt64)) = ((0, 0), (0, 0))
    x = x &* k2 &+ word(s, 0)
    let end = (count - 1) / 64 * 64
    var place = 0
    repeat {
      x = rotate(x &+ y &+ v.0 &+ word(s, place + 8), 37) &* k1
      y = rotate(y &+ v.1 &+ word(s, place + 48), 42) &* k1
      x ^= w.1
      y = y &+ v.0 &+ word(s, place + 40)
      z = rotate(z &+ w.0, 33) &* k1
      v = weak(s, place, v.1 &* k1, x &+ w.0)
      w = weak(s, place + 32, z &+ w.1, y &+ word(s, place + 16))
      swap(&z, &x)
      place += 64
    } while place != end
    let factor = k1 &+ (z & 0xFF) << 1
    place = end + ((count - 1) & 63) - 63
    w.0 = w.0 &+ UInt64((count - 1) & 63)
    v.0 = v.0 &+ w.0
    w.0 = w.0 &+ v.0
    x = rotate(x &+ y &+ v.0 &+ word(s, place + 8), 37) &* factor
    y = rotate(y &+ v.1 &+ word(s, place + 48), 42) &* factor
    x ^= w.1 &* 9
    y = y &+ v.0 &* 9 &+ word(s, place + 40)
    z = rotate(z &+ w.0, 33) &* factor
    v = weak(s, place, v.1 &* factor, x &+ w.0)
    w = weak(s, place + 32, z &+ w.1, y &+ word(s, place + 16))
    swap(&z, &x)
    return join(
      join(v.0, w.0, factor) &+ shiftMix(y) &* k0 &+ z, join(v.1, w.1, factor) &+ x, factor)
  }
}
