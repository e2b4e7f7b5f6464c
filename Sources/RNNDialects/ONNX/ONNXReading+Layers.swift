import RNNCore

// Nodes with weights, other than the recurrent ones, and windows over steps.
extension ONNXReading {
  // MARK: - Matrix products

  mutating func readGemm(_ node: ONNXGraph.Node) throws {
    let stream = try stream(node, 0)
    guard node.integer("transA") ?? 0 == 0, node.float("alpha") ?? 1 == 1, node.float("beta") ?? 1 == 1 else {
      throw RNNError.unsupported("a Gemm that turns or scales its inputs")
    }
    guard var matrix = try constant(node, 1), matrix.shape.count == 2 else {
      throw RNNError.badData("the matrix B is none")
    }
    if node.integer("transB") ?? 0 != 0 { matrix = try matrix.transposed([1, 0]) }
    guard stream.axes.count == 2 else { throw RNNError.badData("A has \(stream.axes.count) axes") }
    let units = matrix.shape[1]
    guard matrix.count > 0 else { throw RNNError.badData("the matrix B is \(matrix.shape)") }
    var bias = try constant(node, 2)
    if let given = bias {
      // One number, or one for each unit, in as many axes as one likes.
      guard given.count == units || given.count == 1 else {
        throw RNNError.unsupported("a bias of the shape \(given.shape)")
      }
      bias =
        given.count == units
        ? try given.reshaped(to: [units])
        : try Tensor.joining(Array(repeating: try given.reshaped(to: [1]), count: units), along: 0)
    }
    try addDense(node, stream, matrix, bias, axis: 1)
  }

  mutating func readMatrixProduct(_ node: ONNXGraph.Node) throws {
    // The zeros of a first state, in a loop that was written out step by step.
    if case .filled(0, let sizes) = try value(node, 0), let matrix = try constant(node, 1),
      let columns = matrix.shape.last
    {
      return set(node, .filled(0, sizes.dropLast() + [.known(columns)]))
    }
    let stream = try stream(node, 0)
    if case .stream(let other) = try value(node, 1) {
      guard stream.axes.count > 2 else {
        throw RNNError.unsupported(
          "its input 1 ('\(node.inputs[1])') is computed when the graph runs, and must be a weight")
      }
      let (left, right) = (try standard(stream), try standard(other))
      guard left.axes.count == right.axes.count, left.axes.count > 2, left.batchAxis == 0, right.batchAxis == 0 else {
        throw ONNXBatchMismatch()
      }
      var result = left
      result.reference = add(
        .matrixProduct(MatrixProductSpec()), named: node.outputs[0], to: [left.reference, right.reference])
      result.sizes[result.sizes.count - 1] = right.sizes[right.sizes.count - 1]
      return set(node, .stream(result))
    }
    guard let matrix = try constant(node, 1), matrix.shape.count == 2 else {
      throw RNNError.unsupported("a product with weights that are no matrix")
    }
    try addDense(node, stream, matrix, nil, axis: stream.axes.count - 1)
  }

  /// - Parameter axis: of the graph, along which the products go.
  private mutating func addDense(
    _ node: ONNXGraph.Node, _ stream: ONNXStream, _ kernel: Tensor, _ bias: Tensor?, axis: Int
  ) throws {
    if stream.isFolded {
      // Every step an example: the products go along the last axis all the same.
      guard stream.axes[axis] == .native(stream.sizes.count - 1), stream.sizes.last == .known(kernel.shape[0]) else {
        throw ONNXBatchMismatch()
      }
      var result = stream
      var dense = DenseSpec(units: kernel.shape[1])
      dense.useBias = bias != nil
      result.reference = add(.dense(dense), named: node.outputs[0], to: [stream.reference])
      result.sizes[stream.sizes.count - 1] = .known(kernel.shape[1])
      addWeights(of: result.reference, kernel, bias)
      return set(node, .stream(result))
    }
    // The other axes in the order in which they lie, that of the products last.
    let others = stream.axes.indices.filter { place in
      if case .native = stream.axes[place], place != axis { true } else { false }
    }.sorted { left, right in
      guard case .native(let one) = stream.axes[left], case .native(let other) = stream.axes[right] else {
        return false
      }
      return one < other
    }
    let (reference, sizes) = try arranged(stream, others + [axis], named: node.outputs[0])
    guard sizes.last == .known(kernel.shape[0]) else {
      throw RNNError.badData("\(kernel.shape[0]) rows of weights, and another number of channels")
    }
    var dense = DenseSpec(units: kernel.shape[1])
    dense.useBias = bias != nil
    var result = stream
    result.reference = add(.dense(dense), named: node.outputs[0], to: [reference])
    result.sizes = sizes.dropLast() + [.known(kernel.shape[1])]
    for (place, other) in others.enumerated() { result.axes[other] = .native(place) }
    result.axes[axis] = .native(others.count)
    addWeights(of: result.reference, kernel, bias)
    set(node, .stream(result))
  }

  private mutating func addWeights(of dense: ModelSpec.Reference, _ kernel: Tensor, _ bias: Tensor?) {
    let path = layerName(dense)
    parameters.append(.init(layer: path, name: "kernel", tensor: kernel))
    if let bias { parameters.append(.init(layer: path, name: "bias", tensor: bias)) }
  }

  // MARK: - Windows

  /// The one axis of steps, those of size 1 left aside: a graph may run one dimension as two.
  private func stepAxis(_ node: ONNXGraph.Node, _ stream: ONNXStream) throws -> Int {
    guard stream.axes.count >= 3 else { throw RNNError.badData("\(stream.axes.count) axes for \(node.operation)") }
    guard stream.axes[0] == .batch else { throw ONNXBatchMismatch() }
    let real = (2..<stream.axes.count).filter { stream.axes[$0] != .unit }
    guard real.count <= 1 else { throw RNNError.unsupported("\(node.operation) over \(real.count) dimensions") }
    return real.first ?? stream.axes.count - 1
  }

  /// One dimension's number among those of all.
  private func number(_ node: ONNXGraph.Node, _ name: String, _ place: Int, usual: Int) throws -> Int {
    guard let numbers = node.integers(name) else { return usual }
    guard numbers.indices.contains(place) else { throw RNNError.badData("\(name) has \(numbers.count) numbers") }
    try SizeLimit.check(numbers[place], name, atLeast: usual)
    return numbers[place]
  }

  /// Zeros before and after the steps, and what of it is Keras's `same`.
  private func padding(
    _ node: ONNXGraph.Node, _ place: Int, dimensions: Int, extent: Int, stride: Int, length: ONNXSize
  ) throws -> (before: Int, after: Int, padding: Padding) {
    func total() throws -> Int {
      if stride == 1 { return extent - 1 }
      guard case .known(let length) = length else {
        throw RNNError.unsupported("auto_pad of a sequence whose length is not known")
      }
      return max(((length + stride - 1) / stride - 1) * stride + extent - length, 0)
    }
    switch node.string("auto_pad") ?? "NOTSET" {
    case "VALID": return (0, 0, .valid)
    case "SAME_UPPER": return (0, 0, .same)
    case "SAME_LOWER":
      let total = try total()
      return (total - total / 2, total / 2, .valid)
    case "NOTSET", "":
      let pads = node.integers("pads") ?? [Int](repeating: 0, count: 2 * dimensions)
      guard pads.count == 2 * dimensions, pads.allSatisfy({ $0 >= 0 }) else {
        throw RNNError.badData("the pads \(pads) of \(dimensions) dimensions")
      }
      for other in 0..<dimensions where other != place {
        guard pads[other] == 0, pads[other + dimensions] == 0 else {
          throw RNNError.unsupported("padding of more than one dimension")
        }
      }
      return (pads[place], pads[place + dimensions], .valid)
    case let other: throw RNNError.unsupported("auto_pad \(other)")
    }
  }

  mutating func readConvolution(_ node: ONNXGraph.Node) throws {
    let stream = try stream(node, 0)
    let steps = try stepAxis(node, stream)
    let (place, dimensions) = (steps - 2, stream.axes.count - 2)
    guard var kernel = try constant(node, 1), kernel.shape.count == stream.axes.count else {
      throw RNNError.badData("the weight W has another number of axes than the input")
    }
    for axis in 2..<kernel.shape.count where axis != steps {
      guard kernel.shape[axis] == 1 else {
        throw RNNError.unsupported("\(node.operation) over more than one dimension")
      }
    }
    kernel = try kernel.reshaped(to: [kernel.shape[0], kernel.shape[1], kernel.shape[steps]])
    let (reference, sizes) = try arranged(stream, [steps, 1], named: node.outputs[0])
    guard case .known(let channels) = sizes[1] else { throw RNNError.unsupported("a free number of channels") }
    let stride = try number(node, "strides", place, usual: 1)
    let dilation = try number(node, "dilations", place, usual: 1)
    let groups = node.integer("group") ?? 1
    let size = kernel.shape[2]
    let layer: LayerSpec
    var input = ONNXSteps(reference: reference, sizes: sizes)
    let bias = try constant(node, 2)
    var crop = (before: 0, after: 0)
    if node.operation == "Conv" {
      var conv = Conv1DSpec(filters: kernel.shape[0], kernelSize: size)
      (conv.strides, conv.dilationRate, conv.groups, conv.useBias) = (stride, dilation, groups, bias != nil)
      let pads = try padding(
        node, place, dimensions: dimensions, extent: (size - 1) * dilation + 1, stride: stride, length: sizes[0])
      conv.padding = pads.padding
      input = try edges(reference, sizes, before: pads.before, after: pads.after, named: node.outputs[0])
      layer = .conv1D(conv)
    } else {
      guard groups == 1, try number(node, "output_padding", place, usual: 0) == 0, node.integers("output_shape") == nil,
        ["NOTSET", "VALID", ""].contains(node.string("auto_pad") ?? "")
      else {
        throw RNNError.unsupported("a ConvTranspose with groups, output_padding, output_shape or auto_pad")
      }
      var conv = Conv1DTransposeSpec(filters: kernel.shape[1], kernelSize: size)
      (conv.strides, conv.dilationRate, conv.useBias) = (stride, dilation, bias != nil)
      let pads = try padding(
        node, place, dimensions: dimensions, extent: 1, stride: 1, length: sizes[0])
      crop = (pads.before, pads.after)
      layer = .conv1DTranspose(conv)
    }
    let output = add(layer, named: node.outputs[0], to: [input.reference])
    var tensors = ["W": kernel]
    tensors["B"] = bias
    try take(
      tensors, of: layer, at: layerName(output), shapes: try layer.parameterShapes(inputs: [[nil, channels]]))
    var result = try convolved(layer, output, input, channels)
    if crop.before > 0 || crop.after > 0 {
      result = try edges(
        result.reference, result.sizes, before: -crop.before, after: -crop.after, named: node.outputs[0])
    }
    set(node, .stream(result.placed(steps: steps, channels: 1, rank: stream.axes.count, batch: 0)))
  }

  /// The sizes behind a layer over steps.
  private mutating func convolved(
    _ layer: LayerSpec, _ output: ModelSpec.Reference, _ input: ONNXSteps, _ channels: Int
  ) throws -> ONNXSteps {
    var length: Int?
    if case .known(let known) = input.sizes[0] { length = known }
    let shape = try layer.outputShapes(inputs: [[length, channels]])[0]
    let isSame = length == nil && layer.keepsLength
    return ONNXSteps(
      reference: output,
      sizes: [
        isSame ? input.sizes[0] : shape[0].map(ONNXSize.known) ?? newSize(), shape[1].map(ONNXSize.known) ?? newSize(),
      ])
  }

  mutating func readPooling(_ node: ONNXGraph.Node) throws {
    let stream = try stream(node, 0)
    let steps = try stepAxis(node, stream)
    let (place, dimensions) = (steps - 2, stream.axes.count - 2)
    let (reference, sizes) = try arranged(stream, [steps, 1], named: node.outputs[0])
    guard case .known(let channels) = sizes[1] else { throw RNNError.unsupported("a free number of channels") }
    let isMaximum = node.operation.hasSuffix("MaxPool")
    if node.operation.hasPrefix("Global") {
      let spec = GlobalPooling1DSpec(keepDims: false)
      let output = add(
        isMaximum ? .globalMaxPooling1D(spec) : .globalAveragePooling1D(spec), named: node.outputs[0], to: [reference])
      var axes = [ONNXStream.Axis](repeating: .unit, count: stream.axes.count)
      (axes[0], axes[1]) = (.batch, .native(0))
      return set(node, .stream(ONNXStream(reference: output, axes: axes, sizes: [.known(channels)])))
    }
    let size = try number(node, "kernel_shape", place, usual: 1)
    let stride = try number(node, "strides", place, usual: 1)
    guard try number(node, "dilations", place, usual: 1) == 1, node.integer("ceil_mode") ?? 0 == 0,
      !isUsed(node, 1)
    else { throw RNNError.unsupported("\(node.operation) with dilations, ceil_mode or indices") }
    let pads = try padding(
      node, place, dimensions: dimensions, extent: size, stride: stride, length: sizes[0])
    var padding = pads.padding
    if pads.before > 0 || pads.after > 0 {
      // What is the same as Keras's padding, whose positions do not count.
      let counts = node.integer("count_include_pad") ?? 0
      guard case .known(let length) = sizes[0], isMaximum || counts == 0 else {
        throw RNNError.unsupported("\(node.operation) over padding")
      }
      let total = max(((length + stride - 1) / stride - 1) * stride + size - length, 0)
      guard pads.before == total / 2, pads.after == total - total / 2 else {
        throw RNNError.unsupported("\(node.operation) over a padding of \(pads.before) and \(pads.after) steps")
      }
      padding = .same
    }
    let spec = Pooling1DSpec(poolSize: size, strides: stride, padding: padding)
    let layer: LayerSpec = isMaximum ? .maxPooling1D(spec) : .averagePooling1D(spec)
    let output = add(layer, named: node.outputs[0], to: [reference])
    let result = try convolved(layer, output, ONNXSteps(reference: reference, sizes: sizes), channels)
    set(node, .stream(result.placed(steps: steps, channels: 1, rank: stream.axes.count, batch: 0)))
  }

  // MARK: - Normalization

  mutating func readBatchNormalization(_ node: ONNXGraph.Node) throws {
    let stream = try stream(node, 0)
    guard node.integer("training_mode") ?? 0 == 0 else {
      throw RNNError.unsupported("a BatchNormalization that goes on learning")
    }
    guard stream.axes.count > 1 else { throw RNNError.badData("no axis of channels") }
    let axis = try nativeAxis(1, of: stream)
    let spec = BatchNormalizationSpec(
      axis: axis, epsilon: node.float("epsilon").map(ONNXReading.decimal) ?? 1e-5,
      momentum: node.float("momentum").map(ONNXReading.decimal) ?? 0.9)
    var result = stream
    result.reference = add(.batchNormalization(spec), named: node.outputs[0], to: [stream.reference])
    let names = ["gamma", "beta", "moving_mean", "moving_variance"]
    for (index, name) in names.enumerated() {
      guard let tensor = try constant(node, index + 1), tensor.shape.count == 1 else {
        throw RNNError.badData("the weight \(name) is missing")
      }
      parameters.append(.init(layer: layerName(result.reference), name: name, tensor: tensor))
    }
    set(node, .stream(result))
  }

  mutating func readLayerNormalization(_ node: ONNXGraph.Node) throws {
    let stream = try stream(node, 0)
    let axis = try place(node.integer("axis") ?? -1, rank: stream.axes.count)
    let axes = try (axis..<stream.axes.count).map { try nativeAxis($0, of: stream) }
    guard let scale = try constant(node, 1) else { throw RNNError.badData("the weight Scale is missing") }
    let bias = try constant(node, 2)
    var spec = LayerNormalizationSpec(axes: axes, epsilon: node.float("epsilon").map(ONNXReading.decimal) ?? 1e-5)
    spec.center = bias != nil
    var result = stream
    result.reference = add(.layerNormalization(spec), named: node.outputs[0], to: [stream.reference])
    parameters.append(.init(layer: layerName(result.reference), name: "gamma", tensor: scale))
    if let bias { parameters.append(.init(layer: layerName(result.reference), name: "beta", tensor: bias)) }
    set(node, .stream(result))
  }

  /// The decimal number that a float32 attribute was written for: 1e-5, not 0.00000999999974737875.
  static func decimal(_ value: Double) -> Double { Double("\(Float(value))") ?? value }
}

extension LayerSpec {
  /// Whether a layer over steps gives as many as it takes.
  fileprivate var keepsLength: Bool {
    if case .conv1D(let conv) = self {
      return conv.strides == 1 && (conv.padding != .valid || conv.kernelSize == 1)
    }
    return false
  }
}
