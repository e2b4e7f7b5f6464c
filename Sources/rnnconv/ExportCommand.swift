import ArgumentParser
import Foundation
import RNNConversion
import RNNCore
import RNNDialects

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write a .rnn model in a foreign format.")

  @Argument(help: "The .rnn file.")
  var model: String

  @Option(name: .customLong("to"), help: ArgumentHelp("The format to write.", valueName: "format"))
  var format: ExportFormat

  @Option(
    name: [.short, .customLong("output")], help: "The file to write; by default the model's name, in this folder.")
  var output: String?

  @Option(help: "Whose names and layouts an .npz or .safetensors file gets; by default Keras's, layer/weight.")
  var dialect: ExportOptions.WeightNames?

  @OptionGroup var writing: ExportOptions

  @Flag(help: "Replace an existing file.")
  var force = false

  func run() throws {
    let url = URL(fileURLWithPath: model)
    let file =
      output.map { URL(fileURLWithPath: $0) }
      ?? URL(fileURLWithPath: url.lastPathComponent).deletingPathExtension()
      .appendingPathExtension(format.fileExtension)
    try OutputFiles.check([("--output", file.path)], besides: [model])
    try writing.write(try NativeModel(contentsOf: url), as: format, to: file, force: force, dialect: dialect)
  }
}

/// What is the same for `export` and `convert`.
struct ExportOptions: ParsableArguments {
  @Flag(help: "Write nothing where anything of the model would be lost.")
  var strict = false

  @Flag(help: "Print what would be kept exactly, emulated and lost; write nothing.")
  var dryRun = false

  /// A framework by its dialect's name.
  struct WeightNames: ExpressibleByArgument {
    var name: String

    init?(argument: String) {
      guard WeightNames.allValueStrings.contains(argument) else { return nil }
      name = argument
    }

    static var allValueStrings: [String] { WeightDialect.all.map(\.name) }
    var defaultValueDescription: String { name }
  }

  func write(
    _ model: NativeModel, as format: ExportFormat, to url: URL, force: Bool, dialect: WeightNames?
  ) throws {
    if !dryRun { try AtomicFile.checkDestination(url.path, replacing: force) }
    var options = ModelExport.Options()
    options.dialect = dialect?.name
    let export = try ModelExport(model, as: format, options: options)
    if dryRun {
      try Console.write(([format.rawValue] + LedgerText.lines(export)).map { $0 + "\n" }.joined())
      return try refuse(export.ledger, of: format.rawValue)
    }
    try refuse(export.ledger, of: format.rawValue)
    try export.write(to: url, replacing: force)
    Console.note("\(url.relativePath): \(format.rawValue)")
    for line in LedgerText.lines(export) { Console.note(line) }
  }

  /// - Throws: with `--strict`, `unsupported` naming all that a step loses.
  func refuse(_ ledger: [LedgerEntry], of step: String) throws {
    let lost = ledger.filter { $0.kind.verdict == .lost }.map { "\($0.subject): \($0.note)" }
    guard strict, !lost.isEmpty else { return }
    throw RNNError.unsupported(
      "\(step) would lose " + lost.joined(separator: "; "),
      remedy: "Nothing was written. Leave --strict out to write what can be held.")
  }
}

extension ExportFormat: ExpressibleByArgument {}
