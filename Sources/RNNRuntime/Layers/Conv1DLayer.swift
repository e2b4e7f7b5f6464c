import RNNCore

/// y[b, o, f] = f(bias[f] + sum over k, c of x[b, o stride + k dilation - left, c] kernel[k, c, f])
///
/// With groups, filter f sees the channels of its group. Steps outside the sequence count as zero.
struct Conv1DLayer: RuntimeLayer {
  let spec: Conv1DSpec

  private func geometry(_ timesteps: Int) throws -> WindowGeometry {
    try WindowGeometry(
      timesteps: timesteps, size: spec.kernelSize, stride: spec.strides, dilation: spec.dilationRate,
      padding: spec.padding)
  }

  func plan(input: [Int], isMasked: Bool, isTraining: Bool) throws -> LayerPlan {
    let length = try geometry(input[1]).outputLength
    let isGated = spec.activation == .glu
    let sums = input[0] * length * spec.filters
    return LayerPlan(
      outputShapes: [[input[0], length, isGated ? spec.filters / 2 : spec.filters]], scratch: isGated ? sums : 0,
      tape: spec.activation.needsInput ? sums : 0,
      backwardScratch: sums + spec.kernelSize * input[2] / spec.groups * spec.filters)
  }

  func forward(_ run: inout ForwardRun) throws {
    let x = run.inputs[0]
    let geometry = try geometry(x.shape[1])
    let sums = spec.activation == .glu ? run.scratch : run.outputs[0].floats
    let rows = x.batch * geometry.outputLength
    startRows(sums, rows: rows, width: spec.filters, with: spec.useBias ? run.parameters[1] : nil)
    for example in 0..<x.batch {
      convolve(
        x.floats + example * x.shape[1] * x.width, timesteps: x.shape[1], channels: x.width, run.parameters[0],
        geometry, into: sums + example * geometry.outputLength * spec.filters)
    }
    finishSums(spec.activation, sums, rows: rows, width: spec.filters, out: run.outputs[0].floats, tape: run.tape)
  }

  /// dz = f'(z) dy; for each tap, dkernel += transposed(the steps under the tap) dz and, for these steps,
  /// dx += dz transposed(kernel).
  func backward(_ run: BackwardRun) {
    let x = run.inputs[0]
    guard let geometry = try? geometry(x.shape[1]) else { return }
    let rows = x.batch * geometry.outputLength
    let dz = run.scratch
    ActivationGradient.apply(
      spec.activation, rows: rows, width: spec.filters, x: run.tape, y: run.outputs[0].floats,
      dy: run.outputGradients[0], dx: dz)
    if spec.useBias, let gradients = run.parameterGradients {
      addRows(dz, rows: rows, width: spec.filters, step: spec.filters, into: gradients[1])
    }
    let transposed = dz + rows * spec.filters
    if run.inputGradients[0] != nil { transposeKernel(run.parameters[0], channels: x.width, into: transposed) }
    for example in 0..<x.batch {
      let start = example * x.shape[1] * x.width
      let dzOfExample = dz + example * geometry.outputLength * spec.filters
      for tap in 0..<spec.kernelSize {
        let windows = windows(reaching: tap, x.shape[1], geometry)
        if windows.isEmpty { continue }
        let step = windows.lowerBound * spec.strides + tap * spec.dilationRate - geometry.left
        addTapGradients(
          tap, windows, channels: x.width, x.floats + start + step * x.width, dzOfExample, transposed,
          kernelGradient: run.parameterGradients?[0],
          inputGradient: run.inputGradients[0].map { $0 + start + step * x.width })
      }
    }
  }

  /// kernel[tap][group channel][filter] as transposed[tap][group][group filter][group channel].
  private func transposeKernel(_ kernel: UnsafePointer<Float>, channels: Int, into out: Floats) {
    let (groupChannels, groupFilters) = (channels / spec.groups, spec.filters / spec.groups)
    for tap in 0..<spec.kernelSize {
      for channel in 0..<groupChannels {
        let row = kernel + (tap * groupChannels + channel) * spec.filters
        for filter in 0..<spec.filters {
          let (group, inGroup) = filter.quotientAndRemainder(dividingBy: groupFilters)
          out[((tap * spec.groups + group) * groupFilters + inGroup) * groupChannels + channel] = row[filter]
        }
      }
    }
  }

  private func addTapGradients(
    _ tap: Int, _ windows: Range<Int>, channels: Int, _ x: UnsafePointer<Float>, _ dz: UnsafePointer<Float>,
    _ transposed: UnsafePointer<Float>, kernelGradient: Floats?, inputGradient: Floats?
  ) {
    let (groupChannels, groupFilters) = (channels / spec.groups, spec.filters / spec.groups)
    for group in 0..<spec.groups {
      let dzOfGroup = dz + windows.lowerBound * spec.filters + group * groupFilters
      if let kernelGradient {
        multiplyTransposedAdd(
          rows: groupChannels, columns: groupFilters, inner: windows.count, x + group * groupChannels,
          step: spec.strides * channels, dzOfGroup, step: spec.filters,
          into: kernelGradient + tap * groupChannels * spec.filters + group * groupFilters, step: spec.filters)
      }
      if let inputGradient {
        multiplyAdd(
          rows: windows.count, columns: groupChannels, inner: groupFilters, dzOfGroup, step: spec.filters,
          transposed + (tap * spec.groups + group) * groupFilters * groupChannels, step: groupChannels,
          into: inputGradient + group * groupChannels, step: spec.strides * channels)
      }
    }
  }

  /// One example. Where whole windows lie contiguous in memory, they are the rows of one product.
  private func convolve(
    _ x: UnsafePointer<Float>, timesteps: Int, channels: Int, _ kernel: UnsafePointer<Float>,
    _ geometry: WindowGeometry, into y: Floats
  ) {
    let isPlain = spec.dilationRate == 1 && spec.groups == 1
    let whole = wholeWindows(timesteps, geometry)
    if isPlain, !whole.isEmpty {
      multiplyAdd(
        rows: whole.count, columns: spec.filters, inner: spec.kernelSize * channels,
        x + (whole.lowerBound * spec.strides - geometry.left) * channels, step: spec.strides * channels, kernel,
        step: spec.filters, into: y + whole.lowerBound * spec.filters, step: spec.filters)
    }
    for tap in 0..<spec.kernelSize {
      let valid = windows(reaching: tap, timesteps, geometry)
      let edges =
        isPlain && !whole.isEmpty
        ? [valid.clamped(to: 0..<whole.lowerBound), valid.clamped(to: whole.upperBound..<geometry.outputLength)]
        : [valid]
      for windows in edges where !windows.isEmpty {
        addTap(tap, windows, x, channels: channels, kernel, geometry, into: y)
      }
    }
  }

  /// The windows that lie inside the sequence altogether.
  private func wholeWindows(_ timesteps: Int, _ geometry: WindowGeometry) -> Range<Int> {
    let first = windows(reaching: 0, timesteps, geometry)
    return first.clamped(to: windows(reaching: spec.kernelSize - 1, timesteps, geometry))
  }

  /// The windows whose tap lies inside the sequence.
  private func windows(reaching tap: Int, _ timesteps: Int, _ geometry: WindowGeometry) -> Range<Int> {
    let offset = tap * spec.dilationRate - geometry.left
    let first = offset >= 0 ? 0 : (-offset + spec.strides - 1) / spec.strides
    let last = timesteps - 1 - offset
    let end = last < 0 ? 0 : min(last / spec.strides + 1, geometry.outputLength)
    return first < end ? first..<end : 0..<0
  }

  private func addTap(
    _ tap: Int, _ windows: Range<Int>, _ x: UnsafePointer<Float>, channels: Int, _ kernel: UnsafePointer<Float>,
    _ geometry: WindowGeometry, into y: Floats
  ) {
    let groupChannels = channels / spec.groups
    let groupFilters = spec.filters / spec.groups
    let start = windows.lowerBound * spec.strides + tap * spec.dilationRate - geometry.left
    for group in 0..<spec.groups {
      multiplyAdd(
        rows: windows.count, columns: groupFilters, inner: groupChannels,
        x + start * channels + group * groupChannels, step: spec.strides * channels,
        kernel + tap * groupChannels * spec.filters + group * groupFilters, step: spec.filters,
        into: y + windows.lowerBound * spec.filters + group * groupFilters, step: spec.filters)
    }
  }
}
