import RNNCore
import RealModule

/// The layers as their formulas stand, one number at a time. They run on any platform and in any precision, and the
/// fast ones are tested against them.
enum NaiveLayers {
  /// - Parameters:
  ///   - inputs: one tensor; for recurrent layers, optionally their initial states behind it.
  ///   - weights: the layer's parameters.
  ///   - noise: the layer's random numbers; `nil` outside training.
  static func forward<Scalar: Real & BinaryFloatingPoint>(
    _ spec: LayerSpec, _ inputs: [NaiveTensor<Scalar>], _ weights: LayerWeights, noise: LayerNoise? = nil
  ) throws -> [NaiveTensor<Scalar>] {
    let x = inputs[0]
    switch spec {
    case .input: return [x]
    case .dropout(let spec): return [NaiveNoise.dropout(x, rate: spec.rate, isSpatial: false, noise)]
    case .spatialDropout1D(let spec): return [NaiveNoise.dropout(x, rate: spec.rate, isSpatial: true, noise)]
    case .gaussianNoise(let spec): return [NaiveNoise.gaussian(x, deviation: spec.rate, noise)]
    case .gaussianDropout(let spec): return [NaiveNoise.gaussianDropout(x, rate: spec.rate, noise)]
    case .embedding(let spec): return [embedding(x, spec, NaiveMatrix(try weights.tensor("embeddings")))]
    case .masking(let spec): return [masking(x, Scalar(Float(spec.maskValue)))]
    case .alphaDropout(let spec): return [NaiveNoise.alphaDropout(x, rate: spec.rate, noise)]
    case .conv1D(let spec):
      return [
        try NaiveConvolution.forward(
          x, spec, kernel: NaiveMatrix(try weights.tensor("kernel")), bias: bias(weights, spec.filters))
      ]
    case .conv1DTranspose(let spec): return [try NaiveConvolution.transposed(x, spec, weights)]
    case .depthwiseConv1D(let spec):
      return [
        try NaiveConvolution.depthwise(
          x, spec, kernel: try weights.tensor("kernel"), bias: bias(weights, x.width * spec.depthMultiplier))
      ]
    case .separableConv1D(let spec): return [try NaiveConvolution.separable(x, spec, weights)]
    case .maxPooling1D(let spec): return [try pooling(x, spec, isMaximum: true)]
    case .averagePooling1D(let spec): return [try pooling(x, spec, isMaximum: false)]
    case .globalMaxPooling1D(let spec): return [globalPooling(x, spec, isMaximum: true)]
    case .globalAveragePooling1D(let spec): return [globalPooling(x, spec, isMaximum: false)]
    case .lstm(let spec): return try NaiveRecurrent.lstm(inputs, spec, weights, noise)
    case .gru(let spec): return try NaiveRecurrent.gru(inputs, spec, weights, noise)
    case .simpleRNN(let spec): return try NaiveRecurrent.simple(inputs, spec, weights, noise)
    case .dense(let spec):
      let kernel = NaiveMatrix<Scalar>(try weights.tensor("kernel"))
      let bias: [Scalar] = bias(weights, spec.units)
      return [x.mapRows { NaiveActivation.row(spec.activation, kernel.product($0, addedTo: bias)) }]
    case .activation(let spec): return [x.mapRows { NaiveActivation.row(spec.activation, $0) }]
    case .convLSTM1D(let spec): return try NaiveConvLSTM.forward(inputs, spec, weights, noise)
    case .lstmVariant(let spec): return try NaiveRecurrent.variant(inputs, spec, weights, noise)
    case .identity, .activityRegularization, .flatten, .reshape, .expandDims, .squeeze, .foldSteps, .unfoldSteps,
      .withMask, .maskOf, .withoutMask:
      let layer = RuntimeLayers.make(ModelSpec.Layer(name: "", spec: spec))
      if let moving = layer as? any FormulaLayer { return try NaiveFormula.run(moving, inputs, weights, noise) }
      guard let passing = layer as? PassingLayer else { break }
      return try NaivePassing.run(passing, inputs)
    case .tokenCounts, .locallyConnected1D, .highway, .maxoutDense, .softmax, .prelu, .parametricSoftplus, .sReLU,
      .permute,
      .repeatVector, .edges, .upSampling1D, .batchNormalization, .layerNormalization, .unitNormalization,
      .groupNormalization, .merge, .concatenate, .dot, .attention, .multiHeadAttention, .unary, .binary, .reduction,
      .slice, .stack, .matrixProduct, .reverseSteps, .swapBatch, .whereValid, .rearrange, .split, .select, .cumulative,
      .einsum, .einsumDense, .adaptiveMaxPooling1D, .adaptiveAveragePooling1D, .rescaling, .normalization,
      .discretization, .integerLookup:
      guard let layer = RuntimeLayers.make(ModelSpec.Layer(name: "", spec: spec)) as? any FormulaLayer else { break }
      return try NaiveFormula.run(layer, inputs, weights, noise)
    case .bidirectional, .timeDistributed, .stackedRNN, .timeMajor, .channelsFirst, .cosine, .activated, .model: break
    }
    throw RNNError(.internalError, "\(spec.kind.rawValue) has no naive form")
  }

  static func bias<Scalar: Real & BinaryFloatingPoint>(_ weights: LayerWeights, _ count: Int) -> [Scalar] {
    (try? weights.tensor("bias"))?.doubles().map { Scalar($0) } ?? Array(repeating: 0, count: count)
  }

  private static func embedding<Scalar>(
    _ ids: NaiveTensor<Scalar>, _ spec: EmbeddingSpec, _ table: NaiveMatrix<Scalar>
  ) -> NaiveTensor<Scalar> {
    let rows = ids.values.map { id in
      let start = Int(id) * spec.outputDim
      return table.values[start..<start + spec.outputDim]
    }
    return NaiveTensor(
      shape: ids.shape + [spec.outputDim], values: rows.flatMap(\.self),
      mask: spec.maskZero ? ids.values.map { $0 != 0 } : nil, maskShape: spec.maskZero ? ids.shape : nil)
  }

  private static func masking<Scalar>(_ x: NaiveTensor<Scalar>, _ value: Scalar) -> NaiveTensor<Scalar> {
    let mask = (0..<x.rows).map { x.row($0).contains { $0 != value } }
    var result = x
    for row in 0..<x.rows where !mask[row] {
      for channel in 0..<x.width { result.values[row * x.width + channel] = 0 }
    }
    (result.mask, result.maskShape) = (mask, x.shape.dropLast())
    return result
  }

  private static func pooling<Scalar>(
    _ x: NaiveTensor<Scalar>, _ spec: Pooling1DSpec, isMaximum: Bool
  ) throws -> NaiveTensor<Scalar> {
    let timesteps = x.shape[1]
    let window = try WindowGeometry(
      timesteps: timesteps, size: spec.poolSize, stride: spec.strides, padding: spec.padding)
    var values: [Scalar] = []
    for example in 0..<x.shape[0] {
      for position in 0..<window.outputLength {
        let start = position * spec.strides - window.left
        let steps = max(start, 0)..<min(start + spec.poolSize, timesteps)
        values += reduce(steps.map { x.row(example * timesteps + $0) }, isMaximum: isMaximum)
      }
    }
    return NaiveTensor(shape: [x.shape[0], window.outputLength, x.width], values: values)
  }

  private static func globalPooling<Scalar>(
    _ x: NaiveTensor<Scalar>, _ spec: GlobalPooling1DSpec, isMaximum: Bool
  ) -> NaiveTensor<Scalar> {
    let timesteps = x.shape[1]
    let values = (0..<x.shape[0]).flatMap { example -> [Scalar] in
      let steps = (0..<timesteps).map { example * timesteps + $0 }
      let counted = isMaximum ? steps : steps.filter { x.mask?[$0] ?? true }
      if counted.isEmpty { return Array(repeating: .nan, count: x.width) }
      return reduce(counted.map(x.row), isMaximum: isMaximum)
    }
    return NaiveTensor(shape: spec.keepDims ? [x.shape[0], 1, x.width] : [x.shape[0], x.width], values: values)
  }

  /// Maximum (NaN wins) or mean of rows, channel by channel.
  private static func reduce<Scalar: BinaryFloatingPoint>(_ rows: [[Scalar]], isMaximum: Bool) -> [Scalar] {
    rows[0].indices.map { channel in
      let column = rows.map { $0[channel] }
      if isMaximum { return column.dropFirst().reduce(column[0]) { $1 > $0 || $1.isNaN ? $1 : $0 } }
      return column.reduce(0, +) / Scalar(rows.count)
    }
  }
}
