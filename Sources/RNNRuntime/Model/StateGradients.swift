import RNNCore

/// How the gradient of a loss with respect to the hidden state of a recurrent layer grows or shrinks with each step back
/// in time: what Hochreiter (1991) and Bengio, Simard and Frasconi (1994) measured, and what gates are for.
///
/// The loss is the sum of the model's outputs, or of the squared differences from targets, halved.
public struct StateGradients: Sendable {
  /// One recurrent layer, as it is called once.
  public struct Layer: Sendable {
    /// Its place in the plain model: `lstm`, `bidirectional/backward_layer`.
    public var name: String
    public var kind: LayerSpec.Kind
    /// For each step in the order in which the layer reads them, the mean over the examples of the length of
    /// d loss / d h behind it.
    public var norms: [Double]

    /// By how much the length changes with each step back, from the last step that has a gradient to the first: the
    /// geometric mean; `nil` where a length is 0 or not finite.
    public var factor: Double? {
      guard let last = norms.lastIndex(where: { $0 > 0 }), last > 0, norms[0] > 0, norms[last].isFinite,
        norms[0].isFinite
      else { return nil }
      return .pow(norms[0] / norms[last], 1 / Double(last))
    }
  }

  public let layers: [Layer]
  public let loss: Double

  /// - Parameters:
  ///   - inputs: one tensor for each input, examples first.
  ///   - targets: one for each output, of its shape; `nil` takes the sum of the outputs for the loss.
  /// - Throws: `badData` where these do not fit the model, `unsupported` where it has no recurrent layer.
  public init(_ model: Model, inputs: [Tensor], targets: [Tensor]? = nil) throws {
    let graph = model.graph
    let calls = graph.spec.calls.indices.filter { call in
      graph.spec.layers[graph.spec.calls[call].layer].spec.configuration is any RecurrentLayer
    }
    guard !calls.isEmpty else {
      throw RNNError.unsupported("the model has no recurrent layer whose gradients could be followed")
    }
    let pass = GradientPass(graph, trainable: graph.spec.layers.map { _ in true }, wantsInputs: true)
    pass.observed = Set(calls)
    let checked = try ModelInputs(inputs, graph)
    let outputs = try pass.forward(
      checked, parameters: model.parameters.pointers, seed: nil, step: 0, firstExample: 0)
    var loss = 0.0
    var gradients: [[Float]] = []
    for (index, output) in outputs.enumerated() {
      let values = Array(UnsafeBufferPointer(start: output.floats, count: output.shape.reduce(1, *)))
      guard let targets else {
        loss += values.reduce(0) { $0 + Double($1) }
        gradients.append(values.map { _ in 1 })
        continue
      }
      guard targets.indices.contains(index), targets[index].count == values.count else {
        throw RNNError.badData(
          "the target is \(targets.indices.contains(index) ? describe(shape: targets[index].shape) : "missing"), expected "
            + describe(shape: output.shape), at: "output '\(graph.outputNames[index])'")
      }
      gradients.append(zip(values, targets[index].floats()).map { $0 - $1 })
      loss += gradients[index].reduce(0) { $0 + Double($1) * Double($1) / 2 }
    }
    self.loss = loss
    _ = pass.backward(
      parameters: model.parameters.pointers, parameterGradients: graph.spec.layers.map { _ in nil }
    ) { index, gradient in
      for (element, value) in gradients[index].enumerated() { gradient[element] = value }
    }
    layers = calls.map { call in
      let layer = graph.spec.layers[graph.spec.calls[call].layer]
      let found = pass.stateGradients[call]
      return Layer(
        name: layer.name, kind: layer.spec.kind,
        norms: StateGradients.norms(found?.memory, batch: found?.batch ?? 0, width: StateGradients.width(layer.spec)))
    }
  }

  private static func width(_ spec: LayerSpec) -> Int {
    (spec.configuration as? any RecurrentLayer)?.stateWidths.first ?? 1
  }

  private static func norms(_ memory: FloatMemory?, batch: Int, width: Int) -> [Double] {
    guard let memory, batch > 0, width > 0 else { return [] }
    let steps = memory.count / batch / width
    return (0..<steps).map { step in
      var sum = 0.0
      for example in 0..<batch {
        let start = (example * steps + step) * width
        var squares = 0.0
        for index in start..<start + width { squares += Double(memory.base[index]) * Double(memory.base[index]) }
        sum += squares.squareRoot()
      }
      return sum / Double(batch)
    }
  }
}
