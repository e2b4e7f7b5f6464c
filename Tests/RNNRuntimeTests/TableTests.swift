import Foundation
import RNNCore
import RNNTestSupport
import Testing

@testable import RNNRuntime

/// Layers behind an embedding, with tables and without.
@Suite struct TableTests {
  private static func embedding(masked: Bool = false) -> LayerSpec {
    .embedding(EmbeddingSpec(inputDim: 40, outputDim: 12, maskZero: masked))
  }

  private static func convolution(_ change: (inout Conv1DSpec) -> Void) -> LayerSpec {
    var spec = Conv1DSpec(filters: 70, kernelSize: 3)
    change(&spec)
    return .conv1D(spec)
  }

  private static let convolutions: [LayerSpec] = [
    convolution { $0.activation = .relu }, convolution { $0.padding = .same },
    convolution { ($0.padding, $0.dilationRate) = (.causal, 2) },
    convolution { ($0.padding, $0.strides, $0.useBias) = (.same, 2, false) },
    convolution { ($0.filters, $0.kernelSize, $0.activation) = (6, 5, .glu) },
    convolution { ($0.filters, $0.kernelSize, $0.padding) = (1, 9, .same) },
  ]

  /// Layers that take one product of each step.
  private static let steps: [LayerSpec] = {
    var sequences = LSTMSpec(units: 9)
    (sequences.options.returnSequences, sequences.options.goBackwards) = (true, true)
    var unbiased = GRUSpec(units: 6, resetAfter: false)
    unbiased.options.useBias = false
    return [
      .dense(DenseSpec(units: 5)), .lstm(LSTMSpec(units: 7)), .lstm(sequences),
      .gru(GRUSpec(units: 5, resetAfter: true)), .gru(unbiased), .simpleRNN(SimpleRNNSpec(units: 4)),
    ]
  }()

  private static func ids(_ rows: Int, _ columns: Int = 11, seed: UInt64 = 3) throws -> Tensor {
    var generator = SeededGenerator(seed: seed)
    return try Tensor(
      (0..<rows * columns).map { _ in Int64.random(in: 0..<40, using: &generator) }, shape: [rows, columns])
  }

  private static func models(_ layers: [LayerSpec]) throws -> (tables: Model, dense: Model) {
    let model = try LayerModel(layers, input: [nil], scale: 0.5).model
    var none = Model.Options()
    none.tableBytes = 0
    return (model, try Model(model.native, options: none))
  }

  /// Sums of 36 or 60 terms below 0.25 each, in another order: each of their roundings is at most 2^-24 of 15.
  @Test(arguments: convolutions)
  func convolutionsAreWithinRounding(_ layer: LayerSpec) throws {
    for rows in [1, 3, 70] {
      let (tables, dense) = try Self.models([Self.embedding(), .dropout(NoiseSpec(rate: 0.5)), layer])
      #expect(tables.tables.tables.count == 1 && tables.tables.unread == [1])
      #expect(dense.tables.tables.isEmpty)
      let x = try Self.ids(rows)
      let (found, expected) = (try tables.predict([x])[0], try dense.predict([x])[0])
      #expect(largestDifference(found, expected.doubles(), shape: expected.shape) < 2e-6)
      #expect(expected.floats().contains { $0 != 0 })
    }
  }

  /// The same sums in the same order.
  @Test(arguments: steps, [false, true])
  func stepsHaveTheSameBits(_ layer: LayerSpec, masked: Bool) throws {
    for rows in [1, 5, 40] {
      let (tables, dense) = try Self.models([Self.embedding(masked: masked), layer])
      #expect(tables.tables.tables.count == 1)
      let x = try Self.ids(rows)
      #expect(try tables.predict([x]) == dense.predict([x]))
    }
  }

  /// What a model answers does not depend on what it was asked before, nor on whom it was asked with.
  @Test func nothingDependsOnHistory() throws {
    let layers = [Self.embedding(), Self.convolutions[1]]
    let x = try Self.ids(4)
    let fresh = try Self.models(layers).tables
    let first = try fresh.predict([x])
    let busy = try Self.models(layers).tables
    for seed in 10..<20 { _ = try busy.predict([try Self.ids(3, seed: UInt64(seed))]) }
    #expect(try busy.predict([x]) == first)
    #expect(try fresh.predict([x]) == first)
    let ids = (try Self.ids(9).floats() + x.floats()).map { Int64($0) }
    let others = try Tensor(ids, shape: [13, 11])
    let together = try Self.models(layers).tables.predict([others])[0].floats()
    #expect(Array(together.suffix(first[0].count)) == first[0].floats())
  }

  /// The rows that a table takes over are let go, and read again by whoever wants them.
  @Test func anEmbeddingInAFileGivesTheSameBits() throws {
    let folder = try TemporaryFolder()
    let layers = [
      LayerSpec.embedding(EmbeddingSpec(inputDim: 3000, outputDim: 16, maskZero: false)), Self.convolution { _ in },
    ]
    let inMemory = try LayerModel(layers, input: [nil], scale: 0.5).model
    try inMemory.native.write(to: folder.file("m.rnn"), replacing: false)
    var generator = SeededGenerator(seed: 5)
    let ids = try Tensor((0..<40 * 90).map { _ in Int64.random(in: 0..<3000, using: &generator) }, shape: [40, 90])
    for bytes in [0, 64 << 20] {
      var options = Model.Options()
      options.tableBytes = bytes
      let mapped = try Model(contentsOf: folder.file("m.rnn"), options: options)
      let session = mapped.makeSession()
      let expected = try Model(inMemory.native, options: options).predict([ids])
      for _ in 0..<2 { #expect(try session.predict([ids]) == expected) }
      #expect(mapped.native.parameters.map(\.tensor) == inMemory.native.parameters.map(\.tensor))
    }
  }

  @Test func manyThreadsFillOneTable() async throws {
    let model = try Self.models([Self.embedding(), Self.convolutions[0], Self.steps[1]]).tables
    let expected = try Self.models([Self.embedding(), Self.convolutions[0], Self.steps[1]]).tables
    await withTaskGroup(of: Bool.self) { group in
      for task in 0..<16 {
        group.addTask {
          guard let x = try? Self.ids(5, seed: UInt64(task % 4)) else { return false }
          return (try? model.predict([x])) == (try? expected.predict([x]))
        }
      }
      for await isSame in group { #expect(isSame) }
    }
  }

  @Test func memoryIsStated() throws {
    let layers = [Self.embedding(), Self.convolutions[0]]
    let native = try LayerModel(layers, input: [nil]).model.native
    let bytes = 40 * 3 * 70 * 4
    var options = Model.Options()
    options.tableBytes = bytes
    #expect(try Model(native, options: options).tables.tables.count == 1)
    options.tableBytes = bytes - 1
    #expect(try Model(native, options: options).tables.tables.isEmpty)
    #expect(EmbeddingTable.bytes(ids: .max, taps: 2, columns: 2) == nil)
  }

  /// An embedding that others read, too, is still there for them.
  @Test func othersReadTheEmbedding() throws {
    let layers: [ModelSpec.Layer] = [
      .init(name: "input", spec: .input(InputSpec(shape: [6]))), .init(name: "embedding", spec: Self.embedding()),
      .init(name: "dense", spec: .dense(DenseSpec(units: 12))), .init(name: "add", spec: .merge(MergeSpec(.add))),
    ]
    func of(_ call: Int) -> ModelSpec.Reference { .init(call: call) }
    let spec = ModelSpec(
      name: "m", isSequential: false, layers: layers,
      calls: [
        .init(layer: 0, inputs: []), .init(layer: 1, inputs: [of(0)]), .init(layer: 2, inputs: [of(1)]),
        .init(layer: 3, inputs: [of(1), of(2)]),
      ], inputs: [0], outputs: [of(3), of(1)])
    let model = try LayerModel(spec).model
    var none = Model.Options()
    none.tableBytes = 0
    #expect(model.tables.tables.count == 1 && model.tables.unread.isEmpty)
    let x = try Self.ids(3, 6)
    #expect(try model.predict([x]) == Model(model.native, options: none).predict([x]))
  }

  /// Only an embedding's own rows are in a table.
  @Test func whatIsNoProductOfIdsHasNone() throws {
    let grouped = Self.convolution { ($0.filters, $0.groups) = (6, 2) }
    #expect(try Self.models([Self.embedding(), grouped]).tables.tables.tables.isEmpty)
    let squashed = LayerSpec.activation(ActivationSpec(activation: .tanh))
    #expect(try Self.models([Self.embedding(), squashed, Self.steps[1]]).tables.tables.tables.isEmpty)
  }

  /// A batch over threads has the bits of one thread.
  @Test(arguments: [1, 7, 8, 9, 17, 64, 200])
  func threadsChangeNothing(rows: Int) throws {
    let model = try Self.models([Self.embedding(), Self.convolutions[0], Self.steps[2]]).tables
    let x = try Self.ids(rows)
    let expected = try model.predict([x])
    for threads in [2, 3] {
      let session = model.makeSession(threads: threads)
      for _ in 0..<2 { #expect(try session.predict([x]) == expected) }
    }
  }
}
