import RNNCore
import RealModule

/// The learning rate at a step, counted from 0; formulas as `keras/src/optimizers/schedules/learning_rate_schedule.py`.
public enum LearningRate: Sendable, Equatable {
  case constant(Double)
  /// initial x rate ^ (step / steps), the exponent rounded down with `staircase`.
  case exponential(initial: Double, steps: Double, rate: Double, staircase: Bool)
  /// initial / (1 + rate x step / steps).
  case inverseTime(initial: Double, steps: Double, rate: Double, staircase: Bool)
  /// values[i] up to and including boundaries[i].
  case piecewise(boundaries: [Double], values: [Double])
  /// Warm-up from `initial` to `target` in `warmUpSteps`, then half a cosine down to alpha x peak in `steps`.
  case cosine(initial: Double, steps: Double, alpha: Double, target: Double?, warmUpSteps: Double)

  public func value(at step: Int) -> Double {
    let step = Double(step)
    switch self {
    case .constant(let rate): return rate
    case .exponential(let initial, let steps, let rate, let staircase):
      let exponent = step / steps
      return initial * .pow(rate, staircase ? exponent.rounded(.down) : exponent)
    case .inverseTime(let initial, let steps, let rate, let staircase):
      let exponent = step / steps
      return initial / (1 + rate * (staircase ? exponent.rounded(.down) : exponent))
    case .piecewise(let boundaries, let values):
      let index = boundaries.firstIndex { step <= $0 } ?? boundaries.count
      return values[index]
    case .cosine(let initial, let steps, let alpha, let target, let warmUpSteps):
      if let target, step < warmUpSteps { return initial + (target - initial) * step / warmUpSteps }
      let peak = target ?? initial
      let passed = Swift.min(target == nil ? step : step - warmUpSteps, steps) / steps
      return peak * ((1 - alpha) * (1 + .cos(.pi * passed)) / 2 + alpha)
    }
  }

  /// As Keras writes it.
  var kerasConfig: JSONValue {
    func schedule(_ name: String, _ config: [(String, JSONValue)]) -> JSONValue {
      ["class_name": .string(name), "config": .object(JSONObject(config))]
    }
    switch self {
    case .constant(let rate): return .number(rate)
    case .exponential(let initial, let steps, let rate, let staircase),
      .inverseTime(let initial, let steps, let rate, let staircase):
      var name = "InverseTimeDecay"
      if case .exponential = self { name = "ExponentialDecay" }
      return schedule(
        name,
        [
          ("initial_learning_rate", .number(initial)), ("decay_steps", .number(steps)), ("decay_rate", .number(rate)),
          ("staircase", .bool(staircase)),
        ])
    case .piecewise(let boundaries, let values):
      return schedule(
        "PiecewiseConstantDecay",
        [("boundaries", .array(boundaries.map(JSONValue.number))), ("values", .array(values.map(JSONValue.number)))])
    case .cosine(let initial, let steps, let alpha, let target, let warmUpSteps):
      return schedule(
        "CosineDecay",
        [
          ("initial_learning_rate", .number(initial)), ("decay_steps", .number(steps)), ("alpha", .number(alpha)),
          ("warmup_target", target.map(JSONValue.number) ?? .null), ("warmup_steps", .number(warmUpSteps)),
        ])
    }
  }

  /// A number, or a schedule's configuration.
  /// - Throws: `unsupported` for a schedule that is not built in.
  init(keras json: JSONValue) throws {
    if let rate = json.double {
      self = .constant(rate)
      return
    }
    guard let name = json["class_name"]?.string, let config = json["config"] else {
      throw RNNError.unsupported("the learning rate is \(json.kind)")
    }
    func number(_ key: String, _ fallback: Double) -> Double { config[key]?.double ?? fallback }
    let initial = number("initial_learning_rate", 0.001)
    let staircase = config["staircase"]?.bool ?? false
    switch name {
    case "ExponentialDecay":
      self = .exponential(
        initial: initial, steps: number("decay_steps", 1), rate: number("decay_rate", 1), staircase: staircase)
    case "InverseTimeDecay":
      self = .inverseTime(
        initial: initial, steps: number("decay_steps", 1), rate: number("decay_rate", 1), staircase: staircase)
    case "PiecewiseConstantDecay":
      let boundaries = config["boundaries"]?.doubles ?? []
      let values = config["values"]?.doubles ?? []
      guard values.count == boundaries.count + 1 else {
        throw RNNError.badData("a piecewise learning rate needs one value more than boundaries")
      }
      self = .piecewise(boundaries: boundaries, values: values)
    case "CosineDecay":
      self = .cosine(
        initial: initial, steps: number("decay_steps", 1), alpha: number("alpha", 0),
        target: config["warmup_target"]?.double, warmUpSteps: number("warmup_steps", 0))
    default: throw RNNError.unsupported("the learning-rate schedule '\(name)' is not built in")
    }
  }
}
