import Foundation
import RNNCore

/// Memory for floats that begins with a cache line: where vectors lie across two lines, each of their loads takes two.
package final class FloatMemory {
  /// Floats of a cache line, the longest vector.
  private static let line = 16

  package let base: UnsafeMutablePointer<Float>
  package let count: Int
  private let memory: UnsafeMutableRawPointer

  /// - Parameter value: what all floats are at first; `nil` leaves them as they are.
  package init(_ count: Int, repeating value: Float? = nil) {
    self.count = count
    let line = FloatMemory.line * MemoryLayout<Float>.stride
    // Memory asked for by its alignment would not be found again where the C library has just got such memory back: each
    // call's result would lie behind the last one's, and the process grow by it.
    memory = .allocate(byteCount: FloatMemory.lines(max(count, 1)) * MemoryLayout<Float>.stride + line, alignment: 16)
    base = memory.alignedUp(toMultipleOf: line).bindMemory(to: Float.self, capacity: max(count, 1))
    if let value { base.initialize(repeating: value, count: count) }
  }

  deinit { memory.deallocate() }

  /// So many floats, rounded up to whole lines.
  package static func lines(_ count: Int) -> Int { (count + line - 1) / line * line }
}

extension Tensor {
  /// The floats of a memory where they lie; nobody may write to it for as long as there are references to it.
  init(floats memory: FloatMemory, shape: [Int]) throws {
    let bytes = Data(
      bytesNoCopy: memory.base, count: memory.count * MemoryLayout<Float>.stride,
      deallocator: .custom { _, _ in withExtendedLifetime(memory) {} })
    try self.init(dtype: .float32, shape: shape, bytes: bytes)
  }
}

/// Cuts memory into pieces that begin with a cache line each.
struct FloatCutter {
  private(set) var next: Floats

  init(_ memory: Floats) {
    next = memory
  }

  mutating func take(_ count: Int) -> Floats {
    defer { next += FloatMemory.lines(count) }
    return next
  }
}
