import CRNNKernels
import RNNCore
import RealModule

/// Maximum or mean over windows of timesteps; steps outside the sequence do not count.
struct Pooling1DLayer: UnaryLayer {
  let spec: Pooling1DSpec
  let isMaximum: Bool

  private func geometry(_ timesteps: Int) throws -> WindowGeometry {
    try WindowGeometry(timesteps: timesteps, size: spec.poolSize, stride: spec.strides, padding: spec.padding)
  }

  func plan(input: [Int], isMasked: Bool, isTraining: Bool) throws -> LayerPlan {
    LayerPlan(outputShapes: [[input[0], try geometry(input[1]).outputLength, input[2]]])
  }

  func forward(_ run: inout ForwardRun) throws {
    let x = run.inputs[0]
    let timesteps = x.shape[1]
    let geometry = try geometry(timesteps)
    for example in 0..<x.batch {
      for window in 0..<geometry.outputLength {
        reduceSteps(
          x.floats + example * timesteps * x.width, steps(of: window, timesteps, geometry), width: x.width,
          isMaximum: isMaximum, into: run.outputs[0].floats + (example * geometry.outputLength + window) * x.width)
      }
    }
  }

  /// To the first of the largest steps, or evenly to all.
  func backward(_ run: BackwardRun) {
    let x = run.inputs[0]
    let timesteps = x.shape[1]
    guard let dx = run.inputGradients[0], let geometry = try? geometry(timesteps) else { return }
    for example in 0..<x.batch {
      let start = example * timesteps * x.width
      for window in 0..<geometry.outputLength {
        let row = (example * geometry.outputLength + window) * x.width
        let steps = steps(of: window, timesteps, geometry)
        let first = start + steps.lowerBound * x.width
        if isMaximum {
          Kernels.table.max_pool_gradient(
            dx + first, x.floats + first, run.outputs[0].floats + row, run.outputGradients[0] + row, x.width,
            steps.count)
          continue
        }
        for channel in 0..<x.width {
          let share = run.outputGradients[0][row + channel] / Float(steps.count)
          for step in steps { dx[start + step * x.width + channel] += share }
        }
      }
    }
  }

  private func steps(of window: Int, _ timesteps: Int, _ geometry: WindowGeometry) -> Range<Int> {
    let start = window * spec.strides - geometry.left
    return max(start, 0)..<min(start + spec.poolSize, timesteps)
  }
}

/// Maximum or mean over windows that share the timesteps out; see `AdaptivePooling1DSpec`.
struct AdaptivePooling1DLayer: FormulaLayer {
  let spec: AdaptivePooling1DSpec
  let isMaximum: Bool

  func plan(_ inputs: [PlannedInput], isTraining: Bool) throws -> LayerPlan {
    let shape = inputs[0].shape
    guard shape[1] > 0 else { throw RNNError.badData("a sequence of no timesteps cannot be pooled") }
    return LayerPlan(outputShapes: [[shape[0], spec.outputSize, shape[2]]])
  }

  /// Calls `body` for every number of the output, with its window's steps as a function of the step.
  private func forEach(_ shape: [Int], _ body: (Int, Range<Int>, (Int) -> Int) -> Void) {
    let (timesteps, channels) = (shape[1], shape[2])
    for row in 0..<shape[0] * spec.outputSize {
      let (example, window) = (row / spec.outputSize, row % spec.outputSize)
      let steps = spec.steps(of: window, timesteps: timesteps)
      for channel in 0..<channels {
        body(row * channels + channel, steps) { (example * timesteps + $0) * channels + channel }
      }
    }
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let (x, y) = (run.inputs[0].values, run.outputs[0].values)
    forEach(run.inputs[0].shape) { element, steps, place in
      if isMaximum {
        y[element] = steps.reduce(-.infinity) { x[place($1)] > $0 || x[place($1)].isNaN ? x[place($1)] : $0 }
      } else {
        y[element] = steps.reduce(0) { $0 + x[place($1)] } / Scalar(steps.count)
      }
    }
  }

  /// Evenly to all steps, or to the largest ones.
  func backward(_ run: BackwardRun) {
    guard let dx = run.inputGradients[0] else { return }
    let (x, y, dy) = (run.inputs[0].floats, run.outputs[0].floats, run.outputGradients[0])
    forEach(run.inputs[0].shape) { element, steps, place in
      let winners = isMaximum ? steps.filter { x[place($0)] == y[element] } : Array(steps)
      for step in winners { dx[place(step)] += dy[element] / Float(winners.count) }
    }
  }
}

/// Maximum or mean over all timesteps; the mean leaves masked steps out.
struct GlobalPooling1DLayer: UnaryLayer {
  let spec: GlobalPooling1DSpec
  let isMaximum: Bool

  func plan(input: [Int], isMasked: Bool, isTraining: Bool) throws -> LayerPlan {
    guard input[1] > 0 else { throw RNNError.badData("a sequence of no timesteps cannot be pooled") }
    return LayerPlan(outputShapes: [spec.keepDims ? [input[0], 1, input[2]] : [input[0], input[2]]])
  }

  func forward(_ run: inout ForwardRun) {
    let x = run.inputs[0]
    let timesteps = x.shape[1]
    for example in 0..<x.batch {
      let source = x.floats + example * timesteps * x.width
      let destination = run.outputs[0].floats + example * x.width
      if let mask = x.mask, !isMaximum {
        meanOfValid(source, mask + example * timesteps, timesteps, width: x.width, into: destination)
      } else {
        reduceSteps(source, 0..<timesteps, width: x.width, isMaximum: isMaximum, into: destination)
      }
    }
  }

  /// Evenly to all that are largest, or to all that count.
  func backward(_ run: BackwardRun) {
    guard let dx = run.inputGradients[0] else { return }
    let x = run.inputs[0]
    let timesteps = x.shape[1]
    for example in 0..<x.batch {
      let start = example * timesteps * x.width
      for channel in 0..<x.width {
        let largest = run.outputs[0].floats[example * x.width + channel]
        let counted = (0..<timesteps).filter { step in
          isMaximum
            ? x.floats[start + step * x.width + channel] == largest
            : x.mask.map { $0[example * timesteps + step] != 0 } ?? true
        }
        let share = run.outputGradients[0][example * x.width + channel] / Float(counted.count)
        for step in counted { dx[start + step * x.width + channel] += share }
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
