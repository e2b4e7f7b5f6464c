/// `MaxPooling1D`, `AveragePooling1D`: (batch, timesteps, channels) -> (batch, windows, channels).
public struct Pooling1DSpec: SingleInputLayer {
  public var poolSize: Int
  public var strides: Int
  /// `valid` or `same`; padded positions do not count, neither for the maximum nor for the average.
  public var padding: Padding

  public init(poolSize: Int, strides: Int, padding: Padding) {
    self.poolSize = poolSize
    self.strides = strides
    self.padding = padding
  }

  public func outputShape(input: Shape) throws -> Shape {
    let (timesteps, channels) = try input.steps(for: "a pooling layer")
    try SizeLimit.check(poolSize, "pool_size")
    try SizeLimit.check(strides, "strides")
    guard padding != .causal else { throw RNNError.badData("pooling has no causal padding") }
    let length = try timesteps.map {
      try WindowGeometry(timesteps: $0, size: poolSize, stride: strides, padding: padding).outputLength
    }
    return [length, channels]
  }
}

/// `GlobalMaxPooling1D`, `GlobalAveragePooling1D`: (batch, timesteps, channels) -> (batch, channels).
public struct GlobalPooling1DSpec: SingleInputLayer {
  public var maskAxes: ClosedRange<Int>? { 1...1 }

  /// Whether the time axis stays, with length 1.
  public var keepDims: Bool

  public init(keepDims: Bool) {
    self.keepDims = keepDims
  }

  public func outputShape(input: Shape) throws -> Shape {
    let (_, channels) = try input.steps(for: "a pooling layer")
    return keepDims ? [1, channels] : [channels]
  }
}

/// `AdaptiveMaxPooling1D`, `AdaptiveAveragePooling1D`: (batch, timesteps, channels) -> (batch, output size, channels).
///
/// Window i goes from step floor(i timesteps / size) to ceil((i + 1) timesteps / size), so that windows overlap where
/// the size does not divide the timesteps (keras/src/backend/tensorflow/nn.py, `_compute_adaptive_pooling_gather_indices`).
public struct AdaptivePooling1DSpec: SingleInputLayer {
  public var outputSize: Int

  public init(outputSize: Int) {
    self.outputSize = outputSize
  }

  /// The steps of a window.
  public func steps(of window: Int, timesteps: Int) -> Range<Int> {
    window * timesteps / outputSize..<((window + 1) * timesteps + outputSize - 1) / outputSize
  }

  public func outputShape(input: Shape) throws -> Shape {
    let (timesteps, channels) = try input.steps(for: "a pooling layer")
    try SizeLimit.check(outputSize, "output_size")
    if let timesteps, timesteps == 0 { throw RNNError.badData("a sequence of no timesteps cannot be pooled") }
    return [outputSize, channels]
  }
}
