import RNNCore

/// A size in a graph: known, or one that only a run tells.
indirect enum ONNXSize: Equatable {
  case known(Int)
  /// The number of examples.
  case batch
  /// A free length; equal numbers are equal lengths.
  case free(Int)
  /// Several that a graph made one: examples times steps.
  case product([ONNXSize])
}

/// What a name in a graph stands for while the graph is read.
enum ONNXValue {
  /// An optional input that is left out.
  case absent
  /// A weight, or what was computed from weights.
  case constant(Tensor)
  /// A vector of sizes, or one size: what Shape and the arithmetic behind it give.
  case sizes([ONNXSize], isScalar: Bool)
  /// One number everywhere, of sizes that only a run tells: the zeros of an initial state.
  case filled(Double, [ONNXSize])
  /// What a layer gives when it runs.
  case stream(ONNXStream)
}

/// A tensor of a run: an output of a native layer, whose axes stand in another order in the graph.
///
/// Native tensors have the batch first. A transposition, or an axis of size 1 that comes or goes, only changes `axes`.
struct ONNXStream {
  enum Axis: Equatable {
    case batch
    /// The batch and native axes behind it as one: every step an example.
    case folded([Int])
    /// An axis behind the native batch, counted from 0.
    case native(Int)
    /// An axis of size 1 that the native tensor lacks.
    case unit
  }

  var reference: ModelSpec.Reference
  /// In the graph's order.
  var axes: [Axis]
  /// Of the native axes behind the batch.
  var sizes: [ONNXSize]

  func size(_ axis: Int) -> ONNXSize { size(of: axes[axis]) }

  /// The sizes of all axes, in the graph's order.
  var shape: [ONNXSize] { axes.indices.map(size) }

  var batchAxis: Int {
    axes.firstIndex { axis in
      switch axis {
      case .batch, .folded: true
      case .native, .unit: false
      }
    } ?? 0
  }

  var isFolded: Bool { axes[batchAxis] != .batch }
}

/// A graph has its batch elsewhere than was taken for granted.
struct ONNXBatchMismatch: Error {
  /// The node that it was seen at.
  var node = ""
}
