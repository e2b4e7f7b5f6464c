import RNNCore

/// How one tensor of a framework is put together from native parameters: one value, read in both directions.
///
/// Writing goes from the inside out: blocks are taken, joined, turned. Reading goes from the outside in and undoes each
/// step. Where a native block stands in several tensors of the framework (two biases), reading adds them.
public indirect enum Arrangement: Sendable, Equatable {
  /// A native parameter, or a part of it.
  case block(Block)
  /// One behind the other along an axis.
  case joined([Arrangement], axis: Int)
  /// Along the first axis by turns: the first position of each, then the second of each.
  case interleaved([Arrangement])
  /// The axes in another order, as `numpy.transpose`.
  case transposed(Arrangement, [Int])
  /// One axis reversed.
  case flipped(Arrangement, axis: Int)
  /// With the other sign.
  case negated(Arrangement)
  /// With a further axis of size 1.
  case widened(Arrangement, axis: Int)
  /// An axis and the one behind it as one.
  case merged(Arrangement, axis: Int)
  /// The numbers of another arrangement in its row-major order, under its own shape before: what CuDNN's layers do.
  case recast(Arrangement, like: Block)
  /// A second place for the same numbers: written as zeros, added when read.
  case addend(Arrangement)
  /// Numbers of the framework that no arithmetic reads, of a native block's shape: written as zeros.
  case unread(Arrangement)
  /// Two native blocks whose sum alone the framework has: when read, the first has it and the second is zero.
  case summed(Arrangement, Arrangement)
  /// Half of the numbers; what is missing to the whole is `otherHalf`.
  case half(Arrangement)
  case otherHalf(Arrangement)

  /// A native parameter, or one block of it.
  public struct Block: Sendable, Hashable {
    /// The parameter's name within the layer.
    public var parameter: String
    /// Which of the equal parts of the last axis, of how many; `nil` for all of it.
    public var gate: Gate?
    /// Which position of the first axis, which goes; `nil` for all of them.
    public var row: Int?

    /// A gate by its letter among those of the parameter, in their native order: `i` of `ifco`.
    public struct Gate: Sendable, Hashable {
      public var letter: Character
      public var order: String

      public var count: Int { order.count }
      public var index: Int { order.prefix { $0 != letter }.count }
    }
  }

  /// A whole parameter.
  public static func whole(_ parameter: String) -> Arrangement { .block(Block(parameter: parameter)) }

  /// The gates of a parameter in another order, along an axis of what `turn` makes of each.
  /// - Parameters:
  ///   - order: the framework's, by letters.
  ///   - native: the native order.
  ///   - row: of a parameter whose first axis counts biases.
  static func gates(
    _ parameter: String, _ order: String, of native: String, row: Int? = nil, along axis: Int = 0,
    _ turn: (Arrangement) -> Arrangement = { $0 }
  ) -> Arrangement {
    .joined(order.map { turn(.gate(parameter, $0, of: native, row: row)) }, axis: axis)
  }

  static func gate(_ parameter: String, _ letter: Character, of native: String, row: Int? = nil) -> Arrangement {
    .block(Block(parameter: parameter, gate: Block.Gate(letter: letter, order: native), row: row))
  }

  static func row(_ parameter: String, _ row: Int) -> Arrangement { .block(Block(parameter: parameter, row: row)) }

  /// The two axes of a matrix the other way round.
  var turned: Arrangement { .transposed(self, [1, 0]) }

  /// What it is made of.
  var parts: [Arrangement] {
    switch self {
    case .block: []
    case .joined(let parts, _), .interleaved(let parts): parts
    case .transposed(let inner, _), .flipped(let inner, _), .negated(let inner), .widened(let inner, _),
      .merged(let inner, _), .recast(let inner, _), .addend(let inner), .unread(let inner), .half(let inner),
      .otherHalf(let inner):
      [inner]
    case .summed(let first, let second): [first, second]
    }
  }

  /// The native blocks in it.
  public var blocks: [Block] {
    if case .block(let block) = self { return [block] }
    return parts.flatMap(\.blocks)
  }
}

// MARK: - Shapes

extension Arrangement {
  /// The shape of the tensor.
  /// - Parameter parameters: the native shapes by name.
  /// - Throws: `internalError` where the layout does not fit the parameters: a bug of its table.
  func shape(_ parameters: [String: [Int]]) throws -> [Int] {
    switch self {
    case .block(let block): return try block.shape(parameters)
    case .joined(let parts, let axis):
      let shapes = try parts.map { try $0.shape(parameters) }
      guard var shape = shapes.first, shape.indices.contains(axis) else { throw Arrangement.misfit(self) }
      shape[axis] = shapes.reduce(0) { $0 + $1[axis] }
      return shape
    case .interleaved(let parts):
      guard var shape = try parts.first?.shape(parameters), !shape.isEmpty else { throw Arrangement.misfit(self) }
      shape[0] *= parts.count
      return shape
    case .transposed(let inner, let axes):
      let shape = try inner.shape(parameters)
      guard axes.sorted() == Array(shape.indices) else { throw Arrangement.misfit(self) }
      return axes.map { shape[$0] }
    case .widened(let inner, let axis):
      var shape = try inner.shape(parameters)
      guard axis <= shape.count else { throw Arrangement.misfit(self) }
      shape.insert(1, at: axis)
      return shape
    case .merged(let inner, let axis):
      var shape = try inner.shape(parameters)
      guard axis + 1 < shape.count else { throw Arrangement.misfit(self) }
      shape[axis] *= shape.remove(at: axis + 1)
      return shape
    case .recast(_, let block): return try block.shape(parameters)
    case .flipped(let inner, _), .negated(let inner), .addend(let inner), .unread(let inner), .half(let inner),
      .otherHalf(let inner),
      .summed(let inner, _):
      return try inner.shape(parameters)
    }
  }

  static func misfit(_ arrangement: Arrangement) -> RNNError {
    RNNError(.internalError, "a layout does not fit its layer: \(arrangement.words)")
  }
}

extension Arrangement.Block {
  func shape(_ parameters: [String: [Int]]) throws -> [Int] {
    guard var shape = parameters[parameter] else {
      throw RNNError(.internalError, "a layout names the parameter '\(parameter)', which the layer lacks")
    }
    if row != nil { shape.removeFirst() }
    if let gate, let last = shape.last { shape[shape.count - 1] = last / gate.count }
    return shape
  }
}
