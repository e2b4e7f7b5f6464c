import ArgumentParser
import Foundation
import RNNCore

/// The program. `spec/cli.md` is its contract.
@main
struct RNNConvCommand: ParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "rnnconv",
    abstract: "Moves recurrent and 1-D convolutional models out of Keras, and runs them with the same numbers.",
    version: version,
    subcommands: [ImportCommand.self, InspectCommand.self, RunCommand.self, ExportCommand.self])

  static func main() {
    // A closed pipe ends the program with an error of its own instead of a signal.
    signal(SIGPIPE, SIG_IGN)
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let error as RNNError {
      Console.report(error)
      Foundation.exit(error.reason.rawValue)
    } catch {
      // Errors of parsing, and requests for help.
      exit(withError: error)
    }
  }
}
