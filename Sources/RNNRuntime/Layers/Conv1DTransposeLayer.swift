import RNNCore

/// y[b, t stride + k dilation - left, f] += x[b, t, c] kernel[k, f, c], then f(y + bias): the gradient of a convolution
/// by its input, as a layer.
///
/// Backwards it is a convolution: dx[b, t, c] = sum over k, f of dz[b, t stride + k dilation - left, f] kernel[k, f, c].
struct Conv1DTransposeLayer: UnaryLayer {
  let spec: Conv1DTransposeSpec

  func plan(input: [Int], isMasked: Bool, isTraining: Bool) throws -> LayerPlan {
    let length = try spec.geometry(timesteps: input[1]).outputLength
    let isGated = spec.activation == .glu
    let sums = elementCount([input[0], length, spec.filters])
    let kernel = elementCount([spec.kernelSize, input[2], spec.filters])
    return LayerPlan(
      outputShapes: [[input[0], length, isGated ? spec.filters / 2 : spec.filters]],
      scratch: (isGated ? sums : 0) + kernel, tape: spec.activation.needsInput ? sums : 0,
      backwardScratch: sums + kernel)
  }

  /// The input's steps whose output for a tap lies inside.
  private func steps(reaching tap: Int, _ timesteps: Int, _ geometry: WindowGeometry) -> Range<Int> {
    let offset = tap * spec.dilationRate - geometry.left
    let first = offset >= 0 ? 0 : (-offset + spec.strides - 1) / spec.strides
    let last = geometry.outputLength - 1 - offset
    let end = last < 0 ? 0 : min(last / spec.strides + 1, timesteps)
    return first < end ? first..<end : 0..<0
  }

  func forward(_ run: inout ForwardRun) throws {
    let x = run.inputs[0]
    let geometry = try spec.geometry(timesteps: x.shape[1])
    let (channels, filters) = (x.width, spec.filters)
    let kernel = run.scratch
    let sums = spec.activation == .glu ? run.scratch + spec.kernelSize * channels * filters : run.outputs[0].floats
    let rows = x.batch * geometry.outputLength
    startRows(sums, rows: rows, width: filters, with: spec.useBias ? run.parameters[1] : nil)
    for tap in 0..<spec.kernelSize {
      // (filters, channels) of a tap as (channels, filters).
      let turned = kernel + tap * channels * filters
      transpose(run.parameters[0] + tap * channels * filters, rows: filters, columns: channels, into: turned)
      let steps = steps(reaching: tap, x.shape[1], geometry)
      for example in 0..<x.batch where !steps.isEmpty {
        let target = steps.lowerBound * spec.strides + tap * spec.dilationRate - geometry.left
        multiplyAdd(
          rows: steps.count, columns: filters, inner: channels,
          x.floats + (example * x.shape[1] + steps.lowerBound) * channels, step: channels, turned, step: filters,
          into: sums + (example * geometry.outputLength + target) * filters, step: spec.strides * filters)
      }
    }
    finishSums(spec.activation, sums, rows: rows, width: filters, out: run.outputs[0].floats, tape: run.tape)
  }

  func backward(_ run: BackwardRun) {
    let x = run.inputs[0]
    guard let geometry = try? spec.geometry(timesteps: x.shape[1]) else { return }
    let (channels, filters) = (x.width, spec.filters)
    let rows = x.batch * geometry.outputLength
    let dz = run.scratch
    ActivationGradient.apply(
      spec.activation, rows: rows, width: filters, x: run.tape, y: run.outputs[0].floats, dy: run.outputGradients[0],
      dx: dz)
    if spec.useBias, let gradients = run.parameterGradients {
      addRows(dz, rows: rows, width: filters, step: filters, into: gradients[1])
    }
    for tap in 0..<spec.kernelSize {
      let steps = steps(reaching: tap, x.shape[1], geometry)
      let place = tap * channels * filters
      for example in 0..<x.batch where !steps.isEmpty {
        let target = steps.lowerBound * spec.strides + tap * spec.dilationRate - geometry.left
        let dzOfTap = dz + (example * geometry.outputLength + target) * filters
        let start = (example * x.shape[1] + steps.lowerBound) * channels
        if let gradients = run.parameterGradients {
          multiplyTransposedAdd(
            rows: filters, columns: channels, inner: steps.count, dzOfTap, step: spec.strides * filters,
            x.floats + start, step: channels, into: gradients[0] + place, step: channels)
        }
        if let dx = run.inputGradients[0] {
          multiplyAdd(
            rows: steps.count, columns: channels, inner: filters, dzOfTap, step: spec.strides * filters,
            run.parameters[0] + place, step: channels, into: dx + start, step: channels)
        }
      }
    }
  }
}
