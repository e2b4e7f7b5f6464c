import Foundation
import RNNCore

/// A model in the memory of one shape, with every call's run made beforehand: a further run of the shape takes no memory
/// but for results that are handed out.
final class PreparedRun {
  /// With the batch.
  let inputShapes: [[Int]]
  private let model: Model
  private let plan: ForwardPlan
  private let memory: ForwardMemory
  private var steps: [Step] = []
  /// By output, where it lies if not in the run's own memory.
  private var places: [Floats?]
  /// The outputs that may lie elsewhere: not those that are an input, or share their memory with another one.
  private let areMovable: [Bool]

  /// One call.
  private struct Step {
    var call: Int
    var layer: Int
    let runtime: any RuntimeLayer
    var run: ForwardRun
    var lookup: Lookup?
  }

  /// The rows of a table that a call reads.
  private final class Lookup {
    let table: EmbeddingTable
    let ids: UnsafePointer<Int32>
    let places: UnsafeMutablePointer<UInt32>
    let count: Int

    init(_ table: EmbeddingTable, ids: UnsafePointer<Int32>, count: Int) {
      (self.table, self.ids, self.count) = (table, ids, count)
      places = .allocate(capacity: max(count, 1))
    }

    deinit { places.deallocate() }

    func find() { table.find(ids, count: count, into: places) }

    var rows: TableRows { TableRows(table: table.rows, span: table.span, places: UnsafePointer(places)) }
  }

  /// - Throws: `badData` where the shapes do not fit the model or the machine.
  init(_ model: Model, inputs: [[Int]]) throws {
    self.model = model
    inputShapes = inputs
    plan = try ForwardPlan(model.graph, inputs: inputs)
    memory = ForwardMemory(plan)
    let spec = model.graph.spec
    places = spec.outputs.map { _ in nil }
    areMovable = PreparedRun.movableOutputs(spec, plan)
    for (index, call) in spec.calls.enumerated() where !call.inputs.isEmpty {
      let values = call.inputs.map { memory.value(plan.slots[$0.call][$0.output]) }
      var step = Step(
        call: index, layer: call.layer, runtime: model.graph.layers[call.layer],
        run: ForwardRun(
          inputs: values, outputs: plan.slots[index].map(memory.value),
          parameters: model.parameters.pointers[call.layer], packed: model.packed.forward[call.layer],
          scratch: memory.scratch))
      if let table = model.tables.tables[index], let embedding = model.tables.embeddings[index],
        let source = spec.calls[embedding].inputs.first,
        let ids = memory.value(plan.slots[source.call][source.output]).ids
      {
        let lookup = Lookup(table, ids: ids, count: values[0].rows)
        step.lookup = lookup
        step.run.table = lookup.rows
      }
      step.run.steps = plan.slots[index][0].steps
      step.run.onlyMask = plan.slots[index][0].isPlaced || model.tables.unread.contains(index)
      steps.append(step)
    }
  }

  /// Puts the inputs in their places.
  func load(_ inputs: ModelInputs) {
    for (index, call) in model.graph.spec.inputs.enumerated() { memory.load(inputs, index, plan.slots[call][0]) }
  }

  /// An input's place in memory.
  func input(_ index: Int) -> Value { memory.value(plan.slots[model.graph.spec.inputs[index]][0]) }

  /// An output's place in memory.
  func output(_ index: Int) -> Value {
    let reference = model.graph.spec.outputs[index]
    var value = memory.value(plan.slots[reference.call][reference.output])
    if let place = places[index] { value.floats = place }
    return value
  }

  private static func movableOutputs(_ spec: ModelSpec, _ plan: ForwardPlan) -> [Bool] {
    let outputs = spec.outputs.map { plan.slots[$0.call][$0.output].floats }
    let inputs = Set(spec.inputs.map { plan.slots[$0][0].floats })
    let uses = outputs.reduce(into: [:]) { $0[$1, default: 0] += 1 }
    return outputs.map { !inputs.contains($0) && uses[$0] == 1 }
  }

  /// Lets an output be written right where it is wanted, where that can be, until it is told otherwise.
  /// - Parameter place: memory for the output that lasts until the next call of this function; the run's own where `nil`.
  /// - Returns: whether it is written there.
  private func put(_ index: Int, at place: Floats?) -> Bool {
    guard areMovable[index], places[index] != place else { return areMovable[index] && place != nil }
    let (old, count) = (output(index).floats, output(index).count)
    places[index] = place
    let new = output(index).floats
    func move(_ value: inout Value) {
      let distance = value.floats - old
      if distance >= 0, distance < count { value.floats = new + distance }
    }
    for step in steps.indices {
      for input in steps[step].run.inputs.indices { move(&steps[step].run.inputs[input]) }
      for output in steps[step].run.outputs.indices { move(&steps[step].run.outputs[output]) }
    }
    return place != nil
  }

  /// Lets each call that has states start from some, or from rest.
  /// - Parameter states: by call; `nil` leaves the call without.
  func start(_ states: (_ call: Int, _ layer: Int, _ input: [Int]) throws -> CarriedStates?, continues: Bool) rethrows {
    for index in steps.indices where model.graph.stateCounts[steps[index].layer] > 0 {
      let step = steps[index]
      steps[index].run.states = try states(step.call, step.layer, step.run.inputs[0].shape)
      steps[index].run.continues = continues && steps[index].run.states != nil
    }
  }

  /// By call, what was left behind.
  func forEachState(_ body: (_ call: Int, CarriedStates) -> Void) {
    for step in steps { if let states = step.run.states { body(step.call, states) } }
  }

  /// Runs all calls.
  /// - Throws: `badData` with the name of the layer.
  func forward() throws {
    try steps.withUnsafeMutableBufferPointer { steps in
      for index in steps.indices {
        steps[index].lookup?.find()
        do {
          try steps[index].runtime.forward(&steps[index].run)
        } catch let error as RNNError {
          throw error.within("layer '\(model.graph.spec.layers[steps[index].layer].name)'")
        }
      }
    }
  }

  /// Runs all calls.
  /// - Parameter targets: by output, memory for its floats.
  /// - Throws: as `forward`.
  func forward(into targets: [Floats]) throws {
    let arePut = targets.indices.map { put($0, at: targets[$0]) }
    defer { for index in targets.indices { _ = put(index, at: nil) } }
    try forward()
    for (index, target) in targets.enumerated() where !arePut[index] {
      let value = output(index)
      target.update(from: value.floats, count: value.count)
    }
  }

  /// From so many floats of an output on, writing it where its tensor has it costs less than a copy.
  private static let largeOutput = 1 << 14

  /// Runs all calls.
  /// - Returns: the outputs, with the batch first.
  /// - Throws: as `forward`.
  func outputs(_ results: inout ResultMemory) throws -> [Tensor] {
    let indices = model.graph.spec.outputs.indices
    if indices.contains(where: { output($0).count >= PreparedRun.largeOutput }) {
      let memories = indices.map { results.take($0, count: output($0).count) }
      try forward(into: memories.map(\.base))
      return try indices.map { try Tensor(floats: memories[$0], shape: output($0).shape) }
    }
    try forward()
    return try indices.map { index in
      let value = output(index)
      let bytes = Data(bytes: value.floats, count: value.count * MemoryLayout<Float>.stride)
      return try Tensor(dtype: .float32, shape: value.shape, bytes: bytes)
    }
  }
}
