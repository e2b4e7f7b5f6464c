import Foundation

/// Ctrl-C, or a request to end: the step is finished, the model saved. Asked twice, the program ends at once.
enum Interruption {
  private nonisolated(unsafe) static var flag: sig_atomic_t = 0

  static var wasAsked: Bool { flag != 0 }

  static func listen() {
    for number in [SIGINT, SIGTERM] {
      signal(number) { number in
        if Interruption.flag != 0 {
          signal(number, SIG_DFL)
          raise(number)
        }
        Interruption.flag = 1
      }
    }
    // Whoever started the program may have blocked them, as worker threads do.
    var both = sigset_t()
    sigemptyset(&both)
    sigaddset(&both, SIGINT)
    sigaddset(&both, SIGTERM)
    pthread_sigmask(SIG_UNBLOCK, &both, nil)
  }

  /// What to type to go on: the same command, and `--resume`.
  static var command: String {
    let plain = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-_./=,:+@%"))
    let arguments = CommandLine.arguments.dropFirst().filter { $0 != "--resume" }
    let words = (["rnnconv"] + arguments + ["--resume"]).map { word in
      word.unicodeScalars.allSatisfy(plain.contains) && !word.isEmpty
        ? word : "'" + word.replacingOccurrences(of: "'", with: "'\\''") + "'"
    }
    return words.joined(separator: " ")
  }
}
