import RNNCore

extension ONNXWriting {
  /// An LSTM, GRU or RNN node, the tensors turned to (steps, batch, channels) before it and back behind it.
  /// - Returns: the layer's outputs: its own, then its states.
  mutating func recurrent(_ layer: ModelSpec.Layer, _ inputs: [String]) throws -> [String] {
    guard let options = layer.spec.recurrentOptions else { throw RNNError.unsupported("no recurrent layer") }
    if options.stateful { note(.dropped, layer.name, "states that outlive a batch are the caller's in a graph") }
    var operation = "LSTM"
    var functions: [Activation] = []
    var attributes: [String: ONNXGraph.Attribute] = [:]
    var units = 0
    switch layer.spec {
    case .lstm(let lstm):
      functions = [lstm.recurrentActivation, lstm.activation, lstm.activation]
      units = lstm.units
    case .lstmVariant(let lstm):
      try refuseVariant(lstm)
      functions = [lstm.recurrentActivation, lstm.activation, lstm.outputActivation]
      if let clip = lstm.sumClip { attributes["clip"] = .float(clip) }
      if lstm.forgetGate == .fromInputGate { attributes["input_forget"] = .integer(1) }
      units = lstm.units
    case .gru(let gru):
      operation = "GRU"
      functions = [gru.recurrentActivation, gru.activation]
      attributes["linear_before_reset"] = .integer(gru.resetAfter ? 1 : 0)
      units = gru.units
    case .simpleRNN(let rnn):
      operation = "RNN"
      functions = [rnn.activation]
      units = rnn.units
    case _: throw RNNError.unsupported("another recurrent layer than ONNX has")
    }
    if let clip = try ONNXWriting.sharedClip(&functions) { attributes["clip"] = .float(clip) }
    attributes["hidden_size"] = .integer(units)
    try setFunctions(functions, &attributes, usual: operation)
    var weights = try weights(of: layer)
    if case .lstmVariant(let lstm) = layer.spec, lstm.forgetBias != 0 {
      weights["B"] = try forgetBias(lstm, layer, weights["B"])
    }
    var sequence = transposed(inputs[0], [1, 0, 2])
    if options.goBackwards { sequence = reversed(sequence, axis: 0) }
    var names = [sequence, weights["W"] ?? "", weights["R"] ?? "", weights["B"] ?? ""]
    if inputs.count > 1 || weights["P"] != nil {
      let states = inputs.dropFirst().map { one("Unsqueeze", [$0, integers([0])]) }
      names += [""] + states + [String](repeating: "", count: max(2 - states.count, 0))
      if let peepholes = weights["P"] { names.append(peepholes) }
    }
    while names.last == "" { names.removeLast() }
    let outputs = add(
      operation, names, attributes, named: layer.name, count: operation == "LSTM" ? 3 : 2)
    let states = outputs.dropFirst().map { one("Squeeze", [$0, integers([0])]) }
    guard options.returnSequences else { return [states[0]] + (options.returnState ? states : []) }
    let whole = transposed(one("Squeeze", [outputs[0], integers([1])]), [1, 0, 2])
    return [whole] + (options.returnState ? states : [])
  }

  private func refuseVariant(_ lstm: LSTMVariantSpec) throws {
    let reasons = [
      lstm.projection.map { _ in "a projection" }, lstm.cellClip.map { _ in "a clipped cell state" },
      lstm.forgetGate == .none ? "no forget gate" : nil,
      lstm.forgetGate == .fromForgetGate ? "an input gate that is 1 - f" : nil,
    ].compactMap(\.self)
    guard reasons.isEmpty else { throw RNNError.unsupported(reasons.joined(separator: ", ")) }
  }

  /// The bound that all functions are clipped to; they are then without it.
  private static func sharedClip(_ functions: inout [Activation]) throws -> Double? {
    var bounds: [Double?] = []
    functions = functions.map { function in
      guard case .clipped(let inner, let bound) = function else {
        bounds.append(nil)
        return function
      }
      bounds.append(bound)
      return inner
    }
    guard let first = bounds.first, bounds.allSatisfy({ $0 == first }) else {
      throw RNNError.unsupported("functions that are clipped differently")
    }
    return first
  }

  private func setFunctions(
    _ functions: [Activation], _ attributes: inout [String: ONNXGraph.Attribute], usual: String
  ) throws {
    let described = try functions.map(ONNXWriting.recurrentFunction)
    let names = described.map(\.name)
    let usualNames = ["LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"], "RNN": ["Tanh"]][usual]
    guard names != usualNames else { return }
    attributes["activations"] = .strings(names)
    let alphas = described.compactMap(\.alpha)
    let betas = described.compactMap(\.beta)
    if !alphas.isEmpty { attributes["activation_alpha"] = .floats(alphas) }
    if !betas.isEmpty { attributes["activation_beta"] = .floats(betas) }
  }

  /// What the forget gate gains when the layer runs is in ONNX a part of its bias.
  private mutating func forgetBias(
    _ lstm: LSTMVariantSpec, _ layer: ModelSpec.Layer, _ name: String?
  ) throws -> String {
    var values = [Float](repeating: 0, count: 8 * lstm.units)
    if let name, let tensor = take(name) { values = tensor.floats() }
    // i, o, f, c.
    for unit in 2 * lstm.units..<3 * lstm.units { values[unit] += Float(lstm.forgetBias) }
    let own = "\(layer.name)/B_with_forget_bias"
    note(.rounded, layer.name, "the forget bias \(lstm.forgetBias) is added to the bias, rounded")
    return try weight(try Tensor(values, shape: [1, 8 * lstm.units]), named: own)
  }
}
