import RNNCore

/// A model's graph with the layers that run it; no weights.
package final class RuntimeGraph: Sendable {
  /// Without wrappers and models inside: its calls and layers are what runs.
  package let spec: ModelSpec
  /// As the whole model names them.
  package let outputNames: [String]
  /// By output, where the batch stands in what is given back.
  let outputBatchAxes: [Int]
  let layers: [any RuntimeLayer]
  /// By layer, the shapes of its parameters.
  let parameterShapes: [[[Int]]]
  /// For each input, the rows of the smallest embedding that reads it; `nil` where none does.
  let embeddingRows: [Int?]

  /// Whether examples cannot be run in parts.
  package let needsWholeBatch: Bool
  /// By layer: how many states it has, and whether they outlive a sequence.
  let stateCounts: [Int]
  let isStateful: [Bool]
  /// Which layers write right into others' outputs.
  let placement: StepPlacement

  /// - Parameters:
  ///   - given: valid, see `ModelSpec.shapes()`.
  ///   - outputNames: where they are other ones than the model's own.
  package init(_ given: ModelSpec, outputNames: [String]? = nil) {
    let spec = given.plain
    self.outputNames = outputNames ?? given.outputNames
    self.spec = spec
    outputBatchAxes = given.outputBatchAxes ?? given.outputs.map { _ in 0 }
    layers = spec.layers.map(RuntimeLayers.make)
    parameterShapes = (try? spec.shapes().parameters.map { $0.map(\.shape) }) ?? spec.layers.map { _ in [] }
    needsWholeBatch = spec.layers.contains { $0.spec.configuration.needsWholeBatch }
    stateCounts = spec.layers.map(\.spec.stateCount)
    isStateful = spec.layers.map(\.spec.isStateful)
    placement = StepPlacement(spec, layers)
    embeddingRows = spec.inputs.map { input in
      let rows = spec.calls.compactMap { call -> Int? in
        guard case .embedding(let embedding) = spec.layers[call.layer].spec,
          let source = call.inputs.first, spec.source(of: source.call) == input
        else { return nil }
        return embedding.inputDim
      }
      return rows.min()
    }
  }

  /// Outputs as the model gives them back, from those with the batch first.
  func arranged(_ outputs: [Tensor]) throws -> [Tensor] {
    try zip(outputs, outputBatchAxes).map { try $0.moved(0, to: $1) }
  }
}
