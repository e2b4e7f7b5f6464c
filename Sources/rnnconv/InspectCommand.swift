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

  @Option(
    help: ArgumentHelp(
      "Write the file's tensors as they are, by name: .npz, or .safetensors for dtypes that NumPy lacks.",
      valueName: "file"))
  var tensors: String?

  @Flag(help: "Replace an existing file.")
  var force = false

  func run() throws {
    if let tensors {
      try OutputFiles.check([("--tensors", tensors)], besides: [file])
      let count = try TensorCopy.write(
        tensorsOf: URL(fileURLWithPath: file), to: URL(fileURLWithPath: tensors), replacing: force)
      Console.note("\(tensors): \(Console.count(count, "tensor"))")
    }
    let inspection = try Inspection(contentsOf: URL(fileURLWithPath: file))
    try Console.write((json ? inspection.json.text(indent: 2) : InspectionText.text(of: inspection)) + "\n")
  }
}
