import ArgumentParser
import Foundation
import RNNConversion
import RNNCore
import RNNDialects

/// What a user may say about a file that is read: the same for `import`, `convert` and `explain`.
struct ImportOptionGroup: ParsableArguments {
  @Option(help: "The architecture of bare weights: a model.to_json() file, a whole Keras model, or a .rnn.")
  var config: String?

  @Option(
    help: "Whose file it is, where that is not plain from it: a generation of Keras, or the framework of the weights.")
  var dialect: Dialect?

  @Option(
    help: ArgumentHelp(
      "The functions behind the modules of a PyTorch file without --config: relu,linear or fc1=relu,fc2=linear.",
      valueName: "list"))
  var activations: String?

  @Option(help: "What TensorFlow 1's LSTM cells add to the forget gate when they run; no checkpoint says it.")
  var forgetBias: Double?

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

  /// The generations of Keras, and the frameworks whose weights need an architecture.
  enum Dialect: ExpressibleByArgument, CaseIterable {
    case keras(KerasGeneration)
    case weights(String)

    static let allCases: [Dialect] =
      KerasGeneration.allCases.map(Dialect.keras) + WeightDialect.all.map { .weights($0.name) }

    var name: String {
      switch self {
      case .keras(let generation): generation.rawValue
      case .weights(let name): name
      }
    }

    init?(argument: String) {
      guard let known = Dialect.allCases.first(where: { $0.name == argument }) else { return nil }
      self = known
    }

    static var allValueStrings: [String] { allCases.map(\.name) }
    var defaultValueDescription: String { name }
  }

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

  func options() throws -> ImportOptions {
    var options = ImportOptions()
    switch dialect {
    case .keras(let generation): options.keras.generation = generation
    case .weights(let name): options.dialect = name
    case nil: break
    }
    options.activations = try activations.map(TorchActivations.list) ?? []
    options.forgetBias = forgetBias
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
