import RNNCore

/// Models that run a sequence step by step.
extension Model {
  /// The same model with sequences of any length, to be run by `Session.step`.
  /// - Throws: `unsupported` naming the layer that looks at more than one step at a time.
  public func freeOfLengths() throws -> Model {
    var native = native
    for call in native.spec.inputs {
      let layer = native.spec.calls[call].layer
      guard case .input(var input) = native.spec.layers[layer].spec, isSequence(input) else { continue }
      input.shape[0] = nil
      native.spec.layers[layer].spec = .input(input)
    }
    let model = try Model.checkingSteps(native)
    _ = try model.stepShapes()
    return model
  }

  private static func checkingSteps(_ native: NativeModel) throws -> Model {
    do {
      return try Model(native)
    } catch let error as RNNError where error.reason == .badData {
      throw RNNError.unsupported(
        "the model needs sequences of its own length: \(error.what)", at: error.place.first ?? "")
    }
  }

  /// Whether the first input holds ids, which an embedding reads.
  public var readsIDs: Bool { graph.embeddingRows.first.flatMap { $0 } != nil }

  /// Whether an input has steps: several axes, or one axis of ids.
  private func isSequence(_ input: InputSpec) -> Bool { input.shape.count >= 2 || isOfIDs(input) }

  private func isOfIDs(_ input: InputSpec) -> Bool {
    input.shape.count == 1
      && graph.spec.inputs.indices.contains { index in
        graph.embeddingRows[index] != nil
          && graph.spec.layers[graph.spec.calls[graph.spec.inputs[index]].layer].spec == .input(input)
      }
  }

  /// What a tensor is to the steps of a sequence.
  private enum StepRole {
    /// It has an axis of timesteps.
    case sequence
    /// It knows a whole sequence, which at a step is not over.
    case summary
    /// It knows none, or is made of one step.
    case other
  }

  /// For each input and output, whether it has an axis of timesteps.
  /// - Throws: `unsupported` naming the layer that looks at more than one step at a time.
  func stepShapes() throws -> (inputs: [Bool], outputs: [Bool]) {
    let spec = graph.spec
    let shapes = try spec.shapes().outputs
    var roles: [[StepRole]] = []
    for (index, call) in spec.calls.enumerated() {
      let layer = spec.layers[call.layer]
      if case .input(let input) = layer.spec {
        roles.append([isSequence(input) ? .sequence : .other])
        continue
      }
      let sources = call.inputs.map { roles[$0.call][$0.output] }
      let inputs = call.inputs.map { shapes[$0.call][$0.output] }
      guard !sources.contains(.sequence) || layer.spec.configuration.runsStepByStep(inputs: inputs) else {
        throw RNNError.unsupported(
          "the layer may look at more than one step, so that the model cannot run step by step",
          at: "layer '\(layer.name)' (\(layer.spec.kind.rawValue))")
      }
      guard !sources.contains(.sequence) || !sources.contains(.summary) else {
        throw RNNError.unsupported(
          "the layer gets steps together with what is only known when the sequence is over, so that the model cannot run "
            + "step by step", at: "layer '\(layer.name)' (\(layer.spec.kind.rawValue))")
      }
      guard sources.contains(.sequence) || layer.spec.stateCount == 0 else {
        throw RNNError.unsupported(
          "the layer reads a sequence that is made anew at each step, so that the model cannot run step by step",
          at: "layer '\(layer.name)' (\(layer.spec.kind.rawValue))")
      }
      let hasSequence = sources.contains(.sequence) && (layer.spec.recurrentOptions?.returnSequences ?? true)
      let knowsSequence = sources.contains { $0 != .other }
      var first: StepRole = hasSequence ? .sequence : knowsSequence ? .summary : .other
      // Between these two a step is an example.
      if layer.spec.kind == .foldSteps { first = .other }
      if layer.spec.kind == .unfoldSteps { first = .sequence }
      roles.append(shapes[index].indices.map { $0 == 0 ? first : knowsSequence ? .summary : .other })
    }
    return (
      spec.inputs.map { roles[$0][0] == .sequence }, spec.outputs.map { roles[$0.call][$0.output] == .sequence }
    )
  }
}
