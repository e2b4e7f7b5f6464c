import RNNCore

/// y[b, o, f] = f(bias[f] + sum over k, c of x[b, o stride + k dilation - left, c] kernel[k, c, f])
///
/// With groups, filter f sees the channels of its group. Steps outside the sequence count as zero.
struct Conv1DLayer: RuntimeLayer {
  let spec: Conv1DSpec
  private let kernel: [Float]
  private let bias: [Float]

  init(_ spec: Conv1DSpec, _ weights: LayerWeights) {
    self.spec = spec
    kernel = weights.floats("kernel")
    bias = weights.floats("bias")
  }

  private func geometry(_ timesteps: Int) throws -> WindowGeometry {
    try WindowGeometry(
      timesteps: timesteps, size: spec.kernelSize, stride: spec.strides, dilation: spec.dilationRate,
      padding: spec.padding)
  }

  func plan(input: [Int], isMasked: Bool) throws -> LayerPlan {
    let length = try geometry(input[1]).outputLength
    let isGated = spec.activation == .glu
    return LayerPlan(
      outputShapes: [[input[0], length, isGated ? spec.filters / 2 : spec.filters]],
      scratch: isGated ? input[0] * length * spec.filters : 0)
  }

  func forward(_ inputs: [Value], _ outputs: [Value], scratch: Floats, states: inout LayerStates?) throws {
    let x = inputs[0]
    let geometry = try geometry(x.shape[1])
    let isGated = spec.activation == .glu
    let sums = isGated ? scratch : outputs[0].floats
    let rows = x.batch * geometry.outputLength
    startRows(sums, rows: rows, width: spec.filters, with: bias)
    kernel.withUnsafeBufferPointer { kernel in
      guard let kernel = kernel.baseAddress else { return }
      for example in 0..<x.batch {
        convolve(
          x.floats + example * x.shape[1] * x.width, timesteps: x.shape[1], channels: x.width, kernel, geometry,
          into: sums + example * geometry.outputLength * spec.filters)
      }
    }
    if isGated {
      ActivationKernel.applyGLU(sums, rows: rows, width: spec.filters, out: outputs[0].floats)
    } else {
      ActivationKernel.apply(spec.activation, sums, rows: rows, width: spec.filters)
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
