import CFileSystem
import Foundation

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Writes a file so that its name never stands for half of it: a temporary file beside it, fsync, rename.
public enum AtomicFile {
  /// - Parameters:
  ///   - replacing: whether a file in the way is replaced; otherwise it is an error.
  ///   - write: hands pieces of the content, in order, to its argument.
  ///   - beginning: what takes the place of the content's first bytes, where these are known last; else `nil`.
  /// - Throws: `cannotWrite`; the file at `url` is then what it was before.
  public static func write(
    to url: URL, replacing: Bool, _ write: ((Data) throws -> Void) throws -> Void,
    beginning: () throws -> Data? = { nil }
  ) throws {
    // Behind a symbolic link lies the file that is meant.
    let path = url.resolvingSymlinksInPath().path
    try checkDestination(path, replacing: replacing)
    let temporary = "\(path).\(getpid()).\(UInt32.random(in: 0 ... .max)).tmp"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw failure("cannot create a file here", path) }
    var isClosed = false
    do {
      var written = 0
      try write { piece in try writeAll(piece, to: descriptor, from: &written, path) }
      if let piece = try beginning() {
        guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw failure("cannot be written", path) }
        written = 0
        try writeAll(piece, to: descriptor, from: &written, path)
      }
      guard fsync(descriptor) == 0 || errno == EINVAL else { throw failure("cannot be written", path) }
      isClosed = true
      guard close(descriptor) == 0 else { throw failure("cannot be written", path) }
      try move(temporary, to: path, replacing: replacing)
    } catch {
      if !isClosed { close(descriptor) }
      unlink(temporary)
      throw error
    }
  }

  /// The check of `write`, for those who want to know before long work.
  public static func checkDestination(_ path: String, replacing: Bool) throws {
    var status = stat()
    guard stat(path, &status) == 0 else {
      guard access(URL(fileURLWithPath: path).deletingLastPathComponent().path, W_OK) == 0 else {
        throw failure("cannot create a file here", path)
      }
      return
    }
    if status.st_mode & S_IFMT == S_IFDIR {
      throw RNNError.cannotWrite("is a directory", at: path, remedy: "Name a file with -o.")
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw RNNError.cannotWrite("is no file but a device or a pipe", at: path, remedy: "Name a file with -o.")
    }
    if !replacing {
      throw RNNError.cannotWrite(
        "the file exists already", at: path, remedy: "Use --force to replace it, or -o to write elsewhere.")
    }
  }

  private static func move(_ temporary: String, to path: String, replacing: Bool) throws {
    if replacing {
      guard rename(temporary, path) == 0 else { throw failure("cannot be replaced", path) }
      return
    }
    // A hard link fails where a file appeared in the meantime; file systems without links fall back to rename.
    if link(temporary, path) == 0 {
      unlink(temporary)
    } else if errno == EEXIST {
      throw RNNError.cannotWrite("the file exists already", at: path, remedy: "Use --force to replace it.")
    } else {
      guard rename(temporary, path) == 0 else { throw failure("cannot be created", path) }
    }
  }

  /// What is copied before the disk begins with it.
  private static let stretch = 1 << 20

  /// - Parameter start: bytes that were written before; counted on.
  private static func writeAll(_ piece: Data, to descriptor: Int32, from start: inout Int, _ path: String) throws {
    try piece.withUnsafeBytes { raw in
      var offset = 0
      while offset < raw.count {
        let count = min(raw.count - offset, stretch)
        #if canImport(Darwin)
          let written = Darwin.write(descriptor, raw.baseAddress?.advanced(by: offset), count)
        #elseif canImport(Musl)
          let written = Musl.write(descriptor, raw.baseAddress?.advanced(by: offset), count)
        #else
          let written = Glibc.write(descriptor, raw.baseAddress?.advanced(by: offset), count)
        #endif
        if written < 0 {
          if errno == EINTR { continue }
          throw failure("cannot be written", path)
        }
        // What the disk does now, fsync need not wait for.
        if written == stretch { rnn_begin_writing(descriptor, Int64(start), Int64(written)) }
        offset += written
        start += written
      }
    }
  }

  private static func failure(_ what: String, _ path: String) -> RNNError {
    let code = errno
    let remedy =
      switch code {
      case ENOSPC, EDQUOT: "Free some space, or write elsewhere with -o."
      case EACCES, EPERM, EROFS: "Write to a folder that is yours with -o."
      case ENOENT, ENOTDIR: "Create the folder first, or write elsewhere with -o."
      default: nil as String?
      }
    return RNNError.cannotWrite("\(what): \(String(cString: strerror(code)))", at: path, remedy: remedy)
  }
}
