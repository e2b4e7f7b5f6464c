import Foundation
import RNNConversion
import RNNCore
import RNNTestSupport
import Testing

/// The built program, run as a user would.
enum CLI {
  struct Result {
    var status: Int32
    var isSignal: Bool
    var output: String
    var errors: String
  }

  /// `RNNCONV_BINARIES` names the folder of other builds, as `make mutants` does.
  static func program(_ name: String) -> URL {
    if let folder = ProcessInfo.processInfo.environment["RNNCONV_BINARIES"] {
      return URL(fileURLWithPath: folder).appendingPathComponent(name)
    }
    return Fixtures.product(name)
  }

  /// - Parameters:
  ///   - folder: the working folder.
  ///   - input: what stands on standard input; nothing where `nil`.
  ///   - deadline: seconds after which the program is killed, which shows as a signal.
  ///   - stop: a signal, and when to send it.
  static func run(
    _ arguments: [String], in folder: URL, input: String? = nil, environment: [String: String] = [:],
    program: URL? = nil, deadline: Double = 30, stop: (signal: Int32, when: () -> Bool)? = nil
  ) throws -> Result {
    let process = Process()
    process.executableURL = program ?? CLI.program("rnnconv")
    process.arguments = arguments
    process.currentDirectoryURL = folder
    var variables = ProcessInfo.processInfo.environment
    variables["RNNCONV_MODEL"] = nil
    variables["SWIFT_BACKTRACE"] = "enable=no"
    process.environment = variables.merging(environment) { $1 }
    // Files instead of pipes: nothing that the program writes can make it wait for the test.
    let streams = try TemporaryFolder()
    for name in ["in", "out", "err"] {
      try Data((name == "in" ? input ?? "" : "").utf8).write(to: streams.file(name))
    }
    process.standardInput = try FileHandle(forReadingFrom: streams.file("in"))
    process.standardOutput = try FileHandle(forWritingTo: streams.file("out"))
    process.standardError = try FileHandle(forWritingTo: streams.file("err"))
    let ended = DispatchSemaphore(value: 0)
    process.terminationHandler = { _ in ended.signal() }
    try HDF5Helper.starting.withLock { try process.run() }
    let end = DispatchTime.now() + deadline
    var hasEnded = false
    while let stop, !hasEnded, .now() < end {
      hasEnded = ended.wait(timeout: .now() + 0.02) == .success
      guard !hasEnded, stop.when() else { continue }
      kill(process.processIdentifier, stop.signal)
      break
    }
    if !hasEnded, ended.wait(timeout: end) == .timedOut {
      kill(process.processIdentifier, SIGKILL)
      ended.wait()
    }
    return Result(
      status: process.terminationStatus, isSignal: process.terminationReason == .uncaughtSignal,
      output: String(decoding: try Data(contentsOf: streams.file("out")), as: UTF8.self),
      errors: String(decoding: try Data(contentsOf: streams.file("err")), as: UTF8.self))
  }

  static let sentimentModel = Fixtures.folder.appendingPathComponent("sentiment/model.h5").path
  static let sentimentWords = Fixtures.folder.appendingPathComponent("sentiment/word_index.json").path

  /// The useful model with its vocabulary, as `model.rnn` in `folder`.
  static func importSentiment(into folder: TemporaryFolder, name: String = "model.rnn") throws {
    let result = try run(
      ["import", sentimentModel, "--vocabulary", sentimentWords, "-o", name], in: folder.url)
    try #require(result.status == 0, "\(result.errors)")
  }

  /// A small fixture's model.
  static func fixture(_ path: String) -> String { Fixtures.folder.appendingPathComponent(path).path }
}
