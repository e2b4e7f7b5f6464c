// Operations that move numbers along an axis without computing any. Axes count the batch as 0, or from the end.

/// The numbers along axes, moved on or said again.
public struct RearrangeSpec: SingleInputLayer {
  public enum Function: String, Sendable, Codable, CaseIterable {
    /// Each `count` places on; what leaves at the end enters at the beginning
    case roll
    /// Each `count` times, one behind the other
    case `repeat`
    /// The whole axis `count` times
    case tile

    /// How long an axis is afterwards.
    func length(_ size: Int, _ count: Int) -> Int { self == .roll ? size : size * count }

    /// Where the number at a place of the output comes from.
    public func source(of place: Int, size: Int, count: Int) -> Int {
      switch self {
      // Shifts of any size and direction come to one within the axis.
      case .roll: (place + size - (count % size + size) % size) % size
      case .repeat: place / count
      case .tile: place % size
      }
    }
  }

  public var function: Function
  public var axes: [Int]
  /// For each axis how far, or how often.
  public var counts: [Int]

  public init(_ function: Function, axes: [Int], counts: [Int]) {
    self.function = function
    self.axes = axes
    self.counts = counts
  }

  public func outputShape(input: Shape) throws -> Shape {
    let places = try axes.map { try input.place(ofAxis: $0) }
    guard axes.count == counts.count, Set(places).count == places.count else {
      throw RNNError.badData("\(function.rawValue) of the axes \(axes) by \(counts)")
    }
    var shape = input
    for (place, count) in zip(places, counts) {
      if function == .roll {
        guard count.magnitude <= SizeLimit.dimension else { throw RNNError.badData("a roll by \(count)") }
      } else {
        try SizeLimit.check(count, "the count of \(function.rawValue)")
      }
      shape[place] = try shape[place].map { size in
        let length = function.length(size, count)
        try SizeLimit.check(length, "an axis", atLeast: 0)
        return length
      }
    }
    return shape
  }
}

/// Pieces of an axis, one an output.
public struct SplitSpec: LayerConfiguration {
  /// The count of a split into as many pieces as the axis has positions, before that is known.
  public static let unsettled = 0

  public var axis: Int
  /// How many pieces; of equal size where `boundaries` are empty.
  public var count: Int
  /// Where each piece but the first begins.
  public var boundaries: [Int]
  /// Whether each piece is one position, and the axis goes.
  public var removesAxis: Bool

  public init(axis: Int, count: Int) {
    (self.axis, self.count, boundaries, removesAxis) = (axis, count, [], false)
  }

  public init(axis: Int, boundaries: [Int]) {
    (self.axis, self.count, self.boundaries, removesAxis) = (axis, boundaries.count + 1, boundaries, false)
  }

  /// Every position by itself.
  public init(unstacking axis: Int, count: Int) {
    (self.axis, self.count, boundaries, removesAxis) = (axis, count, [], true)
  }

  public var outputCount: Int { count }

  /// The positions of each piece.
  /// - Throws: `badData` where the axis cannot be cut so.
  public func pieces(of size: Int) throws -> [Range<Int>] {
    try SizeLimit.check(count, "the number of pieces")
    if boundaries.isEmpty {
      guard size % count == 0, !removesAxis || size == count else {
        throw RNNError.badData("an axis of \(size) in \(count) pieces of \(removesAxis ? "1" : "equal size")")
      }
      let width = size / count
      return (0..<count).map { $0 * width..<($0 + 1) * width }
    }
    let ends = boundaries + [size]
    let starts = [0] + boundaries
    guard boundaries.count == count - 1, zip(starts, ends).allSatisfy({ 0 <= $0 && $0 <= $1 }) else {
      throw RNNError.badData("an axis of \(size) cannot be cut at \(boundaries)")
    }
    return zip(starts, ends).map { $0..<$1 }
  }

  public func outputShapes(inputs: [Shape]) throws -> [Shape] {
    let place = try inputs[0].place(ofAxis: axis)
    guard let size = inputs[0][place] else {
      throw RNNError.unsupported("pieces of an axis whose length is not known")
    }
    return try pieces(of: size).map { piece in
      var shape = inputs[0]
      if removesAxis { shape.remove(at: place) } else { shape[place] = piece.count }
      return shape
    }
  }
}
