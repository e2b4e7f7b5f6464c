import RNNCore
import RealModule

/// Numbers moved or repeated along axes; see `RearrangeSpec`.
struct RearrangeLayer: FormulaLayer {
  let spec: RearrangeSpec

  /// For each axis how many times or how far, `nil` where it stays as it is.
  private func counts(_ rank: Int) -> [Int?] {
    var result = [Int?](repeating: nil, count: rank)
    for (axis, count) in zip(spec.axes, spec.counts) { result[AxisView.place(axis, rank: rank)] = count }
    return result
  }

  private func outputShape(_ shape: [Int]) -> [Int] {
    zip(shape, counts(shape.count)).map { size, count in
      spec.function == .roll ? size : size * (count ?? 1)
    }
  }

  func plan(_ inputs: [PlannedInput], isTraining: Bool) -> LayerPlan {
    LayerPlan(outputShapes: [outputShape(inputs[0].shape)])
  }

  /// Calls `body` for every place of the output with the place in the input that it comes from.
  private func forEach(_ shape: [Int], _ body: (Int, Int) -> Void) {
    var sources = [0]
    var stride = elementCount(shape)
    for (size, count) in zip(shape, counts(shape.count)) {
      guard size > 0 else { return }
      stride /= size
      let length = spec.function == .roll ? size : size * (count ?? 1)
      let steps = (0..<length).map { place in
        (count.map { spec.function.source(of: place, size: size, count: $0) } ?? place) * stride
      }
      sources = sources.flatMap { source in steps.map { source + $0 } }
    }
    for (place, source) in sources.enumerated() { body(place, source) }
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let (x, y) = (run.inputs[0].values, run.outputs[0].values)
    forEach(run.inputs[0].shape) { y[$0] = x[$1] }
  }

  func backward(_ run: BackwardRun) {
    guard let dx = run.inputGradients[0] else { return }
    forEach(run.inputs[0].shape) { dx[$1] += run.outputGradients[0][$0] }
  }
}

/// The pieces of an axis; see `SplitSpec`.
struct SplitLayer: FormulaLayer {
  let spec: SplitSpec

  private func view(_ shape: [Int]) -> AxisView {
    AxisView(shape, place: AxisView.place(spec.axis, rank: shape.count))
  }

  func plan(_ inputs: [PlannedInput], isTraining: Bool) throws -> LayerPlan {
    let shape = inputs[0].shape
    let place = AxisView.place(spec.axis, rank: shape.count)
    return LayerPlan(
      outputShapes: try spec.pieces(of: shape[place]).map { piece in
        var output = shape
        if spec.removesAxis { output.remove(at: place) } else { output[place] = piece.count }
        return output
      })
  }

  /// Calls `body` for every run of neighbours with its output, and the places in that and in the input.
  private func forEach(_ shape: [Int], _ body: (_ output: Int, _ to: Int, _ from: Int, _ count: Int) -> Void) {
    let view = view(shape)
    guard let pieces = try? spec.pieces(of: view.size) else { return }
    for (output, piece) in pieces.enumerated() {
      for block in 0..<view.outer {
        body(
          output, block * piece.count * view.inner, (block * view.size + piece.lowerBound) * view.inner,
          piece.count * view.inner)
      }
    }
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let x = run.inputs[0].values
    forEach(run.inputs[0].shape) { output, to, from, count in
      (run.outputs[output].values + to).update(from: x + from, count: count)
    }
  }

  func backward(_ run: BackwardRun) {
    guard let dx = run.inputGradients[0] else { return }
    forEach(run.inputs[0].shape) { output, to, from, count in
      Kernels.table.add(dx + from, run.outputGradients[output] + to, count)
    }
  }
}
