import CRNNKernels
import RNNCore

/// Maximum or mean over windows of timesteps; steps outside the sequence do not count.
struct Pooling1DLayer: RuntimeLayer {
  let spec: Pooling1DSpec
  let isMaximum: Bool

  init(_ spec: Pooling1DSpec, isMaximum: Bool) {
    self.spec = spec
    self.isMaximum = isMaximum
  }

  private func geometry(_ timesteps: Int) throws -> WindowGeometry {
    try WindowGeometry(timesteps: timesteps, size: spec.poolSize, stride: spec.strides, padding: spec.padding)
  }

  func plan(input: [Int], isMasked: Bool) throws -> LayerPlan {
    LayerPlan(outputShapes: [[input[0], try geometry(input[1]).outputLength, input[2]]])
  }

  func forward(_ inputs: [Value], _ outputs: [Value], scratch: Floats, states: inout LayerStates?) throws {
    let x = inputs[0]
    let timesteps = x.shape[1]
    let geometry = try geometry(timesteps)
    for example in 0..<x.batch {
      for window in 0..<geometry.outputLength {
        let start = window * spec.strides - geometry.left
        let steps = max(start, 0)..<min(start + spec.poolSize, timesteps)
        reduceSteps(
          x.floats + example * timesteps * x.width, steps, width: x.width, isMaximum: isMaximum,
          into: outputs[0].floats + (example * geometry.outputLength + window) * x.width)
      }
    }
  }
}

/// Maximum or mean over all timesteps; the mean leaves masked steps out.
struct GlobalPooling1DLayer: RuntimeLayer {
  let spec: GlobalPooling1DSpec
  let isMaximum: Bool

  init(_ spec: GlobalPooling1DSpec, isMaximum: Bool) {
    self.spec = spec
    self.isMaximum = isMaximum
  }

  func plan(input: [Int], isMasked: Bool) throws -> LayerPlan {
    guard input[1] > 0 else { throw RNNError.badData("a sequence of no timesteps cannot be pooled") }
    return LayerPlan(outputShapes: [spec.keepDims ? [input[0], 1, input[2]] : [input[0], input[2]]])
  }

  func forward(_ inputs: [Value], _ outputs: [Value], scratch: Floats, states: inout LayerStates?) {
    let x = inputs[0]
    let timesteps = x.shape[1]
    for example in 0..<x.batch {
      let source = x.floats + example * timesteps * x.width
      let destination = outputs[0].floats + example * x.width
      if let mask = x.mask, !isMaximum {
        meanOfValid(source, mask + example * timesteps, timesteps, width: x.width, into: destination)
      } else {
        reduceSteps(source, 0..<timesteps, width: x.width, isMaximum: isMaximum, into: destination)
      }
    }
  }

  /// 0 / 0 where every step is masked, as in Keras.
  private func meanOfValid(
    _ x: Floats, _ mask: UnsafePointer<UInt8>, _ timesteps: Int, width: Int, into y: Floats
  ) {
    y.update(repeating: 0, count: width)
    var valid: Float = 0
    for step in 0..<timesteps where mask[step] != 0 {
      Kernels.table.add(y, x + step * width, width)
      valid += 1
    }
    for channel in 0..<width { y[channel] /= valid }
  }
}

/// y[width] <- maximum or mean of x[steps, width]
private func reduceSteps(_ x: Floats, _ steps: Range<Int>, width: Int, isMaximum: Bool, into y: Floats) {
  y.update(from: x + steps.lowerBound * width, count: width)
  for step in steps.dropFirst() {
    if isMaximum {
      Kernels.table.maximum(y, x + step * width, width)
    } else {
      Kernels.table.add(y, x + step * width, width)
    }
  }
  if !isMaximum {
    let count = Float(steps.count)
    for channel in 0..<width { y[channel] /= count }
  }
}
