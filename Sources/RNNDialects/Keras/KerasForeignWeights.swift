import RNNCore

// What an architecture leaves open and the framework that its weights come from decides.
extension KerasArchitecture {
  /// - Returns: the layers whose forget bias nobody has said.
  mutating func settle(for weights: ForeignWeights) -> [String] {
    let forms = Set(weights.dialect.layouts.filter { $0.kind == .gru }.map(\.form))
    var lstms: [String] = []
    changePlainLayers { path, layer, note in
      // A configuration that is silent means what the framework has, where that is but one thing.
      if case .gru(var gru) = layer, !note.statesResetAfter, forms.count == 1 {
        gru.resetAfter = forms.contains(.resetAfter)
        layer = .gru(gru)
      }
      if case .lstm(let lstm) = layer, weights.dialect.name == WeightDialect.tensorFlow1.name {
        lstms.append(path)
        if let bias = weights.forgetBias, bias != 0 { layer = .lstmVariant(LSTMVariantSpec(lstm, forgetBias: bias)) }
      }
    }
    return weights.forgetBias == nil ? lstms : []
  }
}

extension ForeignWeights {
  /// What to say once weights fit and only the forget bias is open.
  static func missingForgetBias(_ layers: [String]) -> RNNError {
    RNNError.usage(
      "TensorFlow 1's cells add forget_bias to the forget gate when they run, and no checkpoint says how much ("
        + layers.map { "'\($0)'" }.joined(separator: ", ") + ")",
      remedy: "Give --forget-bias: 1 unless the cell was made with another one; 0 for what was trained with cuDNN.")
  }
}

extension LSTMVariantSpec {
  /// The LSTM of the frameworks with a bias that is added when it runs.
  init(_ lstm: LSTMSpec, forgetBias: Double) {
    self.init(units: lstm.units)
    activation = lstm.activation
    outputActivation = lstm.activation
    recurrentActivation = lstm.recurrentActivation
    options = lstm.options
    self.forgetBias = forgetBias
  }
}
