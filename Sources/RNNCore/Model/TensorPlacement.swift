/// Where the numbers of one tensor of a file went: what `explain` draws. Known after an import, and no part of a `.rnn`.
public struct TensorPlacement: Sendable, Equatable {
  /// A run of positions along one axis that belongs together.
  public struct Segment: Sendable, Equatable {
    public var range: Range<Int>
    /// The native block: a parameter, with its row and gate where it is a part of one.
    public var block: String
    /// What was done to it, from the native block outwards; empty where nothing was.
    public var steps: String

    public init(range: Range<Int>, block: String, steps: String) {
      self.range = range
      self.block = block
      self.steps = steps
    }
  }

  /// The tensor's name in its file.
  public var tensor: String
  public var shape: [Int]
  /// The native layer.
  public var layer: String
  /// The axis along which the segments lie; `nil` where there is but one.
  public var axis: Int?
  public var segments: [Segment]

  public init(tensor: String, shape: [Int], layer: String, axis: Int?, segments: [Segment]) {
    self.tensor = tensor
    self.shape = shape
    self.layer = layer
    self.axis = axis
    self.segments = segments
  }
}
