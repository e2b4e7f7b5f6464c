/// `ConvLSTM1D` (Shi et al. 2015): an LSTM whose products are convolutions,
/// (batch, timesteps, rows, channels) -> (batch, timesteps, windows, filters). Blocks i, f, c, o, as in `LSTM`.
///
/// Stride, padding and dilation are those of the input's convolution; the one of the state keeps its length (stride 1,
/// `same`, no dilation).
public struct ConvLSTM1DSpec: RecurrentConfiguration {
  /// Of the steps, or of their rows, too.
  public var maskAxes: ClosedRange<Int>? { options.ignoresMask ? nil : 1...2 }

  public var filters: Int
  public var kernelSize: Int
  public var strides: Int = 1
  public var padding: Padding = .valid
  public var dilationRate: Int = 1
  public var activation: Activation = .tanh
  public var recurrentActivation: Activation = .sigmoid
  public var options = RecurrentOptions()

  public init(filters: Int, kernelSize: Int) {
    self.filters = filters
    self.kernelSize = kernelSize
  }

  /// h and c.
  public var stateCount: Int { 2 }
  public var parameterNames: [String] { options.parameterNames }
  public var activations: [Activation] { [activation, recurrentActivation] }

  /// The convolution of one step's input, for all four gates.
  public var inputConvolution: Conv1DSpec {
    var spec = Conv1DSpec(filters: 4 * filters, kernelSize: kernelSize)
    spec.strides = strides
    spec.padding = padding
    spec.dilationRate = dilationRate
    spec.useBias = options.useBias
    return spec
  }

  /// The convolution of the state, for all four gates.
  public var stateConvolution: Conv1DSpec {
    var spec = Conv1DSpec(filters: 4 * filters, kernelSize: kernelSize)
    spec.padding = .same
    spec.useBias = false
    return spec
  }

  private func frame(_ input: Shape) throws -> Shape {
    guard input.count == 3 else {
      throw RNNError.badData(
        "ConvLSTM1D takes (batch, timesteps, rows, channels), but its input is \(describe(shape: [nil] + input))")
    }
    guard padding != .causal else { throw RNNError.badData("ConvLSTM1D has no causal padding") }
    guard !options.emitsState else { throw RNNError.badData("ConvLSTM1D does not give its state at masked steps") }
    try SizeLimit.check(filters, "filters")
    return Array(input.dropFirst())
  }

  public func stateShapes(input: Shape) throws -> [Shape] {
    // The frame first: it refuses absurd sizes, which the convolution would multiply.
    let frame = try frame(input)
    let windows = try inputConvolution.outputShape(input: frame)[0]
    return [[windows, filters], [windows, filters]]
  }

  public func outputShapes(inputs: [Shape]) throws -> [Shape] {
    let state = try stateShapes(input: inputs[0])[0]
    guard inputs.count == 1 || inputs.count == 3 else {
      throw RNNError.badData("\(inputs.count - 1) initial states, where the layer has 2")
    }
    for initial in inputs.dropFirst() where initial != state {
      throw RNNError.badData(
        "an initial state is \(describe(shape: [nil] + initial)), expected \(describe(shape: [nil] + state))")
    }
    guard !activations.contains(where: \.isOverLastAxis) else {
      throw RNNError.badData("ConvLSTM1D cannot have an activation over the last axis")
    }
    let output: Shape = options.returnSequences ? [inputs[0][0]] + state : state
    return [output] + (options.returnState ? [state, state] : [])
  }

  /// kernel (kernel size, channels, 4 filters), recurrent kernel (kernel size, filters, 4 filters), bias (4 filters).
  public func parameterShapes(inputs: [Shape]) throws -> [ParameterShape] {
    let channels = try frame(inputs[0]).channels(for: "ConvLSTM1D")
    let kernels = [
      ParameterShape("kernel", [kernelSize, channels, 4 * filters]),
      ParameterShape("recurrent_kernel", [kernelSize, filters, 4 * filters]),
    ]
    return options.useBias ? kernels + [ParameterShape("bias", [4 * filters])] : kernels
  }
}
