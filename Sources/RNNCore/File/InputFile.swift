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
  /// The bytes of a regular file, mapped where the system allows it.
  /// - Throws: `noInput` where there is no such file or it cannot be read, `usage` for a directory, `badData` for an
  ///   empty file.
  public static func contents(of url: URL) throws -> Data {
    try check(url)
    do {
      return try Data(contentsOf: url, options: .mappedIfSafe)
    } catch {
      throw RNNError(.noInput, "cannot be read: \(error.localizedDescription)", at: [url.path])
    }
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
