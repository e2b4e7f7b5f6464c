import RNNCore

extension Optimizer {
  /// An optimizer as a Keras configuration has it: a name, or an object with its arguments.
  /// - Parameter dialect: `keras1`, `keras2` or `keras3`, whose formulas and defaults differ.
  /// - Parameter version: the version that wrote the configuration.
  /// - Throws: `unsupported` for an optimizer that is not built in.
  public init(keras json: JSONValue, dialect: String, version: String?) throws {
    guard let given = json.string ?? json["class_name"]?.string else {
      throw RNNError.unsupported("the optimizer is \(json.kind)")
    }
    let name = (given.split(separator: ">").last.map(String.init) ?? given).lowercased().filter { $0 != "_" }
    let config = json["config"] ?? .null
    // What we wrote for a model of an older Keras says which formulas it means.
    let formulas = json[Formulas.key].flatMap { Formulas($0) }
    let dialect = formulas == nil ? dialect : "keras3"
    func number(_ key: String, _ fallback: Double) -> Double { config[key]?.double ?? fallback }
    let era = OptimizerEra(dialect: dialect, version: version, isCustom: given.contains(">"), config: config)
    let steps = config["gradient_accumulation_steps"]
    for (key, isUsed) in [
      ("use_ema", config["use_ema"]?.bool == true), ("gradient_accumulation_steps", (steps?.integer ?? 1) > 1),
    ]
    where isUsed {
      throw RNNError.unsupported(
        "the optimizer '\(given)' has \(key), which is not built in", remedy: "Name another with --optimizer.")
    }
    let rule: Rule
    let rate: Double
    switch name {
    case "sgd":
      rule = .sgd(momentum: number("momentum", 0), nesterov: config["nesterov"]?.bool ?? false)
      rate = 0.01
    case "rmsprop":
      rule = .rmsprop(
        rho: number("rho", 0.9), momentum: number("momentum", 0), epsilon: number("epsilon", 1e-7),
        centered: config["centered"]?.bool ?? false)
      rate = 0.001
    case "adagrad":
      rule = .adagrad(
        initial: number("initial_accumulator_value", era.isClassic ? 0 : 0.1), epsilon: number("epsilon", 1e-7))
      rate = era.isClassic ? 0.01 : 0.001
    case "adam", "adamw":
      rule = .adam(
        beta1: number("beta_1", 0.9), beta2: number("beta_2", 0.999), epsilon: number("epsilon", 1e-7),
        amsgrad: config["amsgrad"]?.bool ?? false)
      rate = 0.001
    case "nadam":
      rule = .nadam(
        beta1: number("beta_1", 0.9), beta2: number("beta_2", 0.999), epsilon: number("epsilon", 1e-7),
        decay: era.isLegacy ? number("schedule_decay", number("decay", 0.004)) : 1)
      rate = era.isClassic ? 0.002 : 0.001
    default:
      throw RNNError.unsupported(
        "the optimizer '\(given)' is not built in", remedy: "Name another with --optimizer.")
    }
    self.init(rule, learningRate: .constant(rate))
    if let given = config["learning_rate"] ?? config["lr"] { learningRate = try LearningRate(keras: given) }
    var hasMomentum = false
    if case .rmsprop(_, let momentum, _, _) = rule, momentum > 0 { hasMomentum = true }
    // TensorFlow's own operation for RMSprop with momentum has epsilon inside the root.
    addsEpsilonOutside = era.isLegacy && (era.isClassic || !hasMomentum)
    if case .sgd(let momentum, _) = rule, momentum > 0 { hasMomentum = true }
    slices =
      dialect == "keras3"
      ? .squaredApart : era.isClassic ? .added : era.isLegacy && hasMomentum ? .touchedRowsOnly : .normedApart
    multipliesProductPerParameter = name == "nadam" && dialect == "keras2" && !era.isLegacy
    roundsFactors = era.isLegacy
    if name != "nadam", let decay = config["decay"]?.double, decay > 0, case .constant(let initial) = learningRate {
      learningRate = .inverseTime(initial: initial, steps: 1, rate: decay, staircase: false)
    }
    weightDecay = config["weight_decay"]?.double ?? (name == "adamw" ? 0.004 : nil)
    clipValue = config["clipvalue"]?.double
    globalClipNorm = config["global_clipnorm"]?.double
    clipNorm = config["clipnorm"]?.double
    if era.isClassic, clipNorm != nil {
      // Up to Keras 2.3 `clipnorm` is the norm of all gradients together.
      globalClipNorm = clipNorm
      clipNorm = nil
    }
    formulas?.apply(to: &self)
  }

  /// A configuration that a model of this provenance reads back as this very optimizer: the given one with another
  /// learning rate or other clips where that is all that differs, else Keras 3's, with what Keras has no words for.
  func kerasConfig(over given: JSONValue?, provenance: Provenance) -> JSONValue {
    var candidates: [JSONValue] = []
    if var json = given?.object, var config = json["config"]?.object {
      config[config["learning_rate"] == nil && config["lr"] != nil ? "lr" : "learning_rate"] = learningRate.kerasConfig
      for (key, value) in clips where value != nil || config[key] != nil {
        config[key] = value.map(JSONValue.number) ?? .null
      }
      json["config"] = .object(config)
      candidates.append(.object(json))
    }
    candidates.append(kerasConfig)
    func isOurs(_ json: JSONValue) -> Bool {
      (try? Optimizer(keras: json, dialect: provenance.dialect, version: provenance.frameworkVersion)) == self
    }
    if let found = candidates.first(where: isOurs) { return found }
    var json = kerasConfig.object ?? JSONObject()
    json[Formulas.key] = Formulas(self).json
    return .object(json)
  }

  private var clips: [(String, Double?)] {
    [("clipnorm", clipNorm), ("global_clipnorm", globalClipNorm), ("clipvalue", clipValue)]
  }

  /// As Keras 3 writes it.
  public var kerasConfig: JSONValue {
    var config: [(String, JSONValue)] = [("learning_rate", learningRate.kerasConfig)]
    switch rule {
    case .sgd(let momentum, let nesterov):
      config += [("momentum", .number(momentum)), ("nesterov", .bool(nesterov))]
    case .rmsprop(let rho, let momentum, let epsilon, let centered):
      config += [
        ("rho", .number(rho)), ("momentum", .number(momentum)), ("epsilon", .number(epsilon)),
        ("centered", .bool(centered)),
      ]
    case .adagrad(let initial, let epsilon):
      config += [("initial_accumulator_value", .number(initial)), ("epsilon", .number(epsilon))]
    case .adam(let beta1, let beta2, let epsilon, let amsgrad):
      config += [
        ("beta_1", .number(beta1)), ("beta_2", .number(beta2)), ("epsilon", .number(epsilon)),
        ("amsgrad", .bool(amsgrad)),
      ]
    case .nadam(let beta1, let beta2, let epsilon, _):
      config += [("beta_1", .number(beta1)), ("beta_2", .number(beta2)), ("epsilon", .number(epsilon))]
    }
    for (key, value) in [("weight_decay", weightDecay)] + clips {
      if let value { config.append((key, .number(value))) }
    }
    return ["class_name": .string(className), "config": .object(JSONObject(config))]
  }
}

/// What the formulas of other generations differ in from those of Keras 3, for configurations that we write ourselves.
private struct Formulas {
  /// Beside an optimizer's `class_name` and `config`.
  static let key = "rnnconv_formulas"

  private let slices: Optimizer.Slices
  private let addsEpsilonOutside: Bool
  private let multipliesProductPerParameter: Bool
  private let roundsFactors: Bool
  /// Nadam's.
  private let scheduleDecay: Double?

  init(_ optimizer: Optimizer) {
    slices = optimizer.slices
    addsEpsilonOutside = optimizer.addsEpsilonOutside
    multipliesProductPerParameter = optimizer.multipliesProductPerParameter
    roundsFactors = optimizer.roundsFactors
    if case .nadam(_, _, _, let decay) = optimizer.rule { scheduleDecay = decay } else { scheduleDecay = nil }
  }

  init?(_ json: JSONValue) {
    guard let slices = json["slices"]?.string.flatMap(Optimizer.Slices.init),
      let addsEpsilonOutside = json["epsilon_outside"]?.bool, let perParameter = json["product_per_parameter"]?.bool,
      let roundsFactors = json["rounds_factors"]?.bool
    else { return nil }
    self.slices = slices
    self.addsEpsilonOutside = addsEpsilonOutside
    multipliesProductPerParameter = perParameter
    self.roundsFactors = roundsFactors
    scheduleDecay = json["schedule_decay"]?.double
  }

  var json: JSONValue {
    [
      "slices": .string(slices.rawValue), "epsilon_outside": .bool(addsEpsilonOutside),
      "product_per_parameter": .bool(multipliesProductPerParameter), "rounds_factors": .bool(roundsFactors),
      "schedule_decay": scheduleDecay.map(JSONValue.number) ?? .null,
    ]
  }

  func apply(to optimizer: inout Optimizer) {
    optimizer.slices = slices
    optimizer.addsEpsilonOutside = addsEpsilonOutside
    optimizer.multipliesProductPerParameter = multipliesProductPerParameter
    optimizer.roundsFactors = roundsFactors
    if case .nadam(let beta1, let beta2, let epsilon, _) = optimizer.rule, let scheduleDecay {
      optimizer.rule = .nadam(beta1: beta1, beta2: beta2, epsilon: epsilon, decay: scheduleDecay)
    }
  }
}

/// Which of Keras's optimizers wrote a configuration.
struct OptimizerEra {
  /// Keras 1 and 2 up to 2.3: global clipping, epsilon outside the root.
  var isClassic: Bool
  /// These and TensorFlow's `optimizers.legacy` (all optimizers up to 2.10).
  var isLegacy: Bool

  init(dialect: String, version: String?, isCustom: Bool, config: JSONValue) {
    let numbers = (version ?? "").split(separator: ".").map { Int($0.prefix { $0.isNumber }) ?? 0 }
    let isKeras3 = dialect == "keras3"
    let isTensorFlow = version?.hasSuffix("-tf") == true || !numbers.lexicographicallyPrecedes([2, 4])
    isClassic = !isKeras3 && !isTensorFlow
    // The new optimizers are written as `Custom>Adam`, or carry keys that the legacy ones lack.
    isLegacy = isClassic || (!isKeras3 && !isCustom && config["use_ema"] == nil && config["jit_compile"] == nil)
  }
}
