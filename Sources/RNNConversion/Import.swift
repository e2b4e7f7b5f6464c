import Foundation
import RNNContainers
import RNNCore
import RNNDialects
import RNNText

/// What a user may say about an import.
public struct ImportOptions: Sendable {
  public var keras = KerasImportOptions()
  /// A file with the architecture: a Keras `model.to_json()` or another `.rnn`.
  public var config: URL?
  public var text = TextOptions()
  /// Whose weights they are, by the name of a `WeightDialect`; `nil` to find out.
  public var dialect: String?
  /// For weights without an architecture: the functions behind the modules, with a module's name or in order.
  public var activations: [(module: String?, activation: Activation)] = []
  /// What TensorFlow 1's cells add to the forget gate when they run.
  public var forgetBias: Double?
  /// The HDF5 helper; `nil` for the one beside the program.
  public var helper: URL?

  public init() {}
}

/// What a user may say about a model's text.
public struct TextOptions: Sendable {
  /// A pickled Keras `Tokenizer`, its JSON, or a JSON of words and ranks.
  public var vocabulary: URL?
  /// Timesteps; by default those of the model.
  public var length: Int?
  /// Ids at or past this one are unknown; by default the embedding's rows, or what the Tokenizer says.
  public var numWords: Int?
  public var padding: TextRules.Side?
  public var truncating: TextRules.Side?

  public init() {}
}

extension Checkpoint {
  /// Whether nothing but names tells what the tensors are: no Keras file, whose attributes and groups do.
  fileprivate var isFlat: Bool {
    if case .keras = architecture { return false }
    let isListed = attributes.contains { $0.name == "layer_names" || $0.name == "layer_names0" }
    return !isListed && !groups.contains { $0 == "layers" || $0 == "_layer_checkpoint_dependencies" }
  }
}

/// A foreign file, read into a native model.
public enum ModelImport {
  /// - Throws: `RNNError` with the file's name, for whatever stopped the import.
  public static func model(from url: URL, options: ImportOptions) throws -> NativeModel {
    var (model, digest) = try modelAndDigest(of: url, options)
    model.provenance.sha256 = try digest.value()
    return model
  }

  /// Imports a file into a `.rnn` file.
  /// - Returns: what was written.
  /// - Throws: what `model(from:options:)` throws, and `cannotWrite`.
  public static func write(
    _ url: URL, to target: URL, replacing: Bool, options: ImportOptions
  ) throws -> NativeModel {
    let (model, digest) = try modelAndDigest(of: url, options)
    return try model.write(to: target, replacing: replacing) { try digest.value() }
  }

  /// The model, and the digest of its source, which takes about as long as everything else.
  private static func modelAndDigest(
    of url: URL, _ options: ImportOptions
  ) throws -> (model: NativeModel, digest: FileDigest) {
    var keras = options.keras
    if let config = options.config {
      keras.architecture = try architecture(from: config, helper: options.helper)
      keras.architectureName = config.path
    }
    let digest = FileDigest(of: url)
    let source = try Source(contentsOf: url, helper: options.helper)
    var model = try locating(url.path) {
      switch source.content {
      case .native:
        throw RNNError.usage(
          "the file is a .rnn already", remedy: "Run it with rnnconv run --model \(url.lastPathComponent).")
      case .checkpoint(let checkpoint):
        var model = try self.model(of: checkpoint, container: source.container, options: options, keras: keras)
        for blob in checkpoint.blobs where model.text == nil || !blob.name.hasSuffix("vocabulary.txt") {
          model.ledger.append(LedgerEntry(.dropped, blob.name, "an asset of \(blob.bytes.count) bytes"))
        }
        return model
      }
    }
    model.provenance.source = url.lastPathComponent
    model.provenance.container = source.container
    if let vocabulary = options.text.vocabulary {
      model.text = try textBundle(from: vocabulary, options.text, for: model.spec)
    }
    return (model, digest)
  }

  /// A checkpoint by what it holds: Keras's files say whose they are, the weights of others are found out.
  static func model(
    of checkpoint: Checkpoint, container: String, options: ImportOptions, keras: KerasImportOptions
  ) throws -> NativeModel {
    if case .onnx(let graph) = checkpoint.architecture {
      let isPlain = options.config == nil && options.dialect == nil && keras.generation == nil && keras.backend == nil
      guard isPlain, options.activations.isEmpty, options.forgetBias == nil else {
        throw RNNError.usage(
          "an ONNX graph says all of its architecture, and takes no --config, --dialect, --backend, --activations or "
            + "--forget-bias")
      }
      return try ONNXImport.nativeModel(from: graph)
    }
    guard checkpoint.isFlat || options.dialect != nil else {
      guard options.activations.isEmpty, options.forgetBias == nil else {
        throw RNNError.usage("--activations and --forget-bias are for weights of other frameworks, and this is Keras's")
      }
      return try KerasImport.nativeModel(from: checkpoint, options: keras)
    }
    return try WeightSource(checkpoint: checkpoint, container: container, options: options, keras: keras).model()
  }

  private static func architecture(from url: URL, helper: URL?) throws -> KerasImportOptions.Architecture {
    let data = try InputFile.contents(of: url)
    switch ContainerKind.recognise(data) {
    case .json:
      _ = try locating(url.path) { try JSONValue(parsing: data) }
      return .keras(json: String(decoding: data, as: UTF8.self))
    case .safetensors: return .native(try NativeModel(contentsOf: url).spec)
    case .hdf5, .kerasArchive:
      let source = try Source(contentsOf: url, helper: helper)
      if case .checkpoint(let checkpoint) = source.content, case .keras(let json) = checkpoint.architecture {
        return .keras(json: json)
      }
    case .npz, .npy, .torchZip, .torchLegacy, .onnx, .tflite, .pickle, .otherZip, .damagedZip, .unknown: break
    }
    throw RNNError(
      .badData, "holds no architecture", at: [url.path],
      remedy: "Give the text of model.to_json(), a whole Keras model or a .rnn.")
  }

  /// The rules and words of a vocabulary file, fitted to a model's length and embedding.
  /// - Throws: `usage` where the model has no embedding or another length, `badData` or `unsupported` for the file.
  public static func textBundle(from url: URL, _ options: TextOptions, for spec: ModelSpec) throws -> TextBundle {
    let data = try InputFile.contents(of: url)
    let vocabulary = try locating(url.path) { try VocabularyFile(parsing: data) }
    let input = spec.inputs.first.map { spec.layers[spec.calls[$0].layer].spec }
    var modelLength: Int?
    if case .input(let spec)? = input, let first = spec.shape.first { modelLength = first }
    if let length = options.length, let modelLength, length != modelLength {
      throw RNNError.usage(
        "--maxlen is \(length), but the model takes exactly \(modelLength) timesteps",
        remedy: "Leave --maxlen out.")
    }
    let length = options.length ?? modelLength
    let embedding = spec.layers.compactMap { layer -> Int? in
      if case .embedding(let spec) = layer.spec { spec.inputDim } else { nil }
    }.first
    guard let embedding else {
      throw RNNError.usage("a vocabulary fits a model with an Embedding, and this one has none")
    }
    if let numWords = options.numWords, numWords > embedding {
      throw RNNError.usage("--num-words is \(numWords), but the embedding has \(embedding) rows")
    }
    let padding = options.padding ?? .pre
    let truncating = options.truncating ?? .pre
    return try locating(url.path) {
      let bundle =
        switch vocabulary {
        case .ranks(let ranks):
          try TextBundle.imdb(
            ranks: ranks, numWords: options.numWords ?? embedding, length: length, padding: padding,
            truncating: truncating)
        case .tokenizer(let tokenizer):
          try TextBundle.keras(
            wordIndex: tokenizer.wordIndex, numWords: options.numWords ?? tokenizer.numWords,
            filters: tokenizer.filters, lower: tokenizer.lower, split: tokenizer.split, charLevel: tokenizer.charLevel,
            oovToken: tokenizer.oovToken, length: length, padding: padding, truncating: truncating)
        }
      // What a run would find wrong with the words is wrong now.
      _ = try TextEncoder(bundle)
      return bundle
    }
  }
}
