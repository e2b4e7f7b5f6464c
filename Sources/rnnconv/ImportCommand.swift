import ArgumentParser
import Foundation
import RNNConversion
import RNNCore
import RNNDialects

struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Read a model of any of the frameworks into a .rnn file.")

  @Argument(help: "The model: .h5, .keras, .weights.h5, .pt, .onnx, .npz or .safetensors, recognised by its content.")
  var source: String

  @Option(
    name: [.short, .customLong("output")],
    help: "The file to write; by default the source's name with .rnn, in this folder.")
  var output: String?

  @OptionGroup var reading: ImportOptionGroup

  @Flag(help: "Replace an existing file.")
  var force = false

  func run() throws {
    let url = URL(fileURLWithPath: source)
    let target =
      output.map { URL(fileURLWithPath: $0) }
      ?? URL(fileURLWithPath: url.lastPathComponent).deletingPathExtension().appendingPathExtension("rnn")
    try InputFile.check(url)
    try OutputFiles.check([("--output", target.path)], besides: [source, reading.config, reading.vocabulary])
    try AtomicFile.checkDestination(target.path, replacing: force)
    let model = try ModelImport.write(url, to: target, replacing: force, options: try reading.options())
    let layers = model.spec.layers.filter { $0.spec.kind != .input }.count
    let weights = model.parameters.reduce(0) { $0 + $1.tensor.count }
    let version = model.provenance.frameworkVersion ?? "without a version"
    Console.note(
      "\(target.relativePath): \(model.provenance.framework) \(version), \(Console.count(layers, "layer")), "
        + Console.count(weights, "parameter"))
    for line in LedgerText.lines(model.ledger) { Console.note(line) }
  }
}

extension KerasGeneration: ExpressibleByArgument {}

extension TextRules.Side: ExpressibleByArgument {}
