import Foundation
import RNNCore

/// Where everything lies during a run of one shape: made once for a shape, used for every run of it.
struct ForwardPlan {
  /// One output of one call.
  struct Slot {
    var shape: [Int]
    /// Where its floats start in the slab.
    var floats: Int
    /// Where its mask starts in the mask slab, and its shape.
    var mask: Int?
    var maskShape: [Int] = []
    /// Where its ids start in the id slab.
    var ids: Int?
    /// Where its steps lie, if not one behind the other in the order of reading.
    var steps: StepPlaces?
    /// Whether others write its floats.
    var isPlaced = false
  }

  /// The outputs of each call.
  var slots: [[Slot]] = []
  var plans: [LayerPlan] = []
  var floatCount = 0
  var maskCount = 0
  var idCount = 0
  /// Working memory, shared by all layers.
  var scratchCount = 0

  /// Where each call's tape starts in the tape slab, in training.
  var tapes: [Int] = []
  var tapeCount = 0

  /// - Parameters:
  ///   - inputs: the shape of each input, with the batch.
  /// - Throws: `badData` naming the layer that a sequence is too short for, or where the memory would not suffice.
  init(_ graph: RuntimeGraph, inputs: [[Int]], isTraining: Bool = false) throws {
    let spec = graph.spec
    let placement = isTraining ? nil : graph.placement
    let elsewhere = placement?.elsewhere ?? []
    for (index, call) in spec.calls.enumerated() {
      let layer = spec.layers[call.layer]
      if let position = spec.inputs.firstIndex(of: index) {
        let shape = inputs[position]
        let ids = graph.embeddingRows[position] == nil ? nil : takeIDs(shape)
        slots.append([Slot(shape: shape, floats: try take(shape), ids: ids)])
        plans.append(LayerPlan(outputShapes: [shape], isIdentity: true))
        tapes.append(0)
        continue
      }
      let sources = call.inputs.map { slots[$0.call][$0.output] }
      try locating("layer '\(layer.name)'") {
        try ForwardPlan.check(layer.spec, sources)
        let plan = try graph.layers[call.layer].plan(
          sources.map { PlannedInput(shape: $0.shape, mask: $0.mask == nil ? nil : $0.maskShape) },
          isTraining: isTraining)
        guard !plan.isIdentity || elementCount(plan.outputShapes[0]) == elementCount(sources[0].shape) else {
          throw RNNError.badData(
            "\(describe(shape: sources[0].shape)) does not become \(describe(shape: plan.outputShapes[0]))")
        }
        slots.append(try makeSlots(plan, sources, isElsewhere: elsewhere.contains(index)))
        if let parts = placement?.parts[index] { place(parts, index) }
        tapes.append(tapeCount)
        if isTraining { tapeCount = try ForwardPlan.advanced(tapeCount, by: [plan.tape]) }
        plans.append(plan)
        let scratch = max(plan.scratch, isTraining ? plan.backwardScratch : 0)
        scratchCount = max(scratchCount, try ForwardPlan.advanced(0, by: [scratch]))
      }
    }
  }

  /// Where the model leaves sizes open, they meet here for the first time.
  /// - Throws: `badData` where they do not go together.
  private static func check(_ layer: LayerSpec, _ sources: [Slot]) throws {
    _ = try layer.outputShapes(inputs: sources.map { source in source.shape.dropFirst().map { $0 } })
    // Between these two a step is an example.
    let isUnfolding = layer.kind == .unfoldSteps
    let batches = sources.map { $0.shape.first ?? 0 }
    let expected = isUnfolding ? batches[1] * sources[1].shape[1] : batches[0]
    guard batches[0] == expected, isUnfolding || batches.allSatisfy({ $0 == expected }) else {
      throw RNNError.badData(
        "the inputs have different numbers of examples: " + batches.map(String.init).joined(separator: ", "))
    }
  }

  /// Lets the parts of a call's output be written there.
  private mutating func place(_ parts: [StepPlacement.Part], _ call: Int) {
    let whole = slots[call][0]
    let stride = whole.shape[whole.shape.count - 1]
    slots[call][0].isPlaced = true
    var start = whole.floats
    for part in parts {
      slots[part.writer][0].floats = start
      slots[part.writer][0].steps = StepPlaces(stride: stride, isReversed: part.reversal != nil)
      if let reversal = part.reversal {
        slots[reversal][0].floats = start
        slots[reversal][0].isPlaced = true
      }
      start += slots[part.writer][0].shape[2]
    }
  }

  /// - Parameter isElsewhere: whether the first output is a part of a later one.
  private mutating func makeSlots(_ plan: LayerPlan, _ sources: [Slot], isElsewhere: Bool) throws -> [Slot] {
    var outputs: [Slot] = []
    for (output, shape) in plan.outputShapes.enumerated() {
      let isFirst = output == 0
      let known = !isFirst ? nil : plan.isIdentity ? sources[0].floats : isElsewhere ? 0 : nil
      var slot = Slot(shape: shape, floats: try known ?? take(shape))
      if isFirst, let mask = plan.ownMask {
        (slot.mask, slot.maskShape) = (takeMask(mask), mask)
      } else if isFirst, let source = plan.maskSource {
        (slot.mask, slot.maskShape) = (sources[source].mask, sources[source].maskShape)
      }
      if isFirst, plan.isIdentity { slot.ids = sources[0].ids }
      outputs.append(slot)
    }
    return outputs
  }

  private mutating func take(_ shape: [Int]) throws -> Int {
    let start = floatCount
    floatCount = try ForwardPlan.advanced(start, by: shape)
    return start
  }

  /// The next free place behind so many floats, in whole cache lines, so that layers do not share any.
  private static func advanced(_ start: Int, by shape: [Int]) throws -> Int {
    guard let bytes = Tensor.byteCount(dtype: .float32, shape: shape),
      case let (total, overflow) = start.addingReportingOverflow(bytes / 4), !overflow,
      total < Int(clamping: ProcessInfo.processInfo.physicalMemory) / 4
    else {
      throw RNNError.badData(
        "a run of this shape needs more memory than the machine has",
        remedy: "Run fewer or shorter examples at a time.")
    }
    return FloatMemory.lines(total)
  }

  private mutating func takeMask(_ shape: [Int]) -> Int {
    defer { maskCount += shape.reduce(1, *) }
    return maskCount
  }

  private mutating func takeIDs(_ shape: [Int]) -> Int {
    defer { idCount += shape.reduce(1, *) }
    return idCount
  }
}

/// Memory that nothing was written to yet.
enum FreshMemory {
  /// In debug builds, fills it with NaN: a layer that reads what it did not write then shows in every test.
  static func spoil(_ memory: Floats?, _ count: Int) {
    assert(
      {
        memory?.update(repeating: .nan, count: count)
        return true
      }())
  }
}

/// The memory of a plan.
final class ForwardMemory {
  private let slab: FloatMemory
  private let work: FloatMemory
  let masks: UnsafeMutablePointer<UInt8>
  let ids: UnsafeMutablePointer<Int32>

  init(_ plan: ForwardPlan) {
    slab = FloatMemory(plan.floatCount)
    work = FloatMemory(plan.scratchCount)
    masks = .allocate(capacity: max(plan.maskCount, 1))
    ids = .allocate(capacity: max(plan.idCount, 1))
    FreshMemory.spoil(slab.base, plan.floatCount)
    FreshMemory.spoil(work.base, plan.scratchCount)
  }

  deinit {
    masks.deallocate()
    ids.deallocate()
  }

  var floats: Floats { slab.base }
  var scratch: Floats { work.base }

  func value(_ slot: ForwardPlan.Slot) -> Value {
    Value(
      floats: floats + slot.floats, shape: slot.shape, mask: slot.mask.map { masks + $0 }, maskShape: slot.maskShape,
      ids: slot.ids.map { ids + $0 })
  }

  /// Puts one input into its slot.
  func load(_ inputs: ModelInputs, _ index: Int, _ slot: ForwardPlan.Slot) {
    let value = value(slot)
    inputs.tensors[index].copyFloats(to: value.floats)
    inputs.ids[index]?.withUnsafeBufferPointer {
      if let base = $0.baseAddress { value.ids?.update(from: base, count: $0.count) }
    }
  }
}
