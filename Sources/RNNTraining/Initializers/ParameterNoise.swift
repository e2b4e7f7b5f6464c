import RNNRuntime
import RealModule

/// The random numbers of one parameter, by element.
struct ParameterNoise: Sendable {
  private let philox: Philox
  private let parameter: UInt32
  private let part: UInt32

  /// The highest bit of the last counter word tells these numbers from those of dropout in the same run.
  private static let stream: UInt32 = 1 << 31

  init(seed: UInt64, parameter: Int, part: Int = 0) {
    philox = Philox(seed: seed)
    self.parameter = UInt32(truncatingIfNeeded: parameter)
    self.part = UInt32(truncatingIfNeeded: part)
  }

  private func words(_ block: Int, attempt: Int) -> (UInt32, UInt32, UInt32, UInt32) {
    philox.words(
      (
        UInt32(truncatingIfNeeded: block), UInt32(truncatingIfNeeded: block >> 32) ^ part << 24, parameter,
        ParameterNoise.stream | UInt32(truncatingIfNeeded: attempt)
      ))
  }

  /// Evenly distributed between 0 and 1, without either.
  func uniform(_ element: Int) -> Double {
    let block = words(element >> 2, attempt: 0)
    let word =
      switch element & 3 {
      case 0: block.0
      case 1: block.1
      case 2: block.2
      default: block.3
      }
    return (Double(word) + 0.5) * 0x1p-32
  }

  /// Normally distributed, mean 0, deviation 1 (Box and Muller 1958: two numbers from two words).
  func normal(_ element: Int, attempt: Int = 0) -> Double {
    let block = words(element >> 2, attempt: attempt)
    let (first, second) = element & 2 == 0 ? (block.0, block.1) : (block.2, block.3)
    let radius = (-2 * Double.log((Double(first) + 0.5) * 0x1p-32)).squareRoot()
    let angle = 2 * Double.pi * Double(second) * 0x1p-32
    return radius * (element & 1 == 0 ? Double.cos(angle) : Double.sin(angle))
  }

  /// Drawn again until it lies within two deviations; one draw of 22 does not.
  func truncatedNormal(_ element: Int) -> Double {
    var attempt = 0
    while true {
      let value = normal(element, attempt: attempt)
      if abs(value) <= 2 { return value }
      attempt += 1
    }
  }
}
