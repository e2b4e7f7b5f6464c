/// `Attention` and `AdditiveAttention`: each step of the query looks at the steps of the value,
/// (batch, query steps, channels) and (batch, value steps, channels) -> (batch, query steps, value channels).
///
///     weights = softmax(scores, where the value is masked: -1e9)      output = weights value
///     dot:      score = scale (query . key)
///     concat:   score = sum over channels of concat_score_weight tanh(scale (query + key))
///     additive: score = sum over channels of scale tanh(query + key)
public struct AttentionSpec: LayerConfiguration {
  public var keepsMask: Bool { true }

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
    let (query, width) = try inputs[0].sequence(for: "MultiHeadAttention")
    let (value, _) = try inputs[1].sequence(for: "MultiHeadAttention")
    let (key, _) = try inputs[keyPlace(of: inputs.count)].sequence(for: "MultiHeadAttention")
    if takesMask {
      let mask = inputs[inputs.count - 1]
      let fits = zip(mask, [query, value]).allSatisfy { $0 == $1 || $0 == 1 || $0 == nil || $1 == nil }
      guard mask.count == 2, fits else {
        throw RNNError.badData(
          "the attention mask is \(describe(shape: [nil] + mask)), expected \(describe(shape: [nil, query, value]))")
      }
    }
    guard key == value || key == nil || value == nil else {
      throw RNNError.badData("the key has \(key ?? 0) steps and the value \(value ?? 0)")
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
    return [[query, outputDim ?? width]] + (returnsScores ? [[headCount, query, value]] : [])
  }

  /// Kernels of query, key, gate and value (channels, heads, key or value dim), of the output (heads, value dim, channels);
  /// biases (heads, dim) and (channels).
  public func parameterShapes(inputs: [Shape]) throws -> [ParameterShape] {
    let channels = try [inputs[0], inputs[keyPlace(of: inputs.count)], inputs[1]].map {
      try $0.channels(for: "MultiHeadAttention")
    }
    let output = outputDim ?? channels[0]
    let keyHeads = keyHeadCount ?? headCount
    let shapes: [(kernel: [Int], bias: [Int])] =
      [
        ([channels[0], headCount, keyDim], [headCount, keyDim]),
        ([channels[1], keyHeads, keyDim], [keyHeads, keyDim]),
      ] + (hasGate ? [([channels[0], headCount, valueDim], [headCount, valueDim])] : []) + [
        ([channels[2], keyHeads, valueDim], [keyHeads, valueDim]), ([headCount, valueDim, output], [output]),
      ]
    let all = shapes.flatMap { useBias ? [$0.kernel, $0.bias] : [$0.kernel] }
    return zip(parameterNames, all).map { ParameterShape($0, $1) }
  }
}
