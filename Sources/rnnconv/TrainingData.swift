import Foundation
import RNNContainers
import RNNConversion
import RNNCore
import RNNDatasets
import RNNTraining

/// What `--data` names, as batches.
struct TrainingData: BatchSource {
  private let examples: Examples

  init(_ examples: Examples) {
    self.examples = examples
  }

  var count: Int { examples.count }

  func batch(rows: [Int]) throws -> Trainer.Batch {
    let part = try examples.slice(rows: rows)
    let targets = try part.targets.map { target in
      // A single number an example fits an output of one unit.
      target.shape.count == 1 ? try target.reshaped(to: target.shape + [1]) : target
    }
    return Trainer.Batch(inputs: part.inputs, targets: targets, sampleWeights: part.weights?.floats())
  }
}

/// Opens data sets by their content and ending.
enum TrainingDataReader {
  struct Options {
    var vocabulary: String?
    var numWords: Int?
    var maxlen: Int?
    /// A vocabulary that the model has already.
    var text: TextBundle?
    /// The classes that the model was trained on, or is being trained on.
    var classes: [String]?
  }

  static func dataset(_ path: String, for spec: ModelSpec, _ options: Options) throws -> Dataset {
    let url = URL(fileURLWithPath: path)
    try InputFile.check(url)
    switch url.pathExtension.lowercased() {
    case "npz": return try npz(url, spec, options)
    case "txt": return try characters(url, spec, options)
    case "csv", "jsonl":
      let text = try textBundle(spec, options)
      var set = try locating(path) { try LabelledText(contentsOf: url).dataset(text, classes: options.classes) }
      set.text = text
      try check(set.classes, spec, path)
      return set
    default:
      throw RNNError.usage("the data '\(path)' is neither .npz, .txt, .csv nor .jsonl")
    }
  }

  /// - Throws: `badData` where the model tells two classes apart and there are more.
  private static func check(_ classes: [String]?, _ spec: ModelSpec, _ path: String) throws {
    let width = try spec.outputs.first.flatMap { try spec.shapes().outputs[$0.call][$0.output].last } ?? nil
    guard let classes, width == 1, classes.count > 2 else { return }
    throw RNNError.badData(
      "the labels are \(classes.count) classes, and the model's one unit tells two apart", at: path,
      remedy: "Give the last layer as many units as there are classes, and softmax.")
  }

  /// What the user names, else what the model has.
  private static func textBundle(_ spec: ModelSpec, _ options: Options) throws -> TextBundle {
    if let vocabulary = options.vocabulary {
      var text = TextOptions()
      text.numWords = options.numWords
      text.length = options.maxlen
      return try ModelImport.textBundle(from: URL(fileURLWithPath: vocabulary), text, for: spec)
    }
    guard let text = options.text else {
      throw RNNError.usage("texts need a vocabulary", remedy: "Give it with --vocabulary.")
    }
    return text
  }

  /// The published IMDB set has `x_train`; any other archive has `x` and `y`.
  private static func npz(_ url: URL, _ spec: ModelSpec, _ options: Options) throws -> Dataset {
    let names = try ZipArchive(parsing: try InputFile.contents(of: url)).members.map(\.name)
    guard names.contains("x_train.npy") else {
      if options.vocabulary != nil || options.numWords != nil || options.maxlen != nil {
        throw RNNError.usage(
          "--vocabulary, --num-words and --maxlen are for texts and Keras's imdb.npz, and \(url.lastPathComponent) holds "
            + "arrays")
      }
      return try ArrayData.dataset(contentsOf: url)
    }
    var published = PublishedIMDB.Options()
    published.numWords = options.numWords ?? embeddingRows(spec)
    let ranks: [(word: String, rank: Int)]? = try options.vocabulary.map { path in
      let data = try InputFile.contents(of: URL(fileURLWithPath: path))
      guard case .ranks(let ranks) = try locating(path, { try VocabularyFile(parsing: data) }) else {
        throw RNNError.usage(
          "the IMDB data set needs its JSON of words and ranks", remedy: "Give imdb_word_index.json.")
      }
      return ranks
    }
    let set = try PublishedIMDB(contentsOf: url, options: published)
    return try set.dataset(length: try length(spec, options), ranks: ranks)
  }

  private static func characters(_ url: URL, _ spec: ModelSpec, _ options: Options) throws -> Dataset {
    let text = try CharacterText(contentsOf: url)
    let isSequence = try spec.shapes().outputs[spec.outputs[0].call][spec.outputs[0].output].count == 2
    let set = try text.dataset(
      length: try length(spec, options) ?? 50, target: isSequence ? .eachStep : .afterWindow,
      oneHotInputs: embeddingRows(spec) == nil)
    let rows = embeddingRows(spec)
    if let rows, rows < text.characters.count {
      throw RNNError.badData(
        "the text has \(text.characters.count) characters, the embedding \(rows) rows", at: url.path)
    }
    return set
  }

  private static func length(_ spec: ModelSpec, _ options: Options) throws -> Int? {
    guard case .input(let input) = spec.layers[spec.calls[spec.inputs[0]].layer].spec, let fixed = input.shape.first
    else { return options.maxlen }
    if let fixed, let maxlen = options.maxlen, fixed != maxlen {
      throw RNNError.usage("--maxlen is \(maxlen), but the model takes exactly \(fixed) timesteps")
    }
    return fixed ?? options.maxlen
  }

  private static func embeddingRows(_ spec: ModelSpec) -> Int? {
    for case .embedding(let embedding) in spec.layers.map(\.spec) { return embedding.inputDim }
    return nil
  }
}
