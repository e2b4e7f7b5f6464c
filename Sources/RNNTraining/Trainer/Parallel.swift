import Foundation

/// Runs a body over 0 ..< count in as many neighbouring pieces as there are threads. No two pieces may touch the same
/// memory, and no result may depend on where the pieces end.
func inParallel(_ count: Int, threads: Int, _ body: @Sendable (Range<Int>) -> Void) {
  let pieces = max(1, min(threads, count))
  if pieces == 1 { return body(0..<count) }
  DispatchQueue.concurrentPerform(iterations: pieces) { piece in
    body(count * piece / pieces..<count * (piece + 1) / pieces)
  }
}

/// A value that several workers fill, each its own place.
final class SendableBox<Element>: @unchecked Sendable {
  private var storage: [Element]
  private let lock = NSLock()

  init(_ values: [Element]) {
    storage = values
  }

  var values: [Element] { lock.withLock { storage } }

  func set(_ value: Element, at index: Int) { lock.withLock { storage[index] = value } }
}

/// Work that is cut so that no two workers touch the same memory.
struct UncheckedSendable<Value>: @unchecked Sendable {
  let value: Value

  init(_ value: Value) {
    self.value = value
  }
}
