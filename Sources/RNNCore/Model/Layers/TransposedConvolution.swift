/// `Conv1DTranspose`: (batch, timesteps, channels) -> (batch, longer, filters).
///
/// y[t stride + j dilation - left] += x[t] transposed(kernel[j]), then the bias and the activation.
public struct Conv1DTransposeSpec: SingleInputLayer {
  public var filters: Int
  public var kernelSize: Int
  public var strides: Int = 1
  /// `valid` or `same`.
  public var padding: Padding = .valid
  public var dilationRate: Int = 1
  /// Steps more than the shortest output that a convolution would take back to the input; `nil` lets the layer choose.
  public var outputPadding: Int?
  public var activation: Activation = .linear
  public var useBias: Bool = true

  public init(filters: Int, kernelSize: Int) {
    self.filters = filters
    self.kernelSize = kernelSize
  }

  public var parameterNames: [String] { useBias ? ["kernel", "bias"] : ["kernel"] }
  public var activations: [Activation] { [activation] }

  /// Where the windows lie on the output.
  /// - Throws: `badData` where sizes are out of range.
  public func geometry(timesteps: Int) throws -> WindowGeometry {
    try SizeLimit.check(kernelSize, "kernel_size")
    try SizeLimit.check(strides, "strides")
    try SizeLimit.check(dilationRate, "dilation_rate")
    try SizeLimit.check(timesteps, "the timesteps", atLeast: 0)
    let (extent, overflow) = (kernelSize - 1).multipliedReportingOverflow(by: dilationRate)
    guard !overflow, extent < SizeLimit.dimension else { throw RNNError.badData("the dilated kernel is too long") }
    return WindowGeometry(
      transposedTimesteps: timesteps, extent: extent + 1, stride: strides, padding: padding,
      outputPadding: outputPadding)
  }

  public func outputShape(input: Shape) throws -> Shape {
    let (timesteps, _) = try input.sequence(for: "Conv1DTranspose")
    try SizeLimit.check(filters, "filters")
    try SizeLimit.check(strides, "strides")
    guard padding != .causal else { throw RNNError.badData("Conv1DTranspose has no causal padding") }
    if let outputPadding {
      guard (0..<strides).contains(outputPadding) else {
        throw RNNError.badData("output_padding \(outputPadding) must be less than the stride \(strides)")
      }
    }
    return [
      try timesteps.map { try geometry(timesteps: $0).outputLength }, try activation.channels(from: filters),
    ]
  }

  /// kernel (kernel size, filters, channels), bias (filters).
  public func parameterShapes(input: Shape) throws -> [ParameterShape] {
    let (_, channels) = try input.sequence(for: "Conv1DTranspose")
    let kernel = ParameterShape("kernel", [kernelSize, filters, channels])
    return useBias ? [kernel, ParameterShape("bias", [filters])] : [kernel]
  }
}

extension WindowGeometry {
  /// A convolution backwards: `outputLength` steps come from `timesteps`, and `left` of the first window are cut off.
  ///
  /// Lengths as in Keras 3.15, `keras/src/backend/common/backend_utils.py`.
  init(transposedTimesteps timesteps: Int, extent: Int, stride: Int, padding: Padding, outputPadding: Int?) {
    let whole = timesteps > 0 ? (timesteps - 1) * stride + extent : 0
    switch padding {
    case .valid, .causal:
      let length = outputPadding.map { whole + $0 } ?? (timesteps * stride + max(extent - stride, 0))
      self.init(outputLength: length, left: 0)
    case .same:
      let length = outputPadding.map { (timesteps - 1) * stride + extent - 2 * (extent / 2) + $0 } ?? timesteps * stride
      // What a convolution with `same` padding from that length would pad.
      self.init(outputLength: max(length, 0), left: max(whole - length, 0) / 2)
    }
  }

  private init(outputLength: Int, left: Int) {
    self.outputLength = outputLength
    self.left = left
  }
}
