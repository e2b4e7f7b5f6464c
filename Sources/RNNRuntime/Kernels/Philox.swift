import CRNNKernels
import RealModule

/// Philox4x32-10 (Salmon et al. 2011): random numbers by counting. The same key and counter give the same numbers on
/// every machine, whatever was asked before, so that threads and restarts change nothing.
package struct Philox: Sendable {
  let key: (UInt32, UInt32)

  package init(seed: UInt64) {
    key = (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
  }

  /// Four words for one counter.
  package func words(_ counter: (UInt32, UInt32, UInt32, UInt32)) -> (UInt32, UInt32, UInt32, UInt32) {
    var (c0, c1, c2, c3) = counter
    var (k0, k1) = key
    for round in 0..<10 {
      if round > 0 {
        k0 &+= 0x9E37_79B9
        k1 &+= 0xBB67_AE85
      }
      let first = UInt64(c0) * 0xD251_1F53
      let second = UInt64(c2) * 0xCD9E_8D57
      (c0, c1, c2, c3) = (
        UInt32(truncatingIfNeeded: second >> 32) ^ c1 ^ k0, UInt32(truncatingIfNeeded: second),
        UInt32(truncatingIfNeeded: first >> 32) ^ c3 ^ k1, UInt32(truncatingIfNeeded: first)
      )
    }
    return (c0, c1, c2, c3)
  }
}

/// The random numbers of one layer in one training step, by element.
struct LayerNoise: Sendable {
  private let philox: Philox
  private let step: UInt64
  private let call: UInt32
  /// The first example of this shard within the batch: an example's numbers do not depend on the number of shards.
  var firstExample = 0

  init(seed: UInt64, step: UInt64, call: Int) {
    philox = Philox(seed: seed)
    self.step = step
    self.call = UInt32(truncatingIfNeeded: call)
  }

  private func words(_ element: Int, stream: UInt32) -> (UInt32, UInt32, UInt32, UInt32) {
    philox.words(
      (
        UInt32(truncatingIfNeeded: element), UInt32(truncatingIfNeeded: element >> 32) ^ stream << 28,
        UInt32(truncatingIfNeeded: step), UInt32(truncatingIfNeeded: step >> 32) ^ call << 8
      ))
  }

  /// Evenly distributed in 0 ..< 1.
  func uniform(_ element: Int, stream: UInt32 = 0) -> Float {
    let all = words(element >> 2, stream: stream)
    let word = [all.0, all.1, all.2, all.3][element & 3]
    return Float(word >> 8) * 0x1p-24
  }

  /// `uniform(first)`, `uniform(first + 1)`, ... into `out`.
  func uniform(_ first: Int, into out: UnsafeMutablePointer<Float>, count: Int, stream: UInt32 = 0) {
    // Four numbers come from one counter; what stands before the first whole one and after the last is taken one by one.
    let before = min((4 - first & 3) & 3, count)
    for index in 0..<before { out[index] = uniform(first + index, stream: stream) }
    let blocks = (count - before) / 4
    let counter = [UInt32(truncatingIfNeeded: step), UInt32(truncatingIfNeeded: step >> 32) ^ call << 8]
    Kernels.table.uniform(
      out + before, blocks, UInt64((first + before) >> 2), [philox.key.0, philox.key.1], counter, stream)
    for index in (before + 4 * blocks)..<max(count, before + 4 * blocks) {
      out[index] = uniform(first + index, stream: stream)
    }
  }

  /// Normally distributed, mean 0, deviation 1 (Box and Muller 1958).
  func normal(_ element: Int) -> Float {
    let all = words(element, stream: 1)
    let radius = (-2 * Double.log((Double(all.0) + 1) * 0x1p-32)).squareRoot()
    return Float(radius * Double.cos(2 * Double.pi * Double(all.1) * 0x1p-32))
  }
}
