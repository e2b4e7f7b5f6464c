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

  /// Timesteps and channels of a sequence.
  func sequence(for layer: String) throws -> (timesteps: Int?, channels: Int) {
    guard count == 2 else {
      throw RNNError.badData(
        "\(layer) takes (batch, timesteps, channels), but its input is \(describe(shape: [nil] + self))")
    }
    return (self[0], try channels(for: layer))
  }
}
