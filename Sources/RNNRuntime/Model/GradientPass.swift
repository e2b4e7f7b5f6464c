import RNNCore

/// Forward and backward over one shard of a training batch. It keeps its memory from step to step.
package final class GradientPass {
  /// An embedding's part of the gradient: rows of the table, to be added up by whoever holds the table.
  package struct EmbeddingGradient {
    package var layer: Int
    package var width: Int
    package var ids: [Int]
    /// (ids, width)
    package var rows: UnsafePointer<Float>
  }

  package let graph: RuntimeGraph
  /// By layer, the parameters whose gradients' products are left to the caller, in `products`.
  package let left: [[Int]]
  /// What the last backward run left, in the order of the run: valid until the next forward run.
  package private(set) var products: [(layer: Int, product: GradientProduct)] = []
  private let wantsInputs: Bool
  /// For each call, whether anything before or in it takes a gradient.
  private let needsGradient: [Bool]

  private var shapes: [[Int]] = []
  private var plan: ForwardPlan?
  private var memory: ForwardMemory?
  private var tape = FloatMemory(0)
  private var gradients = FloatMemory(0)
  private var noise: [LayerNoise?] = []
  private let packed: PackedParameters
  private let ownsPacked: Bool
  /// By call: what stateful layers left behind, the start of the next batch.
  private var states: [Int: LayerStates] = [:]
  /// By call of a recurrent layer, where wanted: d loss / d h behind each step of the last backward run, in reading
  /// order, (batch, timesteps, width of h). The batch is the layer's: where steps have become examples, these.
  package private(set) var stateGradients: [Int: (memory: FloatMemory, batch: Int)] = [:]
  /// The calls whose `stateGradients` are wanted.
  package var observed: Set<Int> = []
  /// The same before the last forward run.
  private var statesBefore: [Int: LayerStates] = [:]

  /// - Parameters:
  ///   - trainable: for each layer, whether its parameters take gradients.
  ///   - wantsInputs: whether the gradients of float inputs are wanted, too.
  ///   - packed: the parameters of every run in the order of products, where somebody else packs them before.
  ///   - leavesProducts: whether products that are large sums over the examples are left to the caller.
  package init(
    _ graph: RuntimeGraph, trainable: [Bool], wantsInputs: Bool = false, packed: PackedParameters? = nil,
    leavesProducts: Bool = false
  ) {
    self.graph = graph
    left = zip(graph.layers, trainable).map { leavesProducts && $1 ? $0.leavableGradients : [] }
    self.packed = packed ?? PackedParameters(graph, isTraining: true)
    ownsPacked = packed == nil
    self.wantsInputs = wantsInputs
    var needs: [Bool] = []
    for call in graph.spec.calls {
      let spec = graph.spec.layers[call.layer].spec
      let isInput = spec.kind == .input
      let hasParameters = !spec.parameterNames.isEmpty && trainable[call.layer]
      needs.append(isInput ? wantsInputs : hasParameters || call.inputs.contains { needs[$0.call] })
    }
    needsGradient = needs
  }

  /// Runs forward and keeps what the backward pass needs.
  /// - Parameters:
  ///   - seed, step, firstExample: the key of dropout and noise; `seed` `nil` switches them off.
  /// - Returns: for each output its floats and shape; valid until the next run.
  package func forward(
    _ inputs: ModelInputs, parameters: [[UnsafePointer<Float>]], seed: UInt64?, step: UInt64, firstExample: Int
  ) throws -> [(floats: UnsafePointer<Float>, shape: [Int], mask: UnsafePointer<UInt8>?)] {
    let (plan, memory) = try prepare(inputs.tensors.map(\.shape))
    statesBefore = states
    if ownsPacked { packed.pack(parameters) }
    let spec = graph.spec
    for (index, call) in spec.inputs.enumerated() { memory.load(inputs, index, plan.slots[call][0]) }
    noise = spec.calls.indices.map { call in
      seed.map { seed in
        var noise = LayerNoise(seed: seed, step: step, call: call)
        // Where steps have become examples, an example is so many of them.
        let examples = spec.calls[call].inputs.first.map { plan.slots[$0.call][$0.output].shape[0] } ?? 0
        noise.firstExample = firstExample * examples / max(inputs.batch, 1)
        return noise
      }
    }
    for (index, call) in spec.calls.enumerated() where !call.inputs.isEmpty {
      var run = ForwardRun(
        inputs: call.inputs.map { memory.value(plan.slots[$0.call][$0.output]) },
        outputs: plan.slots[index].map(memory.value), parameters: parameters[call.layer],
        packed: packed.forward[call.layer], scratch: memory.scratch, tape: tape.base + plan.tapes[index],
        noise: noise[index])
      let isStateful = graph.isStateful[call.layer] && call.inputs.count == 1
      if isStateful { run.states = CarriedStates(states[index] ?? []) }
      try locating("layer '\(spec.layers[call.layer].name)'") { try graph.layers[call.layer].forward(&run) }
      if isStateful { states[index] = run.states?.values }
    }
    return spec.outputs.map { reference in
      let value = memory.value(plan.slots[reference.call][reference.output])
      return (UnsafePointer(value.floats), value.shape, value.mask.map { UnsafePointer($0) })
    }
  }

  /// The first output of a call in the last forward run, and its number of floats.
  package func output(of call: Int) -> (values: UnsafePointer<Float>, count: Int) {
    guard let plan, let memory else { return (UnsafePointer(gradients.base), 0) }
    let slot = plan.slots[call][0]
    return (UnsafePointer(memory.floats + slot.floats), slot.shape.reduce(1, *))
  }

  /// Lets stateful layers start from rest again.
  package func resetStates() { states = [:] }

  /// Takes back what the last forward run did to the states.
  package func restoreStates() { states = statesBefore }

  /// By call, what stateful layers start the next batch from: h, and c for LSTM, each (batch x units).
  package var recurrentStates: [Int: [[Float]]] {
    get { states }
    set { states = newValue }
  }

  /// The first call, in the order of the run, whose output holds NaN or infinity.
  package func firstBadOutput() -> Int? {
    guard let plan, let memory else { return nil }
    return plan.slots.indices.first { call in
      plan.slots[call].contains { slot in
        !TrainingKernels.areFinite(memory.floats + slot.floats, count: slot.shape.reduce(1, *))
      }
    }
  }

  /// The first call, in the order of the backward run, whose outputs' or parameters' gradients hold NaN or infinity.
  /// - Parameter parameterGradients: for each layer, as `backward` filled them, and the sums of what it left.
  package func firstBadGradient(_ parameterGradients: [[UnsafeMutablePointer<Float>]]) -> Int? {
    guard let plan, let shapes = try? graph.spec.shapes().parameters else {
      return nil
    }
    return plan.slots.indices.reversed().first { call in
      guard needsGradient[call] else { return false }
      let layer = graph.spec.calls[call].layer
      return plan.slots[call].contains { slot in
        !TrainingKernels.areFinite(gradients.base + slot.floats, count: slot.shape.reduce(1, *))
      }
        || zip(parameterGradients[layer], shapes[layer]).contains { gradient, shape in
          !TrainingKernels.areFinite(gradient, count: shape.shape.reduce(1, *))
        }
    }
  }

  /// Runs backward from the last forward run, once. Gradients end at the batch's first step: what a state was made of lies in
  /// the batch before (truncated back-propagation through time).
  /// - Parameters:
  ///   - outputGradients: fills d loss / d output of the given output.
  ///   - callGradients: sees the first output of each call, with its number of floats, before the call goes backward, and
  ///     may add to its gradient.
  ///   - parameterGradients: for each layer its gradients, added to but for those of `left`; `nil` for frozen layers and
  ///     embeddings.
  /// - Returns: the embeddings' parts, in the order of the calls.
  package func backward(
    parameters: [[UnsafePointer<Float>]], parameterGradients: [[UnsafeMutablePointer<Float>]?],
    outputGradients: (Int, UnsafeMutablePointer<Float>) -> Void,
    callGradients: (Int, UnsafePointer<Float>, Int, UnsafeMutablePointer<Float>) -> Void = { _, _, _, _ in }
  ) -> [EmbeddingGradient] {
    guard let plan, let memory else { return [] }
    let (base, tape) = (gradients.base, tape.base)
    let spec = graph.spec
    // Gradients are added up; each begins as 0, just before somebody adds to it.
    var begun: Set<Int> = []
    func begin(_ slot: ForwardPlan.Slot) {
      guard begun.insert(slot.floats).inserted else { return }
      (base + slot.floats).update(repeating: 0, count: slot.shape.reduce(1, *))
    }
    for reference in spec.outputs { begin(plan.slots[reference.call][reference.output]) }
    addOutputGradients(plan, base, outputGradients)
    var embeddings: [EmbeddingGradient] = []
    products = []
    for (index, call) in spec.calls.enumerated().reversed() where !call.inputs.isEmpty && needsGradient[index] {
      let inputs = call.inputs.map { memory.value(plan.slots[$0.call][$0.output]) }
      let first = plan.slots[index][0]
      for slot in plan.slots[index] { begin(slot) }
      callGradients(index, memory.floats + first.floats, first.shape.reduce(1, *), base + first.floats)
      if case .embedding(let embedding) = spec.layers[call.layer].spec {
        embeddings.append(
          EmbeddingGradient(
            layer: call.layer, width: embedding.outputDim,
            ids: GradientPass.ids(of: inputs[0]),
            rows: UnsafePointer(base + plan.slots[index][0].floats)))
        continue
      }
      if plan.plans[index].isIdentity { continue }
      if observed.contains(index) {
        let width = plan.slots[index][0].shape.last ?? 1
        stateGradients[index] = (
          FloatMemory(inputs[0].batch * inputs[0].shape[1] * width, repeating: 0), inputs[0].batch
        )
      }
      var isFirst: [Bool] = []
      for (place, source) in call.inputs.enumerated() {
        let slot = plan.slots[source.call][source.output]
        isFirst.append(place == 0 && !begun.contains(slot.floats) && graph.layers[call.layer].writesInputGradient)
        if needsGradient[source.call], !isFirst[place] { begin(slot) }
        if isFirst[place] { begun.insert(slot.floats) }
      }
      graph.layers[call.layer].backward(
        BackwardRun(
          inputs: inputs, outputs: plan.slots[index].map(memory.value), parameters: parameters[call.layer],
          packed: packed.backward[call.layer], scratch: memory.scratch, tape: tape + plan.tapes[index],
          noise: noise[index],
          outputGradients: plan.slots[index].map { base + $0.floats },
          inputGradients: call.inputs.map {
            needsGradient[$0.call] ? base + plan.slots[$0.call][$0.output].floats : nil
          },
          parameterGradients: parameterGradients[call.layer],
          leave: left[call.layer].isEmpty ? nil : { [unowned self] in products.append((call.layer, $0)) },
          isFirstInputGradient: isFirst[0],
          stateGradients: stateGradients[index]?.memory.base))
    }
    if wantsInputs { for call in spec.inputs { begin(plan.slots[call][0]) } }
    return embeddings.reversed()
  }

  private static func ids(of x: Value) -> [Int] {
    if let ids = x.ids { return (0..<x.count).map { Int(ids[$0]) } }
    return (0..<x.count).map { Int(x.floats[$0]) }
  }

  /// d loss / d input of the last backward run, where it was wanted.
  package func inputGradient(_ index: Int) -> UnsafeBufferPointer<Float>? {
    guard wantsInputs, let plan else { return nil }
    let slot = plan.slots[graph.spec.inputs[index]][0]
    return UnsafeBufferPointer(start: gradients.base + slot.floats, count: slot.shape.reduce(1, *))
  }

  /// Two outputs may be one tensor; their gradients add up.
  private func addOutputGradients(
    _ plan: ForwardPlan, _ base: Floats, _ outputGradients: (Int, UnsafeMutablePointer<Float>) -> Void
  ) {
    for (index, reference) in graph.spec.outputs.enumerated() {
      let slot = plan.slots[reference.call][reference.output]
      let count = slot.shape.reduce(1, *)
      withUnsafeTemporaryAllocation(of: Float.self, capacity: max(count, 1)) { buffer in
        guard let part = buffer.baseAddress else { return }
        part.initialize(repeating: 0, count: count)
        outputGradients(index, part)
        Kernels.table.add(base + slot.floats, part, count)
      }
    }
  }

  private func prepare(_ shapes: [[Int]]) throws -> (ForwardPlan, ForwardMemory) {
    if let plan, let memory, shapes == self.shapes { return (plan, memory) }
    let plan = try ForwardPlan(graph, inputs: shapes, isTraining: true)
    let memory = ForwardMemory(plan)
    tape = FloatMemory(plan.tapeCount)
    gradients = FloatMemory(plan.floatCount)
    FreshMemory.spoil(tape.base, plan.tapeCount)
    (self.shapes, self.plan, self.memory) = (shapes, plan, memory)
    return (plan, memory)
  }
}
