import RNNCore

/// Cross-entropies are computed from logits where the last layer's own sigmoid or softmax would come between: Keras's
/// TensorFlow backend does so too (`_keras_logits`), and nothing saturates. It does not ask whether the activation is the
/// one that belongs to the loss: binary cross-entropy takes what stands before a softmax, too.
enum LogitOutputs {
  /// The model with these last activations taken off, and for each output the activation that was.
  /// - Parameters:
  ///   - watched: calls whose outputs somebody else looks at, which keep their activations.
  ///   - isClassic: Keras up to 2.3, which knows no logits: only an activation that belongs to its loss is taken off, for
  ///     the same numbers.
  static func apply(
    _ spec: ModelSpec, _ losses: [Loss], watched: some Collection<Int>, isClassic: Bool
  ) -> (spec: ModelSpec, takenOff: [Activation?]) {
    var spec = spec
    let takenOff = spec.outputs.enumerated().map { index, reference -> Activation? in
      guard !watched.contains(reference.call), let own = activation(for: losses[index]) else { return nil }
      let call = spec.calls[reference.call]
      // A layer that is used elsewhere, too, must keep its activation.
      let isUsedOnce =
        spec.calls.filter { $0.layer == call.layer }.count == 1
        && !spec.calls.contains { $0.inputs.contains { $0.call == reference.call } }
        && spec.outputs.filter { $0.call == reference.call }.count == 1
      guard isUsedOnce, !isClassic || !losses[index].fromLogits else { return nil }
      let wanted: [Activation] = isClassic ? [own] : [.sigmoid, .softmax]
      let configuration = spec.layers[call.layer].spec.configuration
      guard let last = configuration as? any LayerWithLastActivation, wanted.contains(last.activation) else {
        return nil
      }
      return spec.layers[call.layer].spec.clearActivation()
    }
    return (spec, takenOff)
  }

  /// The activation that belongs to a cross-entropy.
  private static func activation(for loss: Loss) -> Activation? {
    switch loss.kind {
    case .binaryCrossentropy: .sigmoid
    case .categoricalCrossentropy, .sparseCategoricalCrossentropy: .softmax
    case .meanSquaredError, .meanAbsoluteError, .meanAbsolutePercentageError, .meanSquaredLogarithmicError, .huber,
      .logCosh, .poisson, .hinge, .squaredHinge, .categoricalHinge, .klDivergence, .cosineSimilarity:
      nil
    }
  }
}
