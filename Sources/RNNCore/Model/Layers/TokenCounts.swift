/// What `CategoryEncoding`, `TextVectorization` and `StringLookup` make of ids where they do not hand them on:
/// (batch, timesteps) -> (batch, size), a place for each id.
public struct TokenCountsSpec: SingleInputLayer {
  public enum Mode: String, Sendable, Codable, CaseIterable {
    /// 1 for each id that occurs.
    case multiHot = "multi_hot"
    /// How often each id occurs.
    case count
    /// That times the id's weight.
    case tfIDF = "tf_idf"
    /// A vector for each step: (batch, timesteps, size).
    case oneHot = "one_hot"

    /// What comes of ids.
    func shape(_ ids: Shape, size: Int) throws -> Shape {
      try SizeLimit.check(size, "the vocabulary")
      if self == .oneHot { return ids + [size] }
      guard ids.count == 1 else {
        throw RNNError.badData("ids are (batch, timesteps), but the input is \(describe(shape: [nil] + ids))")
      }
      return [size]
    }
  }

  public var mode: Mode
  public var size: Int
  /// For `tf_idf`, one weight an id; those that are missing count 0.
  public var weights: [Float]

  public init(mode: Mode, size: Int, weights: [Float] = []) {
    self.mode = mode
    self.size = size
    self.weights = weights
  }

  public func outputShape(input: Shape) throws -> Shape {
    try mode.shape(input, size: size)
  }
}
