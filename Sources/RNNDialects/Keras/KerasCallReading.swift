import RNNCore

/// What a call of a layer means: its inputs in the native order, and what the call itself says of the arithmetic.
struct KerasCallReading {
  var inputs: [KerasTensor] = []
  /// The mask that the call is given by name, for its first input.
  var mask: KerasTensor?
  /// The layer as this call uses it.
  var spec: LayerSpec

  /// - Throws: `unsupported` naming an argument that is not carried.
  init(_ call: KerasCall, of spec: LayerSpec, _ era: KerasEra) throws {
    self.spec = spec
    var call = KerasCallReading.named(call, spec)
    inputs = call.arguments.flatMap(\.tensors)
    func take(_ name: String) -> KerasArgument? {
      guard let index = call.keywords.firstIndex(where: { $0.name == name }) else { return nil }
      let argument = call.keywords.remove(at: index).argument
      return argument.isNull ? nil : argument
    }
    if case .multiHeadAttention(var attention) = spec {
      let names = ["query", "value", "key"]
      var given: [KerasTensor?] = inputs.prefix(3).map { $0 } + Array(repeating: nil, count: max(3 - inputs.count, 0))
      for (index, name) in names.enumerated() {
        if let tensor = take(name)?.tensor { given[index] = tensor }
      }
      inputs = given.compactMap(\.self)
      if let mask = take("attention_mask") {
        guard let tensor = mask.tensor else { throw RNNError.unsupported("an attention_mask of constants") }
        inputs.append(tensor)
        attention.takesMask = true
      }
      attention.isCausal = take("use_causal_mask")?.value?.bool ?? false
      attention.returnsScores = take("return_attention_scores")?.value?.bool ?? false
      attention.zeroesUnseen = attention.zeroesUnseen || (era.clearsMaskedWeights && attention.returnsScores)
      self.spec = .multiHeadAttention(attention)
      // Keras overwrites it with the query's own.
      _ = take("query_mask")
    } else if case .attention(var attention) = spec {
      attention.isCausal = attention.isCausal || take("use_causal_mask")?.value?.bool ?? false
      attention.returnsScores = take("return_attention_scores")?.value?.bool ?? false
      self.spec = .attention(attention)
    } else if spec.takesInitialStates {
      inputs += take("initial_state")?.tensors ?? []
      if take("constants") != nil { throw RNNError.unsupported("a recurrent layer that is called with constants") }
    } else if let input = take("inputs")?.tensors {
      inputs += input
    }
    if let training = take("training"), training.value != false, KerasCallReading.actsInTraining(spec) {
      throw RNNError.unsupported(
        "the layer is called with training=True, so that its outputs are random or depend on the batch",
        remedy: "Build the model without it.")
    }
    // The inputs of a nested model have masks of their own, which they are given again.
    let masks = take("mask")
    mask = spec.kind == .model ? nil : masks?.tensor
    if let tensors = masks?.tensors, masks?.tensor == nil, spec.kind != .model, !tensors.isEmpty {
      throw RNNError.unsupported("a list of masks", remedy: "Let the masks come from the layers before.")
    }
    // Keras 3 hands masks to the arguments `<tensor argument>_mask` of a layer that is called with several tensors, and no
    // recurrent layer has these (`keras/src/layers/layer.py`, `__call__`): with an initial state, masks are not seen.
    if era.generation == .keras3, spec.takesInitialStates, inputs.count > 1, mask == nil { self.spec.ignoreMasks() }
    for word in call.keywords where !word.argument.isNull && word.name != "name" {
      throw RNNError.unsupported(
        "the layer is called with the argument \(word.name)\(word.argument.value.map { "=\($0.text())" } ?? ""), which "
          + "is not supported", remedy: "Build the model without it.")
    }
  }

  /// Arguments that were given by their place, under their names (Keras 3's `call` methods).
  private static func named(_ call: KerasCall, _ spec: LayerSpec) -> KerasCall {
    let names: [String]
    if spec.takesInitialStates {
      names = ["initial_state", "mask", "training"]
    } else if spec.kind == .attention {
      names = ["mask", "training", "return_attention_scores", "use_causal_mask"]
    } else {
      return call
    }
    var result = call
    result.arguments = Array(call.arguments.prefix(1))
    result.keywords += zip(names, call.arguments.dropFirst()).map { ($0, $1) }
    return result
  }

  private static func actsInTraining(_ spec: LayerSpec) -> Bool {
    if let options = spec.recurrentOptions { return options.dropout > 0 || options.recurrentDropout > 0 }
    if let noise = spec.configuration as? NoiseSpec { return noise.rate > 0 }
    return !spec.configuration.statisticNames.isEmpty || spec.innerLayers.contains { actsInTraining($0.spec) }
  }
}
