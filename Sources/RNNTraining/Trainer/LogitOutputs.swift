import RNNCore

/// Cross-entropies are computed from logits where the last layer's own sigmoid or softmax would come between: Keras's
/// TensorFlow backend does so too (`_keras_logits`), and nothing saturates.
enum LogitOutputs {
  /// The model with these last activations taken off, and which outputs are logits now.
  static func apply(_ spec: ModelSpec, _ losses: [Loss], isAllowed: Bool) -> (spec: ModelSpec, isLogit: [Bool]) {
    var spec = spec
    let isLogit = spec.outputs.enumerated().map { index, reference -> Bool in
      guard isAllowed, let wanted = activation(for: losses[index]) else { return false }
      let call = spec.calls[reference.call]
      // A layer that is used elsewhere, too, must keep its activation.
      let isUsedOnce =
        spec.calls.filter { $0.layer == call.layer }.count == 1
        && !spec.calls.contains { $0.inputs.contains { $0.call == reference.call } }
        && spec.outputs.filter { $0.call == reference.call }.count == 1
      guard isUsedOnce, !losses[index].fromLogits else { return false }
      switch spec.layers[call.layer].spec {
      case .dense(var dense) where dense.activation == wanted:
        dense.activation = .linear
        spec.layers[call.layer].spec = .dense(dense)
      case .conv1D(var convolution) where convolution.activation == wanted:
        convolution.activation = .linear
        spec.layers[call.layer].spec = .conv1D(convolution)
      case .activation(var activation) where activation.activation == wanted:
        activation.activation = .linear
        spec.layers[call.layer].spec = .activation(activation)
      case .input, .embedding, .masking, .dropout, .spatialDropout1D, .gaussianNoise, .gaussianDropout, .conv1D,
        .maxPooling1D, .averagePooling1D, .globalMaxPooling1D, .globalAveragePooling1D, .lstm, .gru, .simpleRNN,
        .dense, .activation, .flatten:
        return false
      }
      return true
    }
    return (spec, isLogit)
  }

  static func activation(for loss: Loss) -> Activation? {
    switch loss.kind {
    case .binaryCrossentropy: .sigmoid
    case .categoricalCrossentropy, .sparseCategoricalCrossentropy: .softmax
    case .meanSquaredError, .meanAbsoluteError, .meanAbsolutePercentageError, .meanSquaredLogarithmicError, .huber,
      .logCosh, .poisson, .hinge, .squaredHinge, .categoricalHinge, .klDivergence, .cosineSimilarity:
      nil
    }
  }
}
