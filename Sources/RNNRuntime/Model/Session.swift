import Foundation
import RNNCore

/// The states of a model's recurrent layers: a value that can be kept, copied and given to a later run.
public struct SessionState: Sendable, Equatable {
  /// By call of the plain model: h, and c for LSTM, each (batch x units); empty before the first run, which starts from zero.
  var layers: [Int: [[Float]]] = [:]

  public init() {}

  /// What a call starts from.
  /// - Throws: `usage`: a state belongs to a model and to a number of examples.
  func carried(into call: Int, of layer: ModelSpec.Layer, input: [Int]) throws -> CarriedStates {
    guard let states = layers[call], !states.isEmpty else { return CarriedStates() }
    let shapes = try layer.spec.stateShapes(input: input.dropFirst().map { $0 })
    let counts = shapes.map { $0.reduce(input[0]) { $0 * ($1 ?? 0) } }
    guard states.map(\.count) == counts else {
      throw RNNError.usage(
        "the state of the layer '\(layer.name)' is not one of this model for \(input[0]) examples",
        remedy: "Begin with session.initialState().")
    }
    return CarriedStates(states)
  }
}

/// A model at work for one caller: owns the memory of the shapes it met last, so that a further run allocates none.
public final class Session {
  public let model: Model

  private let workers: [PreparedRuns]
  /// Threads for many examples, started when there are.
  private lazy var pool = WorkerPool(threads: workers.count)
  /// Examples that run together; larger inputs are run in pieces of it, smaller ones are not cut.
  private static let (largestPiece, smallestPiece) = (32, 8)

  /// Which inputs and outputs `step` gives an axis of timesteps; found at the first step.
  private var stepShapes: (inputs: [Bool], outputs: [Bool])?
  private var results: ResultMemory
  /// What stateful layers left behind.
  private var carried = SessionState()

  init(_ model: Model, threads: Int) {
    self.model = model
    results = ResultMemory(outputs: model.graph.spec.outputs.count)
    workers = (0..<max(1, min(threads, 64))).map { _ in PreparedRuns(model) }
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
    let share = (checked.batch + workers.count - 1) / workers.count
    let size = min(Session.largestPiece, max(Session.smallestPiece, share))
    guard checked.batch > size, !model.graph.needsWholeBatch else {
      var state: SessionState?
      return try run(checked, &state)
    }
    return try run(checked, inPiecesOf: size)
  }

  /// Runs pieces of many examples; each writes its part of the outputs.
  private func run(_ checked: ModelInputs, inPiecesOf size: Int) throws -> [Tensor] {
    let starts = Array(stride(from: 0, to: checked.batch, by: size))
    let first = try workers[0].run(of: checked.tensors.map { [size] + $0.shape.dropFirst() })
    let outputs = model.graph.spec.outputs.indices.map { output -> (memory: FloatMemory, shape: [Int], count: Int) in
      let value = first.output(output)
      let count = value.count / size
      return (results.take(output, count: checked.batch * count), [checked.batch] + value.shape.dropFirst(), count)
    }
    let errors = SendableBox([(any Error)?](repeating: nil, count: starts.count))
    func run(_ worker: Int, of count: Int) {
      for piece in stride(from: worker, to: starts.count, by: count) {
        do {
          let inputs = try checked.slice(starts[piece]..<min(starts[piece] + size, checked.batch))
          let run = try workers[worker].run(of: inputs.tensors.map(\.shape))
          run.load(inputs)
          run.start({ _, _, _ in nil }, continues: false)
          try run.forward(into: outputs.map { $0.memory.base + starts[piece] * $0.count })
        } catch {
          errors.set(error, at: piece)
        }
      }
    }
    let count = min(workers.count, starts.count)
    if count == 1 { run(0, of: 1) } else { pool.run(count) { run($0, of: count) } }
    if let error = errors.values.compactMap(\.self).first { throw error }
    return try outputs.map { try Tensor(floats: $0.memory, shape: $0.shape) }
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
    let graph = model.graph
    let prepared = try workers[0].run(of: inputs.tensors.map(\.shape))
    prepared.load(inputs)
    let states = state
    try prepared.start(
      { call, layer, input in
        let isCarried = carrying == .sequence || graph.isStateful[layer] && graph.spec.calls[call].inputs.count == 1
        guard let states, isCarried else { return nil }
        return try states.carried(into: call, of: graph.spec.layers[layer], input: input)
      }, continues: carrying == .sequence)
    let outputs = try prepared.outputs(&results)
    if state != nil { prepared.forEachState { state?.layers[$0] = $1.values } }
    return outputs
  }
}

/// The shapes that one thread met last.
private final class PreparedRuns {
  private let model: Model
  private var kept: [PreparedRun] = []
  private static let keptShapes = 4

  init(_ model: Model) {
    self.model = model
  }

  /// - Throws: `badData` where the shapes do not fit the model or the machine.
  func run(of shapes: [[Int]]) throws -> PreparedRun {
    if let known = kept.firstIndex(where: { $0.inputShapes == shapes }) {
      // The most recent stands last.
      if known != kept.count - 1 { kept.append(kept.remove(at: known)) }
    } else {
      let prepared = try PreparedRun(model, inputs: shapes)
      if kept.count == PreparedRuns.keptShapes { kept.removeFirst() }
      kept.append(prepared)
    }
    return kept[kept.count - 1]
  }
}
