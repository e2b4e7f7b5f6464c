/// The shapes of a valid model.
public struct ModelShapes: Sendable {
  /// For each call, the shapes of its outputs.
  public var outputs: [[Shape]]
  /// For each layer, its parameters; shared by all its calls. None for wrappers and models inside: `ModelSpec.plain` has
  /// the layers that these are made of.
  public var parameters: [[ParameterShape]]
}

extension ModelSpec {
  /// How many calls a model may come to, those of the models inside it counted for each of their calls.
  private static let mostCalls = 1 << 17

  /// Checks the graph and infers every shape.
  /// - Throws: `badData` naming the layer where the graph is broken or an input does not fit.
  public func shapes() throws -> ModelShapes {
    try checkCallCount()
    return try shapes(inputs: nil)
  }

  /// - Parameter inputs: the shapes that come in where the model is a layer of another one; `nil` for those that its
  ///   input layers state.
  func shapes(inputs given: [Shape]?) throws -> ModelShapes {
    try checkGraph()
    if let given, given.count != inputs.count {
      throw RNNError.badData("the model takes \(inputs.count) inputs, \(given.count) are given")
    }
    var outputs: [[Shape]] = []
    var parameters: [[ParameterShape]?] = Array(repeating: nil, count: layers.count)
    for (index, call) in calls.enumerated() {
      let layer = layers[call.layer]
      try locating("layer '\(layer.name)'") {
        let sources = call.inputs.map { outputs[$0.call][$0.output] }
        var shapes = try layer.spec.outputShapes(inputs: sources)
        if let given, let place = inputs.firstIndex(of: index) { shapes = [try met(given[place], shapes[0])] }
        let needed = call.inputs.isEmpty ? [] : try layer.spec.parameterShapes(inputs: sources)
        if let known = parameters[call.layer], known != needed {
          throw RNNError.badData("its calls need parameters of different shapes")
        }
        try checkSizes(shapes, needed)
        parameters[call.layer] = needed
        outputs.append(shapes)
      }
    }
    return ModelShapes(outputs: outputs, parameters: parameters.map { $0 ?? [] })
  }

  /// What comes in where an input states a shape.
  private func met(_ given: Shape, _ stated: Shape) throws -> Shape {
    let fits = given.count == stated.count && zip(given, stated).allSatisfy { $0 == $1 || $0 == nil || $1 == nil }
    guard fits else {
      throw RNNError.badData(
        "\(describe(shape: [nil] + given)) comes in, expected \(describe(shape: [nil] + stated))")
    }
    return zip(given, stated).map { $0 ?? $1 }
  }

  /// - Throws: `badData` where models inside models come to more calls than anybody could run.
  package func checkCallCount() throws {
    guard try callCount() <= ModelSpec.mostCalls else {
      throw RNNError.badData("the models inside the model come to more than \(ModelSpec.mostCalls) calls of layers")
    }
  }

  /// The calls of plain layers that the model comes to; above the limit, some number above it.
  private func callCount() throws -> Int {
    let counts = try layers.map { layer -> Int in
      guard let composite = layer.spec.configuration as? any CompositeLayer else { return 1 }
      if let nested = composite as? NestedModelSpec { return try nested.model.callCount() }
      return try composite.parts.reduce(0) { try $0 + ModelSpec.callCount(of: $1) }
    }
    return try calls.reduce(0) { sum, call in
      guard layers.indices.contains(call.layer) else { throw RNNError.badData("a call names no layer") }
      return min(sum + counts[call.layer], ModelSpec.mostCalls + 1)
    }
  }

  private static func callCount(of layer: Layer) throws -> Int {
    try ModelSpec(
      name: "", isSequential: false, layers: [layer], calls: [Call(layer: 0, inputs: [])], inputs: [], outputs: []
    ).callCount()
  }

  private func checkGraph() throws {
    for (isEmpty, what) in [
      (calls.isEmpty, "layers"), (inputs.isEmpty, "inputs"), (outputs.isEmpty, "outputs"),
    ] where isEmpty { throw RNNError.badData("the model has no \(what)") }
    var names: Set<String> = []
    for layer in layers where !names.insert(layer.name).inserted {
      throw RNNError.badData("two layers have the name '\(layer.name)'")
    }
    for (index, call) in calls.enumerated() {
      guard layers.indices.contains(call.layer) else { throw RNNError.badData("call \(index) names no layer") }
      let spec = layers[call.layer].spec
      let place = "layer '\(layers[call.layer].name)'"
      guard spec.configuration.inputCounts.contains(call.inputs.count) else {
        throw RNNError.badData("\(spec.kind.rawValue) cannot take \(call.inputs.count) inputs", at: place)
      }
      guard call.inputs.allSatisfy({ isKnown($0, before: index) }) else {
        throw RNNError.badData("an input is no output of an earlier layer", at: place)
      }
      guard (spec.kind == .input) == inputs.contains(index) else {
        throw RNNError.badData("the model's inputs and its input layers differ", at: place)
      }
    }
    guard inputs.allSatisfy(calls.indices.contains), Set(inputs).count == inputs.count,
      outputs.allSatisfy({ isKnown($0, before: calls.count) })
    else { throw RNNError.badData("an input or output of the model is no output of a layer") }
    guard outputBatchAxes.map({ $0.count == outputs.count && $0.allSatisfy { (0...8).contains($0) } }) ?? true else {
      throw RNNError.badData("the model's outputs and the places of their batches differ")
    }
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
    let count = layers[calls[reference.call].layer].spec.configuration.outputCount
    return (0..<count).contains(reference.output)
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
