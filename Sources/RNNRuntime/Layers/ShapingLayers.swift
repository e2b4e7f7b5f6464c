import RNNCore
import RealModule

/// A layer that only moves numbers about: every element of its output is one of its input, or nothing.
protocol MovingLayer: FormulaLayer {
  func outputShape(_ input: [Int]) throws -> [Int]
  /// For each element of one example's output, in order, the place of its source in that example, or `nil`.
  func sources(_ input: [Int], _ output: [Int]) -> [Int?]
}

extension MovingLayer {
  func plan(_ inputs: [PlannedInput], isTraining: Bool) throws -> LayerPlan {
    LayerPlan(outputShapes: [try outputShape(inputs[0].shape)])
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let (input, output) = (run.inputs[0], run.outputs[0])
    let sources = sources(input.shape, output.shape)
    let perExample = elementCount(Array(input.shape.dropFirst()))
    for example in 0..<output.shape[0] {
      let (x, y) = (input.values + example * perExample, output.values + example * sources.count)
      for (element, source) in sources.enumerated() { y[element] = source.map { x[$0] } ?? 0 }
    }
  }

  func backward(_ run: BackwardRun) {
    guard let dx = run.inputGradients[0] else { return }
    let (input, output) = (run.inputs[0], run.outputs[0])
    let sources = sources(input.shape, output.shape)
    let perExample = elementCount(Array(input.shape.dropFirst()))
    for example in 0..<output.batch {
      let dy = run.outputGradients[0] + example * sources.count
      for (element, source) in sources.enumerated() {
        if let source { dx[example * perExample + source] += dy[element] }
      }
    }
  }
}

/// The axes behind the batch in another order.
struct PermuteLayer: MovingLayer {
  let spec: PermuteSpec

  func outputShape(_ input: [Int]) -> [Int] { [input[0]] + spec.order.map { input[$0] } }

  func sources(_ input: [Int], _ output: [Int]) -> [Int?] {
    var strides = [Int](repeating: 1, count: input.count)
    for axis in (0..<input.count - 1).reversed() { strides[axis] = strides[axis + 1] * input[axis + 1] }
    var places = [0]
    for axis in spec.order { places = places.flatMap { place in (0..<input[axis]).map { place + $0 * strides[axis] } } }
    return places
  }
}

/// The first axis behind the batch goes last; then all are one.
struct ChannelsFirstFlattenLayer: MovingLayer {
  func outputShape(_ input: [Int]) -> [Int] { [input[0], elementCount(Array(input.dropFirst()))] }

  func sources(_ input: [Int], _ output: [Int]) -> [Int?] {
    guard input.count > 2 else { return (0..<output[1]).map { $0 } }
    let inner = elementCount(Array(input.dropFirst(2)))
    return (0..<inner).flatMap { place in (0..<input[1]).map { $0 * inner + place } }
  }
}

/// The steps in the opposite order.
struct ReverseStepsLayer: MovingLayer {
  let spec: ReverseStepsSpec

  func plan(_ inputs: [PlannedInput], isTraining: Bool) -> LayerPlan {
    var plan = LayerPlan(outputShapes: [inputs[0].shape])
    if let mask = inputs[0].mask {
      if spec.reversesMask { plan.ownMask = mask } else { plan.maskSource = 0 }
    }
    return plan
  }

  func outputShape(_ input: [Int]) -> [Int] { input }

  func sources(_ input: [Int], _ output: [Int]) -> [Int?] {
    let width = elementCount(Array(input.dropFirst(2)))
    return (0..<input[1]).reversed().flatMap { step in (0..<width).map { step * width + $0 } }
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let (input, output) = (run.inputs[0], run.outputs[0])
    let (batch, steps) = (input.shape[0], input.shape[1])
    let width = elementCount(Array(input.shape.dropFirst(2)))
    for example in 0..<batch where !run.onlyMask {
      for step in 0..<steps {
        (output.values + (example * steps + step) * width)
          .update(from: input.values + (example * steps + steps - 1 - step) * width, count: width)
      }
    }
    guard spec.reversesMask, let mask = input.mask, let out = output.mask else { return }
    let inner = elementCount(Array(input.maskShape.dropFirst(2)))
    for example in 0..<batch {
      for step in 0..<steps {
        for index in 0..<inner {
          out[(example * steps + step) * inner + index] = mask[(example * steps + steps - 1 - step) * inner + index]
        }
      }
    }
  }
}

/// Every example once for each of `count` steps.
struct RepeatVectorLayer: MovingLayer {
  let spec: RepeatVectorSpec

  func outputShape(_ input: [Int]) -> [Int] { [input[0], spec.count, input[1]] }

  func sources(_ input: [Int], _ output: [Int]) -> [Int?] {
    (0..<spec.count).flatMap { _ in (0..<input[1]).map { $0 } }
  }
}

/// Steps of zeros before and after, or steps taken away.
struct EdgeLayer: MovingLayer {
  let spec: EdgeSpec

  func outputShape(_ input: [Int]) throws -> [Int] {
    let length = try spec.outputShape(input: input.dropFirst().map { $0 })[0] ?? 0
    return [input[0], length, input[2]]
  }

  func sources(_ input: [Int], _ output: [Int]) -> [Int?] {
    let shift = spec.isCropping ? spec.before : -spec.before
    return (0..<output[1]).flatMap { step -> [Int?] in
      let source = step + shift
      return (0..<input[2]).map { (0..<input[1]).contains(source) ? source * input[2] + $0 : nil }
    }
  }
}

/// Every step `size` times.
struct UpSampling1DLayer: MovingLayer {
  let spec: UpSampling1DSpec

  func outputShape(_ input: [Int]) throws -> [Int] {
    let length = try spec.outputShape(input: input.dropFirst().map { $0 })[0] ?? 0
    return [input[0], length, input[2]]
  }

  func sources(_ input: [Int], _ output: [Int]) -> [Int?] {
    (0..<output[1]).flatMap { step in (0..<input[2]).map { step / spec.size * input[2] + $0 } }
  }
}

/// `x[:, 1:3, -1]`
struct SliceLayer: MovingLayer {
  let spec: SliceSpec

  func outputShape(_ input: [Int]) throws -> [Int] {
    [input[0]] + (try spec.outputShape(input: input.dropFirst().map { $0 })).map { $0 ?? 0 }
  }

  func sources(_ input: [Int], _ output: [Int]) -> [Int?] {
    var places = [0]
    var stride = elementCount(Array(input.dropFirst()))
    let items = ((try? spec.items(rank: input.count - 1)) ?? []).filter { !$0.isNewAxis }
    for (size, range) in zip(input.dropFirst(), items) {
      stride = size == 0 ? 0 : stride / size
      let positions = (try? range.positions(of: size)) ?? []
      places = places.flatMap { place in positions.map { place + $0 * stride } }
    }
    return places
  }
}
