import Foundation
import RNNCore
import RNNTestSupport
import Testing

/// Damaged copies of good files: bytes changed, or the end cut off.
struct MutantTests {
  /// How many of each kind; `make mutants` asks for 500.
  private static let count = ProcessInfo.processInfo.environment["RNNCONV_MUTANTS"].flatMap { Int($0) } ?? 20

  private static let allowed: Set<Int32> = [0, 65, 69]

  private func mutant(of original: Data, _ generator: inout SeededGenerator) -> Data {
    var bytes = [UInt8](original)
    switch Int.random(in: 0..<4, using: &generator) {
    case 0: return Data(bytes.prefix(Int.random(in: 1..<bytes.count, using: &generator)))
    case 1:
      // Headers stand at the front: damage there is the rarest by chance and the worst.
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        bytes[Int.random(in: 0..<min(bytes.count, 4096), using: &generator)] = .random(in: 0...255, using: &generator)
      }
    case 2:
      let start = Int.random(in: 0..<bytes.count, using: &generator)
      for index in start..<min(start + 8, bytes.count) { bytes[index] = 0xFF }
    default:
      for _ in 0..<Int.random(in: 1...16, using: &generator) {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
      }
    }
    return Data(bytes)
  }

  private func check(_ file: URL, in folder: TemporaryFolder, _ arguments: [String], _ name: String) throws {
    let result = try CLI.run(arguments, in: folder.url, deadline: 5)
    #expect(!result.isSignal, "\(name)")
    #expect(Self.allowed.contains(result.status), "\(name): \(result.status) \(result.errors)")
    let leftovers = folder.names.filter { $0.hasSuffix(".tmp") }
    #expect(leftovers.isEmpty)
  }

  /// Each kind of file with the command that reads it.
  private static let kinds = ["h5", "keras", "npz", "rnn"]

  @Test(arguments: kinds)
  func noMutantTrapsOrHangs(_ kind: String) throws {
    let folder = try TemporaryFolder()
    let original: Data
    switch kind {
    case "h5": original = try Data(contentsOf: URL(fileURLWithPath: CLI.fixture("keras-3.15/published--h5/model.h5")))
    case "keras":
      original = try Data(contentsOf: URL(fileURLWithPath: CLI.fixture("keras-3.15/published--keras/model.keras")))
    default:
      let source = CLI.fixture("keras-3.15/published--h5/model.h5")
      #expect(try CLI.run(["import", source, "-o", "config.rnn"], in: folder.url).status == 0)
      #expect(try CLI.run(["export", "config.rnn", "--to", "npz", "-o", "whole.npz"], in: folder.url).status == 0)
      original = try Data(contentsOf: folder.file(kind == "npz" ? "whole.npz" : "config.rnn"))
    }
    var generator = SeededGenerator(seed: 2026)
    let file = folder.file("mutant.\(kind)")
    for number in 0..<Self.count {
      try mutant(of: original, &generator).write(to: file)
      let arguments =
        switch kind {
        case "npz": ["import", file.path, "--config", "config.rnn", "-o", "out.rnn", "--force"]
        case "rnn":
          number % 2 == 0
            ? ["inspect", file.path]
            : ["run", "--model", file.path, "--input", CLI.fixture("keras-3.15/published--h5/inputs.npz")]
        default: ["import", file.path, "-o", "out.rnn", "--force"]
        }
      try check(file, in: folder, arguments, "\(kind) \(number)")
    }
  }

  /// Published and home-made files that kill or hang a plain reader of libhdf5 1.10.8.
  @Test(arguments: ["hostile-hdf5", "container-samples/hdf5-crashers"])
  func noHostileFileTrapsOrHangs(_ path: String) throws {
    guard let source = Fixtures.shared(path) else { return }
    let folder = try TemporaryFolder()
    let names = try FileManager.default.contentsOfDirectory(atPath: source.path).sorted()
    #expect(names.count > 5)
    for name in names {
      let file = source.appendingPathComponent(name)
      try check(file, in: folder, ["import", file.path, "-o", "out.rnn", "--force"], name)
      try check(file, in: folder, ["inspect", file.path], name)
    }
  }
}
