import Crypto
import Foundation
import RNNCore

/// The SHA-256 of a file, made on a thread of its own while the file is read for what it holds and, mostly, while the
/// result is written.
final class FileDigest: @unchecked Sendable {
  private let done = DispatchSemaphore(value: 0)
  private var result: Result<String, any Error> = .success("")

  init(of url: URL) {
    DispatchQueue.global().async { [self] in
      result = Result { try FileDigest.digest(of: url) }
      done.signal()
    }
  }

  /// Waits for it, once.
  func value() throws -> String {
    done.wait()
    return try result.get()
  }

  /// In pieces: the file may be large, and is in memory elsewhere.
  private static func digest(of url: URL) throws -> String {
    let file = try FileHandle(forReadingFrom: url)
    var hash = SHA256()
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
    defer { piece.deallocate() }
    while true {
      let count = read(file.fileDescriptor, piece.baseAddress, piece.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        throw RNNError(.noInput, "cannot be read: \(String(cString: strerror(errno)))", at: [url.path])
      }
      if count == 0 { break }
      hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: piece[..<count]))
    }
    return hash.finalize().map { byte in
      let text = String(byte, radix: 16)
      return byte < 16 ? "0" + text : text
    }.joined()
  }
}
