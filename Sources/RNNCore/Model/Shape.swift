/// The shape of one example, without the batch axis; `nil` is a free length.
public typealias Shape = [Int?]

/// A parameter of a layer: its name and shape in the native (Keras 3) layout.
public struct ParameterShape: Sendable, Equatable {
  public var name: String
  public var shape: [Int]

  public init(_ name: String, _ shape: [Int]) {
    self.name = name
    self.shape = shape
  }
}

/// Bounds that keep the arithmetic on a file's numbers from overflowing.
public enum SizeLimit {
  /// The largest size of one axis, kernel, stride, ...
  public static let dimension = 1 << 31

  public static func check(_ value: Int, _ name: String, atLeast minimum: Int = 1) throws {
    guard value >= minimum, value <= dimension else {
      throw RNNError.badData("\(name) is \(value); expected \(minimum) to \(dimension)")
    }
  }
}

extension Shape {
  /// The size of the last axis, which must be known.
  func channels(for layer: String) throws -> Int {
    guard let last, let channels = last else {
      throw RNNError.badData(
        "\(layer) needs a known size of its last axis, but its input is \(describe(shape: [nil] + self))")
    }
    return channels
  }

  /// Timesteps and channels of a sequence, of which the channels may be free.
  func steps(for layer: String) throws -> (timesteps: Int?, channels: Int?) {
    guard count == 2 else {
      throw RNNError.badData(
        "\(layer) takes (batch, timesteps, channels), but its input is \(describe(shape: [nil] + self))")
    }
    return (self[0], self[1])
  }

  /// Timesteps and channels of a sequence.
  func sequence(for layer: String) throws -> (timesteps: Int?, channels: Int) {
    guard count == 2 else {
      throw RNNError.badData(
        "\(layer) takes (batch, timesteps, channels), but its input is \(describe(shape: [nil] + self))")
    }
    return (self[0], try channels(for: layer))
  }
}

extension Shape {
  /// The place in this shape of an axis that counts the batch as 0, or from the end as -1.
  /// - Throws: `badData` where there is no such axis, or it is the batch.
  public func place(ofAxis axis: Int) throws -> Int {
    let place = axis < 0 ? axis + count : axis - 1
    guard indices.contains(place) else {
      throw RNNError.badData("there is no axis \(axis) in \(describe(shape: [nil] + self))")
    }
    return place
  }

  /// Whether axes, counted with the batch as 0 or from the end, are the last ones of a sequence and not its steps.
  static func areLast(_ axes: [Int], _ shape: Shape) -> Bool {
    axes.allSatisfy { axis in (axis < 0 ? axis + shape.count : axis - 1) > 0 }
  }

  /// The number of elements; `nil` where an axis is free.
  /// - Throws: `badData` where it is too large to count.
  func elementCount() throws -> Int? {
    var product: Int? = 1
    for dimension in self {
      guard let size = dimension, let current = product else {
        product = nil
        continue
      }
      let (next, overflow) = current.multipliedReportingOverflow(by: size)
      guard !overflow else { throw RNNError.badData("the number of elements overflows") }
      product = next
    }
    return product
  }
}
