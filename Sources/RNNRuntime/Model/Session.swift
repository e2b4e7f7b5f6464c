import RNNCore

/// The states of a model's recurrent layers: a value that can be kept, copied and given to a later run.
public struct SessionState: Sendable, Equatable {
  /// By call: h, and c for LSTM, each (batch x units); empty before the first run, which starts from zero.
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

  init(_ model: Model) {
    self.model = model
  }

  /// Recurrent states at rest.
  public func initialState() -> SessionState { SessionState() }

  /// Runs any number of examples, each from rest. See `Model.predict(_:)`.
  public func predict(_ inputs: [Tensor]) throws -> [Tensor] {
    let checked = try ModelInputs(inputs, model.graph)
    guard checked.batch > Session.batchSize else {
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

  /// Runs one batch from `state` and leaves the new states in it: a sequence may arrive in pieces.
  public func predict(_ inputs: [Tensor], state: inout SessionState) throws -> [Tensor] {
    let checked = try ModelInputs(inputs, model.graph)
    var optional: SessionState? = state
    defer { state = optional ?? state }
    return try run(checked, &optional)
  }

  private func run(_ inputs: ModelInputs, _ state: inout SessionState?) throws -> [Tensor] {
    let (plan, memory) = try prepare(inputs.tensors.map(\.shape))
    let spec = model.native.spec
    for (index, call) in spec.inputs.enumerated() { memory.load(inputs, index, plan.slots[call][0]) }
    for (index, call) in spec.calls.enumerated() where !call.inputs.isEmpty {
      let values = call.inputs.map { memory.value(plan.slots[$0.call][$0.output]) }
      var run = ForwardRun(
        inputs: values, outputs: plan.slots[index].map(memory.value), parameters: model.parameters.pointers[call.layer],
        scratch: memory.scratch)
      if let state, spec.layers[call.layer].spec.stateCount > 0 {
        run.states = state.layers[index] ?? []
        try check(run.states ?? [], of: call, batch: inputs.batch)
      }
      try locating("layer '\(spec.layers[call.layer].name)'") { try model.graph.layers[call.layer].forward(&run) }
      if let states = run.states { state?.layers[index] = states }
    }
    return try spec.outputs.map { reference in
      let value = memory.value(plan.slots[reference.call][reference.output])
      return try Tensor(Array(UnsafeBufferPointer(start: value.floats, count: value.count)), shape: value.shape)
    }
  }

  /// A state belongs to a model and to a number of examples.
  private func check(_ states: LayerStates, of call: ModelSpec.Call, batch: Int) throws {
    let layer = model.native.spec.layers[call.layer]
    let width = layer.spec.recurrentUnits
    guard states.allSatisfy({ $0.count == batch * width }) else {
      throw RNNError.usage(
        "the state of the layer '\(layer.name)' is not one of this model for \(batch) examples",
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
