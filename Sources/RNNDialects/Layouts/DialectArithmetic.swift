import RNNCore

/// What a framework's layers cannot compute, although they hold the weights.
public enum DialectArithmetic {
  /// For the layers of a model in a file of weights, which the framework's own code must bring to life.
  public static func losses(_ spec: ModelSpec, _ dialect: WeightDialect) -> [LedgerEntry] {
    var losses: [LedgerEntry] = []
    func lose(_ leaf: PlainLeaf, _ what: String) { losses.append(LedgerEntry(.dropped, leaf.path, what)) }
    for leaf in spec.leaves {
      let module = dialect.layout(of: leaf)?.module ?? dialect.framework
      for reason in reasons(leaf.spec) { lose(leaf, "\(module) has no \(reason)") }
      if let options = leaf.spec.recurrentOptions, options.stateful {
        lose(leaf, "states that outlive a batch are the caller's there")
      }
    }
    for layer in spec.plain.layers {
      if case .embedding(let embedding) = layer.spec, embedding.maskZero {
        losses.append(LedgerEntry(.dropped, layer.name, "the mask of id 0: lengths are the caller's there"))
      }
      if case .masking = layer.spec {
        losses.append(LedgerEntry(.dropped, layer.name, "its mask: lengths are the caller's there"))
      }
    }
    return losses
  }

  /// What of a recurrent layer or a normalization only Keras lets one choose.
  private static func reasons(_ spec: LayerSpec) -> [String] {
    var reasons: [String] = []
    switch spec {
    case .lstm(let lstm):
      if lstm.activation != .tanh { reasons.append("activation \(lstm.activation.name)") }
      if lstm.recurrentActivation != .sigmoid { reasons.append("gates of \(lstm.recurrentActivation.name)") }
    case .gru(let gru):
      if gru.activation != .tanh { reasons.append("activation \(gru.activation.name)") }
      if gru.recurrentActivation != .sigmoid { reasons.append("gates of \(gru.recurrentActivation.name)") }
    case .simpleRNN(let rnn):
      if rnn.activation != .tanh, rnn.activation != .relu { reasons.append("activation \(rnn.activation.name)") }
    case .lstmVariant(let lstm):
      if [lstm.activation, lstm.outputActivation] != [.tanh, .tanh] { reasons.append("activations other than tanh") }
      if lstm.recurrentActivation != .sigmoid { reasons.append("gates of \(lstm.recurrentActivation.name)") }
      if lstm.sumClip != nil { reasons.append("clipping of sums") }
    case .layerNormalization(let norm):
      switch norm.form {
      case .centered, .rootMeanSquare: break
      case .uncentered: reasons.append("form that leaves the mean in and divides by the deviation")
      case .doubleEpsilon: reasons.append("epsilon outside of the root")
      }
    case _: break
    }
    return reasons
  }
}
