/// The shapes of a valid model.
public struct ModelShapes: Sendable {
  /// For each call, the shapes of its outputs.
  public var outputs: [[Shape]]
  /// For each layer, its parameters; shared by all its calls.
  public var parameters: [[ParameterShape]]
}

extension ModelSpec {
  /// Checks the graph and infers every shape.
  /// - Throws: `badData` naming the layer where the graph is broken or an input does not fit.
  public func shapes() throws -> ModelShapes {
    try checkGraph()
    var outputs: [[Shape]] = []
    var parameters: [[ParameterShape]?] = Array(repeating: nil, count: layers.count)
    for call in calls {
      let layer = layers[call.layer]
      try locating("layer '\(layer.name)'") {
        let input: Shape = call.inputs.first.map { outputs[$0.call][$0.output] } ?? []
        let shapes = try layer.spec.outputShapes(input: input)
        let needed = try layer.spec.parameterShapes(input: input)
        if let known = parameters[call.layer], known != needed {
          throw RNNError.badData("its calls need parameters of different shapes")
        }
        try checkSizes(shapes, needed)
        parameters[call.layer] = needed
        outputs.append(shapes)
      }
      try checkStates(of: call, outputs)
    }
    return ModelShapes(outputs: outputs, parameters: parameters.map { $0 ?? [] })
  }

  private func checkGraph() throws {
    guard !calls.isEmpty, !inputs.isEmpty, !outputs.isEmpty else { throw RNNError.badData("the model has no layers") }
    guard Set(layers.map(\.name)).count == layers.count else {
      throw RNNError.badData("two layers have the same name")
    }
    for (index, call) in calls.enumerated() {
      guard layers.indices.contains(call.layer) else { throw RNNError.badData("call \(index) names no layer") }
      let spec = layers[call.layer].spec
      let isInput = spec.kind == .input
      let arity = call.inputs.count
      let isComplete = isInput ? arity == 0 : arity == 1 || (spec.stateCount > 0 && arity == 1 + spec.stateCount)
      guard isComplete else {
        throw RNNError.badData(
          "\(spec.kind.rawValue) cannot take \(arity) inputs", at: "layer '\(layers[call.layer].name)'")
      }
      guard call.inputs.allSatisfy({ isKnown($0, before: index) }) else {
        throw RNNError.badData("an input is no output of an earlier layer", at: "layer '\(layers[call.layer].name)'")
      }
      guard isInput == inputs.contains(index) else {
        throw RNNError.badData(
          "the model's inputs and its input layers differ", at: "layer '\(layers[call.layer].name)'")
      }
    }
    guard inputs.allSatisfy(calls.indices.contains), Set(inputs).count == inputs.count,
      outputs.allSatisfy({ isKnown($0, before: calls.count) })
    else { throw RNNError.badData("an input or output of the model is no output of a layer") }
    if isSequential {
      let isChain =
        layers.count == calls.count && inputs == [0] && outputs == [Reference(call: calls.count - 1)]
        && calls.enumerated().allSatisfy { index, call in
          call.layer == index && call.inputs == (index == 0 ? [] : [Reference(call: index - 1)])
        }
      guard isChain else { throw RNNError.badData("the model is called Sequential and is no chain of its layers") }
    }
  }

  private func isKnown(_ reference: Reference, before index: Int) -> Bool {
    guard (0..<index).contains(reference.call), layers.indices.contains(calls[reference.call].layer) else {
      return false
    }
    return (0..<outputCount(of: layers[calls[reference.call].layer].spec)).contains(reference.output)
  }

  private func outputCount(of spec: LayerSpec) -> Int {
    switch spec {
    case .lstm(let lstm): lstm.options.returnState ? 3 : 1
    case .gru(let gru): gru.options.returnState ? 2 : 1
    case .simpleRNN(let simple): simple.options.returnState ? 2 : 1
    case .input, .embedding, .masking, .dropout, .spatialDropout1D, .gaussianNoise, .gaussianDropout, .conv1D,
      .maxPooling1D, .averagePooling1D, .globalMaxPooling1D, .globalAveragePooling1D, .dense, .activation, .flatten:
      1
    }
  }

  private func checkStates(of call: Call, _ outputs: [[Shape]]) throws {
    for reference in call.inputs.dropFirst() {
      let units = outputs[outputs.count - 1][0].last ?? nil
      guard outputs[reference.call][reference.output] == [units] else {
        throw RNNError.badData(
          "an initial state is \(describe(shape: [nil] + outputs[reference.call][reference.output])), "
            + "expected \(describe(shape: [nil, units]))",
          at: "layer '\(layers[call.layer].name)'")
      }
    }
  }

  private func checkSizes(_ shapes: [Shape], _ parameters: [ParameterShape]) throws {
    for shape in shapes {
      for case let dimension? in shape { try SizeLimit.check(dimension, "an output axis", atLeast: 0) }
    }
    for parameter in parameters {
      guard Tensor.byteCount(dtype: .float64, shape: parameter.shape) != nil else {
        throw RNNError.badData("the parameter '\(parameter.name)' of shape \(parameter.shape) is too large to address")
      }
    }
  }
}
