import ArgumentParser
import Foundation
import RNNCore
import RNNRuntime

struct GradientsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gradients", abstract: "Show how a model's gradient grows or shrinks with each step back in time.",
    discussion: """
      For each recurrent layer, the length of the gradient of the loss with respect to the layer's hidden state, step \
      by step backwards from the last one. A SimpleRNN's vanishes or explodes; what gates do about that is to be seen \
      here.
      """)

  @Option(help: "The .rnn file; by default $RNNCONV_MODEL, else the only .rnn in this folder.")
  var model: String?

  @Option(help: "A .npy or .npz file of the model's inputs, or a .csv of numbers.")
  var input: String

  @Option(help: "A .npy or .npz file of targets: the loss is then half the squared differences, else the outputs' sum.")
  var target: String?

  @Option(name: [.short, .customLong("output")], help: "Draw the lengths into this .svg file.")
  var output: String?

  @Flag(help: "Print JSON.")
  var json = false

  @Flag(help: "Replace an existing file.")
  var force = false

  func run() throws {
    try Kernels.checkEnvironment()
    if let output {
      guard output.hasSuffix(".svg") else {
        throw RNNError.usage("the output '\(output)' is no .svg", remedy: "Name it with this ending.")
      }
      try AtomicFile.checkDestination(output, replacing: force)
    }
    let model = try Model(contentsOf: try ModelChoice.url(model))
    let found = try StateGradients(
      model, inputs: try inputs(model), targets: try target.map { try RunInput.arrays(in: $0).map(\.tensor) })
    try Console.write(json ? GradientReport.json(found) : GradientReport.table(found))
    if let output {
      try AtomicFile.write(to: URL(fileURLWithPath: output), replacing: force) {
        try $0(Data(GradientPlot.svg(found).utf8))
      }
    }
  }

  private func inputs(_ model: Model) throws -> [Tensor] {
    if input.lowercased().hasSuffix(".csv") {
      return [try SeriesInput(contentsOf: URL(fileURLWithPath: input), for: model).tensor]
    }
    return try RunInput.ordered(try RunInput.arrays(in: input), for: model)
  }
}
