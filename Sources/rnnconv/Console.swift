import Foundation
import RNNCore

/// Results go to standard output, everything else to standard error.
enum Console {
  static var isOutputTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

  /// Whether colour may be used on standard output.
  static var hasColour: Bool {
    isOutputTerminal && ProcessInfo.processInfo.environment["NO_COLOR", default: ""].isEmpty
  }

  /// A program may be started without its three streams; the next file that it opens would then stand in their place.
  /// Writing to a standard output that was closed stays an error.
  static func openMissingStreams() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) == -1 {
      _ = open("/dev/null", descriptor == STDOUT_FILENO ? O_RDONLY : O_RDWR)
    }
  }

  /// Writes a result at once: a reader on the other side of a pipe must not wait for it.
  static func write(_ text: String) throws {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let written = bytes.withUnsafeBytes { Foundation.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else {
        throw RNNError.cannotWrite("standard output cannot be written: \(String(cString: strerror(errno)))")
      }
      bytes = bytes.dropFirst(written)
    }
  }

  /// A number in its shortest form; NaN without the sign that some have.
  static func number(_ value: Float) -> String { value.isNaN ? "nan" : "\(value)" }

  static func note(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8))
  }

  static func report(_ error: RNNError) {
    note("rnnconv: \(error.description)")
  }

  static func count(_ number: Int, _ noun: String) -> String {
    "\(number) \(noun)\(number == 1 ? "" : "s")"
  }
}
