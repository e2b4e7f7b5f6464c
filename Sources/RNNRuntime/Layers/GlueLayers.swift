import RNNCore
import RealModule

/// Inputs, and every layer that hands its first input on untouched under another shape or with another mask.
struct PassingLayer: RuntimeLayer {
  enum Mask {
    /// The first input's.
    case kept
    /// That of another input, which may have none.
    case of(Int)
    /// None.
    case ended
    /// What another input's numbers say: 0 is masked.
    case from(Int)
    /// The first input's, over examples that are steps; none where there is only one for each step.
    case folded
    /// The second input's; with `joins`, the first one's, or whether anything in a step of the second one is valid.
    case unfolded(joins: Bool)
  }

  let mask: Mask
  let shape: @Sendable ([PlannedInput]) throws -> [Int]

  init(mask: Mask, shape: @escaping @Sendable ([PlannedInput]) throws -> [Int] = { $0[0].shape }) {
    self.mask = mask
    self.shape = shape
  }

  func plan(_ inputs: [PlannedInput], isTraining: Bool) throws -> LayerPlan {
    var plan = LayerPlan(outputShapes: [try shape(inputs)], isIdentity: true)
    switch mask {
    case .kept: plan.maskSource = inputs[0].mask == nil ? nil : 0
    case .of(let index): plan.maskSource = inputs[index].mask == nil ? nil : index
    case .ended: break
    case .from(let index): plan.ownMask = inputs[index].shape
    case .folded:
      if let mask = inputs[0].mask, mask.count > 2 { plan.ownMask = [mask[0] * mask[1]] + mask.dropFirst(2) }
    case .unfolded(joins: false): plan.maskSource = inputs[1].mask == nil ? nil : 1
    case .unfolded(joins: true):
      let steps = inputs[1].shape.prefix(2)
      if let inner = inputs[0].mask {
        plan.ownMask = Array(steps) + inner.dropFirst()
      } else if inputs[1].mask != nil {
        plan.ownMask = Array(steps)
      }
    }
    return plan
  }

  func forward(_ run: inout ForwardRun) {
    guard let out = run.outputs[0].mask else { return }
    switch mask {
    case .kept, .of, .ended, .unfolded(joins: false): break
    case .unfolded(joins: true):
      if let inner = run.inputs[0].mask {
        out.update(from: inner, count: elementCount(run.inputs[0].maskShape))
      } else if let mask = run.inputs[1].mask {
        let width = max(elementCount(Array(run.inputs[1].maskShape.dropFirst(2))), 1)
        for step in 0..<elementCount(run.outputs[0].maskShape) {
          out[step] = (0..<width).contains { mask[step * width + $0] != 0 } ? 1 : 0
        }
      }
    case .folded:
      if let source = run.inputs[0].mask { out.update(from: source, count: elementCount(run.outputs[0].maskShape)) }
    case .from(let index):
      for position in 0..<run.inputs[index].count { out[position] = run.inputs[index].floats[position] != 0 ? 1 : 0 }
    }
  }

  /// The gradient lies where the input's does.
  func backward(_ run: BackwardRun) {}
}

/// y[j, i, ...] = x[i, j, ...]; the mask likewise, where it has both axes.
struct SwapBatchLayer: FormulaLayer {
  func plan(_ inputs: [PlannedInput], isTraining: Bool) -> LayerPlan {
    func swapped(_ shape: [Int]) -> [Int] { [shape[1], shape[0]] + shape.dropFirst(2) }
    return LayerPlan(
      outputShapes: [swapped(inputs[0].shape)], ownMask: inputs[0].mask.flatMap { $0.count > 1 ? swapped($0) : nil })
  }

  private func forEach(_ shape: [Int], _ body: (Int, Int, Int) -> Void) {
    let inner = elementCount(Array(shape.dropFirst(2)))
    for first in 0..<shape[0] {
      for second in 0..<shape[1] {
        body((first * shape[1] + second) * inner, (second * shape[0] + first) * inner, inner)
      }
    }
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    forEach(run.inputs[0].shape) { source, target, count in
      (run.outputs[0].values + target).update(from: run.inputs[0].values + source, count: count)
    }
    guard let mask = run.inputs[0].mask, let out = run.outputs[0].mask else { return }
    forEach(run.inputs[0].maskShape) { source, target, count in
      (out + target).update(from: mask + source, count: count)
    }
  }

  func backward(_ run: BackwardRun) {
    guard let dx = run.inputGradients[0] else { return }
    forEach(run.inputs[0].shape) { source, target, count in
      Kernels.table.add(dx + source, run.outputGradients[0] + target, count)
    }
  }
}

/// The first input where the third one's mask is valid, else the second.
struct WhereValidLayer: FormulaLayer {
  func plan(_ inputs: [PlannedInput], isTraining: Bool) -> LayerPlan {
    LayerPlan(outputShapes: [inputs[0].shape], maskSource: inputs[2].mask == nil ? nil : 2)
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let output = run.outputs[0]
    let width = max(output.count / max(elementCount(run.inputs[2].maskShape), 1), 1)
    for index in 0..<output.count {
      let isValid = run.inputs[2].mask.map { $0[index / width] != 0 } ?? true
      output.values[index] = run.inputs[isValid ? 0 : 1].values[index]
    }
  }

  func backward(_ run: BackwardRun) {
    let count = run.outputs[0].count
    let width = max(count / max(elementCount(run.inputs[2].maskShape), 1), 1)
    for index in 0..<count {
      let isValid = run.inputs[2].mask.map { $0[index / width] != 0 } ?? true
      run.inputGradients[isValid ? 0 : 1]?[index] += run.outputGradients[0][index]
    }
  }
}
