import Foundation
import RNNCore
import RNNTestSupport
import Testing

@testable import RNNDatasets

@Suite struct DatasetTests {
  private func floats(_ shape: [Int]) throws -> Tensor {
    try Tensor((0..<shape.reduce(1, *)).map { Float($0) }, shape: shape)
  }

  // MARK: - Rows

  @Test func gathersRows() throws {
    let examples = try Examples(inputs: [try floats([5, 2]), try floats([5, 1, 3])], targets: [try floats([5])])
    #expect(examples.count == 5)
    #expect(examples.inputShapes == [[2], [1, 3]])
    #expect(examples.targetShapes == [[]])
    let batch = try examples.slice(rows: [4, 0, 4])
    #expect(batch.count == 3)
    #expect(batch.inputs.map(\.shape) == [[3, 2], [3, 1, 3]])
    #expect(batch.inputs[0].floats() == [8, 9, 0, 1, 8, 9])
    #expect(batch.inputs[1].floats() == [12, 13, 14, 0, 1, 2, 12, 13, 14])
    #expect(batch.targets[0].floats() == [4, 0, 4])
    // A run of rows is a slice of what is there, with the same values.
    #expect(try examples.slice(rows: [1, 2, 3]) == examples.slice(range: 1..<4))
    #expect(try examples.slice(rows: [1, 2, 3]).inputs[0].floats() == [2, 3, 4, 5, 6, 7])
    // A batch of a batch, whose bytes do not begin at 0.
    #expect(try examples.slice(range: 2..<5).slice(rows: [2, 0]).targets[0].floats() == [4, 2])
    #expect(try examples.slice(rows: []).inputs[0].shape == [0, 2])
    for rows in [[5], [-1], [0, 1, 5]] { expectError(.usage, containing: "row") { try examples.slice(rows: rows) } }
    expectError(.usage) { try examples.slice(range: 3..<6) }
  }

  @Test func rowsOfNothing() throws {
    let examples = try Examples(inputs: [try floats([0, 3])], targets: [])
    #expect(examples.count == 0)
    #expect(try examples.slice(rows: []).inputs[0].shape == [0, 3])
    let empty = try Examples(inputs: [try floats([3, 0])], targets: [])
    #expect(try empty.slice(rows: [2, 0]).inputs[0].shape == [2, 0])
  }

  @Test func arraysMustAgree() throws {
    let (two, three) = (try floats([2, 4]), try floats([3]))
    expectError(.badData, containing: "(2, 4), (3)") { try Examples(inputs: [two], targets: [three]) }
    expectError(.badData, containing: "no inputs") { try Examples(inputs: [], targets: [two]) }
    expectError(.badData, containing: "single number") { try Examples(inputs: [two, try floats([])], targets: []) }
    let ids = try Tensor(ids: [0, 3, -1], shape: [3])
    expectError(.badData, containing: "the id 3 has no place among 3") {
      try Examples(inputs: [ids], targets: [], inputDepths: [3])
    }
    expectError(.badData, containing: "-1") { try Examples(inputs: [ids], targets: [ids], targetDepths: [9]) }
    expectError(.internalError) { try Examples(inputs: [three], targets: [], inputDepths: [3]) }
    expectError(.internalError) { try Examples(inputs: [two], targets: [], inputDepths: [3, 3]) }
  }

  // MARK: - Validation

  /// Keras: the first floor(rows x (1 - fraction)) rows train.
  @Test func holdsOutTheLastRows() throws {
    let ids = try Tensor(ids: (0..<11).map { $0 }, shape: [11])
    let data = Dataset(training: try Examples(inputs: [ids], targets: [ids], inputDepths: [11]), classes: ["a"])
    let divided = try data.holdingOutLast(0.2)
    #expect(divided.count == 8)
    #expect(divided.inputs[0].integers() == Array(0..<8))
    #expect(divided.validation?.targets[0].integers() == [8, 9, 10])
    #expect(divided.validation?.inputShapes == [[11]])
    #expect(divided.evaluation.count == 3)
    #expect(divided.classes == ["a"])
    for fraction in [0, 1, -1, 0.999, .nan] { expectError(.usage) { try data.holdingOutLast(fraction) } }
  }

  // MARK: - Arrays

  @Test func readsXAndY() throws {
    let (x, y) = (try floats([4, 3]), try Tensor(ids: [1, 0, 1, 0], shape: [4]))
    for arrays in [[("x", x), ("y", y)], [("y", y), ("x", x)], [("y0", y), ("x0", x)]] {
      let data = try ArrayData.dataset(npz: try archive(arrays))
      #expect(data.inputs == [x])
      #expect(data.targets == [y])
      #expect(data.validation == nil)
    }
  }

  @Test func readsSeveralInOrder() throws {
    let tensors = try (0..<12).map { try floats([2, $0 + 1]) }
    // As numpy.savez writes keywords in the order of their names: x1, x10, x11, x2.
    let names = (0..<12).map { "x\($0)" }.sorted()
    let inputs = names.map { name in (name, tensors[Int(name.dropFirst()) ?? 0]) }
    let data = try ArrayData.dataset(npz: try archive([("y1", tensors[5]), ("y0", tensors[7])] + inputs))
    #expect(data.inputs == tensors)
    #expect(data.targets == [tensors[7], tensors[5]])
  }

  /// A weight stays with its example, in a batch in any order and in the part that validates.
  @Test func readsWeights() throws {
    let (x, y) = (try floats([4, 3]), try Tensor(ids: [1, 0, 1, 0], shape: [4]))
    func weights(_ values: [Float], _ shape: [Int]) throws -> Tensor { try Tensor(values, shape: shape) }
    let data = try ArrayData.dataset(
      npz: try archive([("x", x), ("sample_weight", try weights([1, 0, 2.5, 4], [4])), ("y", y)]))
    #expect(data.training.weights?.floats() == [1, 0, 2.5, 4])
    #expect(try data.slice(rows: [3, 0]).weights?.floats() == [4, 1])
    #expect(try data.holdingOutLast(0.5).validation?.weights?.floats() == [2.5, 4])
    for (values, shape, word) in [
      ([1, -1, 0, 0], [4], "example 1 is -1"), ([1, .nan, 0, 0], [4], "example 1 is nan"), ([1, 1], [2], "differ"),
      ([1, 1, 1, 1, 1, 1, 1, 1], [4, 2], "one number each"),
    ] as [([Float], [Int], String)] {
      expectError(.badData, containing: word) {
        try ArrayData.dataset(npz: try archive([("x", x), ("y", y), ("sample_weight", try weights(values, shape))]))
      }
    }
  }

  @Test func refusesOtherArrays() throws {
    let (x, y) = (try floats([2, 3]), try floats([2]))
    expectError(.badData, containing: "no array 'y' or 'y0' holds the targets; there are: 'x'") {
      try ArrayData.dataset(npz: try archive([("x", x)]))
    }
    expectError(.badData, containing: "'x1' is missing") {
      try ArrayData.dataset(npz: try archive([("x0", x), ("x2", x), ("y", y)]))
    }
    expectError(.badData, containing: "'x0' is missing") {
      try ArrayData.dataset(npz: try archive([("x", x), ("x1", x), ("y", y)]))
    }
    expectError(.unsupported, containing: "'mask' is neither") {
      try ArrayData.dataset(npz: try archive([("x", x), ("y", y), ("mask", y)]))
    }
    expectError(.badData, containing: "differ in their rows") {
      try ArrayData.dataset(npz: try archive([("x", x), ("y", try floats([3]))]))
    }
    // Lists are for those who ask for them.
    let message = expectError(.unsupported, containing: "object array") {
      try ArrayData.dataset(contentsOf: FixtureArrays.url("lists-py311.npz"))
    }
    #expect(message.contains("lists-py311.npz: member 'rows.npy'"))
  }
}
