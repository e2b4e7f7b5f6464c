import RNNCore
import RealModule

/// y = f(x), number by number; see `UnarySpec`.
struct UnaryFunctionLayer: FormulaLayer {
  let spec: UnarySpec

  func plan(_ inputs: [PlannedInput], isTraining: Bool) -> LayerPlan { LayerPlan(outputShapes: [inputs[0].shape]) }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let (x, y) = (run.inputs[0].values, run.outputs[0].values)
    for index in 0..<run.inputs[0].count { y[index] = value(x[index]) }
  }

  private func value<Scalar: Real & BinaryFloatingPoint>(_ x: Scalar) -> Scalar {
    switch spec.function {
    case .absolute: abs(x)
    case .negative: -x
    case .log: .log(x)
    case .log1p: .log(onePlus: x)
    case .expm1: .expMinusOne(x)
    case .sqrt: .sqrt(x)
    case .rsqrt: 1 / .sqrt(x)
    case .square: x * x
    case .reciprocal: 1 / x
    case .sign: x > 0 ? 1 : x < 0 ? -1 : x
    case .sin: .sin(x)
    case .cos: .cos(x)
    case .floor: x.rounded(.down)
    case .ceil: x.rounded(.up)
    case .round: x.rounded(.toNearestOrEven)
    case .logicalNot: x == 0 ? 1 : 0
    case .clip: min(max(x, spec.low.map { Scalar($0) } ?? -.infinity), spec.high.map { Scalar($0) } ?? .infinity)
    case .hardShrink: abs(x) <= low() ? 0 : x
    case .softShrink: x > low() ? x - low() : x < -low() ? x + low() : 0
    case .threshold: x > low() ? x : Scalar(Float(spec.high ?? 0))
    case .celu: x > 0 ? x : low() * .expMinusOne(x / low())
    case .squareplus: (x + .sqrt(x * x + low())) / 2
    }
  }

  /// The function's number, as float32 has it.
  private func low<Scalar: Real & BinaryFloatingPoint>() -> Scalar { Scalar(Float(spec.low ?? 0)) }

  private func derivative(_ x: Float, _ y: Float) -> Float {
    switch spec.function {
    case .absolute: x > 0 ? 1 : x < 0 ? -1 : 0
    case .negative: -1
    case .log: 1 / x
    case .log1p: 1 / (1 + x)
    case .expm1: y + 1
    case .sqrt: 0.5 / y
    case .rsqrt: -0.5 * y / x
    case .square: 2 * x
    case .reciprocal: -y * y
    case .sin: .cos(x)
    case .cos: -.sin(x)
    case .clip: Double(x) >= spec.low ?? -.infinity && Double(x) <= spec.high ?? .infinity ? 1 : 0
    case .hardShrink, .softShrink: abs(x) > low() ? 1 : 0
    case .threshold: x > low() ? 1 : 0
    case .celu: x > 0 ? 1 : .exp(x / low())
    case .squareplus: (1 + x / (x * x + low()).squareRoot()) / 2
    case .sign, .floor, .ceil, .round, .logicalNot: 0
    }
  }

  func backward(_ run: BackwardRun) {
    guard let dx = run.inputGradients[0] else { return }
    let (x, y, dy) = (run.inputs[0].floats, run.outputs[0].floats, run.outputGradients[0])
    for index in 0..<run.inputs[0].count { dx[index] += dy[index] * derivative(x[index], y[index]) }
  }
}

/// y = f(x1, x2), or f of x and a constant, element by element; see `BinarySpec`.
struct BinaryFunctionLayer: FormulaLayer {
  let spec: BinarySpec

  private func shapes(_ inputs: [[Int]]) -> [[Int]] {
    guard let constant = spec.constant else { return inputs }
    let rank = inputs[0].count
    let own = Broadcast.padded(constant.shape.suffix(rank).map { $0 }, rank: rank, at: 0)
    return spec.isConstantFirst ? [own, inputs[0]] : [inputs[0], own]
  }

  func plan(_ inputs: [PlannedInput], isTraining: Bool) -> LayerPlan {
    LayerPlan(outputShapes: [Broadcast(shapes(inputs.map(\.shape))).shape])
  }

  private func operands<Scalar: Real & BinaryFloatingPoint, Result>(
    _ inputs: [UnsafeMutablePointer<Scalar>],
    _ body: (UnsafeMutablePointer<Scalar>, UnsafeMutablePointer<Scalar>) -> Result
  ) -> Result? {
    guard let constant = spec.constant else { return body(inputs[0], inputs[1]) }
    var values = constant.values.map { Scalar($0) }
    return values.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.map { spec.isConstantFirst ? body($0, inputs[0]) : body(inputs[0], $0) }
    }
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let y = run.outputs[0].values
    operands(run.inputs.map(\.values)) { left, right in
      Broadcast(shapes(run.inputs.map(\.shape))).forEach { element, places in
        y[element] = value(left[places[0]], right[places[1]])
      }
    }
  }

  private func value<Scalar: Real & BinaryFloatingPoint>(_ left: Scalar, _ right: Scalar) -> Scalar {
    switch spec.function {
    case .add: left + right
    case .subtract: left - right
    case .multiply: left * right
    case .divide: left / right
    case .power: power(left, right)
    case .maximum: left >= right || left.isNaN ? left : right
    case .minimum: left <= right || left.isNaN ? left : right
    case .squaredDifference: (left - right) * (left - right)
    case .equal: left == right ? 1 : 0
    case .notEqual: left != right ? 1 : 0
    case .greater: left > right ? 1 : 0
    case .greaterEqual: left >= right ? 1 : 0
    case .less: left < right ? 1 : 0
    case .lessEqual: left <= right ? 1 : 0
    case .logicalAnd: left != 0 && right != 0 ? 1 : 0
    case .logicalOr: left != 0 || right != 0 ? 1 : 0
    }
  }

  /// Whole powers of negative numbers, too.
  private func power<Scalar: Real & BinaryFloatingPoint>(_ base: Scalar, _ exponent: Scalar) -> Scalar {
    guard let whole = Int(exactly: exponent), abs(whole) <= 1 << 20 else { return .pow(base, exponent) }
    return .pow(base, whole)
  }

  /// d f / d left and d f / d right.
  private func derivatives(_ left: Float, _ right: Float, _ y: Float) -> (Float, Float) {
    switch spec.function {
    case .add: (1, 1)
    case .subtract: (1, -1)
    case .multiply: (right, left)
    case .divide: (1 / right, -y / right)
    case .power: (right == 0 ? 0 : right * power(left, right - 1), left > 0 ? y * .log(left) : 0)
    case .maximum: left >= right ? (1, 0) : (0, 1)
    case .minimum: left <= right ? (1, 0) : (0, 1)
    case .squaredDifference: (2 * (left - right), 2 * (right - left))
    case .equal, .notEqual, .greater, .greaterEqual, .less, .lessEqual, .logicalAnd, .logicalOr: (0, 0)
    }
  }

  func backward(_ run: BackwardRun) {
    let (y, dy) = (run.outputs[0].floats, run.outputGradients[0])
    let gradients: [Floats?] =
      spec.constant == nil
      ? run.inputGradients : spec.isConstantFirst ? [nil, run.inputGradients[0]] : [run.inputGradients[0], nil]
    operands(run.inputs.map(\.floats)) { left, right in
      Broadcast(shapes(run.inputs.map(\.shape))).forEach { element, places in
        let (first, second) = derivatives(left[places[0]], right[places[1]], y[element])
        gradients[0]?[places[0]] += dy[element] * first
        gradients[1]?[places[1]] += dy[element] * second
      }
    }
  }
}

/// y = condition != 0 ? x1 : x2; see `SelectSpec`. The condition has no gradient.
struct SelectLayer: FormulaLayer {
  let spec: SelectSpec

  func plan(_ inputs: [PlannedInput], isTraining: Bool) -> LayerPlan {
    LayerPlan(outputShapes: [Broadcast(inputs.map(\.shape)).shape])
  }

  /// The inputs that are the two choices; `nil` for a number.
  private var choices: (first: Int?, second: Int?) {
    let first = spec.first == nil ? 1 : nil
    return (first, spec.second == nil ? 1 + (first == nil ? 0 : 1) : nil)
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let (x, y) = (run.inputs.map(\.values), run.outputs[0].values)
    let numbers = (Scalar(Float(spec.first ?? 0)), Scalar(Float(spec.second ?? 0)))
    let (first, second) = choices
    Broadcast(run.inputs.map(\.shape)).forEach { element, places in
      if x[0][places[0]] != 0 {
        y[element] = first.map { x[$0][places[$0]] } ?? numbers.0
      } else {
        y[element] = second.map { x[$0][places[$0]] } ?? numbers.1
      }
    }
  }

  func backward(_ run: BackwardRun) {
    let (condition, dy) = (run.inputs[0].floats, run.outputGradients[0])
    let (first, second) = choices
    Broadcast(run.inputs.map(\.shape)).forEach { element, places in
      guard let chosen = condition[places[0]] != 0 ? first : second else { return }
      run.inputGradients[chosen]?[places[chosen]] += dy[element]
    }
  }
}

/// y[i] = x[0] + ... + x[i], or their product; see `CumulativeSpec`.
struct CumulativeLayer: FormulaLayer {
  let spec: CumulativeSpec

  func plan(_ inputs: [PlannedInput], isTraining: Bool) -> LayerPlan { LayerPlan(outputShapes: [inputs[0].shape]) }

  /// Calls `body` for every line along the axis with where it begins, how far the next number lies, and how many.
  private func forEachLine(_ shape: [Int], _ body: (Int, Int, Int) -> Void) {
    let view = AxisView(shape, place: AxisView.place(spec.axis, rank: shape.count))
    guard view.size > 0 else { return }
    for line in 0..<view.outer * view.inner {
      let first = line / view.inner * view.size * view.inner + line % view.inner
      let last = first + (view.size - 1) * view.inner
      body(spec.goesBackwards ? last : first, spec.goesBackwards ? -view.inner : view.inner, view.size)
    }
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let (x, y) = (run.inputs[0].values, run.outputs[0].values)
    forEachLine(run.inputs[0].shape) { start, stride, count in
      var total: Scalar = spec.function == .sum ? 0 : 1
      for place in 0..<count {
        let element = start + place * stride
        if spec.isExclusive { y[element] = total }
        total = spec.function == .sum ? total + x[element] : total * x[element]
        if !spec.isExclusive { y[element] = total }
      }
    }
  }

  func backward(_ run: BackwardRun) {
    guard let dx = run.inputGradients[0] else { return }
    let (x, dy) = (run.inputs[0].floats, run.outputGradients[0])
    // Every total from a number on has it in it; an exclusive one from the next on.
    forEachLine(run.inputs[0].shape) { start, stride, count in
      switch spec.function {
      case .sum:
        var sum: Float = 0
        for element in (0..<count).reversed().map({ start + $0 * stride }) {
          if spec.isExclusive { dx[element] += sum }
          sum += dy[element]
          if !spec.isExclusive { dx[element] += sum }
        }
      case .product:
        // The product of the others is no quotient: a number may be 0.
        var before = Float(1)
        for place in 0..<count {
          var (others, sum): (Float, Float) = (before, 0)
          for total in place..<count {
            let reached = spec.isExclusive ? total + 1 : total
            guard reached < count else { break }
            if total > place { others *= x[start + total * stride] }
            sum += dy[start + reached * stride] * others
          }
          dx[start + place * stride] += sum
          before *= x[start + place * stride]
        }
      }
    }
  }
}

/// The sum, mean, largest, ... of the members of each group; see `ReductionSpec`. The gradient of a largest or smallest
/// member goes evenly to all that are it.
struct ReductionLayer: FormulaLayer {
  let spec: ReductionSpec

  func plan(_ inputs: [PlannedInput], isTraining: Bool) -> LayerPlan {
    let shape = inputs[0].shape
    let inside = Set(spec.axes.map { AxisView.place($0, rank: shape.count) })
    let output = shape.enumerated().compactMap { axis, size in
      inside.contains(axis) ? (spec.keepDims ? 1 : nil) : size
    }
    return LayerPlan(outputShapes: [output])
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let axes = AxisGroups(run.inputs[0].shape, axes: spec.axes)
    for (index, group) in axes.groups.enumerated() {
      run.outputs[0].values[index] = value(run.inputs[0].values + group, axes.members)
    }
  }

  private func value<Scalar: Real & BinaryFloatingPoint>(_ x: UnsafePointer<Scalar>, _ members: [Int]) -> Scalar {
    switch spec.function {
    case .sum: members.reduce(0) { $0 + x[$1] }
    case .mean: members.reduce(0) { $0 + x[$1] } / Scalar(members.count)
    case .maximum: members.reduce(-.infinity) { x[$1] > $0 || x[$1].isNaN ? x[$1] : $0 }
    case .minimum: members.reduce(.infinity) { x[$1] < $0 || x[$1].isNaN ? x[$1] : $0 }
    case .product: members.reduce(1) { $0 * x[$1] }
    case .any: members.contains { x[$0] != 0 } ? 1 : 0
    case .all: members.allSatisfy { x[$0] != 0 } ? 1 : 0
    case .variance: variance(x, members)
    case .deviation: .sqrt(variance(x, members))
    }
  }

  private func variance<Scalar: Real & BinaryFloatingPoint>(_ x: UnsafePointer<Scalar>, _ members: [Int]) -> Scalar {
    let mean = members.reduce(0) { $0 + x[$1] } / Scalar(members.count)
    var squares: Scalar = 0
    for member in members { squares += (x[member] - mean) * (x[member] - mean) }
    return squares / Scalar(members.count)
  }

  func backward(_ run: BackwardRun) {
    guard let dx = run.inputGradients[0] else { return }
    let axes = AxisGroups(run.inputs[0].shape, axes: spec.axes)
    for (index, group) in axes.groups.enumerated() {
      let x = run.inputs[0].floats + group
      let (y, dy) = (run.outputs[0].floats[index], run.outputGradients[0][index])
      switch spec.function {
      case .sum: for member in axes.members { dx[group + member] += dy }
      case .mean: for member in axes.members { dx[group + member] += dy / Float(axes.members.count) }
      case .maximum, .minimum:
        let winners = axes.members.filter { x[$0] == y }
        for member in winners { dx[group + member] += dy / Float(winners.count) }
      case .product:
        for member in axes.members {
          dx[group + member] += dy * axes.members.reduce(Float(1)) { $1 == member ? $0 : $0 * x[$1] }
        }
      case .variance, .deviation:
        let mean = axes.members.reduce(Float(0)) { $0 + x[$1] } / Float(axes.members.count)
        let factor = spec.function == .variance ? 2 * dy : dy / y
        for member in axes.members { dx[group + member] += factor * (x[member] - mean) / Float(axes.members.count) }
      case .any, .all: break
      }
    }
  }
}

/// Tensors of one shape side by side along a new axis: a concatenation of tensors with an axis of size 1 more.
struct StackLayer: FormulaLayer {
  let spec: StackSpec

  private func place(_ shape: [Int]) -> Int { spec.axis < 0 ? spec.axis + shape.count + 1 : spec.axis }

  func plan(_ inputs: [PlannedInput], isTraining: Bool) -> LayerPlan {
    var shape = inputs[0].shape
    shape.insert(inputs.count, at: place(shape))
    return LayerPlan(outputShapes: [shape])
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let shape = run.inputs[0].shape
    let place = place(shape)
    let (outer, inner) = (elementCount(Array(shape[..<place])), elementCount(Array(shape[place...])))
    for (index, input) in run.inputs.enumerated() {
      for block in 0..<outer {
        (run.outputs[0].values + (block * run.inputs.count + index) * inner)
          .update(from: input.values + block * inner, count: inner)
      }
    }
  }

  func backward(_ run: BackwardRun) {
    let shape = run.inputs[0].shape
    let place = place(shape)
    let (outer, inner) = (elementCount(Array(shape[..<place])), elementCount(Array(shape[place...])))
    for index in run.inputs.indices {
      guard let dx = run.inputGradients[index] else { continue }
      for block in 0..<outer {
        Kernels.table.add(
          dx + block * inner, run.outputGradients[0] + (block * run.inputs.count + index) * inner, inner)
      }
    }
  }
}

/// y = x1 x2 over the last two axes. dx1 = dy transposed(x2), dx2 = transposed(x1) dy.
struct MatrixProductLayer: FormulaLayer {
  let spec: MatrixProductSpec

  /// Rows, inner size and columns of one product, how many there are, and where an element lies.
  private struct Geometry {
    let rows: Int
    let inner: Int
    let columns: Int
    let count: Int
    let transposesFirst: Bool
    let transposesSecond: Bool

    init(_ left: [Int], _ right: [Int], _ spec: MatrixProductSpec) {
      let (a, b) = (left.suffix(2).map { $0 }, right.suffix(2).map { $0 })
      (rows, inner) = spec.transposesFirst ? (a[1], a[0]) : (a[0], a[1])
      columns = spec.transposesSecond ? b[0] : b[1]
      count = elementCount(left.dropLast(2))
      (transposesFirst, transposesSecond) = (spec.transposesFirst, spec.transposesSecond)
    }

    func first(_ row: Int, _ step: Int) -> Int { transposesFirst ? step * rows + row : row * inner + step }
    func second(_ step: Int, _ column: Int) -> Int {
      transposesSecond ? column * inner + step : step * columns + column
    }
  }

  func plan(_ inputs: [PlannedInput], isTraining: Bool) -> LayerPlan {
    let geometry = Geometry(inputs[0].shape, inputs[1].shape, spec)
    return LayerPlan(outputShapes: [inputs[0].shape.dropLast(2) + [geometry.rows, geometry.columns]])
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let g = Geometry(run.inputs[0].shape, run.inputs[1].shape, spec)
    for index in 0..<g.count {
      let (a, b) = (
        run.inputs[0].values + index * g.rows * g.inner, run.inputs[1].values + index * g.inner * g.columns
      )
      let y = run.outputs[0].values + index * g.rows * g.columns
      for row in 0..<g.rows {
        for column in 0..<g.columns {
          y[row * g.columns + column] = (0..<g.inner).reduce(0) { $0 + a[g.first(row, $1)] * b[g.second($1, column)] }
        }
      }
    }
  }

  func backward(_ run: BackwardRun) {
    let g = Geometry(run.inputs[0].shape, run.inputs[1].shape, spec)
    for index in 0..<g.count {
      let (left, right) = (index * g.rows * g.inner, index * g.inner * g.columns)
      let dy = run.outputGradients[0] + index * g.rows * g.columns
      for row in 0..<g.rows {
        for column in 0..<g.columns {
          for step in 0..<g.inner {
            let (i, j) = (left + g.first(row, step), right + g.second(step, column))
            run.inputGradients[0]?[i] += dy[row * g.columns + column] * run.inputs[1].floats[j]
            run.inputGradients[1]?[j] += dy[row * g.columns + column] * run.inputs[0].floats[i]
          }
        }
      }
    }
  }
}
