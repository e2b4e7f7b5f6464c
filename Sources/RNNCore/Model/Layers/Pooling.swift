/// `MaxPooling1D`, `AveragePooling1D`: (batch, timesteps, channels) -> (batch, windows, channels).
public struct Pooling1DSpec: Sendable, Equatable, Codable {
  public var poolSize: Int
  public var strides: Int
  /// `valid` or `same`; padded positions do not count, neither for the maximum nor for the average.
  public var padding: Padding

  public init(poolSize: Int, strides: Int, padding: Padding) {
    self.poolSize = poolSize
    self.strides = strides
    self.padding = padding
  }

  func outputShape(input: Shape, layer: String) throws -> Shape {
    let (timesteps, channels) = try input.sequence(for: layer)
    try SizeLimit.check(poolSize, "pool_size")
    try SizeLimit.check(strides, "strides")
    guard padding != .causal else { throw RNNError.badData("\(layer) has no causal padding") }
    let length = try timesteps.map {
      try WindowGeometry(timesteps: $0, size: poolSize, stride: strides, padding: padding).outputLength
    }
    return [length, channels]
  }
}

/// `GlobalMaxPooling1D`, `GlobalAveragePooling1D`: (batch, timesteps, channels) -> (batch, channels).
public struct GlobalPooling1DSpec: Sendable, Equatable, Codable {
  /// Whether the time axis stays, with length 1.
  public var keepDims: Bool

  public init(keepDims: Bool) {
    self.keepDims = keepDims
  }

  func outputShape(input: Shape, layer: String) throws -> Shape {
    let (_, channels) = try input.sequence(for: layer)
    return keepDims ? [1, channels] : [channels]
  }
}
