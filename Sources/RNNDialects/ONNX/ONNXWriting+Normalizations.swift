import RNNCore

/// Normalizations as nodes. ONNX has two of them, for the usual axes; the others are put together.
extension ONNXWriting {
  private mutating func constant(_ value: Float, count: Int, named name: String) throws -> String {
    try weight(try Tensor([Float](repeating: value, count: count), shape: [count]), named: name)
  }

  mutating func normalized(
    _ layer: ModelSpec.Layer, _ norm: BatchNormalizationSpec, _ x: String, _ source: Shape
  ) throws -> String {
    let rank = source.count + 1
    let axis = norm.axis < 0 ? norm.axis + rank : norm.axis
    guard !norm.alwaysUsesBatch, norm.renorm == nil, axis > 0, let size = source[axis - 1] else {
      throw RNNError.unsupported("statistics of the batch")
    }
    let names = [
      try parameter("gamma", of: layer) ?? constant(1, count: size, named: "\(layer.name)/gamma"),
      try parameter("beta", of: layer) ?? constant(0, count: size, named: "\(layer.name)/beta"),
      try parameter("moving_mean", of: layer) ?? "", try parameter("moving_variance", of: layer) ?? "",
    ]
    // ONNX has the channels behind the batch.
    var order = Array(0..<rank)
    order.insert(order.remove(at: axis), at: 1)
    let back = order.indices.map { place in order.firstIndex(of: place) ?? place }
    let value = one(
      "BatchNormalization", [transposed(x, order)] + names, ["epsilon": .float(norm.epsilon)], named: layer.name)
    return transposed(value, back)
  }

  mutating func normalized(
    _ layer: ModelSpec.Layer, _ norm: LayerNormalizationSpec, _ x: String, _ source: Shape
  ) throws -> String {
    let rank = source.count + 1
    let axes = norm.axes.map { $0 < 0 ? $0 + rank : $0 }.sorted()
    guard axes == norm.axes.map({ $0 < 0 ? $0 + rank : $0 }) else {
      throw RNNError.unsupported("axes that do not ascend, \(norm.axes)")
    }
    guard norm.form == .centered, axes == Array((rank - axes.count)..<rank), let first = axes.first else {
      return try normalizedByParts(layer, norm, x, axes, source)
    }
    var names = [x]
    if let gamma = try parameter("gamma", of: layer) {
      names.append(gamma)
    } else {
      let shape = try axes.map { axis in
        guard let size = source[axis - 1] else { throw RNNError.unsupported("an open axis") }
        return size
      }
      let ones = try Tensor([Float](repeating: 1, count: shape.reduce(1, *)), shape: shape)
      names.append(try weight(ones, named: "\(layer.name)/gamma"))
    }
    if let beta = try parameter("beta", of: layer) { names.append(beta) }
    return one(
      "LayerNormalization", names, ["axis": .integer(first), "epsilon": .float(norm.epsilon)], named: layer.name)
  }

  /// Any form over any axes.
  private mutating func normalizedByParts(
    _ layer: ModelSpec.Layer, _ norm: LayerNormalizationSpec, _ x: String, _ axes: [Int], _ source: Shape
  ) throws -> String {
    func mean(_ value: String) -> String {
      one("ReduceMean", [value], ["axes": .integers(axes), "keepdims": .integer(1)])
    }
    let centered = norm.form == .rootMeanSquare ? x : one("Sub", [x, mean(x)])
    let variance = mean(one("Mul", [centered, centered]))
    var deviation = one("Sqrt", [one("Add", [variance, number(norm.epsilon)])])
    if norm.form == .doubleEpsilon { deviation = one("Add", [deviation, number(norm.epsilon)]) }
    var value = one("Div", [norm.form == .uncentered ? x : centered, deviation], named: layer.name)
    // Along the axes that were normalised; that of a root mean square along the last ones.
    let places = norm.form == .rootMeanSquare ? Array((source.count + 1 - axes.count)...source.count) : axes
    if let gamma = try parameter("gamma", of: layer, along: places, rank: source.count + 1) {
      value = one("Mul", [value, gamma], named: layer.name)
    }
    if let beta = try parameter("beta", of: layer, along: places, rank: source.count + 1) {
      value = one("Add", [value, beta], named: layer.name)
    }
    return value
  }

  /// A group of channels is an instance of its own.
  mutating func normalized(
    _ layer: ModelSpec.Layer, _ norm: GroupNormalizationSpec, _ x: String, _ source: Shape
  ) throws -> String {
    let axis = try source.place(ofAxis: norm.axis) + 1
    guard let channels = source[axis - 1] else { throw RNNError.unsupported("open channels") }
    let groups = norm.groups == -1 ? channels : norm.groups
    var order = Array(0...source.count)
    order.insert(order.remove(at: axis), at: 1)
    let back = order.indices.map { place in order.firstIndex(of: place) ?? place }
    let turned = transposed(x, order)
    let grouped = one(
      "InstanceNormalization",
      [
        reshaped(turned, [0, groups, -1]), try constant(1, count: groups, named: fresh("\(layer.name)/ones")),
        try constant(0, count: groups, named: fresh("\(layer.name)/zeros")),
      ], ["epsilon": .float(norm.epsilon)], named: layer.name)
    var value = transposed(one("Reshape", [grouped, one("Shape", [turned])]), back)
    if let gamma = try parameter("gamma", of: layer, along: [axis], rank: source.count + 1) {
      value = one("Mul", [value, gamma], named: layer.name)
    }
    if let beta = try parameter("beta", of: layer, along: [axis], rank: source.count + 1) {
      value = one("Add", [value, beta], named: layer.name)
    }
    return value
  }

  mutating func normalized(_ norm: UnitNormalizationSpec, _ x: String, _ name: String) throws -> String {
    // A node without axes means all of them, the batch included.
    guard !norm.axes.isEmpty else { throw RNNError.unsupported("no axis") }
    return unit(x, axes: norm.axes, epsilon: norm.epsilon, name)
  }

  /// Vectors of length 1; a square below `epsilon` counts as that.
  mutating func unit(_ x: String, axes: [Int], epsilon: Double, _ name: String) -> String {
    let square = one("ReduceSum", [one("Mul", [x, x]), integers(axes)], ["keepdims": .integer(1)])
    return one("Div", [x, one("Sqrt", [one("Max", [square, number(epsilon)])])], named: name)
  }

  mutating func softmaxed(_ x: String, _ axes: [Int], _ name: String) throws -> String {
    guard !axes.isEmpty else { throw RNNError.unsupported("no axis") }
    if axes.count == 1 { return one("Softmax", [x], ["axis": .integer(axes[0])], named: name) }
    let largest = one("ReduceMax", [x], ["axes": .integers(axes), "keepdims": .integer(1)])
    let powers = one("Exp", [one("Sub", [x, largest])])
    return one(
      "Div", [powers, one("ReduceSum", [powers, integers(axes)], ["keepdims": .integer(1)])], named: name)
  }

  /// A native parameter whose axes are some of a tensor's, in their order, with 1 for the others.
  mutating func parameter(
    _ name: String, of layer: ModelSpec.Layer, along axes: [Int], rank: Int
  ) throws -> String? {
    let path = NativeModel.path(layer: layer.name, parameter: name)
    guard let tensor = tensors[path] else { return nil }
    var shape = [Int](repeating: 1, count: rank)
    for (axis, size) in zip(axes, tensor.shape) { shape[axis] = size }
    return try weight(try tensor.reshaped(to: shape), named: path)
  }
}
