import Foundation
import RNNCore

/// One run of a program: its wall time and the peak of its memory.
struct Measurement {
  var seconds: Double
  var peakBytes: Int

  /// - Parameters:
  ///   - input: a file for standard input; nothing where `nil`.
  ///   - output: a file for standard output, written anew; nowhere where `nil`.
  /// - Throws: where the program does not end with 0.
  static func run(
    _ program: URL, _ arguments: [String], input: URL? = nil, output: URL? = nil
  ) throws -> Measurement {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, input?.path ?? "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(
      &actions, STDOUT_FILENO, output?.path ?? "/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
    var strings = ([program.path] + arguments).map { strdup($0) } + [nil]
    defer { for string in strings { free(string) } }
    var child = pid_t()
    let start = ContinuousClock.now
    guard posix_spawn(&child, program.path, &actions, nil, &strings, environ) == 0 else {
      throw RNNError.noInput("\(program.path) cannot be started")
    }
    var status: Int32 = 0
    var usage = rusage()
    wait4(child, &status, 0, &usage)
    let elapsed = ContinuousClock.now - start
    guard status == 0 else {
      throw RNNError.badData("\(program.lastPathComponent) \(arguments.joined(separator: " ")) failed")
    }
    let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
    #if os(Linux)
      let unit = 1024
    #else
      let unit = 1
    #endif
    return Measurement(seconds: seconds, peakBytes: Int(usage.ru_maxrss) * unit)
  }
}
