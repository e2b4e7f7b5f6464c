import ArgumentParser
import RNNCore

struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Print the equations of recurrent layers, side by side.")

  @Flag(help: "The LSTMs and GRUs from 1997 on, with year and source.")
  var history = false

  func validate() throws {
    guard history else { throw ValidationError("say what to explain: --history") }
  }

  func run() throws {
    try Console.write(RecurrentHistory.text())
  }
}
