import RNNCore

/// Layers that make raw data into what a network reads.
extension ONNXWriting {
  mutating func rescaled(_ rescaling: RescalingSpec, _ x: String, _ name: String) throws -> String {
    let scaled = one("Mul", [x, try constant(rescaling.scale, "\(name)/scale")], named: name)
    return one("Add", [scaled, try constant(rescaling.offset, "\(name)/offset")], named: name)
  }

  mutating func normalized(
    _ layer: ModelSpec.Layer, _ norm: NormalizationSpec, _ x: String, _ source: Shape
  ) throws -> String {
    let axes = try norm.axes.map { try source.place(ofAxis: $0) + 1 }.sorted()
    func statistic(_ name: String, _ stated: BinarySpec.Constant?) throws -> String {
      if let own = try parameter(name, of: layer, along: axes, rank: source.count + 1) { return own }
      guard let stated else { throw RNNError(.internalError, "'\(layer.name)' has no \(name)") }
      // A stated one may be shorter: it repeats along the axes, which then take their places.
      let sizes = try norm.statisticsShape(source)
      let whole = one("Expand", [try constant(stated, "\(layer.name)/\(name)"), integers(sizes)])
      var shape = [Int](repeating: 1, count: source.count + 1)
      for (axis, size) in zip(axes, sizes) { shape[axis] = size }
      return reshaped(whole, shape)
    }
    let mean = try statistic("mean", norm.mean)
    let deviation = one(
      "Max", [one("Sqrt", [try statistic("variance", norm.variance)]), number(NormalizationSpec.epsilon)])
    guard !norm.isInverse else { return one("Add", [one("Mul", [x, deviation]), mean], named: layer.name) }
    return one("Div", [one("Sub", [x, mean]), deviation], named: layer.name)
  }

  mutating func binned(_ spec: DiscretizationSpec, _ x: String, _ name: String) throws -> String {
    let boundaries = try weight(
      try Tensor(spec.boundaries.map { Float($0) }, shape: [spec.boundaries.count]), named: fresh("\(name)/boundaries"))
    let reached = one("GreaterOrEqual", [one("Unsqueeze", [x, integers([-1])]), boundaries])
    let ids = one(
      "ReduceSum", [one("Cast", [reached], ["to": .integer(1)]), integers([-1])], ["keepdims": .integer(0)], named: name
    )
    guard let mode = spec.mode else { return ids }
    return try counted(ids, mode, size: spec.boundaries.count + 1, [], name)
  }

  mutating func lookedUp(_ lookup: IntegerLookupSpec, _ x: String, _ name: String) throws -> String {
    let words = (lookup.maskToken.map { [$0] } ?? []) + lookup.vocabulary
    let first = lookup.maskToken == nil ? 0 : 1
    let unknown = lookup.hasUnknown ? first : -1
    if !lookup.hasUnknown { note(.dropped, name, "its refusal of unknown numbers: they have the id -1") }
    let listed =
      (lookup.maskToken == nil ? [] : [0]) + lookup.vocabulary.indices.map { $0 + first + (lookup.hasUnknown ? 1 : 0) }
    let whole = one("Unsqueeze", [one("Cast", [x], ["to": .integer(7)]), integers([-1])])
    let isWord = one("Cast", [one("Equal", [whole, integers(words)])], ["to": .integer(1)])
    let distances = try weight(
      try Tensor(listed.map { Float($0 - unknown) }, shape: [listed.count]), named: fresh("\(name)/ids"))
    let sum = one("ReduceSum", [one("Mul", [isWord, distances]), integers([-1])], ["keepdims": .integer(0)])
    let ids = one("Add", [sum, number(Double(unknown))], named: name)
    guard let mode = lookup.mode else { return ids }
    return try counted(ids, mode, size: lookup.size, [], name)
  }

  /// What becomes of ids (batch, timesteps).
  mutating func counted(
    _ ids: String, _ mode: TokenCountsSpec.Mode, size: Int, _ weights: [Float], _ name: String
  ) throws -> String {
    try ONNXWriting.checkListed(size)
    let places = try weight(try Tensor((0..<size).map { Float($0) }, shape: [size]), named: fresh("\(name)/places"))
    let hot = one("Cast", [one("Equal", [one("Unsqueeze", [ids, integers([-1])]), places])], ["to": .integer(1)])
    switch mode {
    case .oneHot: return hot
    case .multiHot: return one("ReduceMax", [hot], ["axes": .integers([1]), "keepdims": .integer(0)], named: name)
    case .count: return one("ReduceSum", [hot, integers([1])], ["keepdims": .integer(0)], named: name)
    case .tfIDF:
      let count = one("ReduceSum", [hot, integers([1])], ["keepdims": .integer(0)])
      let padded = Array(weights.prefix(size)) + [Float](repeating: 0, count: max(size - weights.count, 0))
      let name = fresh("\(name)/weights")
      return one("Mul", [count, try weight(try Tensor(padded, shape: [size]), named: name)], named: name)
    }
  }
}
