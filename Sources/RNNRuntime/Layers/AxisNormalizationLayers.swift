import RNNCore
import RealModule

/// Layer normalization (Ba, Kiros and Hinton 2016) over some axes of each example:
/// y = gamma (x - center) scale + beta, where center and scale depend on the form; see `LayerNormalizationSpec.Form`.
///
/// With g = gamma dy, n members and s the scale, dx = s (g - mean(g)) - s' (x - mean) sum(g (x - center)) / n, where s' is
/// what the derivative of the scale by the variance leaves (s^3 where s = 1 / sqrt(variance + epsilon)), and mean(g)
/// falls away where nothing is centred.
struct LayerNormalizationLayer: FormulaLayer {
  let spec: LayerNormalizationSpec

  func plan(_ inputs: [PlannedInput], isTraining: Bool) -> LayerPlan {
    LayerPlan(outputShapes: [inputs[0].shape], maskSource: inputs[0].mask == nil || !spec.keepsMask ? nil : 0)
  }

  /// Where a group's members lie in gamma and beta: these go along the last axes, or along the group's own.
  private enum ParameterPlaces {
    case last(count: Int)
    case own([Int])

    /// - Parameters:
    ///   - index: of the member in its group.
    ///   - element: of the member in the whole tensor.
    func place(_ index: Int, element: Int) -> Int {
      switch self {
      case .last(let count): element % count
      case .own(let places): places[index]
      }
    }
  }

  private func parameterPlaces(_ shape: [Int]) -> ParameterPlaces {
    if spec.form == .rootMeanSquare {
      return .last(count: max(elementCount(Array(shape.suffix(spec.axes.count))), 1))
    }
    return .own(ownPlaces(shape))
  }

  /// For each member of a group in memory order, its place in gamma and beta, whose axes stand as the configuration
  /// lists them.
  private func ownPlaces(_ shape: [Int]) -> [Int] {
    let places = spec.axes.map { AxisView.place($0, rank: shape.count) }
    let sorted = places.sorted()
    var result = [0]
    for place in sorted {
      let position = places.firstIndex(of: place) ?? 0
      let stride = places[(position + 1)...].reduce(1) { $0 * shape[$1] }
      result = result.flatMap { offset in (0..<shape[place]).map { offset + $0 * stride } }
    }
    return result
  }

  private struct Moments<Scalar: Real & BinaryFloatingPoint> {
    /// Of the members; 0 where the squares are taken of x itself.
    var mean: Scalar
    /// What is subtracted before scaling.
    var center: Scalar
    var scale: Scalar
    /// -2 d scale / d variance.
    var slope: Scalar
  }

  private func moments<Scalar: Real & BinaryFloatingPoint>(
    _ x: UnsafePointer<Scalar>, _ members: [Int]
  ) -> Moments<Scalar> {
    let count = Scalar(members.count)
    var sum: Scalar = 0
    if spec.form != .rootMeanSquare { for member in members { sum += x[member] } }
    let mean = sum / count
    var squares: Scalar = 0
    for member in members { squares += (x[member] - mean) * (x[member] - mean) }
    let epsilon = Scalar(spec.epsilon)
    let deviation = Scalar.sqrt(squares / count + epsilon)
    switch spec.form {
    case .centered, .rootMeanSquare:
      return Moments(mean: mean, center: mean, scale: 1 / deviation, slope: 1 / (deviation * deviation * deviation))
    case .uncentered:
      return Moments(mean: mean, center: 0, scale: 1 / deviation, slope: 1 / (deviation * deviation * deviation))
    case .doubleEpsilon:
      let scale = 1 / (deviation + epsilon)
      return Moments(mean: mean, center: mean, scale: scale, slope: scale * scale / deviation)
    }
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let shape = run.inputs[0].shape
    let axes = AxisGroups(shape, axes: spec.axes)
    let places = parameterPlaces(shape)
    let gamma = spec.scale ? run.parameters[0] : nil
    let beta = spec.center ? run.parameters[spec.scale ? 1 : 0] : nil
    for group in axes.groups {
      let (x, y) = (run.inputs[0].values + group, run.outputs[0].values + group)
      let moments = moments(x, axes.members)
      for (index, member) in axes.members.enumerated() {
        let place = places.place(index, element: group + member)
        y[member] = (x[member] - moments.center) * moments.scale * (gamma?[place] ?? 1) + (beta?[place] ?? 0)
      }
    }
  }

  func backward(_ run: BackwardRun) {
    let shape = run.inputs[0].shape
    let axes = AxisGroups(shape, axes: spec.axes)
    let places = parameterPlaces(shape)
    let gamma = spec.scale ? run.parameters[0] : nil
    for group in axes.groups {
      let (x, dy) = (run.inputs[0].floats + group, run.outputGradients[0] + group)
      let moments = moments(UnsafePointer(x), axes.members)
      if let gradients = run.parameterGradients {
        for (index, member) in axes.members.enumerated() {
          let place = places.place(index, element: group + member)
          if spec.scale { gradients[0][place] += dy[member] * (x[member] - moments.center) * moments.scale }
          if spec.center { gradients[spec.scale ? 1 : 0][place] += dy[member] }
        }
      }
      guard let dx = run.inputGradients[0].map({ $0 + group }) else { continue }
      var (sum, product): (Float, Float) = (0, 0)
      for (index, member) in axes.members.enumerated() {
        let value = dy[member] * (gamma?[places.place(index, element: group + member)] ?? 1)
        sum += value
        product += value * (x[member] - moments.center)
      }
      let count = Float(axes.members.count)
      let isCentered = spec.form == .centered || spec.form == .doubleEpsilon
      for (index, member) in axes.members.enumerated() {
        let place = places.place(index, element: group + member)
        let value = dy[member] * (gamma?[place] ?? 1) - (isCentered ? sum / count : 0)
        dx[member] += moments.scale * value - moments.slope * (x[member] - moments.mean) * product / count
      }
    }
  }
}

/// Group normalization (Wu and He 2018): as layer normalization, over all positions and the channels of one group; gamma
/// and beta belong to the channels.
struct GroupNormalizationLayer: FormulaLayer {
  let spec: GroupNormalizationSpec

  func plan(_ inputs: [PlannedInput], isTraining: Bool) -> LayerPlan {
    LayerPlan(outputShapes: [inputs[0].shape], maskSource: inputs[0].mask == nil ? nil : 0)
  }

  /// For each group of one example, its members' offsets and their channels.
  private func groups(_ shape: [Int]) -> [(members: [Int], channels: [Int])] {
    let view = AxisView(shape, place: AxisView.place(spec.axis, rank: shape.count))
    let outer = view.outer / max(shape[0], 1)
    let count = spec.groups == -1 ? view.size : spec.groups
    let width = view.size / count
    return (0..<count).map { group in
      var (members, channels) = ([Int](), [Int]())
      for block in 0..<outer {
        for channel in group * width..<(group + 1) * width {
          let start = (block * view.size + channel) * view.inner
          members += start..<start + view.inner
          channels += Array(repeating: channel, count: view.inner)
        }
      }
      return (members, channels)
    }
  }

  private func moments<Scalar: Real & BinaryFloatingPoint>(
    _ x: UnsafePointer<Scalar>, _ members: [Int]
  ) -> (mean: Scalar, scale: Scalar) {
    var (sum, squares): (Scalar, Scalar) = (0, 0)
    for member in members { sum += x[member] }
    let mean = sum / Scalar(members.count)
    for member in members { squares += (x[member] - mean) * (x[member] - mean) }
    return (mean, 1 / Scalar.sqrt(squares / Scalar(members.count) + Scalar(spec.epsilon)))
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let shape = run.inputs[0].shape
    let perExample = elementCount(Array(shape.dropFirst()))
    let gamma = spec.scale ? run.parameters[0] : nil
    let beta = spec.center ? run.parameters[spec.scale ? 1 : 0] : nil
    let groups = groups(shape)
    for example in 0..<shape[0] {
      let (x, y) = (run.inputs[0].values + example * perExample, run.outputs[0].values + example * perExample)
      for group in groups {
        let (mean, scale) = moments(x, group.members)
        for (member, channel) in zip(group.members, group.channels) {
          y[member] = (x[member] - mean) * scale * (gamma?[channel] ?? 1) + (beta?[channel] ?? 0)
        }
      }
    }
  }

  func backward(_ run: BackwardRun) {
    let shape = run.inputs[0].shape
    let perExample = elementCount(Array(shape.dropFirst()))
    let gamma = spec.scale ? run.parameters[0] : nil
    let groups = groups(shape)
    for example in 0..<shape[0] {
      let (x, dy) = (
        run.inputs[0].floats + example * perExample, run.outputGradients[0] + example * perExample
      )
      for group in groups {
        let (mean, scale) = moments(UnsafePointer(x), group.members)
        if let gradients = run.parameterGradients {
          for (member, channel) in zip(group.members, group.channels) {
            if spec.scale { gradients[0][channel] += dy[member] * (x[member] - mean) * scale }
            if spec.center { gradients[spec.scale ? 1 : 0][channel] += dy[member] }
          }
        }
        guard let dx = run.inputGradients[0].map({ $0 + example * perExample }) else { continue }
        var (sum, product): (Float, Float) = (0, 0)
        for (member, channel) in zip(group.members, group.channels) {
          let value = dy[member] * (gamma?[channel] ?? 1)
          sum += value
          product += value * (x[member] - mean) * scale
        }
        let count = Float(group.members.count)
        for (member, channel) in zip(group.members, group.channels) {
          let value = dy[member] * (gamma?[channel] ?? 1) - sum / count
          dx[member] += scale * (value - (x[member] - mean) * scale * product / count)
        }
      }
    }
  }
}

/// y = x / sqrt(max(sum of squares over some axes, epsilon)); dx = s (dy - y sum(dy y)), with s = 1 / sqrt(..), or s dy
/// where epsilon is the larger one.
struct UnitNormalizationLayer: FormulaLayer {
  let spec: UnitNormalizationSpec

  func plan(_ inputs: [PlannedInput], isTraining: Bool) -> LayerPlan {
    LayerPlan(outputShapes: [inputs[0].shape], maskSource: inputs[0].mask == nil ? nil : 0)
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let axes = AxisGroups(run.inputs[0].shape, axes: spec.axes)
    for group in axes.groups {
      let (x, y) = (run.inputs[0].values + group, run.outputs[0].values + group)
      var squares: Scalar = 0
      for member in axes.members { squares += x[member] * x[member] }
      let scale = 1 / Scalar.sqrt(max(squares, Scalar(spec.epsilon)))
      for member in axes.members { y[member] = x[member] * scale }
    }
  }

  func backward(_ run: BackwardRun) {
    guard let dx = run.inputGradients[0] else { return }
    let axes = AxisGroups(run.inputs[0].shape, axes: spec.axes)
    for group in axes.groups {
      let (x, y, dy) = (run.inputs[0].floats + group, run.outputs[0].floats + group, run.outputGradients[0] + group)
      var (squares, product): (Float, Float) = (0, 0)
      for member in axes.members {
        squares += x[member] * x[member]
        product += dy[member] * y[member]
      }
      let isLarge = squares > Float(spec.epsilon)
      let scale = 1 / max(squares, Float(spec.epsilon)).squareRoot()
      for member in axes.members { dx[group + member] += scale * (dy[member] - (isLarge ? y[member] * product : 0)) }
    }
  }
}

/// y = exp(x) / sum(exp(x)) over some axes; dx = y (dy - sum(dy y)). A masked position, where the mask has the input's
/// shape, counts as x - 1e9; with `zeroesMasked` it is 0 also where nothing else is left.
struct SoftmaxLayer: FormulaLayer {
  let spec: SoftmaxSpec

  func plan(_ inputs: [PlannedInput], isTraining: Bool) -> LayerPlan {
    LayerPlan(outputShapes: [inputs[0].shape], maskSource: inputs[0].mask == nil ? nil : 0)
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let input = run.inputs[0]
    let axes = AxisGroups(input.shape, axes: spec.axes)
    let mask = input.maskShape == input.shape ? input.mask : nil
    for group in axes.groups {
      let y = run.outputs[0].values + group
      var highest = -Scalar.infinity
      for member in axes.members {
        let index = group + member
        y[member] = input.values[index] - (mask.map { $0[index] == 0 ? 1e9 : 0 } ?? 0)
        if y[member] > highest || y[member].isNaN { highest = y[member] }
      }
      var sum: Scalar = 0
      for member in axes.members {
        y[member] = .exp(y[member] - highest)
        sum += y[member]
      }
      for member in axes.members { y[member] /= sum }
      guard spec.zeroesMasked, let mask else { continue }
      for member in axes.members where mask[group + member] == 0 { y[member] = 0 }
    }
  }

  func backward(_ run: BackwardRun) {
    guard let dx = run.inputGradients[0] else { return }
    let axes = AxisGroups(run.inputs[0].shape, axes: spec.axes)
    for group in axes.groups {
      let (y, dy) = (run.outputs[0].floats + group, run.outputGradients[0] + group)
      var product: Float = 0
      for member in axes.members { product += dy[member] * y[member] }
      for member in axes.members { dx[group + member] += y[member] * (dy[member] - product) }
    }
  }
}
