import RNNCore
import RealModule

/// Counts of ids; see `TokenCountsSpec`. Ids have no gradient.
struct TokenCountsLayer: FormulaLayer {
  let spec: TokenCountsSpec

  func plan(_ inputs: [PlannedInput], isTraining: Bool) -> LayerPlan {
    let input = inputs[0].shape
    return LayerPlan(outputShapes: [spec.mode == .oneHot ? input + [spec.size] : [input[0], spec.size]])
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let (input, y) = (run.inputs[0], run.outputs[0].values)
    let steps = input.shape[1]
    for index in 0..<run.outputs[0].count { y[index] = 0 }
    for place in 0..<input.count {
      guard let id = Int(exactly: input.values[place]), (0..<spec.size).contains(id) else { continue }
      let row = (spec.mode == .oneHot ? place : place / steps) * spec.size
      switch spec.mode {
      case .multiHot, .oneHot: y[row + id] = 1
      case .count: y[row + id] += 1
      case .tfIDF: y[row + id] += id < spec.weights.count ? Scalar(spec.weights[id]) : 0
      }
    }
  }

  func backward(_ run: BackwardRun) {}
}
