import RNNCore

/// ONNX graphs of recurrent and convolutional layers, with the glue that exporters put around them.
public enum ONNXImport {
  /// - Returns: the model; `provenance.source` and `container` are the caller's to fill. Its inputs and outputs have the
  ///   axes of the graph.
  /// - Throws: `unsupported` naming every operation that is not carried, `badData` where the graph does not fit together.
  public static func nativeModel(from model: ONNXModel) throws -> NativeModel {
    try checkVersions(model)
    let weights = Set(model.graph.initializers.keys)
    let inputs = model.graph.inputs.filter { !weights.contains($0.name) }
    guard !inputs.isEmpty else { throw RNNError.badData("the graph has no inputs") }
    // Which axis counts the examples, no graph says: it is found by what its nodes take.
    var first: (any Error)?
    for axes in batchAxes(of: inputs) {
      do {
        var reading = try ONNXReading(model, inputs: inputs, batchAxes: axes)
        return try reading.model()
      } catch let error {
        // The usual place's complaint is the one to hear, unless it was about the place.
        if first == nil || first is ONNXBatchMismatch && !(error is ONNXBatchMismatch) { first = error }
      }
    }
    if let error = first, !(error is ONNXBatchMismatch) { throw error }
    let node = (first as? ONNXBatchMismatch)?.node ?? ""
    throw RNNError.unsupported(
      "no axis of the graph's inputs counts examples throughout: they meet at \(node.isEmpty ? "an output" : node)")
  }

  private static func checkVersions(_ model: ONNXModel) throws {
    guard let version = model.operatorSets[""] else {
      throw RNNError.unsupported(
        "the graph uses no standard operator set, only "
          + model.operatorSets.keys.sorted().map { "'\($0)'" }.joined(separator: ", "))
    }
    guard (1...ONNXImport.newestOperatorSet).contains(version) else {
      throw RNNError.unsupported(
        "the graph is of operator set \(version), known are those up to \(ONNXImport.newestOperatorSet)")
    }
  }

  /// The newest whose nodes were looked at.
  static let newestOperatorSet = 26

  /// Guesses for all inputs, the likeliest first.
  private static func batchAxes(of inputs: [ONNXGraph.Value]) -> [[Int]] {
    let candidates = inputs.map { input -> [Int] in
      let rank = input.shape?.count ?? 1
      let named = input.shape?.firstIndex { dimension in
        if case .named(let name) = dimension { name.lowercased().contains("batch") } else { false }
      }
      let usual = rank > 1 ? [0, 1] : [0]
      return [named].compactMap(\.self) + usual.filter { $0 != named }
    }
    var result: [[Int]] = [[]]
    for options in candidates {
      result = result.flatMap { begun in options.map { begun + [$0] } }
      // With many inputs, all of them alike.
      if result.count > 64 {
        return [0, 1].map { choice in candidates.map { $0[min(choice, $0.count - 1)] } }
      }
    }
    return result
  }
}
