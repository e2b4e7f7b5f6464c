import RNNCore

/// Attention: products, a softmax, products.
extension ONNXWriting {
  /// What is not seen: its weight is 0 beside any other.
  private static let unseen = -1e9

  mutating func attended(_ layer: ModelSpec.Layer, _ attention: AttentionSpec, _ inputs: [String]) throws -> [String] {
    let (query, value, key) = (inputs[0], inputs[1], inputs[inputs.count - 1])
    let scale = try parameter("scale", of: layer)
    func scaled(_ value: String) -> String { scale.map { one("Mul", [value, $0]) } ?? value }
    func sums() -> String {
      one("Add", [one("Unsqueeze", [query, integers([2])]), one("Unsqueeze", [key, integers([1])])])
    }
    func total(_ value: String) -> String { one("ReduceSum", [value, integers([-1])], ["keepdims": .integer(0)]) }
    var scores: String
    switch attention.score {
    case .dot: scores = scaled(einsum("bqc,bkc->bqk", [query, key], layer.name))
    case .additive: scores = total(scaled(one("Tanh", [sums()])))
    case .concat:
      scores = one(
        "Mul", [total(one("Tanh", [scaled(sums())])), try parameter("concat_score_weight", of: layer) ?? number(1)])
    }
    if attention.isCausal {
      scores = one(
        "Where", [visible(scores, axis: 1, isCausal: true, window: nil), scores, number(ONNXWriting.unseen)])
    }
    let weights = one("Softmax", [scores], ["axis": .integer(-1)])
    let output = one("MatMul", [weights, value], named: layer.name)
    return attention.returnsScores ? [output, weights] : [output]
  }

  mutating func attended(
    _ layer: ModelSpec.Layer, _ attention: MultiHeadAttentionSpec, _ inputs: [String], _ sources: [Shape]
  ) throws -> [String] {
    guard sources[0].count == 2 else { throw RNNError.unsupported("attention over several axes") }
    let (query, value, key) = (inputs[0], inputs[1], inputs[attention.keyPlace(of: inputs.count)])
    func heads(_ part: String, _ x: String) throws -> String {
      let map = einsum("btc,chd->bthd", [x, try parameter("\(part)/kernel", of: layer) ?? ""], layer.name)
      guard let bias = try parameter("\(part)/bias", of: layer) else { return map }
      return one("Add", [map, bias], named: layer.name)
    }
    /// One head of keys or values for each of the query's.
    func shared(_ map: String, _ size: Int) -> String {
      guard let groups = attention.keyHeadCount, groups != attention.headCount else { return map }
      let times = attention.headCount / groups
      let tiled = one("Tile", [one("Unsqueeze", [map, integers([3])]), integers([1, 1, 1, times, 1])])
      return reshaped(tiled, [0, 0, attention.headCount, size])
    }
    let queries = one("Mul", [try heads("query", query), number(1 / Double(attention.keyDim).squareRoot())])
    let keys = shared(try heads("key", key), attention.keyDim)
    let values = shared(try heads("value", value), attention.valueDim)
    var scores = einsum("bthd,bshd->bhts", [queries, keys], layer.name)
    var seen: String?
    if attention.isCausal || attention.window != nil {
      seen = visible(scores, axis: 2, isCausal: attention.isCausal, window: attention.window)
    }
    if attention.takesMask {
      let stated = one("Unsqueeze", [one("Cast", [inputs[inputs.count - 1]], ["to": .integer(9)]), integers([1])])
      seen = seen.map { one("And", [$0, stated]) } ?? stated
    }
    if let seen { scores = one("Where", [seen, scores, number(ONNXWriting.unseen)]) }
    var weights = one("Softmax", [scores], ["axis": .integer(-1)])
    if let seen, attention.zeroesUnseen { weights = one("Where", [seen, weights, number(0)]) }
    var attended = einsum("bhts,bshd->bthd", [weights, values], layer.name)
    if attention.hasGate { attended = one("Mul", [attended, one("Sigmoid", [try heads("gate", query)])]) }
    let axes = String("uvwxyz".prefix(attention.outputAxes?.count ?? 1))
    guard axes.count == attention.outputAxes?.count ?? 1 else { throw RNNError.unsupported("so many axes") }
    var output = einsum(
      "bthd,hd\(axes)->bt\(axes)", [attended, try parameter("attention_output/kernel", of: layer) ?? ""], layer.name)
    if let bias = try parameter("attention_output/bias", of: layer) {
      output = one("Add", [output, bias], named: layer.name)
    }
    return attention.returnsScores ? [output, weights] : [output]
  }

  /// Which steps see which, (query steps, value steps), by where they stand.
  /// - Parameter axis: the query's steps in `scores`; the value's stand behind it.
  private mutating func visible(_ scores: String, axis: Int, isCausal: Bool, window: Int?) -> String {
    let shape = one("Slice", [one("Shape", [scores]), integers([axis]), integers([axis + 2])])
    var ones = one("Expand", [number(1), shape])
    if isCausal { ones = one("Trilu", [ones], ["upper": .integer(0)]) }
    if let window {
      ones = one("Trilu", [ones, integer(window - 1)], ["upper": .integer(0)])
      ones = one("Trilu", [ones, integer(1 - window)], ["upper": .integer(1)])
    }
    return one("Cast", [ones], ["to": .integer(9)])
  }
}
