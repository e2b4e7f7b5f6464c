import Foundation

/// A value that several workers fill, each its own place.
package final class SendableBox<Element>: @unchecked Sendable {
  private var storage: [Element]
  private let lock = NSLock()

  package init(_ values: [Element]) {
    storage = values
  }

  package var values: [Element] { lock.withLock { storage } }

  package func set(_ value: Element, at index: Int) { lock.withLock { storage[index] = value } }
}
