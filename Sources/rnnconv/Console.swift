import Foundation
import RNNCore

/// Results go to standard output, everything else to standard error.
enum Console {
  static var isOutputTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

  /// Whether colour may be used on standard output.
  static var hasColour: Bool {
    isOutputTerminal && ProcessInfo.processInfo.environment["NO_COLOR", default: ""].isEmpty
  }

  /// Writes a result at once: a reader on the other side of a pipe must not wait for it.
  static func write(_ text: String) throws {
    do {
      try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
    } catch {
      throw RNNError.cannotWrite("standard output cannot be written: \(error.localizedDescription)")
    }
  }

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
