import RNNCore

/// How the arrays of one layer in a file make up its native parameters: data, not code, read in both directions.
struct KerasLayout: Sendable {
  /// One native parameter and the arrays that stand side by side in it, along the last axis.
  struct Part: Sendable {
    var parameter: String
    var arrays: [Int]
  }

  /// What to tell people, where something had to be rearranged.
  var note: String?
  var parts: [Part]
  /// Arrays behind those of the parts that nothing needs.
  var unused = 0

  var arrayCount: Int { parts.reduce(unused) { $0 + $1.arrays.count } }

  /// Array n is parameter n.
  static func identity(_ parameters: [String]) -> KerasLayout {
    KerasLayout(parts: parameters.enumerated().map { Part(parameter: $0.element, arrays: [$0.offset]) })
  }

  /// Keras 1: W, U, b of each gate in the order i, c, f, o; native blocks are i, f, c, o.
  static let keras1LSTM = KerasLayout(
    note: "twelve arrays in the gate order i, c, f, o are joined as i, f, c, o",
    parts: [
      Part(parameter: "kernel", arrays: [0, 6, 3, 9]),
      Part(parameter: "recurrent_kernel", arrays: [1, 7, 4, 10]),
      Part(parameter: "bias", arrays: [2, 8, 5, 11]),
    ])

  /// Keras 1: W, U, b of each gate in the native order z, r, h.
  static let keras1GRU = KerasLayout(
    note: "nine arrays in the gate order z, r, h are joined",
    parts: [
      Part(parameter: "kernel", arrays: [0, 3, 6]),
      Part(parameter: "recurrent_kernel", arrays: [1, 4, 7]),
      Part(parameter: "bias", arrays: [2, 5, 8]),
    ])

  /// Keras 1's BatchNormalization with mode 1 stores moving statistics that it does not use.
  static let keras1SampleNormalization = KerasLayout(
    note: "two moving statistics, which mode 1 does not use, are left out",
    parts: [Part(parameter: "gamma", arrays: [0]), Part(parameter: "beta", arrays: [1])], unused: 2)

  /// Normalization stores how many examples `adapt` saw, too.
  static let normalization = KerasLayout(
    parts: [Part(parameter: "mean", arrays: [0]), Part(parameter: "variance", arrays: [1])], unused: 1)

  /// The layouts that a plain layer may be stored in: that of today first.
  static func candidates(for spec: LayerSpec) -> [KerasLayout] {
    let today = identity(spec.parameterNames)
    if case .lstm = spec { return [today, keras1LSTM] }
    if case .gru = spec { return [today, keras1GRU] }
    if case .layerNormalization(let normalization) = spec, normalization.form == .doubleEpsilon {
      return [keras1SampleNormalization]
    }
    if case .normalization = spec, !spec.parameterNames.isEmpty { return [normalization] }
    return [today]
  }

  /// For each array, whether a gradient moves it.
  func areTrained(_ spec: LayerSpec) -> [Bool] {
    let statistics = Set(spec.configuration.statisticNames)
    var result = [Bool](repeating: false, count: arrayCount)
    for part in parts where !statistics.contains(part.parameter) {
      for array in part.arrays { result[array] = true }
    }
    return result
  }

  /// The native parameters from a layer's arrays.
  func parameters(from arrays: [Tensor]) throws -> [(name: String, tensor: Tensor)] {
    try parts.map { part in
      let pieces = part.arrays.map { arrays[$0] }
      return (part.parameter, pieces.count == 1 ? pieces[0] : try Tensor.concatenatingLastAxis(pieces))
    }
  }
}

/// How convolution kernels of old files differ from the native (kernel size, channels, filters).
enum KerasKernelLayout {
  /// Keras 1.1 and 1.2 store (kernel size, 1, channels, filters), Keras up to 1.0.8 (filters, channels, kernel size, 1);
  /// Keras's own rule tells them apart (2.2.4 `engine/saving.py`, `preprocess_weights_for_loading`).
  static func threeAxes(_ kernel: Tensor, kernelSize: Int, filters: Int) throws -> Tensor {
    guard kernel.shape.count == 4 else { return kernel }
    let shape = kernel.shape
    if shape[0] == kernelSize, shape[1] == 1, shape[3] == filters {
      return try kernel.reshaped(to: [shape[0], shape[2], shape[3]])
    }
    guard shape[0] == filters, shape[2] == kernelSize, shape[3] == 1 else { return kernel }
    return try kernel.transposed([2, 3, 1, 0]).reshaped(to: [shape[2], shape[1], shape[0]])
  }
}
