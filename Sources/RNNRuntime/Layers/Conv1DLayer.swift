import RNNCore

/// y[b, o, f] = f(bias[f] + sum over k, c of x[b, o stride + k dilation - left, c] kernel[k, c, f])
///
/// With groups, filter f sees the channels of its group. Steps outside the sequence count as zero. Axes between the
/// batch and the steps are more sequences.
struct Conv1DLayer: UnaryLayer {
  let spec: Conv1DSpec

  private func geometry(_ timesteps: Int) throws -> WindowGeometry {
    try WindowGeometry(
      timesteps: timesteps, size: spec.kernelSize, stride: spec.strides, dilation: spec.dilationRate,
      padding: spec.padding)
  }

  func plan(input: [Int], isMasked: Bool, isTraining: Bool) throws -> LayerPlan {
    let length = try geometry(input[input.count - 2]).outputLength
    let isGated = spec.activation == .glu
    let sums = elementCount(input.dropLast(2)) * length * spec.filters
    return LayerPlan(
      outputShapes: [input.dropLast(2) + [length, isGated ? spec.filters / 2 : spec.filters]],
      scratch: isGated ? sums : 0,
      tape: spec.activation.needsInput ? sums : 0,
      backwardScratch: FloatMemory.lines(sums) + 2 * FloatMemory.lines(kernelCount(input[input.count - 1]))
        + 2 * length * spec.filters + length + spec.filters + 2)
  }

  private func kernelCount(_ channels: Int) -> Int { spec.kernelSize * channels / spec.groups * spec.filters }

  /// The kernel transposed, [filter][tap][group channel].
  var backwardMatrices: [PackedMatrix] {
    [
      PackedMatrix(
        parameter: 0, rows: nil, columns: 0..<spec.filters, step: spec.filters, isTransposed: true, isPlain: true)
    ]
  }

  /// Whether a window inside the sequence is one run of memory, all filters seeing all of it.
  private var isPlain: Bool { spec.dilationRate == 1 && spec.groups == 1 }

  func forward(_ run: inout ForwardRun) throws {
    let x = run.inputs[0]
    let geometry = try geometry(x.steps)
    let sums = spec.activation == .glu ? run.scratch : run.outputs[0].floats
    let rows = x.sequences * geometry.outputLength
    let bias = spec.useBias ? run.parameters[1] : nil
    if run.table == nil { startRows(sums, rows: rows, width: spec.filters, with: bias) }
    let perSequence = geometry.outputLength * spec.filters
    for sequence in 0..<x.sequences {
      let y = sums + sequence * perSequence
      if let table = run.table {
        addUp(table, first: sequence * x.steps, timesteps: x.steps, geometry, bias, into: y)
      } else {
        convolve(
          x.floats + sequence * x.steps * x.width, timesteps: x.steps, channels: x.width, run.parameters[0], geometry,
          into: y)
      }
      // While they are in the cache.
      finishSums(
        spec.activation, y, rows: geometry.outputLength, width: spec.filters,
        out: spec.activation == .glu ? run.outputs[0].floats + sequence * perSequence / 2 : y,
        tape: run.tape.map { $0 + sequence * perSequence })
    }
  }

  /// One sequence from the products of its steps with all taps.
  private func addUp(
    _ table: TableRows, first: Int, timesteps: Int, _ geometry: WindowGeometry, _ bias: UnsafePointer<Float>?,
    into y: Floats
  ) {
    func add(_ windows: Range<Int>, taps: Range<Int>) {
      let step = windows.lowerBound * spec.strides + taps.lowerBound * spec.dilationRate - geometry.left
      Kernels.table.sum_windows(
        y + windows.lowerBound * spec.filters, windows.count, spec.filters, bias,
        table.table + taps.lowerBound * spec.filters, table.places + first + step, table.span, taps.count,
        spec.strides, spec.dilationRate)
    }
    let whole = wholeWindows(timesteps, geometry)
    if !whole.isEmpty { add(whole, taps: 0..<spec.kernelSize) }
    for window in 0..<geometry.outputLength where !whole.contains(window) {
      let taps = (0..<spec.kernelSize).filter { windows(reaching: $0, timesteps, geometry).contains(window) }
      if let low = taps.first, let high = taps.last {
        add(window..<window + 1, taps: low..<high + 1)
      } else {
        startRows(y + window * spec.filters, rows: 1, width: spec.filters, with: bias)
      }
    }
  }

  /// dz = f'(z) dy; for each tap, dkernel += transposed(the steps under the tap) dz and, for these steps,
  /// dx += dz transposed(kernel).
  ///
  /// Behind a maximum most of dz is zero; the windows of an example where that is so take only what is not.
  func backward(_ run: BackwardRun) {
    let x = run.inputs[0]
    guard let geometry = try? geometry(x.steps) else { return }
    let rows = x.sequences * geometry.outputLength
    let dz = run.scratch
    ActivationGradient.apply(
      spec.activation, rows: rows, width: spec.filters, x: run.tape, y: run.outputs[0].floats,
      dy: run.outputGradients[0], dx: dz)
    if spec.useBias, let gradients = run.parameterGradients {
      addRows(dz, rows: rows, width: spec.filters, step: spec.filters, into: gradients[1])
    }
    let memory = BackwardMemory(dz + FloatMemory.lines(rows * spec.filters), kernelCount(x.width))
    let kernel = transposedKernel(run, memory)
    let span = kernelCount(x.width) / spec.filters
    let whole = isPlain ? wholeWindows(x.steps, geometry) : 0..<0
    if run.parameterGradients != nil, !whole.isEmpty {
      memory.kernelGradient.update(repeating: 0, count: kernelCount(x.width))
    }
    var hasSparse = false
    for example in 0..<x.sequences {
      let start = example * x.steps * x.width
      let dzOfExample = dz + example * geometry.outputLength * spec.filters
      let isSparse = backwardSparsely(run, whole, geometry, example: start, dzOfExample, kernel, memory)
      hasSparse = hasSparse || isSparse
      for tap in 0..<spec.kernelSize {
        let valid = windows(reaching: tap, x.steps, geometry)
        for windows in isSparse ? outside(whole, valid) : [valid] where !windows.isEmpty {
          let step = start + (windows.lowerBound * spec.strides + tap * spec.dilationRate - geometry.left) * x.width
          addTapGradients(
            tap, windows, channels: x.width, x.floats + step, dzOfExample, kernel,
            kernelGradient: run.parameterGradients?[0], inputGradient: run.inputGradients[0].map { $0 + step })
        }
      }
    }
    if hasSparse, let gradient = run.parameterGradients?[0] {
      transpose(memory.kernelGradient, rows: spec.filters, columns: span, into: memory.transposed)
      Kernels.table.add(gradient, memory.transposed, kernelCount(x.width))
    }
  }

  /// The kernel transposed; layers that are made of convolutions have it made here.
  private func transposedKernel(_ run: BackwardRun, _ memory: BackwardMemory) -> UnsafePointer<Float> {
    if let packed = run.packed.first { return packed }
    transpose(
      run.parameters[0], rows: kernelCount(run.inputs[0].width) / spec.filters, columns: spec.filters,
      into: memory.transposed)
    return UnsafePointer(memory.transposed)
  }

  /// The working memory of the backward pass behind dz.
  private struct BackwardMemory {
    /// The kernel's gradient, [filter][tap][group channel], of the sparse examples, and in the kernel's order.
    var kernelGradient: Floats
    var transposed: Floats
    /// For the places and values of what is not zero.
    var lists: Floats

    init(_ memory: Floats, _ count: Int) {
      let count = FloatMemory.lines(count)
      (kernelGradient, transposed, lists) = (memory, memory + count, memory + 2 * count)
    }
  }

  /// The whole windows of one example, where most of dz is zero.
  /// - Returns: whether it was; otherwise nothing was done.
  private func backwardSparsely(
    _ run: BackwardRun, _ whole: Range<Int>, _ geometry: WindowGeometry, example: Int, _ dz: Floats,
    _ kernel: UnsafePointer<Float>, _ memory: BackwardMemory
  ) -> Bool {
    guard !whole.isEmpty else { return false }
    let x = run.inputs[0]
    let first = example + (whole.lowerBound * spec.strides - geometry.left) * x.width
    let numbers = whole.count * spec.filters
    let values = memory.lists + numbers + whole.count + spec.filters + 1
    return memory.lists.withMemoryRebound(to: UInt32.self, capacity: numbers + whole.count + spec.filters + 1) {
      Kernels.table.sparse_windows(
        dz + whole.lowerBound * spec.filters, whole.count, spec.filters, x.floats + first,
        run.inputGradients[0].map { $0 + first }, spec.strides * x.width, spec.kernelSize * x.width, kernel,
        run.parameterGradients == nil ? nil : memory.kernelGradient, $0, values) != 0
    }
  }

  private func addTapGradients(
    _ tap: Int, _ windows: Range<Int>, channels: Int, _ x: UnsafePointer<Float>, _ dz: UnsafePointer<Float>,
    _ transposed: UnsafePointer<Float>, kernelGradient: Floats?, inputGradient: Floats?
  ) {
    let (groupChannels, groupFilters) = (channels / spec.groups, spec.filters / spec.groups)
    let span = spec.kernelSize * groupChannels
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
          transposed + group * groupFilters * span + tap * groupChannels, step: span,
          into: inputGradient + group * groupChannels, step: spec.strides * channels)
      }
    }
  }

  /// One example. Where whole windows lie contiguous in memory, they are the rows of one product.
  private func convolve(
    _ x: UnsafePointer<Float>, timesteps: Int, channels: Int, _ kernel: UnsafePointer<Float>,
    _ geometry: WindowGeometry, into y: Floats
  ) {
    let whole = wholeWindows(timesteps, geometry)
    if isPlain, !whole.isEmpty {
      multiplyAdd(
        rows: whole.count, columns: spec.filters, inner: spec.kernelSize * channels,
        x + (whole.lowerBound * spec.strides - geometry.left) * channels, step: spec.strides * channels, kernel,
        step: spec.filters, into: y + whole.lowerBound * spec.filters, step: spec.filters)
    }
    for tap in 0..<spec.kernelSize {
      let valid = windows(reaching: tap, timesteps, geometry)
      for windows in isPlain && !whole.isEmpty ? outside(whole, valid) : [valid] where !windows.isEmpty {
        addTap(tap, windows, x, channels: channels, kernel, geometry, into: y)
      }
    }
  }

  /// The windows that lie inside the sequence altogether.
  private func wholeWindows(_ timesteps: Int, _ geometry: WindowGeometry) -> Range<Int> {
    let first = windows(reaching: 0, timesteps, geometry)
    return first.clamped(to: windows(reaching: spec.kernelSize - 1, timesteps, geometry))
  }

  /// What of some windows lies before and behind the whole ones.
  private func outside(_ whole: Range<Int>, _ windows: Range<Int>) -> [Range<Int>] {
    [
      windows.lowerBound..<max(windows.lowerBound, min(windows.upperBound, whole.lowerBound)),
      min(windows.upperBound, max(windows.lowerBound, whole.upperBound))..<windows.upperBound,
    ]
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
