import RNNCore

/// Configurations of the layers where several tensors meet: merging and attention.
extension KerasLayerReading {
  /// Keras 3 takes a step for valid that is so in any input, and leaves masked numbers out of products and extremes.
  static func merge(_ function: MergeSpec.Function, _ era: KerasEra) -> MergeSpec {
    var spec = MergeSpec(function)
    guard era.generation == .keras3 else { return spec }
    spec.maskRule = .anyMask
    switch function {
    case .multiply, .maximum, .minimum: spec.skipsMasked = true
    case .add, .subtract, .average: break
    }
    return spec
  }

  static func concatenate(axis: Int, _ era: KerasEra) -> ConcatenateSpec {
    var spec = ConcatenateSpec(axis: axis)
    if era.generation == .keras3 { spec.maskRule = .anyMask }
    return spec
  }

  static func dot(_ reader: inout KerasConfigReader) throws -> DotSpec {
    let axes = try reader.axes("axes", default: [])
    guard let first = axes.first, let last = axes.last, axes.count <= 2 else {
      throw RNNError.badData("the argument 'axes' is \(axes), expected one axis or two")
    }
    var spec = DotSpec(axes: [first, last], normalize: try reader.bool("normalize", default: false))
    if reader.era.generation != .keras3 { spec.epsilon = 1e-12 }
    return spec
  }

  /// Keras 1's one class for all of them.
  static func oldMerge(_ reader: inout KerasConfigReader) throws -> LayerSpec {
    let mode = try reader.string("mode") ?? "sum"
    let concatenated = try reader.int("concat_axis") ?? -1
    let axes = try reader.dotAxes()
    for key in [
      "node_indices", "tensor_indices", "output_shape", "output_mask", "arguments", "mode_type",
      "output_shape_type", "output_mask_type", "layers",
    ] { _ = reader.value(key) }
    switch mode {
    case "sum": return .merge(merge(.add, reader.era))
    case "mul": return .merge(merge(.multiply, reader.era))
    case "ave": return .merge(merge(.average, reader.era))
    case "max": return .merge(merge(.maximum, reader.era))
    case "concat": return .concatenate(concatenate(axis: concatenated, reader.era))
    case "dot":
      var spec = DotSpec(axes: axes, normalize: false)
      spec.epsilon = 1e-12
      return .dot(spec)
    case "cos": return .cosine(CosineSpec(axes: axes))
    case _: throw RNNError.unsupported("Merge with the mode '\(mode)' is not supported")
    }
  }

  static func attention(_ reader: inout KerasConfigReader) throws -> AttentionSpec {
    let name = try reader.string("score_mode") ?? "dot"
    guard let score = AttentionSpec.Score(rawValue: name), score != .additive else {
      throw RNNError.unsupported("Attention with the score_mode '\(name)'")
    }
    var spec = AttentionSpec(score: score, useScale: try reader.bool("use_scale", default: false))
    spec.dropout = try reader.double("dropout") ?? 0
    spec.isCausal = try reader.bool("causal", default: false)
    return spec
  }

  static func additiveAttention(_ reader: inout KerasConfigReader) throws -> AttentionSpec {
    var spec = AttentionSpec(score: .additive, useScale: try reader.bool("use_scale", default: true))
    spec.dropout = try reader.double("dropout") ?? 0
    spec.isCausal = try reader.bool("causal", default: false)
    return spec
  }

  static func multiHeadAttention(_ reader: inout KerasConfigReader) throws -> MultiHeadAttentionSpec {
    let keyDim = try reader.requiredInt("key_dim")
    var spec = MultiHeadAttentionSpec(
      headCount: try reader.requiredInt("num_heads"), keyDim: keyDim, valueDim: try reader.int("value_dim") ?? keyDim)
    let shape = try reader.ints("output_shape") ?? []
    if shape.count > 1 { spec.outputAxes = shape } else { spec.outputDim = shape.first }
    spec.useBias = try reader.bool("use_bias", default: true)
    spec.dropout = try reader.double("dropout") ?? 0
    // What Keras 3 computes then goes through its Softmax layer, which clears what is masked.
    spec.zeroesUnseen = reader.era.clearsMaskedWeights && spec.dropout > 0
    let axes = try reader.axes("attention_axes", default: [])
    spec.attentionAxes = axes.isEmpty ? nil : axes
    for key in ["query_shape", "key_shape", "value_shape"] { _ = reader.value(key) }
    spec.hasGate = try reader.bool("use_gate", default: false)
    spec.window = try reader.int("sliding_window")
    return spec
  }

  static func groupQueryAttention(_ reader: inout KerasConfigReader) throws -> MultiHeadAttentionSpec {
    let dimension = try reader.requiredInt("head_dim")
    var spec = MultiHeadAttentionSpec(
      headCount: try reader.requiredInt("num_query_heads"), keyDim: dimension, valueDim: dimension)
    spec.keyHeadCount = try reader.requiredInt("num_key_value_heads")
    spec.useBias = try reader.bool("use_bias", default: true)
    spec.dropout = try reader.double("dropout") ?? 0
    spec.zeroesUnseen = reader.era.clearsMaskedWeights && spec.dropout > 0
    spec.hasGate = try reader.bool("use_gate", default: false)
    spec.window = try reader.int("sliding_window")
    return spec
  }
}

/// Activation layers with parameters, as layers and as the `activation` of another one.
enum KerasActivationLayers {
  /// - Throws: `unsupported` for a class that is no such layer.
  static func activation(_ kind: KerasClass, _ reader: inout KerasConfigReader) throws -> Activation {
    if kind == .leakyReLU { return .leakyRelu(slope: try reader.double("negative_slope", "alpha") ?? 0.3) }
    if kind == .elu { return .scaledElu(alpha: try reader.double("alpha") ?? 1) }
    if kind == .thresholdedReLU { return .thresholdedRelu(theta: try reader.double("theta") ?? 1) }
    if kind == .reLU {
      return .boundedRelu(
        ceiling: try reader.double("max_value"), slope: try reader.double("negative_slope") ?? 0,
        threshold: try reader.double("threshold") ?? 0)
    }
    if kind == .softmax, try reader.axes("axis", default: [-1]) == [-1] { return .softmax }
    if kind == .activation { return try reader.activation("activation", default: "linear") }
    throw RNNError.unsupported("\(kind.rawValue) is no activation")
  }
}
