import ArgumentParser
import Foundation
import RNNConversion
import RNNCore

struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Show what a model file holds, and how it would be read.")

  @Argument(help: "Any supported file, .rnn included.")
  var file: String

  @Flag(help: "Print it as JSON.")
  var json = false

  func run() throws {
    let inspection = try Inspection(contentsOf: URL(fileURLWithPath: file))
    try Console.write((json ? inspection.json.text(indent: 2) : InspectionText.text(of: inspection)) + "\n")
  }
}
