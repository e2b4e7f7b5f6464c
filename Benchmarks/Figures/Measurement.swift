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
    // A process's peak memory starts with that of the one which started it: of a small one, not of this.
    let report = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: report) }
    let own = CommandLine.arguments[0]
    var strings = ([own, "alone", report.path, program.path] + arguments).map { strdup($0) } + [nil]
    defer { for string in strings { free(string) } }
    var child = pid_t()
    guard posix_spawn(&child, own, &actions, nil, &strings, environ) == 0 else {
      throw RNNError.noInput("\(own) cannot be started")
    }
    var status: Int32 = 0
    waitpid(child, &status, 0)
    guard status == 0 else {
      throw RNNError.badData("\(program.lastPathComponent) \(arguments.joined(separator: " ")) failed")
    }
    let numbers = try String(contentsOf: report, encoding: .utf8).split(separator: " ")
    guard numbers.count == 2, let seconds = Double(numbers[0]), let bytes = Double(numbers[1].dropLast()) else {
      throw RNNError.badData("no time and memory in \(report.path)")
    }
    return Measurement(seconds: seconds, peakBytes: Int(bytes))
  }
}
