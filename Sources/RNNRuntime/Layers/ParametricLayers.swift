import RNNCore
import RealModule

/// y = x for x > 0, else alpha x (He et al. 2015); alpha is repeated along its shared axes.
struct PReLULayer: FormulaLayer {
  let spec: PReLUSpec

  func plan(_ inputs: [PlannedInput], isTraining: Bool) -> LayerPlan {
    LayerPlan(outputShapes: [inputs[0].shape], maskSource: inputs[0].mask == nil ? nil : 0)
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let (x, y, alpha) = (run.inputs[0].values, run.outputs[0].values, run.parameters[0])
    SharedPositions.walk(run.inputs[0].shape, spec.sharedAxes).forEach { element, places in
      y[element] = x[element] > 0 ? x[element] : alpha[places[1]] * x[element]
    }
  }

  func backward(_ run: BackwardRun) {
    let (x, dy, alpha) = (run.inputs[0].floats, run.outputGradients[0], run.parameters[0])
    SharedPositions.walk(run.inputs[0].shape, spec.sharedAxes).forEach { element, places in
      let isPositive = x[element] > 0
      if !isPositive { run.parameterGradients?[0][places[1]] += dy[element] * x[element] }
      run.inputGradients[0]?[element] += dy[element] * (isPositive ? 1 : alpha[places[1]])
    }
  }
}

/// Where each element's weights lie, which are repeated along the batch and the shared axes.
enum SharedPositions {
  static func walk(_ shape: [Int], _ sharedAxes: [Int]) -> Broadcast {
    let shared = Set(sharedAxes.map { AxisView.place($0, rank: shape.count) })
    let own = [1] + shape.enumerated().dropFirst().map { shared.contains($0.offset) ? 1 : $0.element }
    return Broadcast([shape, own])
  }
}

/// y = alpha log(1 + exp(beta x)), alpha and beta for each position that no shared axis covers.
struct ParametricSoftplusLayer: FormulaLayer {
  let spec: ParametricSoftplusSpec

  func plan(_ inputs: [PlannedInput], isTraining: Bool) -> LayerPlan {
    LayerPlan(outputShapes: [inputs[0].shape], maskSource: inputs[0].mask == nil ? nil : 0)
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let (alpha, beta) = (run.parameters[0], run.parameters[1])
    SharedPositions.walk(run.inputs[0].shape, spec.sharedAxes).forEach { element, places in
      let place = places[1]
      run.outputs[0].values[element] =
        alpha[place] * (NaiveActivation.value(.softplus, beta[place] * run.inputs[0].values[element]) ?? 0)
    }
  }

  func backward(_ run: BackwardRun) {
    SharedPositions.walk(run.inputs[0].shape, spec.sharedAxes).forEach { element, places in
      let place = places[1]
      let (alpha, beta, x, dy) = (
        run.parameters[0][place], run.parameters[1][place], run.inputs[0].floats[element],
        run.outputGradients[0][element]
      )
      let slope = 1 / (1 + Float.exp(-beta * x))
      run.parameterGradients?[0][place] += dy * (NaiveActivation.value(.softplus, beta * x) ?? 0)
      run.parameterGradients?[1][place] += dy * alpha * slope * x
      run.inputGradients[0]?[element] += dy * alpha * slope * beta
    }
  }
}

/// Linear between two thresholds, with other slopes outside; see `SReLUSpec`.
struct SReLULayer: FormulaLayer {
  let spec: SReLUSpec

  func plan(_ inputs: [PlannedInput], isTraining: Bool) -> LayerPlan {
    LayerPlan(outputShapes: [inputs[0].shape], maskSource: inputs[0].mask == nil ? nil : 0)
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    SharedPositions.walk(run.inputs[0].shape, spec.sharedAxes).forEach { element, places in
      let p = run.parameters.map { $0[places[1]] }
      let (x, right) = (run.inputs[0].values[element], p[0] + abs(p[2]))
      run.outputs[0].values[element] =
        x < p[0] ? p[0] + p[1] * (x - p[0]) : x < right ? x : right + p[3] * (x - right)
    }
  }

  func backward(_ run: BackwardRun) {
    SharedPositions.walk(run.inputs[0].shape, spec.sharedAxes).forEach { element, places in
      let place = places[1]
      let p = run.parameters.map { $0[place] }
      let (x, right, dy) = (run.inputs[0].floats[element], p[0] + abs(p[2]), run.outputGradients[0][element])
      let gradients = run.parameterGradients
      if x < p[0] {
        gradients?[0][place] += dy * (1 - p[1])
        gradients?[1][place] += dy * (x - p[0])
        run.inputGradients[0]?[element] += dy * p[1]
      } else if x < right {
        run.inputGradients[0]?[element] += dy
      } else {
        gradients?[0][place] += dy * (1 - p[3])
        gradients?[2][place] += dy * (1 - p[3]) * (p[2] < 0 ? -1 : 1)
        gradients?[3][place] += dy * (x - right)
        run.inputGradients[0]?[element] += dy * p[3]
      }
    }
  }
}

/// y = t f(x K + b) + (1 - t) x, t = sigmoid(x Kc + bc) (Srivastava, Greff and Schmidhuber 2015).
struct HighwayLayer: FormulaLayer {
  let spec: HighwaySpec

  func plan(_ inputs: [PlannedInput], isTraining: Bool) -> LayerPlan {
    let width = inputs[0].shape[inputs[0].shape.count - 1]
    return LayerPlan(
      outputShapes: [inputs[0].shape], maskSource: inputs[0].mask == nil ? nil : 0, backwardScratch: 6 * width)
  }

  private func sums<Scalar: Real & BinaryFloatingPoint>(
    _ x: UnsafePointer<Scalar>, _ kernel: UnsafePointer<Scalar>, _ bias: UnsafePointer<Scalar>?, _ width: Int
  ) -> [Scalar] {
    (0..<width).map { column in
      (0..<width).reduce(bias?[column] ?? 0) { $0 + x[$1] * kernel[$1 * width + column] }
    }
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let width = run.inputs[0].width
    let biases = spec.useBias ? [run.parameters[2], run.parameters[3]] : [nil, nil]
    for row in 0..<run.inputs[0].count / width {
      let (x, y) = (run.inputs[0].values + row * width, run.outputs[0].values + row * width)
      let f = NaiveActivation.row(spec.activation, sums(x, run.parameters[0], biases[0], width))
      let t = NaiveActivation.row(.sigmoid, sums(x, run.parameters[1], biases[1], width))
      for column in 0..<width { y[column] = t[column] * f[column] + (1 - t[column]) * x[column] }
    }
  }

  func backward(_ run: BackwardRun) {
    let width = run.inputs[0].width
    let biases = spec.useBias ? [run.parameters[2], run.parameters[3]] : [nil, nil]
    let cut = (0..<6).map { run.scratch + $0 * width }
    let (df, dt, dz, z, f) = (cut[0], cut[1], cut[2], cut[3], cut[4])
    for row in 0..<run.inputs[0].rows {
      let (x, dy) = (run.inputs[0].floats + row * width, run.outputGradients[0] + row * width)
      let zs = sums(UnsafePointer(x), run.parameters[0], biases[0], width)
      let fs = NaiveActivation.row(spec.activation, zs)
      let ts = NaiveActivation.row(.sigmoid, sums(UnsafePointer(x), run.parameters[1], biases[1], width))
      for column in 0..<width {
        (z[column], f[column]) = (zs[column], fs[column])
        df[column] = dy[column] * ts[column]
        dt[column] = dy[column] * (fs[column] - x[column]) * ts[column] * (1 - ts[column])
        run.inputGradients[0]?[row * width + column] += dy[column] * (1 - ts[column])
      }
      ActivationGradient.apply(spec.activation, rows: 1, width: width, x: z, y: f, dy: df, dx: dz)
      for (index, sums) in [dz, dt].enumerated() {
        for column in 0..<width {
          if spec.useBias { run.parameterGradients?[2 + index][column] += sums[column] }
          for channel in 0..<width {
            run.parameterGradients?[index][channel * width + column] += x[channel] * sums[column]
            run.inputGradients[0]?[row * width + channel] +=
              run.parameters[index][channel * width + column] * sums[column]
          }
        }
      }
    }
  }
}

/// y = max over k of (x K[k] + b[k]) (Goodfellow et al. 2013); the gradient goes to the first largest map.
struct MaxoutDenseLayer: FormulaLayer {
  let spec: MaxoutDenseSpec

  func plan(_ inputs: [PlannedInput], isTraining: Bool) -> LayerPlan {
    LayerPlan(outputShapes: [[inputs[0].shape[0], spec.units]])
  }

  private func best<Scalar: Real & BinaryFloatingPoint>(
    _ x: UnsafePointer<Scalar>, _ width: Int, _ unit: Int, _ parameters: [UnsafePointer<Scalar>]
  ) -> (feature: Int, value: Scalar) {
    var best: (feature: Int, value: Scalar) = (0, -.infinity)
    for feature in 0..<spec.features {
      let start = spec.useBias ? parameters[1][feature * spec.units + unit] : 0
      let sum = (0..<width).reduce(start) { $0 + x[$1] * parameters[0][(feature * width + $1) * spec.units + unit] }
      if sum > best.value || sum.isNaN { best = (feature, sum) }
    }
    return best
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let width = run.inputs[0].width
    for row in 0..<run.inputs[0].shape[0] {
      for unit in 0..<spec.units {
        run.outputs[0].values[row * spec.units + unit] =
          best(run.inputs[0].values + row * width, width, unit, run.parameters).value
      }
    }
  }

  func backward(_ run: BackwardRun) {
    let width = run.inputs[0].width
    for row in 0..<run.inputs[0].batch {
      let x = run.inputs[0].floats + row * width
      for unit in 0..<spec.units {
        let feature = best(UnsafePointer(x), width, unit, run.parameters).feature
        let dy = run.outputGradients[0][row * spec.units + unit]
        if spec.useBias { run.parameterGradients?[1][feature * spec.units + unit] += dy }
        for channel in 0..<width {
          let place = (feature * width + channel) * spec.units + unit
          run.parameterGradients?[0][place] += dy * x[channel]
          run.inputGradients[0]?[row * width + channel] += dy * run.parameters[0][place]
        }
      }
    }
  }
}

/// y[b, o, f] = g(bias[o, f] + sum of x[b, o stride + k, c] kernel[o, k c, f]): windows with kernels of their own.
struct LocallyConnected1DLayer: FormulaLayer {
  let spec: LocallyConnected1DSpec

  private func windows(_ timesteps: Int) -> Int { (timesteps - spec.kernelSize) / spec.strides + 1 }

  func plan(_ inputs: [PlannedInput], isTraining: Bool) throws -> LayerPlan {
    let input = inputs[0].shape
    _ = try WindowGeometry(timesteps: input[1], size: spec.kernelSize, stride: spec.strides, padding: .valid)
    let isGated = spec.activation == .glu
    return LayerPlan(
      outputShapes: [[input[0], windows(input[1]), isGated ? spec.filters / 2 : spec.filters]],
      backwardScratch: 3 * spec.filters)
  }

  private func sums<Scalar: Real & BinaryFloatingPoint>(
    _ x: UnsafePointer<Scalar>, _ window: Int, _ inner: Int, _ parameters: [UnsafePointer<Scalar>]
  ) -> [Scalar] {
    (0..<spec.filters).map { filter in
      let start = spec.useBias ? parameters[1][window * spec.filters + filter] : 0
      return (0..<inner).reduce(start) {
        $0 + x[$1] * parameters[0][(window * inner + $1) * spec.filters + filter]
      }
    }
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let input = run.inputs[0]
    let inner = spec.kernelSize * input.width
    let out = run.outputs[0].width
    for example in 0..<input.shape[0] {
      for window in 0..<windows(input.shape[1]) {
        let x = input.values + (example * input.shape[1] + window * spec.strides) * input.width
        let row = NaiveActivation.row(spec.activation, sums(x, window, inner, run.parameters))
        let y = run.outputs[0].values + (example * windows(input.shape[1]) + window) * out
        for filter in 0..<out { y[filter] = row[filter] }
      }
    }
  }

  func backward(_ run: BackwardRun) {
    let input = run.inputs[0]
    let inner = spec.kernelSize * input.width
    let out = run.outputs[0].width
    let (z, dz) = (run.scratch, run.scratch + spec.filters)
    for example in 0..<input.batch {
      for window in 0..<windows(input.shape[1]) {
        let start = (example * input.shape[1] + window * spec.strides) * input.width
        let x = input.floats + start
        let row = (example * windows(input.shape[1]) + window) * out
        for (filter, sum) in sums(UnsafePointer(x), window, inner, run.parameters).enumerated() { z[filter] = sum }
        ActivationGradient.apply(
          spec.activation, rows: 1, width: spec.filters, x: z, y: run.outputs[0].floats + row,
          dy: run.outputGradients[0] + row, dx: dz)
        for filter in 0..<spec.filters {
          if spec.useBias { run.parameterGradients?[1][window * spec.filters + filter] += dz[filter] }
          for index in 0..<inner {
            let place = (window * inner + index) * spec.filters + filter
            run.parameterGradients?[0][place] += dz[filter] * x[index]
            run.inputGradients[0]?[start + index] += dz[filter] * run.parameters[0][place]
          }
        }
      }
    }
  }
}
