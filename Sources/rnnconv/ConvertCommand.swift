import ArgumentParser
import Foundation
import RNNConversion
import RNNCore

struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert", abstract: "Read a model of one framework and write it for another, in one go.")

  @Argument(help: "The model to read.")
  var source: String

  @Argument(
    help:
      "The file to write; its ending says the format: .h5, .keras, .weights.h5, .pt, .onnx, .safetensors, .npz or .rnn."
  )
  var target: String

  @Option(
    name: .customLong("to"),
    help: ArgumentHelp("The format to write; by default what the target's name says.", valueName: "format"))
  var format: ExportFormat?

  @Option(help: "Whose names and layouts an .npz or .safetensors file gets; by default Keras's, layer/weight.")
  var toDialect: ExportOptions.WeightNames?

  @OptionGroup var reading: ImportOptionGroup
  @OptionGroup var writing: ExportOptions

  @Flag(help: "Replace an existing file.")
  var force = false

  func run() throws {
    let from = URL(fileURLWithPath: source)
    let to = URL(fileURLWithPath: target)
    try InputFile.check(from)
    try OutputFiles.check([("the target", to.path)], besides: [source, reading.config, reading.vocabulary])
    if let format = format ?? ExportFormat(fileName: target) {
      return try writing.write(try read(from), as: format, to: to, force: force, dialect: toDialect)
    }
    guard to.pathExtension.lowercased() == "rnn" else {
      throw RNNError.usage("the name '\(target)' does not say which format to write", remedy: "Say it with --to.")
    }
    guard toDialect == nil else {
      throw RNNError.usage("--to-dialect is for .npz and .safetensors files, and '\(target)' is a .rnn")
    }
    if writing.dryRun {
      let lines = ["rnn"] + LedgerText.lines(try read(from).ledger)
      return try Console.write(lines.map { $0 + "\n" }.joined())
    }
    try AtomicFile.checkDestination(to.path, replacing: force)
    try read(from).write(to: to, replacing: force)
  }

  /// A `.rnn` as it is, anything else imported.
  private func read(_ url: URL) throws -> NativeModel {
    if case .native(let model) = try Source(contentsOf: url).content { return model }
    let model = try ModelImport.model(from: url, options: try reading.options())
    for line in LedgerText.lines(model.ledger) { Console.note(line) }
    try writing.refuse(model.ledger, of: "reading \(source)")
    return model
  }
}
