import CRNNKernels
import Foundation

/// Threads that stand ready for the parts of a step.
///
/// A step is a chain of short parallel parts, and waking a thread for each takes as long as some of them. So a worker
/// that has nothing to do looks for work for a moment, leaving its core to whoever wants it, before it goes to sleep.
///
/// Not for several callers at once, nor for a call from within a part.
package final class WorkerPool: @unchecked Sendable {
  /// The caller's own thread and those that stand ready.
  package let threads: Int
  private let shared = Shared()

  package init(threads: Int) {
    self.threads = max(1, threads)
    let shared = shared
    for index in 1..<self.threads {
      let thread = Thread { shared.work(index) }
      thread.name = "rnnconv worker \(index)"
      thread.start()
    }
  }

  deinit { shared.start(workers: 0, nil) }

  /// Runs a body for 0 ..< parts at the same time, part 0 on the caller's thread, and returns when all are done.
  /// - Parameter parts: at most `threads`.
  package func run(_ parts: Int, _ body: (Int) -> Void) {
    precondition(parts <= threads, "more parts than threads")
    guard parts > 1 else { return parts == 1 ? body(0) : () }
    withoutActuallyEscaping(body) { body in
      shared.start(workers: threads - 1) { if $0 < parts { body($0) } }
      body(0)
      shared.finish()
    }
  }

  /// Runs a body over 0 ..< count in neighbouring pieces, one for each thread. No two pieces may write to the same memory,
  /// and no result may depend on where they end.
  package func cut(_ count: Int, _ body: (Range<Int>) -> Void) {
    let parts = max(1, min(threads, count))
    run(parts) { part in body(count * part / parts..<count * (part + 1) / parts) }
  }
}

/// What the threads of a pool share; it outlives the pool until the last of them has seen that it is over.
private final class Shared: @unchecked Sendable {
  /// Counts the jobs.
  private let job: UnsafeMutablePointer<UInt32>
  /// Workers that are not done with the last job.
  private let running: UnsafeMutablePointer<UInt32>
  /// Threads that must be woken.
  private let sleepers: UnsafeMutablePointer<UInt32>
  private let condition = NSCondition()
  /// Written before the job is counted, read after; `nil` where the pool is over.
  private var body: ((Int) -> Void)?

  init() {
    func counter() -> UnsafeMutablePointer<UInt32> {
      // A cache line each: who looks at one does not slow down who writes another.
      let memory = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64)
      return memory.initializeMemory(as: UInt32.self, repeating: 0, count: 1)
    }
    (job, running, sleepers) = (counter(), counter(), counter())
  }

  deinit {
    for counter in [job, running, sleepers] { UnsafeMutableRawPointer(counter).deallocate() }
  }

  func start(workers: Int, _ body: ((Int) -> Void)?) {
    self.body = body
    rnn_counter_store(running, UInt32(workers))
    _ = rnn_counter_add(job, 1)
    wake()
  }

  /// Waits for the workers.
  func finish() {
    var left = rnn_counter_load(running)
    while left != 0 { left = wait(running, for: left) }
    body = nil
  }

  func work(_ index: Int) {
    var last: UInt32 = 0
    while true {
      last = wait(job, for: last)
      guard call(index) else { return }
      if rnn_counter_add(running, UInt32.max) == 0 { wake() }
    }
  }

  /// A call of its own, so that no reference to the body is left when the worker says that it is done.
  @inline(never)
  private func call(_ index: Int) -> Bool {
    guard let body else { return false }
    body(index)
    return true
  }

  private func wake() {
    guard rnn_counter_load(sleepers) > 0 else { return }
    condition.lock()
    condition.broadcast()
    condition.unlock()
  }

  /// Waits until a counter has another value than `value`, and returns it.
  private func wait(_ counter: UnsafeMutablePointer<UInt32>, for value: UInt32) -> UInt32 {
    // Some tenths of a millisecond: longer than between the parts of a step, and shorter than anybody notices.
    for _ in 0..<200 {
      let now = rnn_counter_watch(counter, value, 16)
      if now != value { return now }
      sched_yield()
    }
    condition.lock()
    defer { condition.unlock() }
    _ = rnn_counter_add(sleepers, 1)
    defer { _ = rnn_counter_add(sleepers, UInt32.max) }
    while true {
      let now = rnn_counter_load(counter)
      if now != value { return now }
      condition.wait()
    }
  }
}
