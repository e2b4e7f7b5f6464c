import RNNCore
import RealModule

/// y = x1 + x2 + ..., or another function of the tensors' elements that meet; see `MergeSpec`.
///
/// Backwards: to every input of a sum; of a product, times the other factors; to the first of the largest or smallest.
struct MergeLayer: FormulaLayer {
  let spec: MergeSpec

  private func shapes(_ inputs: [[Int]]) -> [[Int]] {
    let rank = inputs.map(\.count).max() ?? 0
    return inputs.map { Broadcast.padded($0, rank: rank, at: 1) }
  }

  func plan(_ inputs: [PlannedInput], isTraining: Bool) throws -> LayerPlan {
    let output = Broadcast(shapes(inputs.map(\.shape))).shape
    return LayerPlan(outputShapes: [output], ownMask: maskShape(inputs.map(\.mask)), backwardScratch: 0)
  }

  /// The largest of the masks' shapes; none where the rule gives none.
  private func maskShape(_ masks: [[Int]?]) -> [Int]? {
    let known = masks.compactMap(\.self)
    guard spec.maskRule == .everyMask || known.count == masks.count else { return nil }
    let rank = known.map(\.count).max() ?? 0
    let fitting = known.filter { $0.count == rank }
    return fitting.isEmpty ? nil : (0..<rank).map { axis in fitting.map { $0[axis] }.max() ?? 1 }
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    writeMask(run.inputs.map { ($0.mask, $0.maskShape) }, run.outputs[0].mask, run.outputs[0].maskShape)
    let shapes = shapes(run.inputs.map(\.shape))
    let y = run.outputs[0].values
    let tensors = run.inputs.map(\.values)
    if shapes.allSatisfy({ $0 == shapes[0] }), !spec.skipsMasked {
      let count = elementCount(shapes[0])
      for index in 0..<count { y[index] = tensors[0][index] }
      for tensor in tensors.dropFirst() {
        for index in 0..<count { y[index] = combined(y[index], tensor[index]) }
      }
    } else {
      let valid = run.inputs.map { spec.skipsMasked ? Validity($0.mask, $0.maskShape, of: $0.shape) : Validity() }
      Broadcast(shapes).forEach { element, places in
        y[element] = value(places) {
          tensors[$0][$1]
        } isValid: {
          valid[$0].isValid($1)
        }
      }
    }
    guard spec.function == .average else { return }
    for index in 0..<run.outputs[0].count { y[index] /= Scalar(tensors.count) }
  }

  /// Which elements of a tensor are masked.
  private struct Validity {
    var mask: UnsafeMutablePointer<UInt8>?
    /// Elements to a position of the mask.
    var width = 1

    init() {}

    init(_ mask: UnsafeMutablePointer<UInt8>?, _ maskShape: [Int], of shape: [Int]) {
      self.mask = mask
      width = max(elementCount(shape) / max(elementCount(maskShape), 1), 1)
    }

    func isValid(_ element: Int) -> Bool { mask.map { $0[element / width] != 0 } ?? true }
  }

  private func combined<Scalar: Real & BinaryFloatingPoint>(_ left: Scalar, _ right: Scalar) -> Scalar {
    switch spec.function {
    case .add, .average: left + right
    case .subtract: left - right
    case .multiply: left * right
    case .maximum: left >= right || left.isNaN ? left : right
    case .minimum: left <= right || left.isNaN ? left : right
    }
  }

  /// One element. With `skipsMasked`, masked ones have no part; where all are masked, a product is 0, and a maximum or
  /// minimum the first.
  private func value<Scalar: Real & BinaryFloatingPoint>(
    _ places: [Int], _ at: (Int, Int) -> Scalar, isValid: (Int, Int) -> Bool
  ) -> Scalar {
    var counted = places.indices.map { $0 }
    if spec.skipsMasked {
      counted = counted.filter { isValid($0, places[$0]) }
      if counted.isEmpty { return spec.function == .multiply ? 0 : at(0, places[0]) }
    }
    return counted.dropFirst().reduce(at(counted[0], places[counted[0]])) { combined($0, at($1, places[$1])) }
  }

  private func writeMask(
    _ masks: [(UnsafeMutablePointer<UInt8>?, [Int])], _ out: UnsafeMutablePointer<UInt8>?, _ shape: [Int]
  ) {
    guard let out else { return }
    let known = masks.compactMap { mask in mask.0.map { ($0, mask.1) } }.filter { $0.1.count == shape.count }
    let initial: UInt8 = spec.maskRule == .everyMask ? 1 : 0
    for index in 0..<elementCount(shape) { out[index] = initial }
    for (mask, own) in known {
      Broadcast([shape, own]).forEach { element, places in
        let valid = mask[places[1]] != 0
        switch spec.maskRule {
        case .everyMask: if !valid { out[element] = 0 }
        case .anyMask: if valid { out[element] = 1 }
        }
      }
    }
  }

  func backward(_ run: BackwardRun) {
    let shapes = shapes(run.inputs.map(\.shape))
    let dy = run.outputGradients[0]
    let valid = run.inputs.map { spec.skipsMasked ? Validity($0.mask, $0.maskShape, of: $0.shape) : Validity() }
    let share = spec.function == .average ? 1 / Float(shapes.count) : 1
    Broadcast(shapes).forEach { element, places in
      func x(_ input: Int) -> Float { run.inputs[input].floats[places[input]] }
      var counted = places.indices.filter { valid[$0].isValid(places[$0]) }
      if counted.isEmpty {
        guard spec.function != .multiply else { return }
        counted = [0]
      }
      switch spec.function {
      case .add, .average: for input in counted { run.inputGradients[input]?[places[input]] += share * dy[element] }
      case .subtract:
        run.inputGradients[0]?[places[0]] += dy[element]
        run.inputGradients[1]?[places[1]] -= dy[element]
      case .multiply:
        for input in counted {
          let rest = counted.reduce(Float(1)) { $1 == input ? $0 : $0 * x($1) }
          run.inputGradients[input]?[places[input]] += dy[element] * rest
        }
      case .maximum, .minimum:
        let winner = counted.first { x($0) == run.outputs[0].floats[element] } ?? counted[0]
        run.inputGradients[winner]?[places[winner]] += dy[element]
      }
    }
  }
}

/// The inputs one behind the other along an axis.
struct ConcatenateLayer: FormulaLayer {
  let spec: ConcatenateSpec

  private func place(_ shape: [Int]) -> Int { AxisView.place(spec.axis, rank: shape.count) }

  func plan(_ inputs: [PlannedInput], isTraining: Bool) -> LayerPlan {
    var shape = inputs[0].shape
    let place = place(shape)
    shape[place] = inputs.reduce(0) { $0 + $1.shape[place] }
    let isMasked = inputs.contains { $0.mask != nil }
    return LayerPlan(outputShapes: [shape], ownMask: isMasked ? shape.dropLast() : nil)
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let output = run.outputs[0]
    let place = place(output.shape)
    let whole = AxisView(output.shape, place: place)
    var start = 0
    for input in run.inputs where !run.onlyMask {
      let part = AxisView(input.shape, place: place)
      for block in 0..<part.outer {
        let run = part.size * part.inner
        (output.values + block * whole.size * whole.inner + start).update(from: input.values + block * run, count: run)
      }
      start += part.size * part.inner
    }
    if let mask = output.mask { writeMask(run, mask, place) }
  }

  /// Every step has the masks of its parts: where the steps stand one behind the other, each its own; where they stand
  /// side by side, all of them.
  private func writeMask<Scalar>(_ run: FormulaRun<Scalar>, _ mask: UnsafeMutablePointer<UInt8>, _ place: Int) {
    let shape = run.outputs[0].maskShape
    // The mask lacks the last axis; what is concatenated along that lies over each other.
    let isLast = place == run.outputs[0].shape.count - 1
    let initial: UInt8 = spec.maskRule == .everyMask ? 1 : isLast ? 0 : 1
    for index in 0..<elementCount(shape) { mask[index] = initial }
    let whole = AxisView(shape, place: isLast ? 0 : place)
    var start = 0
    for input in run.inputs {
      let leading = Array(input.shape.dropLast())
      let part = AxisView(leading, place: isLast ? 0 : place)
      let perMask = max(elementCount(leading) / max(elementCount(input.maskShape), 1), 1)
      for block in 0..<part.outer {
        for index in 0..<part.size * part.inner {
          let own = block * part.size * part.inner + index
          let valid = input.mask.map { $0[own / perMask] != 0 } ?? true
          let target = isLast ? own : block * whole.size * whole.inner + start + index
          switch spec.maskRule {
          case .everyMask: if !valid { mask[target] = 0 }
          case .anyMask: if isLast { if valid { mask[target] = 1 } } else { mask[target] = valid ? 1 : 0 }
          }
        }
      }
      if !isLast { start += part.size * part.inner }
    }
  }

  func backward(_ run: BackwardRun) {
    let place = place(run.outputs[0].shape)
    let whole = AxisView(run.outputs[0].shape, place: place)
    var start = 0
    for (index, input) in run.inputs.enumerated() {
      let part = AxisView(input.shape, place: place)
      if let dx = run.inputGradients[index] {
        for block in 0..<part.outer {
          let count = part.size * part.inner
          Kernels.table.add(
            dx + block * count, run.outputGradients[0] + block * whole.size * whole.inner + start, count)
        }
      }
      start += part.size * part.inner
    }
  }
}

/// y[b, i.., j..] = sum over k of x1[b, i.. k i..] x2[b, j.. k j..]; with `normalize`, of vectors divided by their length,
/// sqrt(max(sum of squares, epsilon)).
struct DotLayer: FormulaLayer {
  let spec: DotSpec

  /// One side: for each position of the other axes of one example the place of its vector, and the vector's steps.
  private struct Side {
    let starts: [Int]
    let steps: [Int]

    init(_ shape: [Int], axis: Int) {
      let example = [1] + shape.dropFirst()
      let groups = AxisGroups(example, axes: [AxisView.place(axis, rank: shape.count)])
      (starts, steps) = (groups.groups, groups.members)
    }
  }

  func plan(_ inputs: [PlannedInput], isTraining: Bool) -> LayerPlan {
    var (left, right) = (inputs[0].shape, inputs[1].shape)
    left.remove(at: AxisView.place(spec.axes[0], rank: left.count))
    right.remove(at: AxisView.place(spec.axes[1], rank: right.count))
    let shape = left + right.dropFirst()
    return LayerPlan(outputShapes: [shape.count == 1 ? shape + [1] : shape])
  }

  private func scale<Scalar: Real & BinaryFloatingPoint>(_ x: UnsafePointer<Scalar>, _ steps: [Int]) -> Scalar {
    guard spec.normalize else { return 1 }
    var squares: Scalar = 0
    for step in steps { squares += x[step] * x[step] }
    return 1 / Scalar.sqrt(max(squares, Scalar(spec.epsilon)))
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let (left, right) = (run.inputs[0], run.inputs[1])
    let (first, second) = (Side(left.shape, axis: spec.axes[0]), Side(right.shape, axis: spec.axes[1]))
    let batch = left.shape[0]
    var element = 0
    for example in 0..<batch {
      for start in first.starts {
        let x = left.values + example * (left.count / batch) + start
        let scale1 = scale(UnsafePointer(x), first.steps)
        for other in second.starts {
          let z = right.values + example * (right.count / batch) + other
          let scale2 = scale(UnsafePointer(z), second.steps)
          var sum: Scalar = 0
          for (step, otherStep) in zip(first.steps, second.steps) { sum += x[step] * scale1 * (z[otherStep] * scale2) }
          run.outputs[0].values[element] = sum
          element += 1
        }
      }
    }
  }

  /// With unit vectors u = x / |x| and v: dx = (v - u (u v)) dy / |x|; without `normalize`, dx = z dy.
  func backward(_ run: BackwardRun) {
    let (left, right) = (run.inputs[0], run.inputs[1])
    let (first, second) = (Side(left.shape, axis: spec.axes[0]), Side(right.shape, axis: spec.axes[1]))
    let batch = left.batch
    var element = 0
    for example in 0..<batch {
      for start in first.starts {
        let xStart = example * (left.count / batch) + start
        let x = left.floats + xStart
        let scale1 = scale(UnsafePointer(x), first.steps)
        for other in second.starts {
          let zStart = example * (right.count / batch) + other
          let z = right.floats + zStart
          let scale2 = scale(UnsafePointer(z), second.steps)
          let (y, dy) = (run.outputs[0].floats[element], run.outputGradients[0][element])
          for (step, otherStep) in zip(first.steps, second.steps) {
            let (u, v) = (x[step] * scale1, z[otherStep] * scale2)
            run.inputGradients[0]?[xStart + step] += dy * scale1 * (spec.normalize ? v - u * y : v)
            run.inputGradients[1]?[zStart + otherStep] += dy * scale2 * (spec.normalize ? u - v * y : u)
          }
          element += 1
        }
      }
    }
  }
}
