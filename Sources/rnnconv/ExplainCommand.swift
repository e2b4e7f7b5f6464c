import ArgumentParser
import RNNCore
import RNNDialects

struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Print the equations of recurrent layers, or where frameworks store weights.")

  @Flag(help: "The LSTMs and GRUs from 1997 on, with year and source.")
  var history = false

  @Flag(help: "How each framework stores the weights of each layer.")
  var layouts = false

  func validate() throws {
    guard history != layouts else { throw ValidationError("say what to explain: --history or --layouts") }
  }

  func run() throws {
    try Console.write(history ? RecurrentHistory.text() : LayoutTables.text())
  }
}
