import RNNCore

/// What stateful layers carry between batches, into and out of a model.
extension Trainer {
  /// For a whole batch: the shards' examples, in order. Empty where no layer carries anything.
  func recurrentStates() throws -> [NativeModel.RecurrentState] {
    var result: [NativeModel.RecurrentState] = []
    for call in passes[0].recurrentStates.keys.sorted() {
      let widths = try stateWidths(of: call)
      let parts = passes.compactMap { $0.recurrentStates[call] }
      for state in parts[0].indices {
        let values = parts.flatMap { $0[state] }
        let units = max(widths[state], 1)
        result.append(
          .init(call: call, state: state, tensor: try Tensor(values, shape: [values.count / units, units])))
      }
    }
    return result
  }

  /// Takes what an interrupted training left, where that was within an epoch.
  /// - Throws: `badData` unless there is every state of every stateful layer, once, and no other.
  func restoreStates(_ position: FitPosition) throws {
    let calls = plain.calls
    let expected = calls.indices.flatMap { call -> [[Int]] in
      let spec = plain.layers[calls[call].layer].spec
      guard spec.isStateful, calls[call].inputs.count == 1, position.batch > 0 else { return [] }
      return (0..<spec.stateCount).map { [call, $0] }
    }
    let states = native.recurrentStates.sorted { ($0.call, $0.state) < ($1.call, $1.state) }
    guard states.map({ [$0.call, $0.state] }) == expected else {
      throw RNNError.badData(
        "the interrupted training has the recurrent states \(states.map { "\($0.call)/\($0.state)" }), expected "
          + "\(expected.map { "\($0[0])/\($0[1])" })")
    }
    for state in states {
      let layer = plain.layers[calls[state.call].layer]
      let units = try stateWidths(of: state.call)[state.state]
      let shape = [position.options.batchSize, units]
      guard state.tensor.shape == shape else {
        throw RNNError.badData(
          "the tensor 'states/\(state.call)/\(state.state)' is \(describe(shape: state.tensor.shape)), layer "
            + "'\(layer.name)' needs \(describe(shape: shape))")
      }
      let values = state.tensor.floats()
      for (pass, range) in zip(passes, ShardedBatch.ranges(of: state.tensor.shape[0], shards: trainingShards)) {
        pass.recurrentStates[state.call, default: []].append(
          Array(values[range.lowerBound * units..<range.upperBound * units]))
      }
    }
  }

  /// The numbers of each state of a call, for one example.
  /// - Throws: `unsupported` where they depend on the input.
  private func stateWidths(of call: Int) throws -> [Int] {
    let shapes = try plain.shapes().outputs
    let layer = plain.layers[plain.calls[call].layer]
    guard let source = plain.calls[call].inputs.first else { return [] }
    return try layer.spec.stateShapes(input: shapes[source.call][source.output]).map { shape in
      try shape.reduce(1) { product, size in
        guard let size else {
          throw RNNError.unsupported(
            "the state of the layer '\(layer.name)' has a free size", remedy: "State the size of the input.")
        }
        return product * size
      }
    }
  }
}
