import CSystem
import Foundation
import RNNCore

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Bytes behind a file descriptor that no folder knows: what a child process gets as its standard input.
enum AnonymousFile {
  /// - Returns: a handle at the start of the bytes; the file goes when the handle does.
  static func make(_ pieces: [Data]) throws -> FileHandle {
    let descriptor = try open()
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    do {
      for piece in pieces { try handle.write(contentsOf: piece) }
      try handle.seek(toOffset: 0)
    } catch {
      throw RNNError.cannotWrite("no room for a temporary file: \(error.localizedDescription)")
    }
    return handle
  }

  private static func open() throws -> Int32 {
    let memory = rnn_memory_file("rnnconv")
    if memory >= 0 { return memory }
    var template = Array("\(NSTemporaryDirectory())/rnnconv.XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw RNNError.cannotWrite("no temporary file can be made") }
    unlink(template)
    return descriptor
  }
}
