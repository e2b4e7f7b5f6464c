import RNNCore
import RNNDialects

/// Finds out whose weights a file without an architecture holds.
struct WeightSource {
  let checkpoint: Checkpoint
  /// What kind of file it is, as `Source` found it.
  let container: String
  let options: ImportOptions
  /// The architecture that the user gave.
  let keras: KerasImportOptions

  /// The model, read in the dialect that the user names, that the container has, or that alone fits.
  func model() throws -> NativeModel {
    if let name = options.dialect {
      guard let dialect = WeightDialect.named(name) else {
        throw RNNError.usage("no dialect is called '\(name)'")
      }
      return try model(dialect)
    }
    if isTorch { return try model(.pytorch) }
    return try detected()
  }

  private var isTorch: Bool { container.hasPrefix("PyTorch") }

  /// - Throws: what the dialect says of the weights.
  private func model(_ dialect: WeightDialect) throws -> NativeModel {
    var keras = keras
    var weights = try ForeignWeights(checkpoint, dialect)
    weights.forgetBias = options.forgetBias
    var ledger: [LedgerEntry] = []
    if keras.architecture == nil {
      guard dialect.name == WeightDialect.pytorch.name else {
        throw RNNError.badData(
          "the file holds weights without an architecture",
          remedy: "Give the text of model.to_json() or another .rnn of the same network with --config.")
      }
      var module: TorchModule?
      if case .torch(let whole, _) = checkpoint.architecture { module = whole }
      let chain = try TorchChain(
        try TorchStateDict(checkpoint), activations: options.activations, module: module)
      keras.architecture = .native(chain.spec)
      ledger = chain.ledger
    } else if !options.activations.isEmpty {
      throw RNNError.usage("--activations is for weights without an architecture, and --config gives one")
    }
    keras.weights = weights
    var model = try KerasImport.nativeModel(from: checkpoint, options: keras)
    model.ledger = ledger + model.ledger
    return model
  }

  /// Tries Keras and every dialect.
  /// - Throws: `badData` where none fits, or more than one that read different weights.
  private func detected() throws -> NativeModel {
    let attempts = WeightDialect.all.map { dialect in
      (dialect: dialect, result: Result { try model(dialect) })
    }
    let asKeras = Result { try KerasImport.nativeModel(from: checkpoint, options: keras) }
    // Keras's names, or a plain list, are what they say; only without them is anything else a question.
    if case .success(let model) = asKeras, isKeras(model) { return model }
    let fitting = attempts.filter { attempt in
      switch attempt.result {
      case .success: true
      // It fits, and the user is to say something.
      case .failure(let error): (error as? RNNError)?.reason == .usage
      }
    }
    guard let first = fitting.first else {
      let named = attempts.filter { $0.dialect.names(anyOf: checkpoint.entries.map(\.path)) }
      if named.count == 1, case .failure = asKeras { return try named[0].result.get() }
      return try asKeras.get()
    }
    let others = fitting.dropFirst().filter { attempt in
      guard let one = try? first.result.get(), let other = try? attempt.result.get() else { return true }
      return one.parameters != other.parameters || one.spec != other.spec
    }
    guard others.isEmpty else {
      throw RNNError.badData(
        "the weights fit more than one framework: "
          + ([first] + others).map(\.dialect.name).joined(separator: ", "),
        remedy: "Say which with --dialect.")
    }
    return try first.result.get()
  }

  /// Whether every array is named after a layer of the model, or all are numbered as `numpy.savez` does.
  private func isKeras(_ model: NativeModel) -> Bool {
    let isNamed = model.parameters.allSatisfy { parameter in
      checkpoint.tensor(at: NativeModel.path(layer: parameter.layer, parameter: parameter.name)) != nil
    }
    return isNamed
      || checkpoint.entries.allSatisfy { entry in
        entry.path.hasPrefix("arr_") && entry.path.dropFirst(4).allSatisfy(\.isNumber)
      }
  }
}
