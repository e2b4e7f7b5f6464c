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

  /// Takes what an interrupted training left.
  /// - Throws: `badData` for states that no stateful layer has.
  func restoreStates() throws {
    for state in native.recurrentStates.sorted(by: { ($0.call, $0.state) < ($1.call, $1.state) }) {
      guard native.spec.calls.indices.contains(state.call) else {
        throw RNNError.badData("the states/\(state.call)/\(state.state) belong to no call of the model")
      }
      let layer = native.spec.layers[native.spec.calls[state.call].layer]
      guard layer.spec.isStateful, state.tensor.shape.last == layer.spec.recurrentUnits,
        state.state < layer.spec.stateCount
      else { throw RNNError.badData("the states/\(state.call)/\(state.state) do not fit layer '\(layer.name)'") }
      let values = state.tensor.floats()
      let units = layer.spec.recurrentUnits
      for (pass, range) in zip(passes, ShardedBatch.ranges(of: state.tensor.shape[0], shards: Trainer.shardCount)) {
        pass.recurrentStates[state.call, default: []].append(
          Array(values[range.lowerBound * units..<range.upperBound * units]))
      }
    }
  }
}
