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
