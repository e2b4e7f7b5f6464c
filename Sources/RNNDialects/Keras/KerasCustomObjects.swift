import RNNCore

/// Names in carried configurations that are no Keras's own: home-made losses, metrics, initializers, optimizers.
enum KerasCustomObjects {
  /// Initializers, regularizers and constraints of all generations, without underscores and in lower case.
  private static let known: Set<String> = [
    "variancescaling", "glorotuniform", "glorotnormal", "heuniform", "henormal", "lecununiform", "lecunnormal",
    "uniform", "normal", "randomuniform", "randomnormal", "truncatednormal", "zeros", "zero", "ones", "one",
    "constant", "orthogonal", "orthogonalinitializer", "identity", "identityinitializer", "stft",
    "stftinitializer", "l1", "l2", "l1l2", "l1l2regularizer", "weightregularizer", "activityregularizer",
    "orthogonalregularizer", "maxnorm", "nonneg", "unitnorm", "minmaxnorm", "maxnormconstraint",
  ]

  private static let optimizers: Set<String> = [
    "sgd", "rmsprop", "adam", "adamw", "adadelta", "adagrad", "adamax", "adafactor", "nadam", "ftrl", "lion", "lamb",
    "muon", "lossscaleoptimizer", "tfoptimizer",
  ]

  private static let losses: Set<String> = [
    "binarycrossentropy", "categoricalcrossentropy", "sparsecategoricalcrossentropy", "binaryfocalcrossentropy",
    "categoricalfocalcrossentropy", "meansquarederror", "mse", "meanabsoluteerror", "mae",
    "meanabsolutepercentageerror", "mape", "meansquaredlogarithmicerror", "msle", "rootmeansquarederror", "hinge",
    "squaredhinge", "categoricalhinge", "logcosh", "huber", "huberloss", "kullbackleiblerdivergence", "kldivergence",
    "kld", "poisson", "cosineproximity", "cosinesimilarity", "ctc", "dice", "tversky", "circle",
  ]

  private static let metrics: Set<String> = losses.union([
    "accuracy", "acc", "ce", "crossentropy", "binaryaccuracy", "categoricalaccuracy", "sparsecategoricalaccuracy",
    "topkcategoricalaccuracy", "sparsetopkcategoricalaccuracy", "auc", "precision", "recall", "f1score",
    "fbetascore", "truepositives", "truenegatives", "falsepositives", "falsenegatives", "r2score", "mean", "sum",
    "meanmetricwrapper", "meaniou", "precisionatrecall", "recallatprecision", "sensitivityatspecificity",
    "specificityatsensitivity", "concordancecorrelation", "pearsoncorrelation", "weightedmean", "reduce",
  ])

  /// The custom names in a layer's carried configuration.
  static func mentions(in carried: JSONObject) -> [(key: String, name: String)] {
    carried.members.compactMap { member in
      guard member.key != "dtype", let name = objectName(member.value), !isKnown(name, known) else { return nil }
      return (member.key, name)
    }
  }

  /// What a training configuration holds that is not Keras's.
  static func ledger(ofTraining text: String) -> [LedgerEntry] {
    guard let json = try? JSONValue(parsing: text) else {
      return [LedgerEntry(.carried, "training", "the training configuration is no JSON; kept as text")]
    }
    var entries: [LedgerEntry] = []
    func note(_ key: String, _ value: JSONValue?, _ known: Set<String>) {
      for name in names(value) where !isKnown(name, known) {
        entries.append(
          LedgerEntry(.carried, "training.\(key)", "'\(name)' is custom; kept as text, inference does not need it"))
      }
    }
    let optimizer = json["optimizer_config"] ?? json["optimizer"]
    note("optimizer", optimizer.map { $0["class_name"] ?? $0 }, optimizers)
    note("loss", json["loss"], losses)
    note("metrics", json["metrics"], metrics)
    note("weighted_metrics", json["weighted_metrics"], metrics)
    return entries
  }

  private static func isKnown(_ name: String, _ known: Set<String>) -> Bool {
    // `Custom>Adam` is how TensorFlow 2.11 to 2.15 write their own optimizers.
    let bare = name.split(separator: ">").last.map(String.init) ?? name
    return known.contains(bare.lowercased().filter { $0 != "_" && $0 != " " })
  }

  private static func objectName(_ value: JSONValue) -> String? {
    if let name = value["class_name"]?.string { return name == "function" ? value["config"]?.string : name }
    return value.string
  }

  /// All names in a list, a dictionary by output, or one object.
  private static func names(_ value: JSONValue?) -> [String] {
    guard let value else { return [] }
    switch value {
    case .string(let name): return [name]
    case .array(let elements): return elements.flatMap { names($0) }
    case .object(let object):
      guard let className = object["class_name"]?.string else { return object.members.flatMap { names($0.value) } }
      if className == "function" { return names(object["config"]) }
      // A wrapper names the function it wraps.
      let wrapped = object["config"]?["fn"]
      return wrapped.map { names($0) } ?? [className]
    case .null, .bool, .integer, .number: return []
    }
  }
}
