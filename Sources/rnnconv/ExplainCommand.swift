import ArgumentParser
import Foundation
import RNNConversion
import RNNCore
import RNNDialects

struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Draw where each gate of each tensor of a file goes, or print equations and layouts.")

  @Argument(help: "A model file to draw; read as import reads it.")
  var file: String?

  @Flag(help: "Print the drawing as JSON.")
  var json = false

  @Flag(help: "The LSTMs and GRUs from 1997 on, with year and source.")
  var history = false

  @Flag(help: "How each framework stores the weights of each layer.")
  var layouts = false

  @OptionGroup var reading: ImportOptionGroup

  func validate() throws {
    guard [file != nil, history, layouts].filter(\.self).count == 1 else {
      throw ValidationError("say what to explain: a file, --history or --layouts")
    }
    if json, file == nil { throw ValidationError("--json belongs to a file") }
  }

  func run() throws {
    if history { return try Console.write(RecurrentHistory.text()) }
    guard let file else { return try Console.write(LayoutTables.text()) }
    let url = URL(fileURLWithPath: file)
    try InputFile.check(url)
    if case .native = try Source(contentsOf: url).content {
      throw RNNError.usage(
        "\(file) is a .rnn, whose weights stand in the native layout already",
        remedy: "Explain the file that it came from, or see rnnconv explain --layouts.")
    }
    let placements = try ModelImport.model(from: url, options: try reading.options()).placements
    try Console.write(
      json ? PlacementText.json(placements).text(indent: 2) + "\n" : PlacementText.text(placements))
  }
}
