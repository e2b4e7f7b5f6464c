import RNNCore

/// Keras's initializers where a configuration names none.
public enum DefaultInitializers {
  /// - Parameter parameter: its name within the layer.
  public static func initializer(for layer: LayerSpec, _ parameter: String, rules: KerasRules = .later) -> Initializer {
    switch parameter {
    case "embeddings": return .uniform(minimum: -0.05, maximum: 0.05)
    case "gamma", "moving_variance", "moving_stddev", "renorm_stddev", "a_right", "carry_bias": return .ones
    case "recurrent_kernel": return .orthogonal(gain: rules == .keras1 ? 1.1 : 1, rules: rules)
    case "scale":
      // One number starts as 1, a vector as Glorot's.
      guard case .attention(let spec) = layer, spec.score == .additive else { return .ones }
    case "concat_score_weight", "alphas", "betas": return .ones
    case _ where parameter.hasSuffix("kernel"): break
    case _: return .zeros
    }
    return .varianceScaling(VarianceScaling(mode: .average, distribution: .uniform, rules: rules))
  }
}

/// The parameters of a model before its first training.
public enum ParameterInitialization {
  /// - Parameters:
  ///   - seed: the same seed gives the same parameters on every machine.
  ///   - rules: which Keras's; `nil` takes Keras 1's for layers with its argument names, else the latest.
  /// - Returns: float32 parameters in the model's order.
  /// - Throws: `unsupported` naming the layer and an initializer that is not built in.
  public static func parameters(
    for spec: ModelSpec, seed: UInt64, rules: KerasRules? = nil
  ) throws -> [NativeModel.Parameter] {
    var result: [NativeModel.Parameter] = []
    _ = try spec.shapes()
    let plain = spec.plain
    for (layer, shapes) in zip(plain.layers, try plain.shapes().parameters) {
      try locating("layer '\(layer.name)'") {
        let initialization = try LayerInitialization(layer, rules)
        for shape in shapes {
          let values = try locating(shape.name) {
            try initialization.values(shape, seed: seed, parameter: result.count)
          }
          result.append(
            NativeModel.Parameter(
              layer: layer.name, name: shape.name, tensor: try Tensor(values, shape: shape.shape)))
        }
      }
    }
    return result
  }
}

/// What one layer's configuration says of its first parameters.
struct LayerInitialization {
  private let spec: LayerSpec
  private let config: JSONObject
  private let rules: KerasRules

  init(_ layer: ModelSpec.Layer, _ rules: KerasRules?) throws {
    spec = layer.spec
    let config = try layer.carried.map { try JSONValue(parsing: $0) }?.object ?? JSONObject()
    let isOld = config.keys.contains { $0 == "init" || $0.hasSuffix("_init") }
    self.config = config
    self.rules = rules ?? (isOld ? .keras1 : .later)
  }

  func values(_ parameter: ParameterShape, seed: UInt64, parameter number: Int) throws -> [Float] {
    let initializer = try initializer(parameter.name)
    let shape = parameter.shape
    if parameter.name == "bias", let units = unitsWithForgetGate, let forget = try forgetInitializer() {
      // Gates i, f, c, o: f has its own, and each stretch is drawn for itself.
      let parts = [(initializer, 1), (forget, 1), (initializer, 2)]
      return try parts.enumerated().flatMap { part, piece in
        try piece.0.values(shape: [piece.1 * units], seed: seed, parameter: number, part: part)
      }
    }
    if rules == .keras1, let gates = gateCount, parameter.name != "bias" {
      // Keras 1 draws each gate's matrix by itself; the native one has them side by side.
      let units = shape[1] / gates
      let parts = try (0..<gates).map {
        try initializer.values(shape: [shape[0], units], seed: seed, parameter: number, part: $0)
      }
      return (0..<shape[0]).flatMap { row in parts.flatMap { $0[row * units..<(row + 1) * units] } }
    }
    if rules == .keras1, case .conv1D = spec, shape.count == 3 {
      // Keras 1 stores the kernel with an axis more.
      return try initializer.values(
        shape: [shape[0], 1, shape[1], shape[2]], seed: seed, parameter: number)
    }
    return try initializer.values(shape: shape, seed: seed, parameter: number)
  }

  private var gateCount: Int? {
    if case .lstm = spec { return 4 }
    if case .gru = spec { return 3 }
    return nil
  }

  /// Of the layers whose bias holds i, f, c and o.
  private var unitsWithForgetGate: Int? {
    if case .lstm(let lstm) = spec { return lstm.units }
    if case .convLSTM1D(let convolutional) = spec { return convolutional.filters }
    return nil
  }

  /// Keras 1.2 fills recurrent kernels by `init` unless `consume_less` is `gpu`: a slip; what the argument says holds.
  private func initializer(_ parameter: String) throws -> Initializer {
    let keys: [String] =
      switch parameter {
      case "kernel": ["kernel_initializer", "depthwise_initializer", "init"]
      case "recurrent_kernel": ["recurrent_initializer", "inner_init"]
      case "embeddings": ["embeddings_initializer", "init"]
      case "depthwise_kernel": ["depthwise_initializer"]
      case "pointwise_kernel": ["pointwise_initializer"]
      case "carry_kernel": ["init"]
      case "alpha": ["alpha_initializer", "init"]
      case "alphas": ["alpha_init"]
      case "betas": ["beta_init"]
      default:
        // The maps of multi-head attention share the arguments of the whole; Keras 1 says `gamma_init`.
        ["_initializer", "_init"].map { (parameter.split(separator: "/").last.map(String.init) ?? parameter) + $0 }
      }
    for key in keys {
      guard let json = config[key] else { continue }
      // ParametricSoftplus states what its parameters begin with.
      if ["alphas", "betas"].contains(parameter), let value = json.double { return .constant(value) }
      return try locating(key) { try Initializer(keras: json, rules: rules) }
    }
    return DefaultInitializers.initializer(for: spec, parameter, rules: rules)
  }

  /// What the forget gate's bias starts with; `nil` where it is no different from the others.
  private func forgetInitializer() throws -> Initializer? {
    if let json = config["forget_bias_init"] {
      return try locating("forget_bias_init") { try Initializer(keras: json, rules: rules) }
    }
    return config["unit_forget_bias"]?.bool ?? true ? .ones : nil
  }
}
