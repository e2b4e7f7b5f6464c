import Foundation
import RNNCore
import RNNRuntime
import Testing

/// What a model says of inputs that do not fit it.
@Suite struct InputTests {
  private func embedding() throws -> Model {
    try LayerModel(
      [.embedding(EmbeddingSpec(inputDim: 5, outputDim: 2, maskZero: false)), .flatten(FlattenSpec())], input: [3]
    ).model
  }

  private func dense() throws -> Model { try LayerModel([.dense(DenseSpec(units: 2))], input: [nil, 3]).model }

  @Test func theNumberOfInputsIsTold() throws {
    let model = try dense()
    let tensor = try randomTensor([1, 2, 3])
    expectError(.badData, naming: "1 inputs", "input", "0 were given") { try model.predict([]) }
    expectError(.badData, naming: "2 were given") { try model.predict([tensor, tensor]) }
  }

  @Test func rankAndSizeAreTold() throws {
    let model = try dense()
    for shape in [[3], [2, 3], [1, 2, 4], [1, 2, 3, 1], [], [0]] {
      expectError(.badData, naming: "input 'input'", describe(shape: shape), "(?, ?, 3)") {
        try model.predict([try randomTensor(shape)])
      }
    }
    #expect(try model.predict([try randomTensor([2, 9, 3])])[0].shape == [2, 9, 2])
  }

  @Test func aVectorOfSingleNumbersMayLeaveItsAxisOut() throws {
    let model = try LayerModel([.dense(DenseSpec(units: 2))], input: [1]).model
    let values: [Float] = [1, 2, 3]
    #expect(try model.predict([try Tensor(values, shape: [3])]) == model.predict([try Tensor(values, shape: [3, 1])]))
  }

  @Test func inputsHaveOneNumberOfExamples() throws {
    let spec = ModelSpec(
      name: "m", isSequential: false,
      layers: [
        .init(name: "x", spec: .input(InputSpec(shape: [1]))), .init(name: "y", spec: .input(InputSpec(shape: [1]))),
      ],
      calls: [.init(layer: 0, inputs: []), .init(layer: 1, inputs: [])], inputs: [0, 1], outputs: [.init(call: 1)])
    let model = try LayerModel(spec).model
    expectError(.badData, naming: "2, 3") { try model.predict([try randomTensor([2, 1]), try randomTensor([3, 1])]) }
  }

  @Test func anIdOutsideTheEmbeddingIsToldWithItsPlace() throws {
    let model = try embedding()
    for id in [5, -1, Int64(Int32.max) + 1, .max, .min] {
      let ids = try Tensor([0, 1, 2, 3, 4, id], shape: [2, 3])
      expectError(.badData, naming: "input 'input'", "\(id)", "0 ..< 5", "row 1, position 2") {
        try model.predict([ids])
      }
    }
    // The last id that exists.
    #expect(throws: Never.self) { try model.predict([try Tensor([4, 4, 4] as [Int64], shape: [1, 3])]) }
  }

  @Test func thePlaceIsThatInTheWholeInput() throws {
    var ids = [Int64](repeating: 1, count: 300)
    ids[3 * 97 + 1] = 9
    let tensor = try Tensor(ids, shape: [100, 3])
    expectError(.badData, naming: "row 97, position 1") { try embedding().predict([tensor]) }
  }

  @Test func idsMayBeWholeFloatsAndNothingElse() throws {
    let model = try embedding()
    let whole = try model.predict([try Tensor([0, 4, 2] as [Float], shape: [1, 3])])
    #expect(try whole == model.predict([try Tensor([0, 4, 2] as [Int64], shape: [1, 3])]))
    #expect(try whole == model.predict([try Tensor(dtype: .uint8, shape: [1, 3], bytes: Data([0, 4, 2]))]))
    for value in [0.5, .nan, .infinity, -0.25] as [Float] {
      expectError(.badData, naming: "no whole number", "row 0, position 1") {
        try model.predict([try Tensor([0, value, 2], shape: [1, 3])])
      }
    }
    let large = try Tensor(dtype: .uint64, shape: [1, 3], bytes: Data(repeating: 0xFF, count: 24))
    expectError(.badData, naming: "18446744073709551615", "row 0, position 0") { try model.predict([large]) }
  }

  /// Behind a layer that computes, ids are only seen when the model runs.
  @Test func computedIdsAreCheckedToo() throws {
    let relu = LayerSpec.activation(ActivationSpec(activation: .relu))
    let table = LayerSpec.embedding(EmbeddingSpec(inputDim: 5, outputDim: 2, maskZero: false))
    let model = try LayerModel([relu, table], input: [3]).model
    #expect(try model.predict([try Tensor([-7, 4, 2] as [Float], shape: [1, 3])])[0].shape == [1, 3, 2])
    for value in [5, 2.5, .nan, .infinity] as [Float] {
      expectError(.badData, naming: "layer 'layer1'", "row 1, position 2") {
        try model.predict([try Tensor([0, 0, 0, 1, 1, value], shape: [2, 3])])
      }
    }
  }

  @Test func theSmallestOfSeveralEmbeddingsDecides() throws {
    let spec = ModelSpec(
      name: "m", isSequential: false,
      layers: [
        .init(name: "x", spec: .input(InputSpec(shape: [2]))),
        .init(name: "noise", spec: .dropout(NoiseSpec(rate: 0.1))),
        .init(name: "large", spec: .embedding(EmbeddingSpec(inputDim: 9, outputDim: 1, maskZero: false))),
        .init(name: "small", spec: .embedding(EmbeddingSpec(inputDim: 4, outputDim: 1, maskZero: false))),
      ],
      calls: [
        .init(layer: 0, inputs: []), .init(layer: 1, inputs: [.init(call: 0)]),
        .init(layer: 2, inputs: [.init(call: 0)]),
        .init(layer: 3, inputs: [.init(call: 1)]),
      ], inputs: [0], outputs: [.init(call: 2), .init(call: 3)])
    let model = try LayerModel(spec).model
    #expect(try model.predict([try Tensor([3, 0] as [Int64], shape: [1, 2])]).count == 2)
    expectError(.badData, naming: "0 ..< 4") { try model.predict([try Tensor([4, 0] as [Int64], shape: [1, 2])]) }
  }

  @Test func runsThatNeedMoreMemoryThanThereIsAreRefused() throws {
    // 2^20 steps of 2^20 floats are 4 TB.
    let spec = LayerSpec.embedding(EmbeddingSpec(inputDim: 1, outputDim: 1 << 20, maskZero: false))
    let model = try LayerModel([spec], input: [nil]).model
    let ids = try Tensor(dtype: .uint8, shape: [1, 1 << 20], bytes: Data(count: 1 << 20))
    expectError(.badData, naming: "memory") { try model.predict([ids]) }
  }

  /// Without elements, an array may claim sizes that nothing could hold.
  @Test func emptyArraysOfAbsurdSizeAreRefused() throws {
    let models = try [
      .dense(DenseSpec(units: 2)), .lstm(LSTMSpec(units: 2)), .gru(GRUSpec(units: 2, resetAfter: true)),
      .flatten(FlattenSpec()), .masking(MaskingSpec(maskValue: 0)),
    ].map { try LayerModel([$0], input: [nil, 3]).model }
    for shape in [[1 << 62, 0, 3], [1 << 40, 0, 3], [1 << 25, 0, 3]] {
      let tensor = try Tensor(dtype: .uint8, shape: shape, bytes: Data())
      for model in models {
        var state = SessionState()
        expectError(.badData, naming: "holds nothing") { try model.predict([tensor]) }
        expectError(.badData, naming: "holds nothing") { try model.makeSession().predict([tensor], state: &state) }
      }
    }
  }

  @Test func aModelWithoutVocabularyReadsNoText() throws {
    expectError(.usage, naming: "vocabulary") { try embedding().predict("a wonderful film") }
  }
}
