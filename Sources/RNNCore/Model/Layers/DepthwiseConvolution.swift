/// `DepthwiseConv1D`: every channel has filters of its own, (batch, timesteps, channels) ->
/// (batch, windows, channels x depth multiplier). Output channel c m + j is filter j of channel c.
public struct DepthwiseConv1DSpec: SingleInputLayer {
  public var kernelSize: Int
  public var depthMultiplier: Int = 1
  public var strides: Int = 1
  public var padding: Padding = .valid
  public var dilationRate: Int = 1
  public var activation: Activation = .linear
  public var useBias: Bool = true

  public init(kernelSize: Int) {
    self.kernelSize = kernelSize
  }

  public var parameterNames: [String] { useBias ? ["kernel", "bias"] : ["kernel"] }
  public var activations: [Activation] { [activation] }

  /// The same windows as a convolution with as many groups as channels.
  /// - Throws: `badData` where the number of filters overflows.
  public func grouped(channels: Int) throws -> Conv1DSpec {
    try SizeLimit.check(depthMultiplier, "depth_multiplier")
    let (filters, overflow) = channels.multipliedReportingOverflow(by: depthMultiplier)
    guard !overflow else { throw RNNError.badData("the number of filters overflows") }
    var spec = Conv1DSpec(filters: filters, kernelSize: kernelSize)
    spec.strides = strides
    spec.padding = padding
    spec.dilationRate = dilationRate
    spec.groups = channels
    spec.activation = activation
    spec.useBias = useBias
    return spec
  }

  public func outputShape(input: Shape) throws -> Shape {
    let (_, channels) = try input.sequence(for: "DepthwiseConv1D")
    return try grouped(channels: channels).outputShape(input: input)
  }

  /// kernel (kernel size, channels, depth multiplier), bias (channels x depth multiplier).
  public func parameterShapes(input: Shape) throws -> [ParameterShape] {
    let (_, channels) = try input.sequence(for: "DepthwiseConv1D")
    let kernel = ParameterShape("kernel", [kernelSize, channels, depthMultiplier])
    let filters = try grouped(channels: channels).filters
    return useBias ? [kernel, ParameterShape("bias", [filters])] : [kernel]
  }
}

/// `SeparableConv1D`: a depthwise convolution without bias, then one of kernel size 1 over its channels.
public struct SeparableConv1DSpec: SingleInputLayer {
  public var filters: Int
  public var kernelSize: Int
  public var depthMultiplier: Int = 1
  public var strides: Int = 1
  public var padding: Padding = .valid
  public var dilationRate: Int = 1
  public var activation: Activation = .linear
  public var useBias: Bool = true

  public init(filters: Int, kernelSize: Int) {
    self.filters = filters
    self.kernelSize = kernelSize
  }

  public var parameterNames: [String] { ["depthwise_kernel", "pointwise_kernel"] + (useBias ? ["bias"] : []) }
  public var activations: [Activation] { [activation] }

  /// The first half.
  public var depthwise: DepthwiseConv1DSpec {
    var spec = DepthwiseConv1DSpec(kernelSize: kernelSize)
    spec.depthMultiplier = depthMultiplier
    spec.strides = strides
    spec.padding = padding
    spec.dilationRate = dilationRate
    spec.useBias = false
    return spec
  }

  /// The second half.
  public var pointwise: Conv1DSpec {
    var spec = Conv1DSpec(filters: filters, kernelSize: 1)
    spec.activation = activation
    spec.useBias = useBias
    return spec
  }

  public func outputShape(input: Shape) throws -> Shape {
    try pointwise.outputShape(input: try depthwise.outputShape(input: input))
  }

  /// depthwise kernel (kernel size, channels, depth multiplier), pointwise kernel (1, channels x depth multiplier,
  /// filters), bias (filters).
  public func parameterShapes(input: Shape) throws -> [ParameterShape] {
    let first = try depthwise.parameterShapes(input: input)[0]
    let second = try pointwise.parameterShapes(input: try depthwise.outputShape(input: input))
    return [ParameterShape("depthwise_kernel", first.shape), ParameterShape("pointwise_kernel", second[0].shape)]
      + second.dropFirst()
  }
}

/// `LocallyConnected1D`: a convolution whose every window has a kernel of its own.
public struct LocallyConnected1DSpec: SingleInputLayer {
  public var filters: Int
  public var kernelSize: Int
  public var strides: Int = 1
  public var activation: Activation = .linear
  public var useBias: Bool = true

  public init(filters: Int, kernelSize: Int) {
    self.filters = filters
    self.kernelSize = kernelSize
  }

  public var parameterNames: [String] { useBias ? ["kernel", "bias"] : ["kernel"] }
  public var activations: [Activation] { [activation] }

  private func windows(_ input: Shape) throws -> (count: Int, channels: Int) {
    let (timesteps, channels) = try input.sequence(for: "LocallyConnected1D")
    guard let timesteps else { throw RNNError.badData("LocallyConnected1D needs a known number of timesteps") }
    try SizeLimit.check(kernelSize, "kernel_size")
    try SizeLimit.check(strides, "strides")
    let geometry = try WindowGeometry(timesteps: timesteps, size: kernelSize, stride: strides, padding: .valid)
    return (geometry.outputLength, channels)
  }

  public func outputShape(input: Shape) throws -> Shape {
    try SizeLimit.check(filters, "filters")
    return [try windows(input).count, try activation.channels(from: filters)]
  }

  /// kernel (windows, kernel size x channels, filters), bias (windows, filters).
  public func parameterShapes(input: Shape) throws -> [ParameterShape] {
    let (count, channels) = try windows(input)
    let (inner, overflow) = kernelSize.multipliedReportingOverflow(by: channels)
    guard !overflow else { throw RNNError.badData("the kernel is too large") }
    let kernel = ParameterShape("kernel", [count, inner, filters])
    return useBias ? [kernel, ParameterShape("bias", [count, filters])] : [kernel]
  }
}
