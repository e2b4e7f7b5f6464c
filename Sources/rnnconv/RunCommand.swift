import ArgumentParser
import Foundation
import RNNCore
import RNNRuntime
import RNNText

struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run a model on text or arrays.")

  @Option(help: "The .rnn file; by default $RNNCONV_MODEL, else the only .rnn in this folder.")
  var model: String?

  @Option(
    help: """
      A .npy, .npz, .csv (numbers), .txt (lines) or .jsonl (objects with 'text') file, - for lines on standard input, or a \
      text.
      """)
  var input: String?

  @Flag(help: "Read a sequence from standard input, a step a line, and answer at each step.")
  var stream = false

  @Flag(help: "Take the input as text whatever it looks like.")
  var text = false

  @Option(
    name: [.short, .customLong("output")], help: "Write the outputs to this .npz, .npy or (of a .csv input) .csv file.")
  var output: String?

  @Flag(help: "Print one JSON object for each input.")
  var json = false

  @Option(help: "Go on with the input for so many tokens, for models of characters or words.")
  var generate: Int?

  @Option(help: "With --generate: 1 draws as the model says, less prefers the likely, 0 takes the likeliest.")
  var temperature = 1.0

  @Option(help: "With --generate: draw from so many of the likeliest.")
  var topK: Int?

  @Option(help: "With --generate: the seed of the draws.")
  var seed: UInt64 = 0

  @Flag(help: "Replace an existing file.")
  var force = false

  func validate() throws {
    guard stream != (input != nil) else { throw ValidationError("give either --input or --stream") }
    if stream, output != nil || text || generate != nil {
      throw ValidationError(
        "--stream answers on standard output, step by step, without --output, --text and --generate")
    }
    if generate != nil, output != nil || json || text {
      throw ValidationError("--generate prints what it writes; --output, --json and --text are for answers")
    }
    if let generate, generate <= 0 { throw ValidationError("--generate must be positive") }
    if !(temperature >= 0) { throw ValidationError("--temperature must not be negative") }
    if let topK, topK <= 0 { throw ValidationError("--top-k must be positive") }
  }

  func run() throws {
    try Kernels.checkEnvironment()
    if stream { return try StreamRun(try Model(contentsOf: try ModelChoice.url(model)), asJSON: json).run() }
    let input = input ?? ""
    if let generate { return try write(generate, after: input) }
    if let output { try checkOutput(output) }
    let source = try RunInput(input, isText: text)
    if let output, output.hasSuffix(".csv"), !source.isSeries {
      throw RNNError.usage("only what a .csv file gives is written to one", remedy: "Write an .npz.")
    }
    let model = try Model(contentsOf: try ModelChoice.url(model))
    switch source {
    case .series(let url): try SeriesRun(url, model, output: output, asJSON: json, force: force).run()
    case .arrays(let arrays): try run(arrays: arrays, model)
    case .texts(let texts): try run(texts: texts, model)
    }
  }

  /// Prints the input and what the model makes of it, each token as it comes.
  private func write(_ count: Int, after input: String) throws {
    let generator = try TextGenerator(try Model(contentsOf: try ModelChoice.url(model)))
    var sampler = Sampler(temperature: temperature, topK: topK, seed: seed)
    try Console.write(input)
    try generator.generate(after: input, count: count, &sampler) { text in
      try Console.write(text)
      return true
    }
    try Console.write("\n")
  }

  private func checkOutput(_ path: String) throws {
    guard path.hasSuffix(".npz") || path.hasSuffix(".npy") || path.hasSuffix(".csv") else {
      throw RNNError.usage(
        "the output '\(path)' is neither .npz, .npy nor .csv", remedy: "Name it with one of these endings.")
    }
    try AtomicFile.checkDestination(path, replacing: force)
  }

  private func run(arrays: [(name: String, tensor: Tensor)], _ model: Model) throws {
    let outputs = try model.makeSession(threads: ProcessInfo.processInfo.activeProcessorCount)
      .predict(try RunInput.ordered(arrays, for: model))
    let named = Array(zip(model.outputNames, outputs))
    if let output { return try RunOutput.write(named, to: output, replacing: force) }
    try Console.write(try RunOutput.text(of: named, asJSON: json))
  }

  private func run(texts: TextLines, _ model: Model) throws {
    var collected: [[Tensor]] = []
    let session = model.makeSession()
    let presentation = TextPresentation(model: model, asJSON: json)
    for line in texts {
      let text = try line.get()
      let outputs = try locating("input \(collected.count + 1)") {
        try session.predict([try model.ids(for: text)])
      }
      collected.append(output == nil ? [] : outputs)
      if output == nil { try Console.write(presentation.line(text, outputs)) }
    }
    if let output {
      guard !collected.isEmpty else { throw RNNError.badData("the input holds no texts") }
      let named = try model.outputNames.indices.map { index in
        (model.outputNames[index], try RunOutput.stacked(collected.map { $0[index] }))
      }
      try RunOutput.write(named, to: output, replacing: force)
    }
  }
}
