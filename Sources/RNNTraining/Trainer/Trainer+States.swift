import RNNCore

/// What stateful layers carry between batches, into and out of a model.
extension Trainer {
  /// For a whole batch: the shards' examples, in order. Empty where no layer carries anything.
  func recurrentStates() throws -> [NativeModel.RecurrentState] {
    var result: [NativeModel.RecurrentState] = []
    for call in passes[0].recurrentStates.keys.sorted() {
      let layer = native.spec.layers[native.spec.calls[call].layer]
      let parts = passes.compactMap { $0.recurrentStates[call] }
      for state in parts[0].indices {
        let values = parts.flatMap { $0[state] }
        let units = max(layer.spec.recurrentUnits, 1)
        result.append(
          .init(call: call, state: state, tensor: try Tensor(values, shape: [values.count / units, units])))
      }
    }
    return result
  }

  /// Takes what an interrupted training left, where that was within an epoch.
  /// - Throws: `badData` unless there is every state of every stateful layer, once, and no other.
  func restoreStates(_ position: FitPosition) throws {
    let calls = native.spec.calls
    let expected = calls.indices.flatMap { call -> [[Int]] in
      let spec = native.spec.layers[calls[call].layer].spec
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
      let layer = native.spec.layers[calls[state.call].layer]
      let shape = [position.options.batchSize, layer.spec.recurrentUnits]
      guard state.tensor.shape == shape else {
        throw RNNError.badData(
          "the tensor 'states/\(state.call)/\(state.state)' is \(describe(shape: state.tensor.shape)), layer "
            + "'\(layer.name)' needs \(describe(shape: shape))")
      }
      let values = state.tensor.floats()
      let units = layer.spec.recurrentUnits
      for (pass, range) in zip(passes, ShardedBatch.ranges(of: state.tensor.shape[0], shards: Trainer.shardCount)) {
        pass.recurrentStates[state.call, default: []].append(
          Array(values[range.lowerBound * units..<range.upperBound * units]))
      }
    }
  }
}
