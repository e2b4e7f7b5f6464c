import Foundation
import Testing

@testable import RNNRuntime

struct WorkerPoolTests {
  /// Everything is done once, and before the call returns; with pauses in which the workers fall asleep.
  @Test(arguments: [1, 2, 3, 5])
  func everyPartIsDone(threads: Int) {
    let pool = WorkerPool(threads: threads)
    var counts = [Int](repeating: 0, count: 64)
    for round in 0..<2000 {
      counts.withUnsafeMutableBufferPointer { buffer in
        nonisolated(unsafe) let buffer = buffer
        pool.cut(round % 65) { part in for index in part { buffer[index] += 1 } }
      }
      if round % 500 == 0 { Thread.sleep(forTimeInterval: 0.05) }
    }
    for index in counts.indices {
      #expect(counts[index] == (0..<2000).filter { $0 % 65 > index }.count)
    }
  }

  @Test func fewerPartsThanThreads() {
    let pool = WorkerPool(threads: 4)
    for parts in 0...4 {
      var done = [Bool](repeating: false, count: 4)
      done.withUnsafeMutableBufferPointer { buffer in
        nonisolated(unsafe) let buffer = buffer
        pool.run(parts) { buffer[$0] = true }
      }
      #expect(done.filter(\.self).count == parts)
    }
  }

  #if os(Linux)
    /// A pool that nobody holds lets its threads end.
    @Test func poolsEnd() throws {
      func threads() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count }
      let before = try threads()
      for _ in 0..<300 { WorkerPool(threads: 3).run(3) { _ in } }
      // They started 600; other tests run beside this one and have some of their own.
      for _ in 0..<100 where try threads() > before + 200 { Thread.sleep(forTimeInterval: 0.1) }
      #expect(try threads() <= before + 200)
    }
  #endif
}
