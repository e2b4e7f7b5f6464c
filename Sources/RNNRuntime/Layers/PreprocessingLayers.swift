import RNNCore
import RealModule

/// y = x scale + offset; see `RescalingSpec`.
struct RescalingLayer: FormulaLayer {
  let spec: RescalingSpec

  func plan(_ inputs: [PlannedInput], isTraining: Bool) -> LayerPlan {
    LayerPlan(outputShapes: [inputs[0].shape], maskSource: inputs[0].mask == nil ? nil : 0)
  }

  /// Calls `body` for every number with its scale and offset, as float32 has them.
  private func forEach(_ shape: [Int], _ body: (Int, Float, Float) -> Void) {
    let constants = [spec.scale, spec.offset]
    let values = constants.map { $0.values.map { Float($0) } }
    let shapes = constants.map { Broadcast.padded($0.shape.suffix(shape.count).map { $0 }, rank: shape.count, at: 0) }
    Broadcast([shape] + shapes).forEach { element, places in
      body(element, values[0][places[1]], values[1][places[2]])
    }
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let (x, y) = (run.inputs[0].values, run.outputs[0].values)
    forEach(run.inputs[0].shape) { y[$0] = x[$0] * Scalar($1) + Scalar($2) }
  }

  func backward(_ run: BackwardRun) {
    guard let dx = run.inputGradients[0] else { return }
    forEach(run.inputs[0].shape) { element, scale, _ in dx[element] += run.outputGradients[0][element] * scale }
  }
}

/// y = (x - mean) / max(sqrt(variance), epsilon), or back; see `NormalizationSpec`.
struct NormalizationLayer: FormulaLayer {
  let spec: NormalizationSpec

  func plan(_ inputs: [PlannedInput], isTraining: Bool) -> LayerPlan {
    LayerPlan(outputShapes: [inputs[0].shape], maskSource: inputs[0].mask == nil ? nil : 0)
  }

  /// Calls `body` for every number with its mean and deviation.
  private func forEach<Scalar: Real & BinaryFloatingPoint>(
    _ shape: [Int], _ parameters: [UnsafePointer<Scalar>], _ body: (Int, Scalar, Scalar) -> Void
  ) {
    let places = spec.axes.map { AxisView.place($0, rank: shape.count) }.sorted()
    var own = shape.map { _ in 1 }
    // Stated statistics may leave the first ones of their axes out, or have size 1 there.
    let stated = spec.mean?.shape ?? places.map { shape[$0] }
    for (place, size) in zip(places.reversed(), stated.reversed()) { own[place] = size }
    let count = elementCount(own)
    let constants = [spec.mean, spec.variance].map { $0?.values.map { Scalar(Float($0)) } }
    let means = constants[0] ?? Array(UnsafeBufferPointer(start: parameters[0], count: count))
    let variances = constants[1] ?? Array(UnsafeBufferPointer(start: parameters[1], count: count))
    let deviations = variances.map { max(Scalar.sqrt($0), Scalar(Float(NormalizationSpec.epsilon))) }
    Broadcast([shape, own]).forEach { element, places in body(element, means[places[1]], deviations[places[1]]) }
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let (x, y) = (run.inputs[0].values, run.outputs[0].values)
    forEach(run.inputs[0].shape, run.parameters) { element, mean, deviation in
      y[element] = spec.isInverse ? mean + x[element] * deviation : (x[element] - mean) / deviation
    }
  }

  func backward(_ run: BackwardRun) {
    guard let dx = run.inputGradients[0] else { return }
    forEach(run.inputs[0].shape, run.parameters) { element, _, deviation in
      let dy = run.outputGradients[0][element]
      dx[element] += spec.isInverse ? dy * deviation : dy / deviation
    }
  }
}

/// The bins of numbers; see `DiscretizationSpec`. They have no gradient.
struct DiscretizationLayer: FormulaLayer {
  let spec: DiscretizationSpec

  func plan(_ inputs: [PlannedInput], isTraining: Bool) -> LayerPlan {
    let shape = inputs[0].shape
    return LayerPlan(outputShapes: [spec.mode?.shape(shape, size: spec.boundaries.count + 1) ?? shape])
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let boundaries = spec.boundaries.map { Scalar(Float($0)) }
    func bin(_ x: Scalar) -> Int {
      // Bisection: all boundaries before `low` are at most x, none from `high` on is.
      var (low, high) = (0, boundaries.count)
      while low < high {
        let middle = (low + high) / 2
        if boundaries[middle] <= x { low = middle + 1 } else { high = middle }
      }
      return low
    }
    guard let mode = spec.mode else {
      for element in 0..<run.inputs[0].count {
        run.outputs[0].values[element] = Scalar(bin(run.inputs[0].values[element]))
      }
      return
    }
    TokenCounter(mode: mode, size: boundaries.count + 1).write(run.inputs[0], run.outputs[0], id: bin)
  }

  func backward(_ run: BackwardRun) {}
}

/// The places of whole numbers in a vocabulary; see `IntegerLookupSpec`. They have no gradient.
struct IntegerLookupLayer: FormulaLayer {
  let spec: IntegerLookupSpec
  private let ids: [Int: Int]

  init(spec: IntegerLookupSpec) {
    self.spec = spec
    let first = (spec.maskToken == nil ? 0 : 1) + (spec.hasUnknown ? 1 : 0)
    var ids: [Int: Int] = [:]
    for (index, token) in spec.vocabulary.enumerated() where ids[token] == nil { ids[token] = first + index }
    if let mask = spec.maskToken { ids[mask] = 0 }
    self.ids = ids
  }

  func plan(_ inputs: [PlannedInput], isTraining: Bool) -> LayerPlan {
    let shape = inputs[0].shape
    return LayerPlan(outputShapes: [spec.mode?.shape(shape, size: spec.size) ?? shape])
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let unknown = spec.hasUnknown ? (spec.maskToken == nil ? 0 : 1) : -1
    func id(_ x: Scalar) -> Int { Int(exactly: x).flatMap { ids[$0] } ?? unknown }
    guard let mode = spec.mode else {
      for element in 0..<run.inputs[0].count {
        run.outputs[0].values[element] = Scalar(id(run.inputs[0].values[element]))
      }
      return
    }
    TokenCounter(mode: mode, size: spec.size).write(run.inputs[0], run.outputs[0], id: id)
  }

  func backward(_ run: BackwardRun) {}
}
