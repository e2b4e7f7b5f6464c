/// How a window meets the ends of a sequence.
public enum Padding: String, Sendable, Codable, CaseIterable {
  /// Only whole windows.
  case valid
  /// ceil(timesteps / stride) outputs; the odd element of the padding stands right.
  case same
  /// (kernel - 1) x dilation zeros stand left, none right.
  case causal
}

/// Where the windows of a convolution or pooling lie on a sequence.
public struct WindowGeometry: Sendable, Equatable {
  public var outputLength: Int
  /// Elements that the first window reaches before the first timestep.
  public var left: Int

  /// - Parameters: all in timesteps; `size` is the undilated window.
  /// - Throws: `badData` when no window fits.
  public init(timesteps: Int, size: Int, stride: Int, dilation: Int = 1, padding: Padding) throws {
    let extent = (size - 1) * dilation + 1
    switch padding {
    case .valid:
      guard timesteps >= extent else {
        throw RNNError.badData("a window of \(extent) timesteps does not fit a sequence of \(timesteps)")
      }
      outputLength = (timesteps - extent) / stride + 1
      left = 0
    case .same:
      outputLength = (timesteps + stride - 1) / stride
      left = max((outputLength - 1) * stride + extent - timesteps, 0) / 2
    case .causal:
      guard timesteps > 0 else { throw RNNError.badData("a sequence of no timesteps has no windows") }
      outputLength = (timesteps - 1) / stride + 1
      left = extent - 1
    }
  }
}

/// `Conv1D`: (batch, timesteps, channels) -> (batch, windows, filters).
public struct Conv1DSpec: SingleInputLayer {
  public var filters: Int
  public var kernelSize: Int
  public var strides: Int = 1
  public var padding: Padding = .valid
  public var dilationRate: Int = 1
  public var groups: Int = 1
  public var activation: Activation = .linear
  public var useBias: Bool = true

  public init(filters: Int, kernelSize: Int) {
    self.filters = filters
    self.kernelSize = kernelSize
  }

  public var parameterNames: [String] { useBias ? ["kernel", "bias"] : ["kernel"] }
  public var activations: [Activation] { [activation] }

  public func outputShape(input: Shape) throws -> Shape {
    // Keras 2 takes more axes before the steps, each of which are more sequences.
    let leading = input.dropLast(2)
    let (timesteps, channels) = try Array(input.suffix(2)).sequence(for: "Conv1D")
    try SizeLimit.check(filters, "filters")
    try SizeLimit.check(kernelSize, "kernel_size")
    try SizeLimit.check(strides, "strides")
    try SizeLimit.check(dilationRate, "dilation_rate")
    try SizeLimit.check(groups, "groups")
    guard channels % groups == 0, filters % groups == 0 else {
      throw RNNError.badData("\(groups) groups divide neither \(channels) channels nor \(filters) filters evenly")
    }
    let length = try timesteps.map {
      try WindowGeometry(
        timesteps: $0, size: kernelSize, stride: strides, dilation: dilationRate, padding: padding
      ).outputLength
    }
    return leading + [length, try activation.channels(from: filters)]
  }

  /// kernel (kernel size, channels / groups, filters), bias (filters).
  public func parameterShapes(input: Shape) throws -> [ParameterShape] {
    let channels = try input.channels(for: "Conv1D")
    try SizeLimit.check(groups, "groups")
    let kernel = ParameterShape("kernel", [kernelSize, channels / groups, filters])
    return useBias ? [kernel, ParameterShape("bias", [filters])] : [kernel]
  }
}
