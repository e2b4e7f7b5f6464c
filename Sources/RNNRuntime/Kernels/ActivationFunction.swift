import RNNCore

/// Activations for those outside the layers.
package enum ActivationFunction {
  /// x <- f(x) for rows of `width`.
  package static func apply(_ activation: Activation, _ x: inout [Float], width: Int) {
    x.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress, width > 0 else { return }
      ActivationKernel.apply(activation, base, rows: buffer.count / width, width: width)
    }
  }
}
