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
  /// A masked step gives the first state, also before the first valid step, where others give zeros: Keras up to 2.3, in
  /// a loop.
  public var emitsState = false
  public var useBias = true
  /// Fractions dropped in training, no part of inference.
  public var dropout = 0.0
  public var recurrentDropout = 0.0

  public init() {}

  /// Unrolled and read backwards, TensorFlow's Keras and Keras 3 zero the outputs at the masked steps of the input as it
  /// stands, not as it is read.
  public var zeroesByPosition: Bool { unroll && goBackwards && zeroOutputForMask && returnSequences }

  /// A file that lacks `ignoresMask` or `emitsState` means false.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    returnSequences = try container.decode(Bool.self, forKey: .returnSequences)
    returnState = try container.decode(Bool.self, forKey: .returnState)
    goBackwards = try container.decode(Bool.self, forKey: .goBackwards)
    stateful = try container.decode(Bool.self, forKey: .stateful)
    unroll = try container.decode(Bool.self, forKey: .unroll)
    zeroOutputForMask = try container.decode(Bool.self, forKey: .zeroOutputForMask)
    ignoresMask = try container.decodeIfPresent(Bool.self, forKey: .ignoresMask) ?? false
    emitsState = try container.decodeIfPresent(Bool.self, forKey: .emitsState) ?? false
    useBias = try container.decode(Bool.self, forKey: .useBias)
    dropout = try container.decode(Double.self, forKey: .dropout)
    recurrentDropout = try container.decode(Double.self, forKey: .recurrentDropout)
  }

  var parameterNames: [String] {
    useBias ? ["kernel", "recurrent_kernel", "bias"] : ["kernel", "recurrent_kernel"]
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

/// A layer that reads its input step by step and carries states from step to step.
public protocol RecurrentConfiguration: LayerConfiguration {
  var options: RecurrentOptions { get set }
  /// How many states it has; initial ones may follow its input.
  var stateCount: Int { get }
  /// The states of one example, for an input without the batch.
  func stateShapes(input: Shape) throws -> [Shape]
}

extension RecurrentConfiguration {
  /// Its input, or that and an initial value for each state.
  public var inputCounts: ClosedRange<Int> { 1...(1 + stateCount) }
  public var outputCount: Int { options.returnState ? 1 + stateCount : 1 }
  public var keepsMask: Bool { options.returnSequences }
  public var maskAxes: ClosedRange<Int>? { options.ignoresMask ? nil : 1...1 }
  public func runsStepByStep(inputs: [Shape]) -> Bool { !options.goBackwards }
}

/// A recurrent layer whose states are vectors.
public protocol RecurrentLayer: RecurrentConfiguration {
  /// The width of each state; the first is also the output's.
  var stateWidths: [Int] { get }
  func parameterShapes(input: Shape) throws -> [ParameterShape]
}

extension RecurrentLayer {
  public var stateCount: Int { stateWidths.count }
  public func stateShapes(input: Shape) throws -> [Shape] { stateWidths.map { [$0] } }
  public var parameterNames: [String] { options.parameterNames }
  public func parameterShapes(inputs: [Shape]) throws -> [ParameterShape] { try parameterShapes(input: inputs[0]) }

  public func outputShapes(inputs: [Shape]) throws -> [Shape] {
    let (timesteps, _) = try inputs[0].sequence(for: "a recurrent layer")
    for width in stateWidths { try SizeLimit.check(width, "units") }
    guard !activations.contains(.glu) else {
      throw RNNError.badData("glu halves its input, so no recurrent layer can have it as an activation")
    }
    guard inputs.count == 1 || inputs.count == 1 + stateWidths.count else {
      throw RNNError.badData("\(inputs.count - 1) initial states, where the layer has \(stateWidths.count)")
    }
    for (state, width) in zip(inputs.dropFirst(), stateWidths) where state != [width] {
      throw RNNError.badData(
        "an initial state is \(describe(shape: [nil] + state)), expected \(describe(shape: [nil, width]))")
    }
    let output: Shape = options.returnSequences ? [timesteps, stateWidths[0]] : [stateWidths[0]]
    return [output] + (options.returnState ? stateWidths.map { [$0] } : [])
  }
}

/// `LSTM`. Gate order in every parameter: input, forget, candidate, output (i, f, c, o).
public struct LSTMSpec: RecurrentLayer {
  public var units: Int
  /// Of the candidate and of the cell state on its way out.
  public var activation: Activation = .tanh
  /// Of the three gates.
  public var recurrentActivation: Activation = .sigmoid
  public var options = RecurrentOptions()

  public init(units: Int) {
    self.units = units
  }

  /// h and c.
  public var stateWidths: [Int] { [units, units] }
  public var activations: [Activation] { [activation, recurrentActivation] }

  public func parameterShapes(input: Shape) throws -> [ParameterShape] {
    try options.parameterShapes(input: input, units: units, gates: 4, bias: [4 * units], layer: "LSTM")
  }
}

/// `GRU`. Gate order in every parameter: update, reset, candidate (z, r, h).
public struct GRUSpec: RecurrentLayer {
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

  public var stateWidths: [Int] { [units] }
  public var activations: [Activation] { [activation, recurrentActivation] }

  public func parameterShapes(input: Shape) throws -> [ParameterShape] {
    let bias = resetAfter ? [2, 3 * units] : [3 * units]
    return try options.parameterShapes(input: input, units: units, gates: 3, bias: bias, layer: "GRU")
  }
}

/// `SimpleRNN`: h = activation(x kernel + h recurrent kernel + bias).
public struct SimpleRNNSpec: RecurrentLayer {
  public var units: Int
  public var activation: Activation = .tanh
  public var options = RecurrentOptions()

  public init(units: Int) {
    self.units = units
  }

  public var stateWidths: [Int] { [units] }
  public var activations: [Activation] { [activation] }

  public func parameterShapes(input: Shape) throws -> [ParameterShape] {
    try options.parameterShapes(input: input, units: units, gates: 1, bias: [units], layer: "SimpleRNN")
  }
}
