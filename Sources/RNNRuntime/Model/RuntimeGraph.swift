import RNNCore

/// A model's graph with the layers that run it; no weights.
package struct RuntimeGraph: Sendable {
  package let spec: ModelSpec
  let layers: [any RuntimeLayer]
  /// For each input, the rows of the smallest embedding that reads it; `nil` where none does.
  let embeddingRows: [Int?]

  /// - Parameter spec: valid, see `ModelSpec.shapes()`.
  package init(_ spec: ModelSpec) {
    self.spec = spec
    layers = spec.layers.map { RuntimeLayers.make($0.spec) }
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
}

extension ModelSpec {
  /// The call whose floats a call passes on untouched outside training: itself, or what stands before a chain of
  /// identities.
  func source(of call: Int) -> Int {
    switch layers[calls[call].layer].spec {
    case .dropout, .spatialDropout1D, .gaussianNoise, .gaussianDropout:
      calls[call].inputs.first.map { source(of: $0.call) } ?? call
    case .input, .embedding, .masking, .conv1D, .maxPooling1D, .averagePooling1D, .globalMaxPooling1D,
      .globalAveragePooling1D, .lstm, .gru, .simpleRNN, .dense, .activation, .flatten:
      call
    }
  }
}
