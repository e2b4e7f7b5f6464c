import RNNCore

// Functions of numbers, element by element or over axes.
extension ONNXReading {
  mutating func readActivation(_ node: ONNXGraph.Node) throws {
    let stream = try stream(node, 0)
    let activation: Activation
    if node.operation == "Gelu" {
      activation = node.string("approximate") == "tanh" ? .tanhGelu : .gelu
    } else {
      activation = try ONNXFunctions.activation(
        node.operation, alpha: node.float("alpha"), beta: node.float(node.operation == "Selu" ? "gamma" : "beta"))
    }
    var result = stream
    result.reference = add(
      .activation(ActivationSpec(activation: activation)), named: node.outputs[0], to: [stream.reference])
    set(node, .stream(result))
  }

  mutating func readSoftmax(_ node: ONNXGraph.Node) throws {
    let stream = try stream(node, 0)
    let rank = stream.axes.count
    let isOld = operatorSet < 13
    let axis = try place(node.integer("axis") ?? (isOld ? 1 : -1), rank: rank)
    // Before set 13 all axes from this one on are one.
    guard !isOld || stream.axes[(axis + 1)...].allSatisfy({ $0 == .unit }) else {
      throw RNNError.unsupported("\(node.operation) over the axes from \(axis) on as one")
    }
    let native = try nativeAxis(axis, of: stream)
    var result = stream
    let isLast = native == stream.sizes.count
    if node.operation == "Softmax", !isLast {
      result.reference = add(.softmax(SoftmaxSpec(axes: [native])), named: node.outputs[0], to: [stream.reference])
    } else {
      guard isLast else { throw RNNError.unsupported("LogSoftmax over another axis than the last") }
      let activation: Activation = node.operation == "Softmax" ? .softmax : .logSoftmax
      result.reference = add(
        .activation(ActivationSpec(activation: activation)), named: node.outputs[0], to: [stream.reference])
    }
    set(node, .stream(result))
  }

  mutating func readUnary(_ node: ONNXGraph.Node, _ function: UnarySpec.Function) throws {
    if let inputs = try knownInputs(node), function == .negative, let sizes = inputs.first.flatMap(asSizes) {
      let zero = ONNXValue.sizes(sizes.sizes.map { _ in .known(0) }, isScalar: sizes.isScalar)
      return try fold(node, .subtract, [zero, inputs[0]])
    }
    let stream = try stream(node, 0)
    var result = stream
    result.reference = add(.unary(UnarySpec(function)), named: node.outputs[0], to: [stream.reference])
    set(node, .stream(result))
  }

  mutating func readClip(_ node: ONNXGraph.Node) throws {
    let stream = try stream(node, 0)
    var clip = UnarySpec(.clip)
    clip.low = try node.float("min") ?? constant(node, 1)?.doubles().first
    clip.high = try node.float("max") ?? constant(node, 2)?.doubles().first
    var result = stream
    result.reference = add(.unary(clip), named: node.outputs[0], to: [stream.reference])
    set(node, .stream(result))
  }

  mutating func readPRelu(_ node: ONNXGraph.Node) throws {
    let stream = try standard(try stream(node, 0))
    guard let slope = try constant(node, 1) else { throw RNNError.badData("no slope is given") }
    let shared: [Int]
    let shape: [Int]
    if slope.count == 1 {
      (shared, shape) = (Array(1...max(stream.sizes.count, 1)), stream.sizes.map { _ in 1 })
    } else {
      // Before set 7 a vector goes along the channels.
      let isOld = operatorSet < 7 && slope.shape.count == 1 && stream.axes.count > 1
      let aligned =
        isOld
        ? [1, slope.count] + [Int](repeating: 1, count: stream.axes.count - 2)
        : [Int](repeating: 1, count: max(stream.axes.count - slope.shape.count, 0)) + slope.shape
      shape = aligned.enumerated().filter { $0.offset != stream.batchAxis }.map(\.element)
      shared = shape.indices.filter { shape[$0] == 1 }.map { $0 + 1 }
    }
    var result = stream
    result.reference = add(.prelu(PReLUSpec(sharedAxes: shared)), named: node.outputs[0], to: [stream.reference])
    parameters.append(
      .init(layer: layerName(result.reference), name: "alpha", tensor: try slope.reshaped(to: shape)))
    set(node, .stream(result))
  }

  mutating func readReduction(_ node: ONNXGraph.Node, _ function: ReductionSpec.Function) throws {
    if let inputs = try knownInputs(node), function == .product, let sizes = inputs.first.flatMap(asSizes) {
      var product = ONNXSize.known(1)
      for size in sizes.sizes {
        guard case .known(let a) = product, case .known(let b) = size else {
          product = newSize()
          break
        }
        product = .known(a &* b)
      }
      return set(node, .sizes([product], isScalar: node.integer("keepdims") == 0))
    }
    let stream = try stream(node, 0)
    let rank = stream.axes.count
    let places = try places(axes(node, input: 1) ?? Array(0..<rank), rank: rank)
    let keeps = node.integer("keepdims") != 0
    guard !places.contains(stream.batchAxis) else { throw ONNXBatchMismatch() }
    let native = places.compactMap { place -> Int? in
      if case .native(let axis) = stream.axes[place] { axis } else { nil }
    }
    var result = stream
    if !native.isEmpty {
      result.reference = add(
        .reduction(ReductionSpec(function, axes: native.map { $0 + 1 }, keepDims: false)), named: node.outputs[0],
        to: [stream.reference])
    }
    result.sizes = stream.sizes.indices.filter { !native.contains($0) }.map { stream.sizes[$0] }
    result.axes = stream.axes.enumerated().compactMap { index, axis -> ONNXStream.Axis? in
      if places.contains(index) { return keeps ? .unit : nil }
      guard case .native(let place) = axis else { return axis }
      return .native(place - native.filter { $0 < place }.count)
    }
    set(node, .stream(result))
  }

  mutating func readBinary(_ node: ONNXGraph.Node, _ function: BinarySpec.Function) throws {
    guard node.inputs.count == 2 else {
      throw RNNError.unsupported("\(node.operation) of \(node.inputs.count) tensors")
    }
    if let inputs = try knownInputs(node) { return try fold(node, function, inputs) }
    let (left, right) = (try value(node, 0), try value(node, 1))
    switch (left, right) {
    case (.stream(let first), .stream(let second)): try combine(node, function, first, second)
    case (.stream(let stream), _):
      guard let constant = try constant(node, 1) else { throw RNNError.badData("an operand is missing") }
      if function == .add, try addBias(node, stream, constant, from: 0) { return }
      try combine(node, function, stream, constant, isConstantFirst: false)
    case (_, .stream(let stream)):
      guard let constant = try constant(node, 0) else { throw RNNError.badData("an operand is missing") }
      if function == .add, try addBias(node, stream, constant, from: 1) { return }
      try combine(node, function, stream, constant, isConstantFirst: true)
    case (_, _): throw RNNError.badData("an operand is missing")
    }
  }

  /// The sum of a matrix product and a vector of weights is one Dense.
  private mutating func addBias(
    _ node: ONNXGraph.Node, _ stream: ONNXStream, _ bias: Tensor, from input: Int
  ) throws -> Bool {
    guard case .dense(var dense) = spec(stream.reference), !dense.useBias, uses(of: node.inputs[input]) == 1,
      bias.shape == [dense.units], stream.axes.last == .native(stream.sizes.count - 1), bias.dtype == .float32
    else { return false }
    dense.useBias = true
    replace(stream.reference, with: .dense(dense))
    let path = layerName(stream.reference)
    let place = (parameters.lastIndex { $0.layer == path } ?? parameters.count - 1) + 1
    parameters.insert(.init(layer: path, name: "bias", tensor: bias), at: place)
    set(node, .stream(stream))
    return true
  }

  private mutating func combine(
    _ node: ONNXGraph.Node, _ function: BinarySpec.Function, _ left: ONNXStream, _ right: ONNXStream
  ) throws {
    if left.axes == right.axes, !left.axes.contains(.unit) {
      var result = left
      result.reference = add(
        .binary(BinarySpec(function)), named: node.outputs[0], to: [left.reference, right.reference])
      result.sizes = try broadcast(left.sizes, right.sizes)
      return set(node, .stream(result))
    }
    // The last axes belong together; what one lacks is of size 1.
    let rank = max(left.axes.count, right.axes.count)
    func padded(_ stream: ONNXStream) -> ONNXStream {
      var stream = stream
      stream.axes.insert(
        contentsOf: [ONNXStream.Axis](repeating: .unit, count: rank - stream.axes.count), at: 0)
      return stream
    }
    let (first, second) = (try standard(padded(left)), try standard(padded(right)))
    guard first.batchAxis == second.batchAxis else { throw ONNXBatchMismatch() }
    var result = first
    result.reference = add(
      .binary(BinarySpec(function)), named: node.outputs[0], to: [first.reference, second.reference])
    result.sizes = try broadcast(first.sizes, second.sizes)
    set(node, .stream(result))
  }

  private func broadcast(_ left: [ONNXSize], _ right: [ONNXSize]) throws -> [ONNXSize] {
    zip(left, right).map { $0 == .known(1) ? $1 : $0 }
  }

  private mutating func combine(
    _ node: ONNXGraph.Node, _ function: BinarySpec.Function, _ stream: ONNXStream, _ constant: Tensor,
    isConstantFirst: Bool
  ) throws {
    guard constant.count <= ONNXReading.largestConstant else {
      throw RNNError.unsupported("\(node.operation) with a weight of \(constant.count) numbers")
    }
    var result = stream
    var shape: [Int] = []
    if constant.count != 1 {
      result = try standard(stream)
      let more = constant.shape.count - result.axes.count
      if more > 0 {
        guard constant.shape.prefix(more).allSatisfy({ $0 == 1 }) else {
          throw RNNError.unsupported("\(node.operation) with a weight of more axes")
        }
        result = try standard(
          ONNXStream(
            reference: result.reference, axes: [ONNXStream.Axis](repeating: .unit, count: more) + result.axes,
            sizes: result.sizes))
      }
      let aligned = [Int](repeating: 1, count: result.axes.count - constant.shape.count) + constant.shape
      guard aligned[result.batchAxis] == 1 else { throw ONNXBatchMismatch() }
      shape = aligned.enumerated().filter { $0.offset != result.batchAxis }.map(\.element)
      result.sizes = try broadcast(shape.map(ONNXSize.known), result.sizes)
    }
    let values = BinarySpec.Constant(shape: shape, values: constant.doubles())
    result.reference = add(
      .binary(BinarySpec(function, constant: values, isConstantFirst: isConstantFirst)), named: node.outputs[0],
      to: [result.reference])
    set(node, .stream(result))
  }

  /// Constants stand in the model's description, as text.
  private static let largestConstant = 1 << 16
}
