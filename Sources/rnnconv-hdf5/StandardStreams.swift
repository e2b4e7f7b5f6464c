import Foundation
import RNNCore

/// Standard input in memory: mapped where it is a file, read where it is a pipe.
final class StandardInput {
  let base: UnsafeMutableRawPointer
  let bytes: UnsafeMutableRawBufferPointer
  private var isMapped = false

  init() throws {
    var status = stat()
    guard fstat(STDIN_FILENO, &status) == 0 else { throw RNNError.badData("standard input cannot be read") }
    if status.st_mode & S_IFMT == S_IFREG, status.st_size > 0 {
      let size = Int(status.st_size)
      let mapping = mmap(nil, size, PROT_READ, MAP_PRIVATE, STDIN_FILENO, 0)
      guard let mapping, mapping != MAP_FAILED else { throw RNNError.badData("standard input cannot be mapped") }
      isMapped = true
      base = mapping
      bytes = UnsafeMutableRawBufferPointer(start: mapping, count: size)
    } else {
      bytes = try StandardInput.readAll()
      guard let start = bytes.baseAddress else { throw RNNError.badData("standard input is empty") }
      base = start
    }
  }

  /// Gives back the memory of what was read so far; the file still has it.
  func forget() {
    if isMapped { madvise(base, bytes.count, MADV_DONTNEED) }
  }

  private static func readAll() throws -> UnsafeMutableRawBufferPointer {
    var capacity = 1 << 20
    guard var buffer = malloc(capacity) else { throw RNNError.badData("no memory for the input") }
    var count = 0
    while true {
      if count == capacity {
        capacity *= 2
        guard let larger = realloc(buffer, capacity) else { throw RNNError.badData("no memory for the input") }
        buffer = larger
      }
      let size = read(STDIN_FILENO, buffer + count, capacity - count)
      if size < 0, errno == EINTR { continue }
      guard size >= 0 else { throw RNNError.badData("standard input cannot be read") }
      if size == 0 { break }
      count += size
    }
    return UnsafeMutableRawBufferPointer(start: count > 0 ? buffer : nil, count: count)
  }
}

enum StandardOutput {
  static func write(_ data: Data) throws {
    try data.withUnsafeBytes { raw in
      var offset = 0
      while offset < raw.count {
        let written = Foundation.write(STDOUT_FILENO, raw.baseAddress?.advanced(by: offset), raw.count - offset)
        if written < 0 {
          if errno == EINTR { continue }
          throw RNNError.cannotWrite(
            "what the file holds cannot be written to memory: \(String(cString: strerror(errno)))",
            remedy: "Free some memory, or lift the limit on the size of files (ulimit -f).")
        }
        offset += written
      }
    }
  }
}

/// How an error reaches the process that started the helper.
enum HelperError {
  static func report(_ error: RNNError) -> Never {
    let value: JSONValue = [
      "what": .string(error.what),
      "place": .array(error.place.map(JSONValue.string)),
      "remedy": error.remedy.map(JSONValue.string) ?? .null,
    ]
    FileHandle.standardError.write(Data(value.text().utf8))
    // Not `exit`: the library's own clean-up can crash after it met a damaged file.
    _exit(error.reason.rawValue)
  }
}
