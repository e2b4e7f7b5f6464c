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
    var variables = ProcessInfo.processInfo.environment
    variables["RNNCONV_MODEL"] = nil
    variables["SWIFT_BACKTRACE"] = "enable=no"
    // Files instead of pipes: nothing that the program writes can make it wait for the test.
    let streams = try TemporaryFolder()
    for name in ["in", "out", "err"] {
      try Data((name == "in" ? input ?? "" : "").utf8).write(to: streams.file(name))
    }
    let process = try ChildProcess(
      program ?? CLI.program("rnnconv"), arguments, environment: variables.merging(environment) { $1 }, in: folder,
      input: FileHandle(forReadingFrom: streams.file("in")), output: FileHandle(forWritingTo: streams.file("out")),
      errors: FileHandle(forWritingTo: streams.file("err")))
    let killing = DispatchWorkItem { process.send(SIGKILL) }
    DispatchQueue.global().asyncAfter(deadline: .now() + deadline, execute: killing)
    defer { killing.cancel() }
    if let stop {
      while process.poll() == nil {
        guard stop.when() else {
          usleep(20_000)
          continue
        }
        process.send(stop.signal)
        break
      }
    }
    let ending = process.wait()
    let output = String(decoding: try Data(contentsOf: streams.file("out")), as: UTF8.self)
    let errors = String(decoding: try Data(contentsOf: streams.file("err")), as: UTF8.self)
    switch ending {
    case .exit(let status): return Result(status: status, isSignal: false, output: output, errors: errors)
    case .unknown: throw RNNError(.internalError, "nobody knows how the program ended")
    case .signal(let number): return Result(status: number, isSignal: true, output: output, errors: errors)
    }
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
