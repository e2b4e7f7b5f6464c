import RNNCore

extension ModelSpec {
  /// The shapes of the parameters of each plain layer, by its path, with those that it could have but lacks.
  func possibleParameterShapes() throws -> [String: [String: [Int]]] {
    var plain = self.plain
    for index in plain.layers.indices { plain.layers[index].spec.haveBiasAndScale() }
    return Dictionary(
      try zip(plain.layers, plain.shapes().parameters).map { layer, parameters in
        (layer.name, Dictionary(parameters.map { ($0.name, $0.shape) }, uniquingKeysWith: { $1 }))
      }, uniquingKeysWith: { $1 })
  }
}

extension LayerSpec {
  /// Gives a recurrent layer a bias, and a normalization both of its parameters.
  fileprivate mutating func haveBiasAndScale() {
    // Without any parameter a layer is no module with weights, and its sizes may be open.
    if parameterNames.isEmpty { return }
    if var options = recurrentOptions {
      options.useBias = true
      setRecurrentOptions(options)
    } else if case .batchNormalization(var norm) = self {
      (norm.center, norm.scale) = (true, true)
      self = .batchNormalization(norm)
    } else if case .layerNormalization(var norm) = self {
      (norm.center, norm.scale) = (true, true)
      self = .layerNormalization(norm)
    } else if case .groupNormalization(var norm) = self {
      (norm.center, norm.scale) = (true, true)
      self = .groupNormalization(norm)
    }
  }
}
