import RNNCore

/// Keras's initializers where a configuration names none.
public enum DefaultInitializers {
  /// - Parameter parameter: its name within the layer.
  public static func initializer(for layer: LayerSpec, _ parameter: String, rules: KerasRules = .later) -> Initializer {
    switch layer {
    case .embedding: .uniform(minimum: -0.05, maximum: 0.05)
    case .conv1D, .dense, .lstm, .gru, .simpleRNN:
      switch parameter {
      case "recurrent_kernel": .orthogonal(gain: rules == .keras1 ? 1.1 : 1, rules: rules)
      case "bias": .zeros
      default:
        .varianceScaling(VarianceScaling(mode: .average, distribution: .uniform, rules: rules))
      }
    case .input, .masking, .dropout, .spatialDropout1D, .gaussianNoise, .gaussianDropout, .maxPooling1D,
      .averagePooling1D, .globalMaxPooling1D, .globalAveragePooling1D, .activation, .flatten:
      .zeros
    }
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
    for (layer, shapes) in zip(spec.layers, try spec.shapes().parameters) {
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
    let isOld = ["init", "inner_init", "forget_bias_init"].contains { config.keys.contains($0) }
    self.config = config
    self.rules = rules ?? (isOld ? .keras1 : .later)
  }

  func values(_ parameter: ParameterShape, seed: UInt64, parameter number: Int) throws -> [Float] {
    let initializer = try initializer(parameter.name)
    let shape = parameter.shape
    if parameter.name == "bias", case .lstm(let lstm) = spec, let forget = try forgetInitializer() {
      // Gates i, f, c, o: f has its own, and each stretch is drawn for itself.
      let parts = [(initializer, 1), (forget, 1), (initializer, 2)]
      return try parts.enumerated().flatMap { part, piece in
        try piece.0.values(shape: [piece.1 * lstm.units], seed: seed, parameter: number, part: part)
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
    switch spec {
    case .lstm: 4
    case .gru: 3
    case .simpleRNN, .input, .embedding, .masking, .dropout, .spatialDropout1D, .gaussianNoise, .gaussianDropout,
      .conv1D, .maxPooling1D, .averagePooling1D, .globalMaxPooling1D, .globalAveragePooling1D, .dense, .activation,
      .flatten:
      nil
    }
  }

  /// Keras 1.2 fills recurrent kernels by `init` unless `consume_less` is `gpu`: a slip; what the argument says holds.
  private func initializer(_ parameter: String) throws -> Initializer {
    let keys: [String] =
      switch parameter {
      case "kernel": ["kernel_initializer", "init"]
      case "recurrent_kernel": ["recurrent_initializer", "inner_init"]
      case "embeddings": ["embeddings_initializer", "init"]
      default: [parameter + "_initializer"]
      }
    for key in keys {
      if let json = config[key] { return try locating(key) { try Initializer(keras: json, rules: rules) } }
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
