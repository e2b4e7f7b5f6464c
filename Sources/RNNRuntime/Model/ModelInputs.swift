import RNNCore

/// The inputs of one run, checked against the model.
package struct ModelInputs {
  package private(set) var tensors: [Tensor]
  /// Ids of the inputs that an embedding reads.
  var ids: [[Int32]?]
  package private(set) var batch: Int

  /// - Parameter areBatchFirst: whether the batch stands first in all arrays, whatever the model says.
  /// - Throws: `badData` naming the input, what was expected and what was found.
  package init(_ given: [Tensor], _ graph: RuntimeGraph, areBatchFirst: Bool = false) throws {
    let spec = graph.spec
    guard given.count == spec.inputs.count else {
      throw RNNError.badData(
        "the model takes \(spec.inputs.count) inputs (\(spec.inputNames.joined(separator: ", "))), "
          + "\(given.count) were given")
    }
    tensors = []
    ids = []
    batch = 0
    for (index, tensor) in given.enumerated() {
      guard case .input(let input) = spec.layers[spec.calls[spec.inputs[index]].layer].spec else {
        throw RNNError(.internalError, "an input is no input layer")
      }
      try locating("input '\(spec.inputNames[index])'") {
        let fitted = try ModelInputs.fit(areBatchFirst ? tensor : try tensor.moved(input.batchAxis, to: 0), input)
        tensors.append(fitted)
        ids.append(try graph.embeddingRows[index].map { try ModelInputs.ids(fitted, rows: $0) })
      }
    }
    let examples = tensors[0].shape[0]
    batch = examples
    guard tensors.allSatisfy({ $0.shape[0] == examples }) else {
      throw RNNError.badData(
        "the inputs have different numbers of examples: \(tensors.map { String($0.shape[0]) }.joined(separator: ", "))")
    }
  }

  /// A vector of single numbers may leave its last axis out, as in Keras.
  private static func fit(_ tensor: Tensor, _ input: InputSpec) throws -> Tensor {
    var tensor = tensor
    if tensor.shape.count == 1, input.shape == [1] { tensor = try tensor.reshaped(to: tensor.shape + [1]) }
    let fits =
      tensor.shape.count == input.shape.count + 1
      && zip(tensor.shape.dropFirst(), input.shape).allSatisfy { $1 == nil || $0 == $1 }
    guard fits else {
      throw RNNError.badData(
        "the array is \(describe(shape: tensor.shape)), expected \(describe(shape: [nil] + input.shape))")
    }
    // An array without elements may claim any number of examples or steps, and all of them would be run.
    let claimed = tensor.shape.reduce(1.0) { $0 * Double(max($1, 1)) }
    guard tensor.count > 0 || claimed <= Double(mostOfNothing) else {
      throw RNNError.badData("the array is \(describe(shape: tensor.shape)) and holds nothing")
    }
    return tensor
  }

  /// How many examples and steps an array without elements may claim.
  private static let mostOfNothing = 1 << 24

  private static func ids(_ tensor: Tensor, rows: Int) throws -> [Int32] {
    if let ids = tensor.ids(below: rows) { return ids }
    let perExample = tensor.shape.dropFirst().reduce(1, *)
    func failure(_ what: String, _ index: Int) -> RNNError {
      RNNError.badData(
        "\(what) (row \(index / perExample), position \(index % perExample))",
        remedy: "Use the vocabulary that the model was trained with; rows and positions count from 0.")
    }
    return try (0..<tensor.count).map { index in
      guard let id = tensor.integer(at: index) else {
        throw failure("\(tensor.describeElement(at: index)) is no whole number, and an embedding takes ids", index)
      }
      guard id >= 0, id < rows, let small = Int32(exactly: id) else {
        throw failure("the id \(id) lies outside the embedding's 0 ..< \(rows)", index)
      }
      return small
    }
  }

  /// All ids of an input that an embedding reads, else `nil`.
  package func ids(of input: Int) -> [Int]? { ids[input]?.map { Int($0) } }

  /// The examples of `range`.
  package func slice(_ range: Range<Int>) throws -> ModelInputs {
    var copy = self
    copy.batch = range.count
    for index in tensors.indices {
      let tensor = tensors[index]
      let size = tensor.bytes.count / max(tensor.shape[0], 1)
      let start = tensor.bytes.startIndex
      copy.tensors[index] = try Tensor(
        dtype: tensor.dtype, shape: [range.count] + tensor.shape.dropFirst(),
        bytes: tensor.bytes[(start + range.lowerBound * size)..<(start + range.upperBound * size)])
      if let all = ids[index] {
        let count = all.count / max(batch, 1)
        copy.ids[index] = Array(all[range.lowerBound * count..<range.upperBound * count])
      }
    }
    return copy
  }
}
