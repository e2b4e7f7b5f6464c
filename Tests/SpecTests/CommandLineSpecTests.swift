import Foundation
import RNNConversion
import RNNTestSupport
import Testing

@testable import RNNCore

/// `spec/cli.md` against the built program.
struct CommandLineSpecTests {
  let document: SpecDocument

  init() throws {
    document = try SpecDocument("cli.md")
  }

  private func output(_ arguments: [String]) throws -> String {
    let pipe = try ChildProcess.pipe()
    // Help wraps at the width of the terminal, or at this one.
    let process = try ChildProcess(
      Fixtures.product("rnnconv"), arguments, environment: ["COLUMNS": "80"],
      input: FileHandle(forReadingFrom: URL(fileURLWithPath: "/dev/null")),
      output: pipe.writing, errors: .standardError)
    try pipe.writing.close()
    let data = try pipe.reading.readToEnd() ?? Data()
    try #require(process.wait() == .exit(0))
    return String(decoding: data, as: UTF8.self)
  }

  /// A prompt with the command, then what it prints.
  private var helpBlocks: [String: String] {
    Dictionary(
      document.blocks("text").filter { $0.hasPrefix("$ ") }.map { block in
        let parts = block.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        return (String(parts[0].dropFirst(2)), String(parts.last ?? ""))
      }, uniquingKeysWith: { first, _ in first })
  }

  private func subcommands() throws -> [String] {
    let lines = try output(["--help"]).components(separatedBy: "\n")
    let start = try #require(lines.firstIndex(of: "SUBCOMMANDS:"))
    return lines[(start + 1)...].prefix { !$0.isEmpty }
      .filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
      .compactMap { $0.split(separator: " ").first.map(String.init) }
  }

  @Test func helpIsWhatTheProgramPrints() throws {
    let blocks = helpBlocks
    let names = try subcommands()
    #expect(names.count >= 4)
    #expect(Set(blocks.keys) == Set(["rnnconv --help"] + names.map { "rnnconv \($0) --help" }))
    for (command, documented) in blocks {
      let printed = try output(command.split(separator: " ").dropFirst().map(String.init))
      #expect(
        documented.trimmingCharacters(in: .newlines) == printed.trimmingCharacters(in: .newlines), "\(command)")
    }
  }

  @Test func exitCodesAreTheReasons() throws {
    let rows = try document.table("Exit codes").map { "\($0[0]) \($0[1].codes.first ?? "")" }
    #expect(rows == ["0 "] + RNNError.Reason.allCases.map { "\($0.rawValue) \($0)" })
  }

  @Test func environmentVariablesAreThoseOfTheSources() throws {
    let documented = Set(try document.table("Environment").map { $0[0].code })
    var found: Set<String> = []
    for file in try SourceTree.swiftFiles() where !file.path.contains("/rnnconv-hdf5/") {
      let text = try String(contentsOf: file, encoding: .utf8)
      for match in text.matches(of: #/"(RNNCONV_[A-Z_]+|NO_COLOR)"/#) { found.insert(String(match.1)) }
    }
    #expect(documented == found)
  }

  @Test func exportFormatsAreThoseOfTheCode() throws {
    let rows = try document.table("`export`").map { "\($0[0].code) \($0[1].code)" }
    #expect(rows == ExportFormat.allCases.map { "\($0.rawValue) .\($0.fileExtension)" })
  }

  @Test func inputEndingsAreThoseOfTheCode() throws {
    let section = try document.section("`run`")
    let start = try #require(section.firstIndex { $0.hasPrefix("Endings: ") })
    let documented = section[start...].prefix { !$0.isEmpty }.flatMap(\.codes)
    let source = try SourceFile.text("rnnconv/RunInput.swift")
    let list = try #require(
      source.components(separatedBy: "knownExtensions: Set<String> = [").last?.components(separatedBy: "]").first)
    #expect(documented == list.matches(of: #/"([a-z0-9]+)"/#).map { String($0.1) })
  }

  @Test func inspectionHasTheDocumentedKeys() throws {
    let folder = try TemporaryFolder()
    var model = NativeModel(
      spec: .sequential(
        name: "m",
        layers: [
          .init(name: "x", spec: .input(InputSpec(shape: [2]))), .init(name: "d", spec: LayerSamples.spec(.dense)),
        ]),
      parameters: [
        .init(layer: "d", name: "kernel", tensor: try Tensor([Float](repeating: 1, count: 6), shape: [2, 3])),
        .init(layer: "d", name: "bias", tensor: try Tensor([Float](repeating: 1, count: 3), shape: [3])),
      ], provenance: Provenance(source: "m.h5", container: "HDF5", framework: "Keras", dialect: "keras3"))
    model.ledger = [LedgerEntry(.assumed, "x", "y")]
    model.text = TextBundle(
      rules: TextRules(), words: try Tensor(dtype: .uint8, shape: [0], bytes: Data()),
      offsets: try Tensor([Int64(0)], shape: [1]))
    try model.write(to: folder.file("m.rnn"), replacing: false)
    let json = try Inspection(contentsOf: folder.file("m.rnn")).json
    let rows = try document.table("`inspect`")
    #expect(rows.map { $0[0].code } == json.object?.keys)
    for row in rows {
      let key = row[0].code
      guard let value = json[key], let member = value.array?.first?.object ?? value.object else { continue }
      #expect(row[1].codes == member.keys, "\(key)")
    }
  }
}
