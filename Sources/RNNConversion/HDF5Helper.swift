import Foundation
import RNNCore

/// The program that reads and writes HDF5 in a process of its own, because libhdf5 is not safe on damaged files.
public struct HDF5Helper: Sendable {
  public static let name = "rnnconv-hdf5"

  /// The helper's executable.
  public var url: URL

  /// - Parameter url: the helper, or `nil` for the one beside the running executable.
  /// - Throws: `unsupported` where there is none.
  public init(at url: URL? = nil) throws {
    let candidate =
      url
      ?? (Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0]))
      .resolvingSymlinksInPath().deletingLastPathComponent().appendingPathComponent(HDF5Helper.name)
    guard FileManager.default.isExecutableFile(atPath: candidate.path) else {
      throw RNNError.unsupported(
        "HDF5 files need the program \(HDF5Helper.name), which is not at \(candidate.path)",
        remedy: "Install both programs into one folder (make install), or build both (swift build).")
    }
    self.url = candidate
  }

  /// Reads an HDF5 file.
  /// - Parameters:
  ///   - input: the file, at its start.
  ///   - contents: its bytes, of which the checkpoint's tensors may be parts.
  /// - Throws: what the helper says; `badData` where it dies.
  func read(_ input: FileHandle, _ contents: Data) throws -> Checkpoint {
    let image = try run("read", input, seconds: HDF5Helper.patience(contents.count))
    guard image.count <= CheckpointImage.largestSize(fileSize: contents.count) else { throw CheckpointImage.tooLarge }
    return try CheckpointImage.checkpoint(from: try Safetensors(parsing: image), input: contents)
  }

  /// A checkpoint as an HDF5 file.
  func image(of checkpoint: Checkpoint) throws -> Data {
    var pieces: [Data] = []
    try CheckpointImage.safetensors(of: checkpoint).write { pieces.append($0) }
    let size = pieces.reduce(0) { $0 + $1.count }
    return try run("write", try AnonymousFile.make(pieces), seconds: HDF5Helper.patience(size))
  }

  /// The helper limits its own CPU time to half of this; on a busy machine that can take long.
  private static func patience(_ size: Int) -> Int { 4 + 2 * (size / 100_000_000) }

  /// - Returns: what the helper wrote, in a file of its own: nobody copies it.
  private func run(_ command: String, _ input: FileHandle, seconds: Int) throws -> Data {
    let output = try AnonymousFile.make()
    let errors = try ChildProcess.pipe()
    // Nothing of the caller's environment reaches the library; a crash prints no backtrace.
    let process = try ChildProcess(
      url, [command],
      environment: ["SWIFT_BACKTRACE": "enable=no", "HDF5_PLUGIN_PATH": "/nonexistent", "LC_ALL": "C.UTF-8"],
      input: input, output: output, errors: errors.writing)
    try? errors.writing.close()
    let watchdog = DispatchWorkItem { process.send(SIGKILL) }
    DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(seconds), execute: watchdog)
    defer { watchdog.cancel() }
    let message = (try? errors.reading.read(upToCount: 1 << 20)) ?? Data()
    if let failure = failure(process.wait(), message) { throw failure }
    return try AnonymousFile.contents(of: output)
  }

  private func failure(_ ending: ChildProcess.Ending, _ message: Data) -> RNNError? {
    switch ending {
    case .exit(0): return nil
    case .unknown:
      return RNNError.unsupported(
        "whether \(HDF5Helper.name) did its work cannot be known, because this program ignores SIGCHLD",
        remedy: "Let the signal have its default handling.")
    case .signal(let number):
      return RNNError.badData(
        "the HDF5 library gave up on this file (signal \(number)): it is damaged", remedy: "Fetch or save it again.")
    case .exit(let status):
      guard let reason = RNNError.Reason(rawValue: status),
        let json = try? JSONValue(parsing: message), let what = json["what"]?.string
      else {
        return RNNError.badData(
          "the HDF5 library gave up on this file: it is damaged", remedy: "Fetch or save it again.")
      }
      return RNNError(
        reason, what, at: json["place"]?.array?.compactMap(\.string) ?? [], remedy: json["remedy"]?.string)
    }
  }
}
