import Foundation

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Reads a file that a user named.
public enum InputFile {
  /// The bytes of a regular file, mapped: only what is looked at takes memory.
  ///
  /// A file that somebody shortens in the meantime ends the process, as with every mapping.
  /// - Throws: `noInput` where there is no such file or it cannot be read, `usage` for a directory, `badData` for an
  ///   empty file.
  public static func contents(of url: URL) throws -> Data { try opened(url).contents }

  /// The same, with a handle at the file's start: of this very file, whatever the name stands for in the meantime.
  public static func opened(_ url: URL) throws -> (contents: Data, handle: FileHandle) {
    try check(url)
    let descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw unreadable(url) }
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_size > 0 else { throw unreadable(url) }
    let size = Int(status.st_size)
    guard let contents = MappedFiles.shared.map(descriptor, count: size) else { throw unreadable(url) }
    return (contents, handle)
  }

  private static func unreadable(_ url: URL) -> RNNError {
    RNNError(.noInput, "cannot be read: \(String(cString: strerror(errno)))", at: [url.path])
  }

  /// Checks that `url` names a readable, non-empty file, and returns its size in bytes.
  @discardableResult
  public static func check(_ url: URL) throws -> Int {
    let path = url.path
    var status = stat()
    guard stat(path, &status) == 0 else {
      let reason = String(cString: strerror(errno))
      throw RNNError(.noInput, "cannot be read: \(reason)", at: [path], remedy: "Check the name of the file.")
    }
    guard status.st_mode & S_IFMT != S_IFDIR else {
      throw RNNError(.usage, "is a directory, not a file", at: [path], remedy: "Name a file inside it.")
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw RNNError(.usage, "is no regular file", at: [path], remedy: "Copy the content into a file first.")
    }
    guard access(path, R_OK) == 0 else {
      throw RNNError(.noInput, "cannot be read: \(String(cString: strerror(errno)))", at: [path])
    }
    guard status.st_size > 0 else {
      throw RNNError(.badData, "the file is empty", at: [path], remedy: "Fetch or save it again.")
    }
    return Int(status.st_size)
  }
}
