import ArgumentParser
import Foundation
import RNNConversion
import RNNCore
import RNNDialects

struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Read a Keras model of any era into a .rnn file.")

  @Argument(help: "The model: .h5, .keras, .weights.h5, .npz or .safetensors, recognised by its content.")
  var source: String

  @Option(
    name: [.short, .customLong("output")],
    help: "The file to write; by default the source's name with .rnn, in this folder.")
  var output: String?

  @Option(help: "The architecture of bare weights: a model.to_json() file, a whole Keras model, or a .rnn.")
  var config: String?

  @Option(help: "The generation of Keras to read the file by; by default what the file says.")
  var dialect: KerasGeneration?

  @Option(help: "Words: a pickled Keras Tokenizer, its to_json(), or a JSON of words and ranks.")
  var vocabulary: String?

  @Option(help: "Timesteps of a text; by default the model's.")
  var maxlen: Int?

  @Option(help: "Ids at or past this one are unknown; by default the embedding's rows, or the Tokenizer's num_words.")
  var numWords: Int?

  @Option(help: "Where short texts are filled up; by default pre.")
  var padding: TextRules.Side?

  @Option(help: "Where long texts are cut; by default pre.")
  var truncating: TextRules.Side?

  @Option(help: "The backend that trained the file; Keras 1 files do not say, and Theano's kernels are flipped.")
  var backend: Backend?

  @Flag(help: "Import although the file holds tensors that no layer uses.")
  var allowUnused = false

  @Flag(help: "Replace an existing file.")
  var force = false

  enum Backend: String, ExpressibleByArgument, CaseIterable {
    case tensorflow
    case theano
  }

  func validate() throws {
    if vocabulary == nil, maxlen != nil || numWords != nil || padding != nil || truncating != nil {
      throw ValidationError("--maxlen, --num-words, --padding and --truncating belong to --vocabulary")
    }
    if let maxlen, maxlen <= 0 { throw ValidationError("--maxlen must be positive") }
    if let numWords, numWords <= 0 { throw ValidationError("--num-words must be positive") }
  }

  func run() throws {
    let url = URL(fileURLWithPath: source)
    let target =
      output.map { URL(fileURLWithPath: $0) }
      ?? URL(fileURLWithPath: url.lastPathComponent).deletingPathExtension().appendingPathExtension("rnn")
    try InputFile.check(url)
    try OutputFiles.check([("--output", target.path)], besides: [source, config])
    try AtomicFile.checkDestination(target.path, replacing: force)
    let model = try ModelImport.model(from: url, options: try options())
    try model.write(to: target, replacing: force)
    let layers = model.spec.layers.filter { $0.spec.kind != .input }.count
    let weights = model.parameters.reduce(0) { $0 + $1.tensor.count }
    let version = model.provenance.frameworkVersion ?? "without a version"
    Console.note(
      "\(target.relativePath): \(model.provenance.framework) \(version), \(Console.count(layers, "layer")), "
        + Console.count(weights, "parameter"))
    for entry in model.ledger { Console.note("  \(entry.kind.rawValue): \(entry.subject): \(entry.note)") }
  }

  private func options() throws -> ImportOptions {
    var options = ImportOptions()
    options.keras.generation = dialect
    options.keras.backend = backend?.rawValue
    options.keras.allowsUnused = allowUnused
    options.config = config.map { URL(fileURLWithPath: $0) }
    options.text.vocabulary = vocabulary.map { URL(fileURLWithPath: $0) }
    options.text.length = maxlen
    options.text.numWords = numWords
    options.text.padding = padding
    options.text.truncating = truncating
    return options
  }
}

extension KerasGeneration: ExpressibleByArgument {}

extension TextRules.Side: ExpressibleByArgument {}
