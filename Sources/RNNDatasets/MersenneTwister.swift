/// NumPy's legacy generator, `numpy.random.RandomState`: MT19937 (Matsumoto and Nishimura 1998) seeded by one number.
///
/// The same seed gives the same order as in Python, which is what makes a published data set the same data set.
public struct MersenneTwister: Sendable {
  private static let size = 624
  private static let middle = 397

  private var state: [UInt32]
  private var position = MersenneTwister.size

  /// Seeds as `RandomState(seed)` does (`init_genrand`).
  public init(seed: UInt32) {
    state = [seed]
    state.reserveCapacity(MersenneTwister.size)
    for index in 1..<UInt32(MersenneTwister.size) {
      let last = state[Int(index) - 1]
      state.append(1_812_433_253 &* (last ^ (last >> 30)) &+ index)
    }
  }

  /// The next 32 bits.
  public mutating func next() -> UInt32 {
    if position == MersenneTwister.size { turn() }
    var word = state[position]
    position += 1
    word ^= word >> 11
    word ^= (word << 7) & 0x9D2C_5680
    word ^= (word << 15) & 0xEFC6_0000
    return word ^ (word >> 18)
  }

  private mutating func turn() {
    let size = MersenneTwister.size
    for index in 0..<size {
      let mixed = (state[index] & 0x8000_0000) | (state[(index + 1) % size] & 0x7FFF_FFFF)
      let factor: UInt32 = mixed & 1 == 0 ? 0 : 0x9908_B0DF
      state[index] = state[(index + MersenneTwister.middle) % size] ^ (mixed >> 1) ^ factor
    }
    position = 0
  }

  /// A number from 0 to `limit`, every one as likely: masked, and drawn again where it is past the limit (NumPy's
  /// `rk_interval`, later `random_interval`).
  public mutating func interval(upTo limit: UInt32) -> UInt32 {
    if limit == 0 { return 0 }
    let mask = UInt32.max >> limit.leadingZeroBitCount
    while true {
      let value = next() & mask
      if value <= limit { return value }
    }
  }

  /// Shuffles as `RandomState.shuffle` does: from the last element down, each with one at or before it.
  public mutating func shuffle<Element>(_ elements: inout [Element]) {
    var index = elements.count - 1
    while index > 0 {
      elements.swapAt(index, Int(interval(upTo: UInt32(clamping: index))))
      index -= 1
    }
  }

  /// The numbers below `count`, shuffled: `RandomState.permutation(count)`.
  public mutating func permutation(_ count: Int) -> [Int] {
    var result = Array(0..<max(0, count))
    shuffle(&result)
    return result
  }
}
