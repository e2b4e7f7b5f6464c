import ArgumentParser
import Foundation
import RNNCore

/// The program. `spec/cli.md` is its contract.
@main
struct RNNConvCommand: ParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "rnnconv",
    abstract: "Moves recurrent and 1-D convolutional models between frameworks, and runs them with the same numbers.",
    version: version,
    subcommands: [
      ImportCommand.self, InspectCommand.self, RunCommand.self, ExportCommand.self, ConvertCommand.self,
      TrainCommand.self,
      EvaluateCommand.self, ExplainCommand.self, GradientsCommand.self,
    ])

  private static func end(with error: RNNError) -> Never {
    Console.report(error)
    Foundation.exit(error.reason.rawValue)
  }

  static func main() {
    Console.openMissingStreams()
    // The helper is waited for, also where whoever started this program ignores his children.
    signal(SIGCHLD, SIG_DFL)
    // A closed pipe or a file that may not grow is an error with a message, not a signal.
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let error as RNNError {
      end(with: error)
    } catch  where exitCode(for: error) != .failure {
      // Errors of parsing, and requests for help.
      exit(withError: error)
    } catch {
      end(with: RNNError(.internalError, "an error that nothing foresaw: \(error)", remedy: "Please report it."))
    }
  }
}
