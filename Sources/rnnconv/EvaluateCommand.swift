import ArgumentParser
import Foundation
import RNNCore
import RNNRuntime
import RNNTraining

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate", abstract: "Print a model's loss and metrics on a data set.")

  @Option(help: "The .rnn file; by default $RNNCONV_MODEL, else the only .rnn in this folder.")
  var model: String?

  @OptionGroup var data: DataOptions

  @OptionGroup var compile: CompileOptions

  @Option(help: "Examples that run together.")
  var batchSize = 64

  @Flag(help: "Print one JSON object.")
  var json = false

  func validate() throws {
    if batchSize <= 0 { throw ValidationError("--batch-size must be positive") }
  }

  func run() throws {
    try Kernels.checkEnvironment()
    let native = try NativeModel(contentsOf: try ModelChoice.url(model))
    let set = try data.dataset(for: native)
    let configuration = try compile.configuration(for: native, targets: set.training.training.targetShapes)
    let trainer = try Trainer(native, configuration, threads: ProcessInfo.processInfo.activeProcessorCount)
    var options = FitOptions()
    options.batchSize = batchSize
    let values = try Fit(trainer, options).evaluate(set.evaluation).values
    if json {
      try Console.write(JSONValue.object(JSONObject(values.map { ($0.name, .number($0.value)) })).text() + "\n")
    } else {
      try Console.write(values.map { "\($0.name): \(String(format: "%.4f", $0.value))\n" }.joined())
    }
  }
}
