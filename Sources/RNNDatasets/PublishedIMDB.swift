import Foundation
import RNNContainers
import RNNCore
import RNNText

/// The IMDB reviews as Keras publishes them (`imdb.npz`), in the order and with the ids that
/// `keras.datasets.imdb.load_data` gives (Keras 3; earlier versions agree).
public struct PublishedIMDB: Sendable, Equatable {
  /// The arguments of `load_data`, with its defaults.
  public struct Options: Sendable, Equatable {
    /// Ids at or past this one are unknown. `nil` or 0 takes the largest id of the set, and so, as in Keras, makes the
    /// rarest word unknown.
    public var numWords: Int?
    /// Ids below this one are unknown.
    public var skipTop = 0
    /// Reviews that are as long as this or longer, the start included, are left out; `nil` or 0 keeps all.
    public var maxlen: Int?
    public var seed: UInt32 = 113
    /// The id before every review; `nil` for none.
    public var startChar: Int? = 1
    /// The id of unknown words; `nil` leaves them out.
    public var oovChar: Int? = 2
    /// Added to every rank.
    public var indexFrom = 3

    public init(
      numWords: Int? = nil, skipTop: Int = 0, maxlen: Int? = nil, seed: UInt32 = 113, startChar: Int? = 1,
      oovChar: Int? = 2, indexFrom: Int = 3
    ) {
      self.numWords = numWords
      self.skipTop = skipTop
      self.maxlen = maxlen
      self.seed = seed
      self.startChar = startChar
      self.oovChar = oovChar
      self.indexFrom = indexFrom
    }
  }

  /// One half of the set.
  public struct Part: Sendable, Equatable {
    /// The ids of each review.
    public var sequences: RaggedIntegers
    /// For each review 1 if it is favourable, else 0.
    public var labels: [Int]
  }

  /// The half to train on.
  public let train: Part
  /// The half that validates and evaluates.
  public let test: Part
  public let options: Options
  /// Ids from here on are unknown: `numWords`, or the largest id.
  public let idLimit: Int

  /// - Throws: `badData` for a damaged file, or one whose arrays do not fit together; `unsupported` for a file that
  ///   holds anything but lists of ints and labels; `usage` where `maxlen` leaves nothing. All name the file.
  public init(contentsOf url: URL, options: Options = Options()) throws {
    let data = try InputFile.contents(of: url)
    self = try locating(url.path) { try PublishedIMDB(npz: data, options: options) }
  }

  /// The same from the bytes of the file.
  public init(npz data: Data, options: Options = Options()) throws {
    let arrays = try NPZ.readWithLists(data)
    let halves = [try PublishedIMDB.part("train", of: arrays), try PublishedIMDB.part("test", of: arrays)]
    let pipeline = try IMDBPipeline(halves, options)
    idLimit = pipeline.idLimit
    self.options = options
    train = try pipeline.part(0)
    test = try pipeline.part(1)
  }

  private static func part(_ name: String, of arrays: [(name: String, array: NPZ.Array)]) throws -> Part {
    func array(_ letter: String) throws -> NPZ.Array {
      let name = "\(letter)_\(name)"
      guard let found = arrays.first(where: { $0.name == name }) else {
        throw RNNError.badData(
          "the array '\(name)' is missing; there are: \(arrays.map { "'\($0.name)'" }.joined(separator: ", "))",
          remedy: "Give imdb.npz as Keras publishes it: x_train, y_train, x_test, y_test.")
      }
      return found.array
    }
    let sequences: RaggedIntegers
    switch try array("x") {
    case .lists(let lists): sequences = lists
    // Lists of one length become a plain array when NumPy saves them.
    case .tensor(let tensor):
      guard tensor.shape.count == 2, let values = tensor.integers() else {
        throw RNNError.unsupported("the array 'x_\(name)' is \(tensor), expected lists of ints")
      }
      let (rows, length) = (tensor.shape[0], tensor.shape[1])
      sequences = try RaggedIntegers(values: values, offsets: (0...rows).map { $0 * (values.isEmpty ? 0 : length) })
    }
    guard case .tensor(let tensor) = try array("y"), tensor.shape.count == 1, let labels = tensor.integers() else {
      throw RNNError.unsupported("the array 'y_\(name)' is no list of whole numbers")
    }
    guard labels.count == sequences.count else {
      throw RNNError.badData("'x_\(name)' has \(sequences.count) reviews, 'y_\(name)' \(labels.count) labels")
    }
    return Part(sequences: sequences, labels: labels)
  }

  // MARK: - Use

  /// Both halves, padded to one length: train to train on, test to validate.
  /// - Parameters:
  ///   - length: the model's; the longest review's where `nil`.
  ///   - ranks: the words and ranks of `imdb_word_index.json`, for a model that is to take text.
  /// - Returns: inputs int32 (reviews, length), targets int32 (reviews).
  public func dataset(
    length: Int? = nil, padding: TextRules.Side = .pre, truncating: TextRules.Side = .pre,
    ranks: [(word: String, rank: Int)]? = nil
  ) throws -> Dataset {
    let common = length ?? max(train.sequences.longest, test.sequences.longest, 1)
    func examples(_ part: Part) throws -> Examples {
      let labels = RaggedIntegers(rows: part.labels.map { [$0] })
      let inputs = try SequencePadding.pad(part.sequences, length: common, padding: padding, truncating: truncating)
      let targets = try SequencePadding.pad(labels, length: 1).reshaped(to: [labels.count])
      return try Examples(inputs: [inputs], targets: [targets])
    }
    var text = try ranks.map { try self.text(ranks: $0) }
    text?.rules.length = length
    text?.rules.padding = padding
    text?.rules.truncating = truncating
    return Dataset(training: try examples(train), validation: try examples(test), text: text)
  }

  /// The rules that turn text into the ids of this set.
  /// - Parameter ranks: the words and ranks of `imdb_word_index.json`.
  /// - Throws: `badData` where ranks are negative or far apart, or one stands twice.
  public func text(ranks: [(word: String, rank: Int)]) throws -> TextBundle {
    let known = ranks.filter { word in
      let (id, overflow) = word.rank.addingReportingOverflow(options.indexFrom)
      return !overflow && id >= options.skipTop && id < idLimit
    }
    var bundle = try TextBundle.imdb(ranks: known)
    // From Keras's default offset to this one.
    bundle.rules.firstID = bundle.rules.firstID &+ options.indexFrom &- 3
    bundle.rules.idLimit = idLimit
    bundle.rules.unknownID = options.oovChar
    let isKept = options.startChar.map { $0 >= options.skipTop && $0 < idLimit } ?? true
    bundle.rules.startID = isKept ? options.startChar : options.oovChar
    return bundle
  }
}
