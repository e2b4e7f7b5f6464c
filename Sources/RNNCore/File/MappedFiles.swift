import Foundation

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The files that lie in this process's memory as they lie on the disk, so that what was read of them can be let go again.
package final class MappedFiles: @unchecked Sendable {
  package static let shared = MappedFiles()

  private let lock = NSLock()
  /// Where each mapping starts, and its bytes.
  private var sizes: [UInt: Int] = [:]

  /// The bytes of a file, or `nil` where it cannot be mapped; the mapping ends with the last reference to them.
  func map(_ descriptor: CInt, count: Int) -> Data? {
    guard let mapping = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), mapping != MAP_FAILED else {
      return nil
    }
    lock.withLock { sizes[UInt(bitPattern: mapping)] = count }
    return Data(
      bytesNoCopy: mapping, count: count,
      deallocator: .custom { [self] mapping, count in
        // Before another mapping may get the same place.
        lock.withLock { sizes[UInt(bitPattern: mapping)] = nil }
        munmap(mapping, count)
      })
  }

  /// Gives the whole pages of a part back to the system, which reads them again when they are looked at again. Memory that
  /// is no file's stays as it is.
  /// - Parameter part: of memory that the caller keeps alive.
  package func release(_ part: UnsafeRawBufferPointer) {
    guard let base = part.baseAddress else { return }
    let (first, end) = (UInt(bitPattern: base), UInt(bitPattern: base) + UInt(part.count))
    let isMapped = lock.withLock { sizes.contains { start, count in start <= first && end <= start + UInt(count) } }
    let page = UInt(sysconf(CInt(_SC_PAGESIZE)))
    let (low, high) = ((first + page - 1) / page * page, end / page * page)
    guard isMapped, low < high, let pages = UnsafeMutableRawPointer(bitPattern: low) else { return }
    madvise(pages, Int(high - low), MADV_DONTNEED)
  }
}
