import Foundation

/// Draws ids from a distribution, by the same seed the same ids.
public struct Sampler: Sendable {
  /// 1 draws from the distribution as it is, smaller prefers the likely, 0 takes the likeliest.
  public var temperature: Double
  /// Only so many of the likeliest are drawn from; all where `nil`.
  public var topK: Int?
  private var state: UInt64

  public init(temperature: Double = 1, topK: Int? = nil, seed: UInt64 = 0) {
    self.temperature = temperature
    self.topK = topK
    state = seed
  }

  /// - Parameter probabilities: not negative; their sum need not be 1.
  /// - Returns: an index into them; 0 where none is positive.
  public mutating func draw(_ probabilities: [Float]) -> Int {
    let order = probabilities.indices.sorted {
      (probabilities[$0], -$0) > (probabilities[$1], -$1)
    }
    guard let likeliest = order.first else { return 0 }
    guard temperature > 0 else { return likeliest }
    let candidates = order.prefix(max(1, topK ?? order.count))
    // p^(1/T), against the largest so that nothing overflows.
    let largest = log(max(Double(probabilities[likeliest]), .leastNormalMagnitude))
    let weights = candidates.map { index -> Double in
      let p = Double(probabilities[index])
      return p > 0 ? exp((log(p) - largest) / temperature) : 0
    }
    var left = uniform() * weights.reduce(0, +)
    for (index, weight) in zip(candidates, weights) {
      left -= weight
      if left < 0 { return index }
    }
    return likeliest
  }

  /// SplitMix64 (Steele, Lea and Flood 2014), as a number in 0 ..< 1.
  private mutating func uniform() -> Double {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    mixed ^= mixed >> 31
    return Double(mixed >> 11) * 0x1p-53
  }
}
