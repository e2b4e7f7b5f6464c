import RNNCore
import RealModule

/// Counts of ids; see `TokenCountsSpec`. Ids have no gradient.
struct TokenCountsLayer: FormulaLayer {
  let spec: TokenCountsSpec

  func plan(_ inputs: [PlannedInput], isTraining: Bool) -> LayerPlan {
    let input = inputs[0].shape
    return LayerPlan(outputShapes: [spec.mode.shape(input, size: spec.size)])
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let counts = TokenCounter(mode: spec.mode, size: spec.size, weights: spec.weights)
    counts.write(run.inputs[0], run.outputs[0]) { Int(exactly: $0) }
  }

  func backward(_ run: BackwardRun) {}
}

/// Writes the vectors of ids.
struct TokenCounter {
  var mode: TokenCountsSpec.Mode
  var size: Int
  var weights: [Float] = []

  /// - Parameters:
  ///   - input: (batch, timesteps), or of any rank where each id has a vector of its own.
  ///   - id: of a number; `nil` for one that has none.
  func write<Scalar: Real & BinaryFloatingPoint>(
    _ input: FormulaTensor<Scalar>, _ output: FormulaTensor<Scalar>, id: (Scalar) -> Int?
  ) {
    let y = output.values
    for index in 0..<output.count { y[index] = 0 }
    for place in 0..<input.count {
      guard let id = id(input.values[place]), (0..<size).contains(id) else { continue }
      let row = (mode == .oneHot ? place : place / input.shape[1]) * size
      switch mode {
      case .multiHot, .oneHot: y[row + id] = 1
      case .count: y[row + id] += 1
      case .tfIDF: y[row + id] += id < weights.count ? Scalar(weights[id]) : 0
      }
    }
  }
}

extension TokenCountsSpec.Mode {
  /// - Parameter ids: the batch first.
  func shape(_ ids: [Int], size: Int) -> [Int] { self == .oneHot ? ids + [size] : [ids[0], size] }
}
