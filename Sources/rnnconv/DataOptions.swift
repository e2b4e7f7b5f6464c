import ArgumentParser
import RNNCore
import RNNDatasets
import RNNTraining

/// Where the examples come from; for `train` and `evaluate` alike.
struct DataOptions: ParsableArguments {
  @Option(
    help: "Examples: .npz (Keras's imdb.npz, or arrays x and y), .txt (characters), .csv or .jsonl (text, label).")
  var data: String

  @Option(help: "Words: imdb_word_index.json for imdb.npz; for texts also a Keras Tokenizer.")
  var vocabulary: String?

  @Option(help: "Ids at or past this one are unknown; by default the embedding's rows.")
  var numWords: Int?

  @Option(help: "Timesteps of an example; by default the model's.")
  var maxlen: Int?

  @Option(help: "Examples to validate on after each epoch.")
  var validationData: String?

  @Option(help: "The fraction of the examples, from their end, to validate on, without --validation-data.")
  var validationSplit: Double?

  struct Loaded {
    var training: Dataset
    var source: TrainingData
    var validation: TrainingData?
    /// What `evaluate` looks at: the test half of a published set, else everything.
    var evaluation: TrainingData
  }

  func dataset(for model: NativeModel) throws -> Loaded {
    var options = TrainingDataReader.Options()
    options.vocabulary = vocabulary
    options.numWords = numWords
    options.maxlen = maxlen
    options.text = model.text
    options.classes = model.classes
    var set = try TrainingDataReader.dataset(data, for: model.spec, options)
    let own = set.evaluation
    if let validationSplit, validationData == nil { set = try set.holdingOutLast(validationSplit) }
    options.classes = set.classes
    if let validationData {
      set.validation = try TrainingDataReader.dataset(validationData, for: model.spec, options).training
    }
    return Loaded(
      training: set, source: TrainingData(set.training),
      validation: set.validation.map { TrainingData($0) },
      evaluation: TrainingData(own))
  }
}
