import Foundation
import RNNCore
import RNNRuntime
import Testing

@Suite struct SimpleLayerTests {
  /// 30 products of numbers below 1 and a bias: 62 roundings on a sum of magnitudes below 31.
  @Test func denseWorksOnTheLastAxisOfAnyRank() throws {
    for useBias in [false, true] {
      for shape in [[4, 30], [2, 3, 30], [2, 1, 3, 30]] {
        var spec = DenseSpec(units: 7)
        spec.useBias = useBias
        let layer = try LayerModel([.dense(spec)], input: shape.dropFirst().map { $0 })
        let input = try randomTensor(shape)
        let (x, kernel, bias) = (input.doubles(), layer.weights("kernel"), layer.weights("bias"))
        var expected: [Double] = []
        for row in 0..<x.count / 30 {
          for unit in 0..<7 {
            var sum = useBias ? bias[unit] : 0
            for channel in 0..<30 { sum += x[row * 30 + channel] * kernel[channel * 7 + unit] }
            expected.append(sum)
          }
        }
        let found = try layer.run(input)[0]
        #expect(largestDifference(found, expected, shape: shape.dropLast() + [7]) < 62 * 31 * 0x1p-24)
      }
    }
  }

  @Test func embeddingsOfEveryTypeAreLookedUp() throws {
    let ids = try Tensor([3, 0, 1, 3] as [Int64], shape: [2, 2])
    let rows: [Float] = [0, 0.5, -1, 1.5, 2, -2.5, 3, 3.5]
    let expected: [Float] = [3, 3.5, 0, 0.5, -1, 1.5, 3, 3.5]
    let patterns: [DType: [UInt64]] = [
      .float16: [0, 0x3800, 0xBC00, 0x3E00, 0x4000, 0xC100, 0x4200, 0x4300],
      .bfloat16: rows.map { UInt64($0.bitPattern >> 16) }, .float32: rows.map { UInt64($0.bitPattern) },
      .float64: rows.map { Double($0).bitPattern },
    ]
    for (dtype, words) in patterns {
      let bytes = words.flatMap { word in (0..<dtype.byteCount).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
      var native = try LayerModel([.embedding(EmbeddingSpec(inputDim: 4, outputDim: 2, maskZero: false))], input: [2])
        .model.native
      // Behind other bytes, as in a file, so that nothing is aligned.
      let file = Data([1, 2, 3]) + Data(bytes)
      native.parameters[0].tensor = try Tensor(dtype: dtype, shape: [4, 2], bytes: file[3...])
      let found = try Model(native).predict([ids])[0]
      #expect(found == (try Tensor(expected, shape: [2, 2, 2])), "\(dtype)")
    }
  }

  /// Weights of every type take part as float32.
  @Test func halfWeightsAreWidened() throws {
    var native = try LayerModel([.dense(DenseSpec(units: 1))], input: [2]).model.native
    native.parameters[0].tensor = try Tensor(dtype: .float16, shape: [2, 1], bytes: Data([0x00, 0x3C, 0x00, 0xC1]))
    native.parameters[1].tensor = try Tensor(dtype: .bfloat16, shape: [1], bytes: Data([0x40, 0x40]))
    // 1 x 2 - 2.5 x 4 + 3
    #expect(try Model(native).predict([try Tensor([2, 4] as [Float], shape: [1, 2])])[0].floats() == [-5])
  }

  @Test func maskedStepsBecomeZero() throws {
    let layer = try LayerModel([.masking(MaskingSpec(maskValue: -1))], input: [nil, 2])
    let found = try layer.run(try Tensor([-1, -1, -1, 2, 3, -1, .nan, -1] as [Float], shape: [1, 4, 2]))[0].floats()
    #expect(Array(found[..<6]) == [0, 0, -1, 2, 3, -1])
    #expect(found[6].isNaN && found[7] == -1)
  }

  /// Zero is padding: an RNN behind the embedding passes it over, wherever it stands.
  @Test func idZeroIsMaskedWhereTheEmbeddingSaysSo() throws {
    func model(maskZero: Bool) throws -> Model {
      try LayerModel(
        [
          .embedding(EmbeddingSpec(inputDim: 5, outputDim: 3, maskZero: maskZero)), .simpleRNN(SimpleRNNSpec(units: 2)),
        ], input: [nil]
      ).model
    }
    let padded = try Tensor([0, 0, 1, 2, 1, 0, 2, 0] as [Int64], shape: [2, 4])
    let plain = try Tensor([1, 2, 1, 2] as [Int64], shape: [2, 2])
    #expect(try model(maskZero: true).predict([padded]) == model(maskZero: false).predict([plain]))
    #expect(try model(maskZero: false).predict([padded]) != model(maskZero: false).predict([plain]))
  }

  @Test func flattenAndTheLayersOfTrainingChangeNoNumber() throws {
    let noise = NoiseSpec(rate: 0.9)
    let layer = try LayerModel(
      [
        .dropout(noise), .spatialDropout1D(noise), .gaussianNoise(noise), .gaussianDropout(noise), .alphaDropout(noise),
        .identity(IdentitySpec()), .activityRegularization(IdentitySpec()), .flatten(FlattenSpec()),
      ], input: [3, 4])
    let input = try randomTensor([2, 3, 4])
    #expect(try layer.run(input)[0] == input.reshaped(to: [2, 12]))
  }

  @Test func aSharedLayerRunsForEachCall() throws {
    let spec = ModelSpec(
      name: "m", isSequential: false,
      layers: [
        .init(name: "x", spec: .input(InputSpec(shape: [3]))), .init(name: "y", spec: .input(InputSpec(shape: [3]))),
        .init(name: "layer0", spec: .dense(DenseSpec(units: 3))),
      ],
      calls: [
        .init(layer: 0, inputs: []), .init(layer: 1, inputs: []), .init(layer: 2, inputs: [.init(call: 0)]),
        .init(layer: 2, inputs: [.init(call: 1)]), .init(layer: 2, inputs: [.init(call: 3)]),
      ], inputs: [1, 0], outputs: [.init(call: 2), .init(call: 3), .init(call: 4)])
    let layer = try LayerModel(spec)
    let (x, y) = (try randomTensor([2, 3], seed: 1), try randomTensor([2, 3], seed: 2))
    let found = try layer.run(y, x)
    // The inputs stand in the model's order: y first.
    #expect(try found[0] == layer.run(x, y)[1])
    #expect(try found[1] == layer.run(x, y)[0])
    // The third call reads the second's output, as if that had been given.
    #expect(try found[2] == layer.run(found[1], x)[1])
    #expect(layer.model.outputNames == ["layer0", "layer0_1", "layer0_2"])
  }
}
