import RNNCore
import RNNDialects
import RNNTestSupport
import Testing

/// Models for export, with random parameters.
enum ExportModels {
  static func model(_ spec: ModelSpec, dialect: String = "keras2", version: String? = "2.2.4") throws -> NativeModel {
    var generator = SeededGenerator(seed: 17)
    var provenance = Provenance(source: "m.h5", container: "HDF5", framework: "Keras", dialect: dialect)
    provenance.frameworkVersion = version
    var model = NativeModel(spec: spec, parameters: [], provenance: provenance)
    let plain = spec.plain
    for (layer, shapes) in zip(plain.layers, try plain.shapes().parameters) {
      for shape in shapes {
        let tensor = try Tensor(generator.floats(shape.shape.reduce(1, *)), shape: shape.shape)
        model.parameters.append(.init(layer: layer.name, name: shape.name, tensor: tensor))
      }
    }
    return model
  }

  /// Layers in a chain, arguments away from their defaults, as Keras 2.2.4 has them.
  static var chain: ModelSpec {
    var convolution = Conv1DSpec(filters: 4, kernelSize: 3)
    (convolution.padding, convolution.dilationRate, convolution.groups) = (.causal, 2, 2)
    (convolution.activation, convolution.useBias) = (.elu, false)
    var lstm = LSTMSpec(units: 3)
    (lstm.options.returnSequences, lstm.options.goBackwards, lstm.options.stateful) = (true, true, true)
    (lstm.options.dropout, lstm.options.recurrentDropout, lstm.recurrentActivation) = (0.25, 0.5, .hardSigmoidFifth)
    var gru = GRUSpec(units: 2, resetAfter: true)
    (gru.options.returnSequences, gru.options.zeroOutputForMask, gru.activation) = (true, true, .softsign)
    var before = GRUSpec(units: 2, resetAfter: false)
    (before.options.returnSequences, before.options.useBias, before.options.unroll) = (true, false, true)
    var simple = SimpleRNNSpec(units: 4)
    (simple.options.returnSequences, simple.activation) = (true, .relu)
    // What is not unrolled gives its state at masked steps.
    (lstm.options.emitsState, gru.options.emitsState, simple.options.emitsState) = (true, true, true)
    var dense = DenseSpec(units: 5)
    (dense.activation, dense.useBias) = (.softmax, false)
    let specs: [LayerSpec] = [
      .input(InputSpec(shape: [20], batchSize: 8, dtype: "int32")),
      .embedding(EmbeddingSpec(inputDim: 7, outputDim: 4, maskZero: true)), .spatialDropout1D(NoiseSpec(rate: 0.125)),
      .conv1D(convolution), .gaussianNoise(NoiseSpec(rate: 0.5)),
      .maxPooling1D(Pooling1DSpec(poolSize: 3, strides: 2, padding: .same)), .masking(MaskingSpec(maskValue: -1.5)),
      .lstm(lstm), .gru(gru), .gru(before), .simpleRNN(simple),
      .averagePooling1D(Pooling1DSpec(poolSize: 2, strides: 1, padding: .valid)),
      .gaussianDropout(NoiseSpec(rate: 0.25)),
      .activation(ActivationSpec(activation: .sigmoid)), .flatten(FlattenSpec()), .dense(dense),
      .dropout(NoiseSpec(rate: 0.5)),
    ]
    let layers = specs.enumerated().map { index, spec in
      ModelSpec.Layer(name: "\(spec.kind.rawValue.lowercased())_\(index)", spec: spec, isTrainable: index % 3 != 1)
    }
    return .sequential(name: "chain", layers: layers)
  }

  /// Two inputs, a shared layer, states from one LSTM to another, three outputs of two layers; as Keras 2.2.4 has them.
  static var graph: ModelSpec {
    var (encoder, decoder) = (LSTMSpec(units: 3), LSTMSpec(units: 3))
    (encoder.options.returnState, encoder.options.returnSequences) = (true, true)
    (encoder.options.emitsState, decoder.options.emitsState) = (true, true)
    let layers: [ModelSpec.Layer] = [
      .init(name: "x", spec: .input(InputSpec(shape: [nil, 2]))),
      .init(name: "y", spec: .input(InputSpec(shape: [5, 2]))),
      .init(name: "shared", spec: .dense(DenseSpec(units: 2))), .init(name: "encoder", spec: .lstm(encoder)),
      .init(name: "decoder", spec: .lstm(decoder)),
    ]
    return ModelSpec(
      name: "graph", isSequential: false, layers: layers,
      calls: [
        .init(layer: 0, inputs: []), .init(layer: 1, inputs: []), .init(layer: 2, inputs: [.init(call: 0)]),
        .init(layer: 2, inputs: [.init(call: 1)]), .init(layer: 3, inputs: [.init(call: 2)]),
        .init(
          layer: 4, inputs: [.init(call: 3), .init(call: 4, output: 1), .init(call: 4, output: 2)]),
      ], inputs: [1, 0], outputs: [.init(call: 5), .init(call: 4, output: 2), .init(call: 3)])
  }

  /// Wrappers, a stack of cells, a model inside that is called twice, and layers whose arithmetic the generation
  /// decides.
  static func composed(_ generation: KerasGeneration, isFrozenInside: Bool = false) -> ModelSpec {
    let isKeras3 = generation == .keras3
    func layer(_ name: String, _ spec: LayerSpec) -> ModelSpec.Layer { .init(name: name, spec: spec) }
    var options = RecurrentOptions()
    options.emitsState = !isKeras3
    func lstm(_ change: (inout RecurrentOptions) -> Void = { _ in }) -> LayerSpec {
      var spec = LSTMSpec(units: 3)
      spec.options = options
      change(&spec.options)
      return .lstm(spec)
    }
    func direction(isBackwards: Bool) -> LayerSpec {
      lstm { ($0.returnSequences, $0.goBackwards, $0.zeroOutputForMask) = (true, isBackwards, isKeras3) }
    }
    let bidirectional = BidirectionalSpec(
      forward: layer("forward_lstm", direction(isBackwards: false)),
      backward: layer("backward_lstm", direction(isBackwards: true)), merge: .concatenate)
    var distributed = TimeDistributedSpec(layer: layer("dense", .dense(DenseSpec(units: 4))))
    distributed.masks = isKeras3 ? .whole : .joined
    var normalization = BatchNormalizationSpec(axis: -1, epsilon: 0.01, momentum: 0.75)
    (normalization.scale, normalization.countsValidOnly) = (false, isKeras3)
    normalization.correction = isKeras3 ? .none : .sample
    var gru = GRUSpec(units: 2, resetAfter: true)
    gru.options = options
    let stack = StackedRNNSpec(cells: [layer("one", lstm()), layer("two", .gru(gru))], options: options)
    let inner = ModelSpec(
      name: "inner", isSequential: false,
      layers: [
        layer("y", .input(InputSpec(shape: [2]))), layer("d", .dense(DenseSpec(units: 2))),
      ],
      calls: [.init(layer: 0, inputs: []), .init(layer: 1, inputs: [.init(call: 0)])], inputs: [0],
      outputs: [.init(call: 1)])
    var add = MergeSpec(.add)
    add.maskRule = isKeras3 ? .anyMask : .everyMask
    var layers = [
      layer("x", .input(InputSpec(shape: [6, 4]))), layer("bi", .bidirectional(bidirectional)),
      layer("over", .timeDistributed(distributed)), layer("bn", .batchNormalization(normalization)),
      layer("rnn", .stackedRNN(stack)), layer("inner", .model(NestedModelSpec(model: inner))),
      layer("add", .merge(add)),
    ]
    layers[5].isTrainable = !isFrozenInside
    return ModelSpec(
      name: "composed", isSequential: false, layers: layers,
      calls: [
        .init(layer: 0, inputs: []), .init(layer: 1, inputs: [.init(call: 0)]),
        .init(layer: 2, inputs: [.init(call: 1)]), .init(layer: 3, inputs: [.init(call: 2)]),
        .init(layer: 4, inputs: [.init(call: 3)]), .init(layer: 5, inputs: [.init(call: 4)]),
        .init(layer: 5, inputs: [.init(call: 5)]), .init(layer: 6, inputs: [.init(call: 5), .init(call: 6)]),
      ], inputs: [0], outputs: [.init(call: 7), .init(call: 6)])
  }
}
