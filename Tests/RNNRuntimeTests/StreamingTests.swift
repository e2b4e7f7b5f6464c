import CAllocations
import Foundation
import RNNCore
import RNNTestSupport
import Testing

@testable import RNNRuntime

@Suite struct StreamingTests {
  private static func sequences<Spec>(_ spec: Spec, _ options: WritableKeyPath<Spec, RecurrentOptions>) -> Spec {
    var spec = spec
    spec[keyPath: options].returnSequences = true
    return spec
  }

  private static func cells(_ units: Int) -> [LayerSpec] {
    var clipped = GRUSpec(units: units, resetAfter: false)
    clipped.recurrentActivation = .hardSigmoidFifth
    return [
      .lstm(sequences(LSTMSpec(units: units), \.options)),
      .gru(sequences(GRUSpec(units: units, resetAfter: true), \.options)), .gru(sequences(clipped, \.options)),
      .simpleRNN(sequences(SimpleRNNSpec(units: units), \.options)),
      .lstmVariant(sequences(LSTMVariantSpec.vanilla(units: units), \.options)),
    ]
  }

  /// One step of every example, (examples, steps, width).
  private static func step(_ step: Int, of tensor: Tensor) -> [Float] {
    let values = tensor.floats()
    let (steps, width) = (tensor.shape[1], tensor.shape[2])
    return (0..<tensor.shape[0]).flatMap { example -> [Float] in
      let start = (example * steps + step) * width
      return Array(values[start..<start + width])
    }
  }

  private static func bits(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }

  /// Sizes below, at and beside the widths of vectors.
  @Test(arguments: [1, 3, 8, 17, 32], [0, 1, 2, 3, 4])
  func aStreamHasTheBitsOfTheWholeSequence(units: Int, cell: Int) throws {
    let model = try LayerModel(
      [Self.cells(units)[cell], .dense(DenseSpec(units: 2))], input: [nil, 3], scale: 0.6, seed: 5
    ).model
    for examples in [1, 2] {
      let x = try randomTensor([examples, 6, 3])
      let whole = try model.predict([x])[0]
      let stream = try StreamingSession(model, examples: examples)
      #expect(stream.inputCount == 3 * examples && stream.outputCount == 2 * examples)
      for _ in 0..<2 {
        for step in 0..<6 {
          let found = try stream.step(Self.step(step, of: x))
          #expect(Self.bits(found) == Self.bits(Self.step(step, of: whole)))
        }
        stream.reset()
      }
    }
  }

  /// Without optimization closures take a few words; numbers, of which every array here has 320 bytes, take none. (The
  /// optimized program is counted by `Figures`.)
  @Test(.enabled(if: allocations_are_counted() != 0), arguments: [0, 1, 2, 3])
  func aStepTakesNoMemory(cell: Int) throws {
    #if DEBUG
      let allocations = large_allocations_of_this_thread
    #else
      let allocations = allocations_of_this_thread
    #endif
    let model = try LayerModel([Self.cells(80)[cell], .dense(DenseSpec(units: 1))], input: [nil, 1], scale: 0.1).model
    let stream = try StreamingSession(model)
    var last: Float = 0
    for _ in 0..<3 { last = try stream.step(0.25) }
    let before = allocations()
    for _ in 0..<100 { last = try stream.step(0.25) }
    #expect(allocations() == before)
    #expect(last.isFinite)
    // The counter counts: an array is an allocation.
    let array = [Float](repeating: last, count: 80)
    #expect(allocations() > before && array.count == 80)
  }

  @Test func aStreamGoesOnFromAState() throws {
    let model = try LayerModel([Self.cells(5)[0]], input: [nil, 1]).model
    let (first, second) = (try StreamingSession(model), try StreamingSession(model))
    for x in [0.1, 0.7, -0.4] as [Float] { _ = try first.step([x]) }
    try second.resume(first.state)
    #expect(try first.step([0.3]) == second.step([0.3]))
    #expect(first.state == second.state)
    let pair = try StreamingSession(model, examples: 2)
    expectError(.usage, naming: "layer0", "2 examples") { try pair.resume(first.state) }
  }

  @Test func idsAreChecked() throws {
    let model = try LayerModel(
      [.embedding(EmbeddingSpec(inputDim: 7, outputDim: 3, maskZero: false)), Self.cells(4)[1]], input: [nil]
    ).model
    let stream = try StreamingSession(model)
    let whole = try model.predict([try Tensor([Int64(3), 6], shape: [1, 2])])[0].floats()
    #expect(try stream.step([3]) + stream.step([6]) == whole)
    for bad in [7, -1, 0.5, .nan] as [Float] { expectError(.badData, naming: "0 ..< 7") { try stream.step([bad]) } }
  }

  @Test func whatCannotStreamIsNamed() throws {
    let convolution = try LayerModel([.conv1D(Conv1DSpec(filters: 2, kernelSize: 3))], input: [nil, 2]).model
    expectError(.unsupported, naming: "layer0") { try StreamingSession(convolution) }
    let rows = try LayerModel([.dense(DenseSpec(units: 2))], input: [3]).model
    expectError(.unsupported, naming: "no timesteps") { try StreamingSession(rows) }
    let stream = try StreamingSession(try LayerModel([Self.cells(2)[0]], input: [nil, 2]).model)
    expectError(.usage, naming: "2 numbers") { try stream.step([1]) }
    expectError(.usage, naming: "not one each") { try stream.step(1) }
    expectError(.usage, naming: "0 examples") { try StreamingSession(convolution, examples: 0) }
  }
}
