import Foundation
import RNNCore
import RNNTestSupport
import Testing

@testable import RNNDialects

/// Every layout of every dialect, with random weights of random sizes: what is written is read back with the same bits.
@Suite struct WeightLayoutTests {
  private static let dialects = WeightDialect.all + [.onnx]

  /// A layer of each kind and form that layouts know, for sizes of one and more.
  private static func layers(_ random: inout SeededGenerator) -> [(spec: LayerSpec, input: Shape)] {
    let sizes = [1, 2, 3, 5]
    func size() -> Int { sizes.randomElement(using: &random) ?? 1 }
    let (inputs, units) = (size(), size())
    func options(_ bias: Bool) -> RecurrentOptions {
      var options = RecurrentOptions()
      options.useBias = bias
      return options
    }
    var result: [(LayerSpec, Shape)] = []
    for bias in [true, false] {
      var lstm = LSTMSpec(units: units)
      lstm.options = options(bias)
      result.append((.lstm(lstm), [nil, inputs]))
      for after in [true, false] {
        var gru = GRUSpec(units: units, resetAfter: after)
        gru.options = options(bias)
        result.append((.gru(gru), [nil, inputs]))
      }
      var rnn = SimpleRNNSpec(units: units)
      rnn.options = options(bias)
      result.append((.simpleRNN(rnn), [nil, inputs]))
      for (peepholes, projection) in [(false, nil), (true, nil), (false, size()), (true, size())] as [(Bool, Int?)] {
        var variant = LSTMVariantSpec(units: units)
        (variant.options, variant.peepholes, variant.projection) = (options(bias), peepholes, projection)
        result.append((.lstmVariant(variant), [nil, inputs]))
        variant.forgetGate = .fromInputGate
        variant.projection = nil
        result.append((.lstmVariant(variant), [nil, inputs]))
      }
      var dense = DenseSpec(units: units)
      dense.useBias = bias
      result.append((.dense(dense), [inputs]))
      let groups = size()
      var conv = Conv1DSpec(filters: groups * size(), kernelSize: size())
      (conv.groups, conv.useBias) = (groups, bias)
      result.append((.conv1D(conv), [9, groups * inputs]))
      var transpose = Conv1DTransposeSpec(filters: units, kernelSize: size())
      transpose.useBias = bias
      result.append((.conv1DTranspose(transpose), [9, inputs]))
      var depthwise = DepthwiseConv1DSpec(kernelSize: size())
      (depthwise.useBias, depthwise.depthMultiplier) = (bias, size())
      result.append((.depthwiseConv1D(depthwise), [9, inputs]))
      var separable = SeparableConv1DSpec(filters: units, kernelSize: size())
      (separable.useBias, separable.depthMultiplier) = (bias, size())
      result.append((.separableConv1D(separable), [9, inputs]))
    }
    result.append((.embedding(EmbeddingSpec(inputDim: size(), outputDim: units, maskZero: false)), [nil]))
    for (scale, center) in [(true, true), (true, false), (false, true), (false, false)] {
      var batch = BatchNormalizationSpec(axis: -1, epsilon: 1e-3, momentum: 0.9)
      (batch.scale, batch.center) = (scale, center)
      result.append((.batchNormalization(batch), [inputs]))
      var layer = LayerNormalizationSpec(axes: [-1], epsilon: 1e-3)
      (layer.scale, layer.center) = (scale, center)
      result.append((.layerNormalization(layer), [inputs]))
      var group = GroupNormalizationSpec(groups: 1, axis: -1, epsilon: 1e-3)
      (group.scale, group.center) = (scale, center)
      result.append((.groupNormalization(group), [inputs]))
    }
    var rootMeanSquare = LayerNormalizationSpec(axes: [-1], epsilon: 1e-3)
    (rootMeanSquare.form, rootMeanSquare.center) = (.rootMeanSquare, false)
    result.append((.layerNormalization(rootMeanSquare), [inputs]))
    return result
  }

  private static let dtypes: [DType] = [.float32, .float64, .float16, .bfloat16]

  /// A model of one layer, or of that layer in both directions.
  private func model(
    _ spec: LayerSpec, _ input: Shape, both: Bool, _ dtype: DType, _ random: inout SeededGenerator
  ) throws -> NativeModel {
    let layer =
      both
      ? LayerSpec.bidirectional(
        BidirectionalSpec(
          forward: .init(name: "f", spec: spec), backward: .init(name: "b", spec: spec), merge: .concatenate)) : spec
    let whole = ModelSpec.sequential(
      name: "m",
      layers: [
        .init(name: "input", spec: .input(InputSpec(shape: input))), .init(name: "layer", spec: layer),
      ])
    let plain = whole.plain
    let parameters = try zip(plain.layers, plain.shapes().parameters).flatMap { layer, shapes in
      try shapes.map { shape in
        let values = random.floats(shape.shape.reduce(1, *)).map(Double.init)
        return NativeModel.Parameter(
          layer: layer.name, name: shape.name, tensor: try Tensor(rounding: values, to: dtype, shape: shape.shape))
      }
    }
    return NativeModel(
      spec: whole, parameters: parameters,
      provenance: Provenance(source: "", container: "", framework: "", dialect: ""))
  }

  /// Without what the framework has no place for: a second recurrent bias, or parts of it.
  private func fitted(_ model: NativeModel, _ dialect: WeightDialect) throws -> NativeModel {
    var model = model
    for leaf in model.spec.leaves {
      guard let layout = dialect.layouts(of: leaf.spec).first else { continue }
      let sums = layout.items.flatMap { $0.arrangement?.sums ?? [] }.flatMap(\.1.blocks) + layout.absent
      for block in sums {
        for index in model.parameters.indices
        where model.parameters[index].layer == leaf.path && model.parameters[index].name == block.parameter {
          let tensor = model.parameters[index].tensor
          var values = tensor.doubles()
          let width = tensor.shape.last ?? 1
          let gate = block.gate.map { $0.index * (width / $0.count)..<($0.index + 1) * (width / $0.count) }
          for place in gate ?? 0..<width { values[(block.row ?? 0) * width + place] = 0 }
          model.parameters[index].tensor = try Tensor(rounding: values, to: tensor.dtype, shape: tensor.shape)
        }
      }
    }
    return model
  }

  private func readBack(_ written: WeightWriting, _ model: NativeModel, _ dialect: WeightDialect) throws
    -> WeightReading
  {
    try WeightReading(written.tensors.shuffled().map { ($0.name, $0.tensor) }, dialect: dialect, spec: model.spec)
  }

  private func carries(_ dialect: WeightDialect, _ spec: LayerSpec, both: Bool) -> Bool {
    !dialect.layouts(of: spec).isEmpty && (!both || spec.isRecurrent)
  }

  /// What the frameworks' own modules hold when they are built with the options that ours has.
  @Test(arguments: [
    ("pytorch", true, false, ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]),
    ("pytorch", false, true, ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]),
    ("pytorch", false, false, ["running_mean", "running_var", "num_batches_tracked"]),
    ("mlx", false, true, ["weight", "bias", "running_mean", "running_var"]),
    ("chainer", true, false, ["gamma", "avg_mean", "avg_var", "N"]),
    ("flax-nnx", false, true, ["bias", "mean", "var"]),
  ])
  func oneOfScaleAndShiftIsWrittenAsTheModuleHasIt(
    _ name: String, _ scale: Bool, _ center: Bool, _ expected: [String]
  ) throws {
    let dialect = try #require(WeightDialect.named(name))
    var norm = BatchNormalizationSpec(axis: -1, epsilon: 1e-3, momentum: 0.9)
    (norm.scale, norm.center) = (scale, center)
    var random = SeededGenerator(seed: 8)
    let whole = try model(.batchNormalization(norm), [3], both: false, .float32, &random)
    let written = try WeightWriting(whole, dialect: dialect)
    #expect(Set(written.tensors.map(\.name)) == Set(expected.map { "layer\(dialect.separator)\($0)" }))
    func values(_ name: String) -> [Double]? {
      written.tensors.first { $0.name == "layer\(dialect.separator)\(name)" }?.tensor.doubles()
    }
    if !scale, center { #expect([nil, [1, 1, 1]].contains(values("weight"))) }
    if scale, !center { #expect([nil, [0, 0, 0]].contains(values("bias"))) }
  }

  /// The cells of these frameworks have a bias always; ours may have none.
  @Test(arguments: ["flax-linen", "flax-nnx", "chainer", "tensorflow1"])
  func aBiasThatCannotBeAbsentIsZero(_ name: String) throws {
    let dialect = try #require(WeightDialect.named(name))
    var random = SeededGenerator(seed: 9)
    for round in 0..<8 {
      for (spec, input) in Self.layers(&random)
      where spec.recurrentOptions?.useBias == false && carries(dialect, spec, both: false) {
        var biased = spec
        var options = spec.recurrentOptions ?? RecurrentOptions()
        options.useBias = true
        biased.setRecurrentOptions(options)
        let without = try model(spec, input, both: false, .float32, &random)
        let written = try WeightWriting(without, dialect: dialect)
        let other = try WeightWriting(
          try fitted(try model(biased, input, both: false, .float32, &random), dialect), dialect: dialect)
        #expect(written.tensors.map(\.name) == other.tensors.map(\.name), "\(name) \(spec) \(round)")
        #expect(written.tensors.map(\.tensor.shape) == other.tensors.map(\.tensor.shape))
        let own = Set(without.parameters.flatMap { $0.tensor.doubles() })
        for (name, tensor) in written.tensors
        where !tensor.doubles().allSatisfy({ own.contains($0) || own.contains(-$0) }) {
          #expect(tensor.doubles().allSatisfy { $0 == 0 }, "\(name)")
        }
        // A bias that is there cannot be what the architecture says is not.
        let error = #expect(throws: RNNError.self) { try readBack(other, without, dialect) }
        #expect(error?.what.contains("bias") == true)
      }
    }
  }

  /// A layer without weights is no module with weights, whatever its sizes are.
  @Test func aNormalizationWithoutWeightsOverOpenStepsIsPassedOver() throws {
    var norm = LayerNormalizationSpec(axes: [1, 2], epsilon: 1e-3)
    (norm.scale, norm.center) = (false, false)
    let spec = ModelSpec.sequential(
      name: "m",
      layers: [
        .init(name: "x", spec: .input(InputSpec(shape: [nil, 3]))), .init(name: "n", spec: .layerNormalization(norm)),
      ])
    let model = NativeModel(
      spec: spec, parameters: [], provenance: Provenance(source: "", container: "", framework: "", dialect: ""))
    #expect(try WeightWriting(model, dialect: .pytorch).tensors.isEmpty)
  }

  @Test(arguments: dialects.map(\.name)) func whatIsWrittenIsReadWithTheSameBits(_ name: String) throws {
    let dialect = try #require(Self.dialects.first { $0.name == name })
    var random = SeededGenerator(seed: 6)
    var trials = 0
    for round in 0..<12 {
      for (spec, input) in Self.layers(&random) {
        for both in [false, true] where carries(dialect, spec, both: both) {
          let whole = try model(spec, input, both: both, Self.dtypes[round % 4], &random)
          let fitting = try fitted(whole, dialect)
          let written = try WeightWriting(fitting, dialect: dialect)
          let read = try readBack(written, fitting, dialect)
          #expect(read.rounded.isEmpty && written.ledger.isEmpty)
          try #require(read.parameters.count == fitting.parameters.count)
          for (found, expected) in zip(read.parameters, fitting.parameters) {
            #expect(
              found.path == expected.layer && found.name == expected.name && found.tensor == expected.tensor,
              "\(name) \(spec.described) \(expected.name) \(expected.tensor)")
          }
          trials += 1
        }
      }
    }
    #expect(trials > 100)
  }

  /// A dialect that has only the sum of two biases gets it, within the dtype's rounding, and says so.
  @Test(arguments: ["mlx", "flax-linen"]) func sumsAreToldAndRounded(_ name: String) throws {
    let dialect = try #require(Self.dialects.first { $0.name == name })
    var random = SeededGenerator(seed: 7)
    let whole = try model(
      .gru(GRUSpec(units: 3, resetAfter: true)), [nil, 2], both: false, .float32, &random)
    let written = try WeightWriting(whole, dialect: dialect)
    #expect(written.ledger.count == 2 && written.ledger.allSatisfy { $0.kind == .rounded || $0.kind == .emulated })
    let read = try readBack(written, whole, dialect)
    let bias = try #require(read.parameters.first { $0.name == "bias" }).tensor.floats()
    let own = try #require(whole.parameters.first { $0.name == "bias" }).tensor.floats()
    for index in 0..<6 {
      #expect(bias[index] == own[index] + own[9 + index])
      #expect(bias[9 + index] == 0)
    }
    #expect(bias[6..<9] == own[6..<9] && bias[15..<18] == own[15..<18])
  }

  /// From one framework to another, back, and home: the same tensors.
  @Test func allPairsAreRoundTrips() throws {
    var random = SeededGenerator(seed: 8)
    var trials = 0
    for (spec, input) in Self.layers(&random) {
      for both in [false, true] {
        let able = Self.dialects.filter { carries($0, spec, both: both) }
        for first in able {
          for second in able {
            let whole = try fitted(
              try fitted(try model(spec, input, both: both, .float32, &random), first), second)
            let start = try WeightWriting(whole, dialect: first)
            var native = whole
            native.parameters = try readBack(start, whole, first).parameters.map {
              .init(layer: $0.path, name: $0.name, tensor: $0.tensor)
            }
            let middle = try WeightWriting(native, dialect: second)
            native.parameters = try readBack(middle, whole, second).parameters.map {
              .init(layer: $0.path, name: $0.name, tensor: $0.tensor)
            }
            let end = try WeightWriting(native, dialect: first)
            #expect(
              start.tensors.map(\.name) == end.tensors.map(\.name)
                && start.tensors.map(\.tensor) == end.tensors.map(\.tensor),
              "\(first.name) \(second.name) \(spec.described)")
            trials += 1
          }
        }
      }
    }
    #expect(trials > 200)
  }

  /// That the blocks come back whole is what the trials above show; two tensors of one name would be one.
  @Test(arguments: dialects.map(\.name)) func tensorsHaveNamesOfTheirOwn(_ name: String) throws {
    let dialect = try #require(Self.dialects.first { $0.name == name })
    for layout in dialect.layouts {
      #expect(!layout.items.isEmpty && !layout.module.isEmpty)
      #expect(Set(layout.items.map(\.name)).count == layout.items.count, "\(name) \(layout.module)")
    }
  }

  /// The layouts of Keras's files: arrays in order instead of names.
  @Test(arguments: ["Keras 1 LSTM", "Keras 1 GRU", "CuDNNLSTM", "CuDNNGRU"]) func arraysOfKerasComeBack(_ name: String)
    throws
  {
    var random = SeededGenerator(seed: 9)
    for round in 0..<24 {
      let (inputs, units) = ([1, 2, 3, 5][round % 4], [1, 2, 7][round % 3])
      let dtype = Self.dtypes[round % 4]
      let layout: KerasLayout =
        switch name {
        case "Keras 1 LSTM": .keras1LSTM
        case "Keras 1 GRU": .keras1GRU
        case "CuDNNLSTM": .cuDNNLSTM
        case _: .cuDNNGRU
        }
      let isLSTM = name.hasSuffix("LSTM")
      let width = (isLSTM ? 4 : 3) * units
      let shapes = [
        "kernel": [inputs, width], "recurrent_kernel": [units, width],
        "bias": name == "CuDNNGRU" ? [2, width] : [width],
      ]
      let parameters = try shapes.mapValues { shape in
        try Tensor(rounding: random.floats(shape.reduce(1, *)).map(Double.init), to: dtype, shape: shape)
      }
      let arrays = try layout.arrays.map { try #require($0).tensor(from: parameters) }
      let spec: LayerSpec = isLSTM ? .lstm(LSTMSpec(units: units)) : .gru(GRUSpec(units: units, resetAfter: true))
      if name.hasPrefix("CuDNN") {
        #expect(KerasLayout.identity(spec.parameterNames).settled(for: spec, arrays) == layout)
      }
      for (parameter, tensor, _, isRounded) in try layout.parameters(from: arrays) {
        #expect(tensor == parameters[parameter])
        // The second bias of these arrays is zero.
        #expect(!isRounded)
      }
    }
  }

  @Test func aSumOfTwoNumbersIsExactOrSaysThatItIsNot() throws {
    let one = try Tensor([1, 0.1, .infinity] as [Float], shape: [3])
    #expect(try one.adding(try Tensor([1, 0.2, 1] as [Float], shape: [3])).isRounded)
    #expect(try !one.adding(try Tensor([2, 0, 1] as [Float], shape: [3])).isRounded)
    let halves = try Tensor([3, 0x1p-149, -0x1.fffffep0] as [Float], shape: [3]).halves()
    #expect(try halves.half.adding(halves.rest).sum.floats() == [3, 0x1p-149, -0x1.fffffep0])
  }
}
