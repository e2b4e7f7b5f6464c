import CRNNKernels
import RNNCore

/// Activations over flat memory: the frequent ones in vector code, the others by the naive functions.
enum ActivationKernel {
  /// x <- f(x) for rows of `width` floats, end to end. Not for `glu`, which changes the width.
  static func apply(_ activation: Activation, _ x: Floats, rows: Int, width: Int) {
    let count = rows * width
    guard count > 0 else { return }
    switch activation {
    case .linear: return
    case .relu: Kernels.table.relu(x, count)
    case .sigmoid: Kernels.table.sigmoid(x, count)
    case .tanh: Kernels.table.tanh(x, count)
    case .exponential: Kernels.table.exponential(x, count)
    case .softmax: for row in 0..<rows { softmax(x + row * width, width) }
    case .hardSigmoidFifth: clipLine(x, count, slope: 0.2)
    case .hardSigmoidSixth: clipLine(x, count, slope: 1 / 6)
    case .clipped(let inner, let bound):
      let bound = Float(bound)
      for index in 0..<count { x[index] = x[index] < -bound ? -bound : x[index] > bound ? bound : x[index] }
      apply(inner, x, rows: rows, width: width)
    case .logSoftmax, .sparsemax:
      for row in 0..<rows { replaceRow(activation, x + row * width, width) }
    case .glu: preconditionFailure("glu changes the width; see applyGLU")
    case .relu6, .leakyRelu02, .elu, .selu, .celu, .logSigmoid, .hardTanh, .tanhShrink, .hardShrink, .softShrink,
      .softplus, .softsign, .silu, .hardSilu, .gelu, .mish, .squareplus, .sparsePlus, .sparseSigmoid, .leakyRelu,
      .scaledElu, .thresholdedRelu, .boundedRelu, .tanhGelu, .sigmoidTo2, .sigmoidTo1:
      for index in 0..<count {
        if let value = NaiveActivation.value(activation, x[index]) { x[index] = value }
      }
    }
  }

  /// out[rows, width / 2] <- x[.., first half] sigmoid(x[.., second half])
  static func applyGLU(_ x: Floats, rows: Int, width: Int, out: Floats) {
    let half = width / 2
    for row in 0..<rows {
      let source = x + row * width
      Kernels.table.sigmoid(source + half, half)
      Kernels.table.multiply(out + row * half, source, source + half, half)
    }
  }

  private static func softmax(_ x: Floats, _ width: Int) {
    var highest = -Float.infinity
    for index in 0..<width where x[index] > highest || x[index].isNaN { highest = x[index] }
    for index in 0..<width { x[index] -= highest }
    Kernels.table.exponential(x, width)
    var sum: Float = 0
    for index in 0..<width { sum += x[index] }
    for index in 0..<width { x[index] /= sum }
  }

  private static func clipLine(_ x: Floats, _ count: Int, slope: Float) {
    for index in 0..<count {
      let value = slope * x[index] + 0.5
      x[index] = value < 0 ? 0 : value > 1 ? 1 : value
    }
  }

  private static func replaceRow(_ activation: Activation, _ x: Floats, _ width: Int) {
    let row = NaiveActivation.row(activation, Array(UnsafeBufferPointer(start: x, count: width)))
    for index in 0..<width { x[index] = row[index] }
  }
}
