import RNNCore

/// How a framework names, orders, splits and turns the weights of its layers. One value a framework.
public struct WeightDialect: Sendable {
  /// What `--dialect` calls it.
  public var name: String
  /// What people call it.
  public var framework: String
  /// Between a module's name and what lies in it.
  public var separator: String
  /// Trees that whole names begin with, where the framework keeps several.
  public var collections: [String] = []
  public var directions: Directions
  public var layouts: [LayerLayout]
  /// Where the facts were read or measured.
  public var source: String

  /// Where the two halves of a bidirectional layer stand.
  public enum Directions: Sendable, Equatable {
    /// In the names of the tensors, behind the number of the layer: PyTorch.
    case suffix(backward: String)
    /// In modules of their own: Flax, where a layer of one direction has such a place, too.
    case places(forward: String, backward: String, alone: String)
    /// In the number of the layer, forward and backward by turns: Chainer.
    case numbers
    /// Along the first axis of each tensor: ONNX.
    case axis
    /// Nowhere: two layers, each with a name of its own.
    case none
  }

  /// The layout that a plain layer is written in; `nil` where the framework has no such layer.
  public func layout(of spec: LayerSpec) -> LayerLayout? {
    layouts(of: spec).first
  }
}

extension WeightDialect {
  /// All of them.
  public static let all: [WeightDialect] = [.pytorch, .flaxLinen, .flaxNNX, .mlx, .chainer, .tensorFlow1]

  public static func named(_ name: String) -> WeightDialect? { all.first { $0.name == name } }
}
