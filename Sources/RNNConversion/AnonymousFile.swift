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

/// Bytes behind a file descriptor that no folder knows: what a child process gets as its standard input, or writes to.
enum AnonymousFile {
  /// A file without bytes; it goes when the handle does.
  static func make() throws -> FileHandle { FileHandle(fileDescriptor: try open(), closeOnDealloc: true) }

  /// The bytes of a file that nobody writes to any more, as they lie.
  static func contents(of handle: FileHandle) throws -> Data {
    var status = stat()
    guard fstat(handle.fileDescriptor, &status) == 0 else {
      throw RNNError.badData("what was written to a temporary file cannot be read")
    }
    let size = Int(status.st_size)
    guard size > 0 else { return Data() }
    guard let mapping = mmap(nil, size, PROT_READ, MAP_PRIVATE, handle.fileDescriptor, 0), mapping != MAP_FAILED else {
      throw RNNError.badData("no memory for \(size) bytes")
    }
    return Data(bytesNoCopy: mapping, count: size, deallocator: .unmap)
  }

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
