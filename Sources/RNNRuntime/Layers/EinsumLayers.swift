import RNNCore
import RealModule

/// A walk over all letters of an equation: those of the output outside, those that are summed over inside.
struct EinsumWalk {
  /// For each operand and then the output, how far one step of each letter goes there.
  private let outer: [(size: Int, strides: [Int])]
  private let inner: [(size: Int, strides: [Int])]

  /// - Parameter shapes: of the operands, the batch first.
  init(_ equation: EinsumEquation, _ shapes: [[Int]]) {
    let tensors = zip(equation.operands, shapes).map { zip($0, $1).map { (letter: $0, size: $1) } }
    var sizes: [Character: Int] = [:]
    for (letter, size) in tensors.joined() where (sizes[letter] ?? 1) == 1 { sizes[letter] = size }
    let output = equation.output.map { (letter: $0, size: sizes[$0] ?? 1) }
    func steps(_ letter: Character) -> (size: Int, strides: [Int]) {
      let strides = (tensors + [output]).map { axes -> Int in
        var (stride, total) = (1, 0)
        for axis in axes.reversed() {
          // A letter that stands twice walks along the diagonal; one of size 1 stays where it is.
          if axis.letter == letter, axis.size > 1 { total += stride }
          stride *= axis.size
        }
        return total
      }
      return (sizes[letter] ?? 1, strides)
    }
    outer = equation.output.map(steps)
    var summed: [Character] = []
    for letter in equation.operands.joined() where !equation.output.contains(letter) && !summed.contains(letter) {
      summed.append(letter)
    }
    inner = summed.map(steps)
  }

  /// Calls `body` for every term, with the operands' places and the output's.
  func forEach(_ body: ([Int]) -> Void) {
    let axes = outer + inner
    guard let first = axes.first, axes.allSatisfy({ $0.size > 0 }) else { return }
    var places = [Int](repeating: 0, count: first.strides.count)
    var position = [Int](repeating: 0, count: axes.count)
    while true {
      body(places)
      var axis = axes.count - 1
      while axis >= 0 {
        position[axis] += 1
        for tensor in places.indices { places[tensor] += axes[axis].strides[tensor] }
        if position[axis] < axes[axis].size { break }
        for tensor in places.indices { places[tensor] -= axes[axis].strides[tensor] * axes[axis].size }
        position[axis] = 0
        axis -= 1
      }
      if axis < 0 { return }
    }
  }
}

/// y = einsum(x1) or einsum(x1, x2); see `EinsumSpec`.
struct EinsumLayer: FormulaLayer {
  let spec: EinsumSpec

  private func equation(_ shapes: [[Int]]) throws -> EinsumEquation {
    try EinsumEquation(spec.equation, ranks: shapes.map(\.count))
  }

  func plan(_ inputs: [PlannedInput], isTraining: Bool) throws -> LayerPlan {
    let shapes = inputs.map(\.shape)
    let equation = try equation(shapes)
    let sizes = try equation.sizes(shapes.map { $0.map { $0 } })
    return LayerPlan(outputShapes: [equation.output.map { (sizes[$0] ?? nil) ?? 1 }])
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let shapes = run.inputs.map(\.shape)
    guard let equation = try? equation(shapes) else { return }
    let (x, y) = (run.inputs.map(\.values), run.outputs[0].values)
    for element in 0..<run.outputs[0].count { y[element] = 0 }
    EinsumWalk(equation, shapes).forEach { places in
      let last = places.count - 1
      y[places[last]] += last == 1 ? x[0][places[0]] : x[0][places[0]] * x[1][places[1]]
    }
  }

  func backward(_ run: BackwardRun) {
    let shapes = run.inputs.map(\.shape)
    guard let equation = try? equation(shapes) else { return }
    let (x, dy) = (run.inputs.map(\.floats), run.outputGradients[0])
    EinsumWalk(equation, shapes).forEach { places in
      let last = places.count - 1
      let gradient = dy[places[last]]
      run.inputGradients[0]?[places[0]] += last == 1 ? gradient : gradient * x[1][places[1]]
      if last == 2 { run.inputGradients[1]?[places[1]] += gradient * x[0][places[0]] }
    }
  }
}

/// y = f(einsum(x, kernel) + bias); see `EinsumDenseSpec`.
struct EinsumDenseLayer: FormulaLayer {
  let spec: EinsumDenseSpec

  /// The output's shape and the kernel's, from the input's; both as `EinsumDenseSpec` checked them.
  private func shapes(_ input: [Int]) throws -> (equation: EinsumEquation, output: [Int], kernel: [Int], bias: [Int]) {
    let example: Shape = input.dropFirst().map { $0 }
    let parameters = try spec.parameterShapes(input: example)
    let output = try spec.outputShape(input: example).map { $0 ?? 1 }
    return (
      try spec.resolved(rank: input.count), [input[0]] + output, parameters[0].shape,
      parameters.count > 1 ? parameters[1].shape : []
    )
  }

  func plan(_ inputs: [PlannedInput], isTraining: Bool) throws -> LayerPlan {
    LayerPlan(outputShapes: [try shapes(inputs[0].shape).output])
  }

  /// The bias with an axis for each of the output's.
  private func place(_ bias: [Int], in output: [Int]) -> [Int] {
    guard let axis = spec.misplacedBiasAxis, output.indices.contains(axis) else {
      return Broadcast.padded(bias, rank: output.count, at: 0)
    }
    var shape = output.map { _ in 1 }
    shape[axis] = elementCount(bias)
    return shape
  }

  /// What the activation gets.
  private func sums<Scalar: Real & BinaryFloatingPoint>(
    _ input: FormulaTensor<Scalar>, _ parameters: [UnsafePointer<Scalar>]
  ) -> [Scalar] {
    guard let (equation, output, kernel, bias) = try? shapes(input.shape) else { return [] }
    var result = [Scalar](repeating: 0, count: elementCount(output))
    if !bias.isEmpty {
      Broadcast([output, place(bias, in: output)]).forEach { element, places in
        result[element] = parameters[1][places[1]]
      }
    }
    EinsumWalk(equation, [input.shape, kernel]).forEach { places in
      result[places[2]] += input.values[places[0]] * parameters[0][places[1]]
    }
    return result
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let (sums, output) = (sums(run.inputs[0], run.parameters), run.outputs[0])
    for start in stride(from: 0, to: output.count, by: max(output.width, 1)) {
      for (place, value) in NaiveActivation.row(spec.activation, Array(sums[start..<start + output.width])).enumerated()
      {
        output.values[start + place] = value
      }
    }
  }

  /// dz = f'(z) dy, dkernel += einsum(x, dz), dbias += the sum of dz, dx += einsum(dz, kernel)
  func backward(_ run: BackwardRun) {
    let (x, y) = (run.inputs[0], run.outputs[0])
    guard let (equation, output, kernel, bias) = try? shapes(x.shape), y.count > 0 else { return }
    var z = sums(FormulaTensor(values: x.floats, shape: x.shape), run.parameters)
    var dz = [Float](repeating: 0, count: y.count)
    z.withUnsafeMutableBufferPointer { z in
      dz.withUnsafeMutableBufferPointer { dz in
        guard let z = z.baseAddress, let dz = dz.baseAddress else { return }
        ActivationGradient.apply(
          spec.activation, rows: y.rows, width: y.width, x: z, y: y.floats, dy: run.outputGradients[0], dx: dz)
      }
    }
    let (dx, gradients) = (run.inputGradients[0], run.parameterGradients)
    EinsumWalk(equation, [x.shape, kernel]).forEach { places in
      dx?[places[0]] += dz[places[2]] * run.parameters[0][places[1]]
      gradients?[0][places[1]] += dz[places[2]] * x.floats[places[0]]
    }
    guard let gradients, !bias.isEmpty else { return }
    Broadcast([output, place(bias, in: output)]).forEach { element, places in
      gradients[1][places[1]] += dz[element]
    }
  }
}
