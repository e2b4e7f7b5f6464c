import ArgumentParser
import Foundation
import RNNConversion
import RNNCore

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write a .rnn model in a foreign format, with the same bits.")

  @Argument(help: "The .rnn file.")
  var model: String

  @Option(name: .customLong("to"), help: ArgumentHelp("The format to write.", valueName: "format"))
  var format: ExportFormat

  @Option(
    name: [.short, .customLong("output")], help: "The file to write; by default the model's name, in this folder.")
  var output: String?

  @Flag(help: "Replace an existing file.")
  var force = false

  func run() throws {
    let url = URL(fileURLWithPath: model)
    let target =
      output.map { URL(fileURLWithPath: $0) }
      ?? URL(fileURLWithPath: url.lastPathComponent).deletingPathExtension()
      .appendingPathExtension(format.fileExtension)
    try OutputFiles.check([("--output", target.path)], besides: [model])
    let losses = try ModelExport.write(
      try NativeModel(contentsOf: url), as: format, to: target, replacing: force)
    Console.note("\(target.relativePath): \(format.rawValue)")
    for entry in losses { Console.note("  \(entry.kind.rawValue): \(entry.subject): \(entry.note)") }
  }
}

extension ExportFormat: ExpressibleByArgument {}
