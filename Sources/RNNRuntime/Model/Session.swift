import RNNCore

/// The states of a model's recurrent layers: a value that can be kept, copied and given to a later run.
public struct SessionState: Sendable, Equatable {
  /// By call of the plain model: h, and c for LSTM, each (batch x units); empty before the first run, which starts from zero.
  var layers: [Int: [[Float]]] = [:]

  public init() {}
}

/// A model at work on one thread: owns the memory of the shapes it met last, so that a further run allocates none.
public final class Session {
  public let model: Model

  private var prepared: [(inputs: [[Int]], plan: ForwardPlan, memory: ForwardMemory)] = []
  private static let keptShapes = 4
  /// Examples that run together; larger inputs are run in pieces of it.
  private static let batchSize = 64

  /// Which inputs and outputs `step` gives an axis of timesteps; found at the first step.
  private var stepShapes: (inputs: [Bool], outputs: [Bool])?
  /// What stateful layers left behind.
  private var carried = SessionState()

  init(_ model: Model) {
    self.model = model
  }

  /// Recurrent states at rest.
  public func initialState() -> SessionState { SessionState() }

  /// Runs any number of examples, each from rest; stateful layers go on from where the last call left them. See
  /// `Model.predict(_:)`.
  /// - Throws: `usage` where a stateful model is given another number of examples than before.
  public func predict(_ inputs: [Tensor]) throws -> [Tensor] {
    try model.graph.arranged(try predict(try ModelInputs(inputs, model.graph)))
  }

  private func predict(_ checked: ModelInputs) throws -> [Tensor] {
    if model.isStateful {
      var state: SessionState? = carried
      let outputs = try run(checked, &state, of: .statefulLayers)
      carried = state ?? carried
      return outputs
    }
    guard checked.batch > Session.batchSize, !model.graph.needsWholeBatch else {
      var state: SessionState?
      return try run(checked, &state)
    }
    var pieces: [[Tensor]] = []
    for start in stride(from: 0, to: checked.batch, by: Session.batchSize) {
      let end = min(start + Session.batchSize, checked.batch)
      var state: SessionState?
      pieces.append(try run(try checked.slice(start..<end), &state))
    }
    return try pieces[0].indices.map { output in
      try Tensor(
        pieces.flatMap { $0[output].floats() },
        shape: [checked.batch] + pieces[0][output].shape.dropFirst())
    }
  }

  /// Lets stateful layers start from rest again.
  public func reset() { carried = SessionState() }

  /// Runs one batch from `state` and leaves the new states in it: a sequence may arrive in pieces.
  public func predict(_ inputs: [Tensor], state: inout SessionState) throws -> [Tensor] {
    try model.graph.arranged(try predict(try ModelInputs(inputs, model.graph), state: &state))
  }

  private func predict(_ inputs: ModelInputs, state: inout SessionState) throws -> [Tensor] {
    var optional: SessionState? = state
    defer { state = optional ?? state }
    return try run(inputs, &optional)
  }

  /// Runs one step of sequences: any split of a sequence into steps gives the bits of the whole.
  /// - Parameter inputs: as the model's, without the axis of the timesteps, batch first.
  /// - Returns: each output, without that axis.
  /// - Throws: `unsupported` naming a layer that looks at more than one step; then as `predict`.
  public func step(_ inputs: [Tensor], state: inout SessionState) throws -> [Tensor] {
    let shapes = try stepShapes ?? model.stepShapes()
    stepShapes = shapes
    let sequences = try zip(inputs, shapes.inputs).map { tensor, isSequence in
      isSequence ? try tensor.reshaped(to: [tensor.shape.first ?? 0, 1] + tensor.shape.dropFirst()) : tensor
    }
    let checked = try ModelInputs(sequences, model.graph, areBatchFirst: true)
    return try zip(try predict(checked, state: &state), shapes.outputs).map { tensor, isSequence in
      isSequence ? try tensor.reshaped(to: [tensor.shape[0]] + tensor.shape.dropFirst(2)) : tensor
    }
  }

  /// Which layers start from a state, and leave it behind.
  private enum Carrying {
    /// All recurrent ones, within a sequence.
    case sequence
    /// Those that are stateful, from one sequence to the next.
    case statefulLayers
  }

  private func run(
    _ inputs: ModelInputs, _ state: inout SessionState?, of carrying: Carrying = .sequence
  ) throws -> [Tensor] {
    let (plan, memory) = try prepare(inputs.tensors.map(\.shape))
    let spec = model.graph.spec
    for (index, call) in spec.inputs.enumerated() { memory.load(inputs, index, plan.slots[call][0]) }
    for (index, call) in spec.calls.enumerated() where !call.inputs.isEmpty {
      let values = call.inputs.map { memory.value(plan.slots[$0.call][$0.output]) }
      var run = ForwardRun(
        inputs: values, outputs: plan.slots[index].map(memory.value), parameters: model.parameters.pointers[call.layer],
        packed: model.packed.pointers[call.layer], scratch: memory.scratch)
      let isCarried = carrying == .sequence || model.graph.isStateful[call.layer] && call.inputs.count == 1
      if let state, model.graph.stateCounts[call.layer] > 0, isCarried {
        run.continues = carrying == .sequence
        run.states = CarriedStates(state.layers[index] ?? [])
        try check(state.layers[index] ?? [], of: spec.layers[call.layer], input: values[0].shape)
      }
      try locating("layer '\(spec.layers[call.layer].name)'") { try model.graph.layers[call.layer].forward(&run) }
      if let states = run.states { state?.layers[index] = states.values }
    }
    return try spec.outputs.map { reference in
      let value = memory.value(plan.slots[reference.call][reference.output])
      return try Tensor(Array(UnsafeBufferPointer(start: value.floats, count: value.count)), shape: value.shape)
    }
  }

  /// A state belongs to a model and to a number of examples.
  private func check(_ states: LayerStates, of layer: ModelSpec.Layer, input: [Int]) throws {
    guard !states.isEmpty else { return }
    let shapes = try layer.spec.stateShapes(input: input.dropFirst().map { $0 })
    let counts = shapes.map { $0.reduce(input[0]) { $0 * ($1 ?? 0) } }
    guard states.map(\.count) == counts else {
      throw RNNError.usage(
        "the state of the layer '\(layer.name)' is not one of this model for \(input[0]) examples",
        remedy: "Begin with session.initialState().")
    }
  }

  private func prepare(_ shapes: [[Int]]) throws -> (ForwardPlan, ForwardMemory) {
    if let known = prepared.firstIndex(where: { $0.inputs == shapes }) {
      // The most recent stands last.
      prepared.append(prepared.remove(at: known))
    } else {
      let plan = try ForwardPlan(model.graph, inputs: shapes)
      if prepared.count == Session.keptShapes { prepared.removeFirst() }
      prepared.append((shapes, plan, ForwardMemory(plan)))
    }
    let entry = prepared[prepared.count - 1]
    return (entry.plan, entry.memory)
  }
}
