import Foundation
import RNNCore

/// Where everything lies during a run of one shape: made once for a shape, used for every run of it.
struct ForwardPlan {
  /// One output of one call.
  struct Slot {
    var shape: [Int]
    /// Where its floats start in the slab.
    var floats: Int
    /// Where its mask starts in the mask slab.
    var mask: Int?
    /// Where its ids start in the id slab.
    var ids: Int?
  }

  /// The outputs of each call.
  var slots: [[Slot]] = []
  var plans: [LayerPlan] = []
  var floatCount = 0
  var maskCount = 0
  var idCount = 0
  /// Where the working memory starts, shared by all layers.
  var scratch = 0

  /// Where each call's tape starts, in training.
  var tapes: [Int] = []

  /// - Parameters:
  ///   - embeddingRows: for each input, not `nil` where an embedding reads it.
  ///   - inputs: the shape of each input, with the batch.
  /// - Throws: `badData` naming the layer that a sequence is too short for, or where the memory would not suffice.
  init(
    _ spec: ModelSpec, _ layers: [any RuntimeLayer], _ embeddingRows: [Int?], inputs: [[Int]], isTraining: Bool = false
  ) throws {
    var scratchCount = 0
    for (index, call) in spec.calls.enumerated() {
      let layer = spec.layers[call.layer]
      if let position = spec.inputs.firstIndex(of: index) {
        let shape = inputs[position]
        let ids = embeddingRows[position] == nil ? nil : takeIDs(shape)
        slots.append([Slot(shape: shape, floats: try take(shape), ids: ids)])
        plans.append(LayerPlan(outputShapes: [shape], isIdentity: true))
        tapes.append(0)
        continue
      }
      let source = slots[call.inputs[0].call][call.inputs[0].output]
      try locating("layer '\(layer.name)'") {
        let plan = try layers[call.layer].plan(
          input: source.shape, isMasked: source.mask != nil, isTraining: isTraining)
        slots.append(try makeSlots(plan, source))
        tapes.append(isTraining ? try take([plan.tape]) : 0)
        plans.append(plan)
        scratchCount = max(scratchCount, plan.scratch, isTraining ? plan.backwardScratch : 0)
      }
    }
    scratch = try take([scratchCount])
  }

  private mutating func makeSlots(_ plan: LayerPlan, _ source: Slot) throws -> [Slot] {
    var outputs: [Slot] = []
    for (output, shape) in plan.outputShapes.enumerated() {
      let isFirst = output == 0
      var slot = Slot(shape: shape, floats: isFirst && plan.isIdentity ? source.floats : try take(shape))
      if isFirst, plan.makesMask { slot.mask = takeMask(shape.dropLast()) }
      if isFirst, plan.passesMask { slot.mask = source.mask }
      if isFirst, plan.isIdentity, slot.shape == source.shape { slot.ids = source.ids }
      outputs.append(slot)
    }
    return outputs
  }

  private mutating func take(_ shape: [Int]) throws -> Int {
    let start = floatCount
    guard let bytes = Tensor.byteCount(dtype: .float32, shape: shape),
      case let (total, overflow) = floatCount.addingReportingOverflow(bytes / 4), !overflow,
      total < Int(clamping: ProcessInfo.processInfo.physicalMemory) / 4
    else {
      throw RNNError.badData(
        "a run of this shape needs more memory than the machine has",
        remedy: "Run fewer or shorter examples at a time.")
    }
    // Whole cache lines, so that layers do not share any.
    floatCount = (total + 15) / 16 * 16
    return start
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

/// The memory of a plan.
final class ForwardMemory {
  let floats: UnsafeMutablePointer<Float>
  let masks: UnsafeMutablePointer<UInt8>
  let ids: UnsafeMutablePointer<Int32>

  init(_ plan: ForwardPlan) {
    floats = .allocate(capacity: max(plan.floatCount, 1))
    masks = .allocate(capacity: max(plan.maskCount, 1))
    ids = .allocate(capacity: max(plan.idCount, 1))
  }

  deinit {
    floats.deallocate()
    masks.deallocate()
    ids.deallocate()
  }

  func value(_ slot: ForwardPlan.Slot) -> Value {
    Value(
      floats: floats + slot.floats, shape: slot.shape, mask: slot.mask.map { masks + $0 },
      ids: slot.ids.map { ids + $0 })
  }
}
