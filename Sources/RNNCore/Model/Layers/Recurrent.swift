/// What LSTM, GRU and SimpleRNN have in common.
public struct RecurrentOptions: Sendable, Equatable, Codable {
  /// All outputs (batch, timesteps, units) instead of the last (batch, units).
  public var returnSequences = false
  /// The final states follow the output as further outputs (h, and c for LSTM).
  public var returnState = false
  /// The sequence is read from its end; outputs stand in reading order.
  public var goBackwards = false
  /// The final states of one batch are the initial states of the next.
  public var stateful = false
  public var unroll = false
  /// A masked step gives zeros instead of the previous output.
  public var zeroOutputForMask = false
  /// The layer never sees its input's mask, which still goes on to the layers behind it: Keras 3, where the initial state
  /// comes from the graph.
  public var ignoresMask = false
  public var useBias = true
  /// Fractions dropped in training, no part of inference.
  public var dropout = 0.0
  public var recurrentDropout = 0.0

  public init() {}

  /// A file that lacks `ignoresMask` means false.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    returnSequences = try container.decode(Bool.self, forKey: .returnSequences)
    returnState = try container.decode(Bool.self, forKey: .returnState)
    goBackwards = try container.decode(Bool.self, forKey: .goBackwards)
    stateful = try container.decode(Bool.self, forKey: .stateful)
    unroll = try container.decode(Bool.self, forKey: .unroll)
    zeroOutputForMask = try container.decode(Bool.self, forKey: .zeroOutputForMask)
    ignoresMask = try container.decodeIfPresent(Bool.self, forKey: .ignoresMask) ?? false
    useBias = try container.decode(Bool.self, forKey: .useBias)
    dropout = try container.decode(Double.self, forKey: .dropout)
    recurrentDropout = try container.decode(Double.self, forKey: .recurrentDropout)
  }

  var parameterNames: [String] {
    useBias ? ["kernel", "recurrent_kernel", "bias"] : ["kernel", "recurrent_kernel"]
  }

  func outputShapes(input: Shape, units: Int, states: Int, layer: String) throws -> [Shape] {
    let (timesteps, _) = try input.sequence(for: layer)
    try SizeLimit.check(units, "units")
    let output: Shape = returnSequences ? [timesteps, units] : [units]
    return [output] + (returnState ? Array(repeating: [units], count: states) : [])
  }

  /// kernel (channels, gates x units), recurrent kernel (units, gates x units), bias as given.
  func parameterShapes(input: Shape, units: Int, gates: Int, bias: [Int], layer: String) throws -> [ParameterShape] {
    let (_, channels) = try input.sequence(for: layer)
    let kernels = [
      ParameterShape("kernel", [channels, gates * units]),
      ParameterShape("recurrent_kernel", [units, gates * units]),
    ]
    return useBias ? kernels + [ParameterShape("bias", bias)] : kernels
  }
}

/// `LSTM`. Gate order in every parameter: input, forget, candidate, output (i, f, c, o).
public struct LSTMSpec: Sendable, Equatable, Codable {
  public var units: Int
  /// Of the candidate and of the cell state on its way out.
  public var activation: Activation = .tanh
  /// Of the three gates.
  public var recurrentActivation: Activation = .sigmoid
  public var options = RecurrentOptions()

  public init(units: Int) {
    self.units = units
  }

  func parameterShapes(input: Shape) throws -> [ParameterShape] {
    try options.parameterShapes(input: input, units: units, gates: 4, bias: [4 * units], layer: "LSTM")
  }
}

/// `GRU`. Gate order in every parameter: update, reset, candidate (z, r, h).
public struct GRUSpec: Sendable, Equatable, Codable {
  public var units: Int
  /// Of the candidate.
  public var activation: Activation = .tanh
  /// Of both gates.
  public var recurrentActivation: Activation = .sigmoid
  /// `true`: the reset gate multiplies after the recurrent product, which has its own bias (row 1 of the bias);
  /// `false`: it multiplies the state before the product.
  public var resetAfter: Bool
  public var options = RecurrentOptions()

  public init(units: Int, resetAfter: Bool) {
    self.units = units
    self.resetAfter = resetAfter
  }

  func parameterShapes(input: Shape) throws -> [ParameterShape] {
    let bias = resetAfter ? [2, 3 * units] : [3 * units]
    return try options.parameterShapes(input: input, units: units, gates: 3, bias: bias, layer: "GRU")
  }
}

/// `SimpleRNN`: h = activation(x kernel + h recurrent kernel + bias).
public struct SimpleRNNSpec: Sendable, Equatable, Codable {
  public var units: Int
  public var activation: Activation = .tanh
  public var options = RecurrentOptions()

  public init(units: Int) {
    self.units = units
  }

  func parameterShapes(input: Shape) throws -> [ParameterShape] {
    try options.parameterShapes(input: input, units: units, gates: 1, bias: [units], layer: "SimpleRNN")
  }
}
