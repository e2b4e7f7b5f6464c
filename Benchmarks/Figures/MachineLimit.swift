import CFigures
import Foundation
import RNNCore

/// What this machine can do at most, measured: each figure is a share of it.
struct MachineLimit {
  /// Float32 operations a second of one core, a multiplication and an addition counted apart.
  let operations: Double
  /// Bytes a second that one core reads from memory.
  let bytes: Double

  /// To be called where no child is measured: its peak memory counts from what its parent had.
  static func measure() -> MachineLimit {
    var operations = 0.0
    for _ in 0..<5 {
      let start = Clock.seconds()
      let count = figures_multiply_add(4_000_000)
      operations = max(operations, count / (Clock.seconds() - start))
    }
    let floats = [Float](repeating: 1, count: 1 << 26)
    var bytes = 0.0
    for _ in 0..<5 {
      let start = Clock.seconds()
      let sum = floats.withUnsafeBufferPointer { figures_sweep($0.baseAddress, $0.count) }
      let seconds = Clock.seconds() - start
      if sum > 0 { bytes = max(bytes, Double(floats.count * 4) / seconds) }
    }
    return MachineLimit(operations: operations, bytes: bytes)
  }

  private init(operations: Double, bytes: Double) { (self.operations, self.bytes) = (operations, bytes) }

  var line: String { "\(operations) \(bytes)" }

  /// What `line` gives.
  init(parsing line: String) throws {
    let numbers = line.split { $0 == " " || $0 == "\n" }.compactMap { Double($0) }
    guard numbers.count == 2 else { throw RNNError.badData("no limits in '\(line)'") }
    self.init(operations: numbers[0], bytes: numbers[1])
  }
}

/// Time that only goes forward.
enum Clock {
  static func seconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
