/// `Attention` and `AdditiveAttention`: each step of the query looks at the steps of the value,
/// (batch, query steps, channels) and (batch, value steps, channels) -> (batch, query steps, value channels).
///
///     weights = softmax(scores, where the value is masked: -1e9)      output = weights value
///     dot:      score = scale (query . key)
///     concat:   score = sum over channels of concat_score_weight tanh(scale (query + key))
///     additive: score = sum over channels of scale tanh(query + key)
public struct AttentionSpec: LayerConfiguration {
  public var keepsMask: Bool { true }
  public var maskAxes: ClosedRange<Int>? { 1...1 }

  public enum Score: String, Sendable, Codable, CaseIterable {
    case dot, concat, additive
  }

  public var score: Score
  /// Whether there is a weight `scale`: one number, or for `additive` one a channel.
  public var useScale: Bool
  /// Whether a step of the query sees no later step of the value.
  public var isCausal = false
  /// Whether the weights are a second output.
  public var returnsScores = false
  /// The fraction of the weights dropped in training.
  public var dropout = 0.0

  public init(score: Score, useScale: Bool) {
    self.score = score
    self.useScale = useScale
  }

  /// Query, value, and the key where it is not the value.
  public var inputCounts: ClosedRange<Int> { 2...3 }
  public var outputCount: Int { returnsScores ? 2 : 1 }

  public var parameterNames: [String] {
    (useScale ? ["scale"] : []) + (score == .concat ? ["concat_score_weight"] : [])
  }

  public func outputShapes(inputs: [Shape]) throws -> [Shape] {
    let (query, width) = try inputs[0].sequence(for: "Attention")
    let (value, channels) = try inputs[1].sequence(for: "Attention")
    let (key, keyWidth) = try inputs[inputs.count - 1].sequence(for: "Attention")
    guard width == keyWidth, key == value || key == nil || value == nil else {
      throw RNNError.badData(
        "the query \(describe(shape: [nil] + inputs[0])) and the key "
          + "\(describe(shape: [nil] + inputs[inputs.count - 1])) do not go together")
    }
    return [[query, channels]] + (returnsScores ? [[query, value]] : [])
  }

  /// scale () or (channels), concat score weight ().
  public func parameterShapes(inputs: [Shape]) throws -> [ParameterShape] {
    let (_, channels) = try inputs[0].sequence(for: "Attention")
    return parameterNames.map { ParameterShape($0, $0 == "scale" && score == .additive ? [channels] : []) }
  }
}

/// `MultiHeadAttention` (Vaswani et al. 2017): for each head, queries, keys and values are linear maps of the inputs;
/// scores are products divided by sqrt(key dim), and the heads' outputs go through one more linear map.
public struct MultiHeadAttentionSpec: LayerConfiguration {
  public var keepsMask: Bool { true }
  public var maskAxes: ClosedRange<Int>? { 1...1 }

  public var headCount: Int
  public var keyDim: Int
  public var valueDim: Int
  /// How many heads keys and values have, where each serves several of the query's, one after the other
  /// (`GroupQueryAttention`, Ainslie et al. 2023); `nil`: as many as the query.
  public var keyHeadCount: Int?
  /// Whether what the heads give is multiplied with a sigmoid of a linear map of the query.
  public var hasGate: Bool {
    get { gated ?? false }
    set { gated = newValue ? true : nil }
  }
  /// `nil` for false, as in files that know no gates.
  private var gated: Bool?
  /// Steps as far apart as this, or farther, do not see each other.
  public var window: Int?
  /// The size of the last axis of the output; `nil`: the query's.
  public var outputDim: Int?
  /// The last axes of the output where they are several, in the place of `outputDim`.
  public var outputAxes: [Int]?
  /// Along which axes query and value see each other, counted with the batch as 0, or from the end; the others are more
  /// sequences. `nil`: all between the batch and the channels.
  public var attentionAxes: [Int]?
  public var useBias = true
  public var isCausal = false
  /// Whether a step that is not seen has weight 0 even where no step is seen; else all weights are then alike.
  public var zeroesUnseen = false
  /// Whether the weights (batch, heads, query steps, value steps) are a second output.
  public var returnsScores = false
  public var dropout = 0.0
  /// Whether the last input says what each query step sees: (query steps, value steps), either of them perhaps 1; what is
  /// not 0 is seen.
  public var takesMask = false

  public init(headCount: Int, keyDim: Int, valueDim: Int) {
    self.headCount = headCount
    self.keyDim = keyDim
    self.valueDim = valueDim
  }

  /// Query, value, the key where it is not the value, and perhaps a mask.
  public var inputCounts: ClosedRange<Int> { takesMask ? 3...4 : 2...3 }
  /// Where the key stands among so many inputs.
  public func keyPlace(of inputCount: Int) -> Int { inputCount - (takesMask ? 2 : 1) }
  public var outputCount: Int { returnsScores ? 2 : 1 }

  public var parameterNames: [String] {
    maps.flatMap { part in useBias ? [part + "/kernel", part + "/bias"] : [part + "/kernel"] }
  }

  /// The linear maps, in the order of their weights.
  public var maps: [String] { ["query", "key"] + (hasGate ? ["gate"] : []) + ["value", "attention_output"] }

  /// The head of keys and values that a head of the query goes with.
  public func keyHead(of head: Int) -> Int { head / (headCount / max(keyHeadCount ?? headCount, 1)) }

  public func outputShapes(inputs: [Shape]) throws -> [Shape] {
    let (query, value, key) = (inputs[0], inputs[1], inputs[keyPlace(of: inputs.count)])
    guard query.count >= 2, query.count == value.count, value.count == key.count else {
      throw RNNError.badData(
        "MultiHeadAttention takes (batch, timesteps, channels), but its inputs are \(describe(shape: [nil] + query)) and "
          + describe(shape: [nil] + value))
    }
    let width = try query.channels(for: "MultiHeadAttention")
    let places = try attentionPlaces(rank: query.count)
    for place in 0..<query.count - 1 {
      let isSeen = places.contains(place)
      let sizes = isSeen ? [value[place], key[place]] : [query[place], value[place], key[place]]
      guard Set(sizes.compactMap(\.self)).count <= 1 else {
        throw RNNError.badData(
          isSeen
            ? "the key has \(key[place] ?? 0) steps and the value \(value[place] ?? 0)"
            : "query, value and key have the sizes \(sizes.map { $0 ?? 0 }) on the axis \(place + 1)")
      }
    }
    let (rows, columns) = (places.map { query[$0] }, places.map { value[$0] })
    if takesMask {
      let mask = inputs[inputs.count - 1]
      let fits = zip(mask, rows + columns).allSatisfy { $0 == $1 || $0 == 1 || $0 == nil || $1 == nil }
      guard mask.count == 2, query.count == 2, fits else {
        throw RNNError.badData(
          "the attention mask is \(describe(shape: [nil] + mask)), expected \(describe(shape: [nil] + rows + columns))")
      }
    }
    guard !isCausal && window == nil || places.count == 1 else {
      throw RNNError.unsupported("MultiHeadAttention that sees some steps only, over several axes")
    }
    for (size, name) in [(headCount, "num_heads"), (keyDim, "key_dim"), (valueDim, "value_dim")] {
      try SizeLimit.check(size, name)
    }
    let keyHeads = keyHeadCount ?? headCount
    try SizeLimit.check(keyHeads, "num_key_value_heads")
    guard headCount % keyHeads == 0 else {
      throw RNNError.badData("\(headCount) heads of the query do not share \(keyHeads) of keys and values evenly")
    }
    if let window { try SizeLimit.check(window, "sliding_window") }
    let output: Shape = query.dropLast() + (outputAxes?.map { $0 } ?? [outputDim ?? width])
    let others = query.indices.dropLast().filter { !places.contains($0) }.map { query[$0] }
    return [output] + (returnsScores ? [others + [headCount] + rows + columns] : [])
  }

  /// The places of the attention axes behind the batch, ascending.
  public func attentionPlaces(rank: Int) throws -> [Int] {
    guard let attentionAxes else { return Array(0..<rank - 1) }
    let places = attentionAxes.map { $0 < 0 ? $0 + rank : $0 - 1 }
    guard !places.isEmpty, Set(places).count == places.count, places.allSatisfy((0..<rank - 1).contains) else {
      throw RNNError.badData("MultiHeadAttention over the axes \(attentionAxes) of \(rank + 1)")
    }
    return places.sorted()
  }

  /// Kernels of query, key, gate and value (channels, heads, key or value dim), of the output (heads, value dim, channels);
  /// biases (heads, dim) and (channels).
  public func parameterShapes(inputs: [Shape]) throws -> [ParameterShape] {
    let channels = try [inputs[0], inputs[keyPlace(of: inputs.count)], inputs[1]].map {
      try $0.channels(for: "MultiHeadAttention")
    }
    let output = outputAxes ?? [outputDim ?? channels[0]]
    let keyHeads = keyHeadCount ?? headCount
    let shapes: [(kernel: [Int], bias: [Int])] =
      [
        ([channels[0], headCount, keyDim], [headCount, keyDim]),
        ([channels[1], keyHeads, keyDim], [keyHeads, keyDim]),
      ] + (hasGate ? [([channels[0], headCount, valueDim], [headCount, valueDim])] : []) + [
        ([channels[2], keyHeads, valueDim], [keyHeads, valueDim]), ([headCount, valueDim] + output, output),
      ]
    let all = shapes.flatMap { useBias ? [$0.kernel, $0.bias] : [$0.kernel] }
    return zip(parameterNames, all).map { ParameterShape($0, $1) }
  }
}
