import RNNCore
import RealModule

/// Multi-head attention (Vaswani et al. 2017). For each head h, with linear maps of query x, key z and value v:
///
///     q = x Wq + bq    k = z Wk + bk    u = v Wv + bv    weights = softmax(q transposed(k) / sqrt(key dim))
///     y = sum over h of (weights u * g) Wo + bo    g = sigmoid(x Wg + bg), or 1 without a gate
///
/// A step that is masked, or later where the layer is causal, or outside the window, or 0 in a mask that is given, is not
/// seen; a masked query step sees nothing, and so all steps alike (or, with `zeroesUnseen`, none). Where keys and values
/// have fewer heads, several of the query's in a row share one. The steps may be positions along several axes, and the
/// axes that are none of these are more sequences; see `attentionAxes`.
struct MultiHeadAttentionLayer: FormulaLayer {
  let spec: MultiHeadAttentionSpec

  func plan(_ inputs: [PlannedInput], isTraining: Bool) throws -> LayerPlan {
    guard inputs[0].shape.count == 3 || inputs.allSatisfy({ $0.mask == nil }) else {
      throw RNNError.unsupported("MultiHeadAttention over several axes, under a mask")
    }
    let shapes = try spec.outputShapes(inputs: inputs.map { $0.shape.dropFirst().map { $0 } })
    return LayerPlan(
      outputShapes: shapes.map { [inputs[0].shape[0]] + $0.map { $0 ?? 1 } },
      maskSource: inputs[0].mask == nil ? nil : 0)
  }

  /// A tensor seen as sequences, whose steps need not lie side by side.
  private struct Sequences {
    /// The first step of each, and how many steps behind that the others lie.
    private let firsts: [Int]
    private let steps: [Int]
    let width: Int

    var count: Int { firsts.count }
    var length: Int { steps.count }

    init(_ shape: [Int], _ spec: MultiHeadAttentionSpec, width: Int? = nil) {
      let places = (try? spec.attentionPlaces(rank: shape.count - 1)) ?? []
      let groups = AxisGroups(shape.dropLast(), axes: places.map { $0 + 1 })
      (firsts, steps, self.width) = (groups.groups, groups.members, width ?? shape[shape.count - 1])
    }

    /// One sequence, step after step.
    func gather<Scalar>(_ x: UnsafeMutablePointer<Scalar>, _ sequence: Int) -> [Scalar] {
      steps.flatMap { step in
        UnsafeBufferPointer(start: x + (firsts[sequence] + step) * width, count: width)
      }
    }

    /// Calls `body` for every number of one sequence, with its place there and in the tensor.
    func forEach(_ sequence: Int, _ body: (Int, Int) -> Void) {
      for (index, step) in steps.enumerated() {
        for channel in 0..<width { body(index * width + channel, (firsts[sequence] + step) * width + channel) }
      }
    }
  }

  /// The linear maps.
  private enum Part {
    case query, key, gate, value, output
  }

  /// Kernel and bias of a map.
  private func map<Pointer>(_ parameters: [Pointer], _ part: Part) -> (kernel: Pointer, bias: Pointer?) {
    let index =
      switch part {
      case .query: 0
      case .key: 1
      case .gate: 2
      case .value: spec.hasGate ? 3 : 2
      case .output: spec.hasGate ? 4 : 3
      }
    return spec.useBias ? (parameters[2 * index], parameters[2 * index + 1]) : (parameters[index], nil)
  }

  /// rows of x through a kernel [width, columns].
  private func linear<Scalar: Real & BinaryFloatingPoint>(
    _ x: [Scalar], rows: Int, width: Int, columns: Int,
    _ map: (kernel: UnsafePointer<Scalar>, bias: UnsafePointer<Scalar>?)
  ) -> [Scalar] {
    var result = [Scalar](repeating: 0, count: rows * columns)
    for row in 0..<rows {
      for column in 0..<columns { result[row * columns + column] = map.bias?[column] ?? 0 }
      for channel in 0..<width {
        let factor = x[row * width + channel]
        for column in 0..<columns { result[row * columns + column] += factor * map.kernel[channel * columns + column] }
      }
    }
    return result
  }

  /// What one example comes to.
  private struct Heads<Scalar: Real & BinaryFloatingPoint> {
    /// Query, key and value.
    var inputs: [[Scalar]]
    var q: [Scalar]
    var k: [Scalar]
    var u: [Scalar]
    /// By head.
    var weights: [AttentionWeights<Scalar>]
    /// (query steps, heads x value dim)
    var joined: [Scalar]
    /// Of the same shape; empty without a gate.
    var gate: [Scalar]

    /// What the last map reads.
    var gated: [Scalar] { gate.isEmpty ? joined : zip(joined, gate).map { $0 * $1 } }
  }

  private func heads<Scalar: Real & BinaryFloatingPoint>(
    _ example: Int, _ inputs: [FormulaTensor<Scalar>], _ sequences: [Sequences],
    _ parameters: [UnsafePointer<Scalar>], _ noise: LayerNoise?
  ) -> Heads<Scalar> {
    let keyPlace = spec.keyPlace(of: inputs.count)
    let (query, value, key) = (inputs[0], inputs[1], inputs[keyPlace])
    let (rows, columns) = (sequences[0].length, sequences[1].length)
    let given = spec.takesMask ? inputs[inputs.count - 1] : nil
    func isGiven(_ row: Int, _ column: Int) -> Bool {
      guard let given else { return true }
      let (height, width) = (given.shape[1], given.shape[2])
      return given.values[(example * height + (height == 1 ? 0 : row)) * width + (width == 1 ? 0 : column)] != 0
    }
    let (queries, values) = (spec.headCount * spec.keyDim, spec.headCount * spec.valueDim)
    let keyHeads = spec.keyHeadCount ?? spec.headCount
    let (keys, ownValues) = (keyHeads * spec.keyDim, keyHeads * spec.valueDim)
    let x = [0, keyPlace, 1].map { sequences[$0].gather(inputs[$0].values, example) }
    let q = linear(x[0], rows: rows, width: query.width, columns: queries, map(parameters, .query))
    let k = linear(x[1], rows: columns, width: key.width, columns: keys, map(parameters, .key))
    let u = linear(x[2], rows: columns, width: value.width, columns: ownValues, map(parameters, .value))
    let gate =
      spec.hasGate
      ? linear(x[0], rows: rows, width: query.width, columns: values, map(parameters, .gate))
        .map { 1 / (1 + Scalar.exp(-$0)) } : []
    let scale = 1 / Scalar.sqrt(Scalar(spec.keyDim))
    var joined = [Scalar](repeating: 0, count: rows * values)
    let weights = (0..<spec.headCount).map { head -> AttentionWeights<Scalar> in
      var scores: [Scalar] = []
      scores.reserveCapacity(rows * columns)
      for row in 0..<rows {
        for column in 0..<columns {
          var sum: Scalar = 0
          let (own, other) = (row * queries + head * spec.keyDim, column * keys + spec.keyHead(of: head) * spec.keyDim)
          for index in 0..<spec.keyDim { sum += q[own + index] * scale * k[other + index] }
          scores.append(sum)
        }
      }
      let weights = AttentionWeights(
        scores, rows: rows, columns: columns, dropout: spec.dropout, noise: noise,
        firstElement: (((noise?.firstExample ?? 0) + example) * spec.headCount + head) * rows * columns,
        zeroesUnseen: spec.zeroesUnseen,
        isValid: { row, column in
          AttentionMask.isValid(query.mask, example, row, of: rows)
            && AttentionMask.isValid(value.mask, example, column, of: columns)
            && AttentionMask.isValid(key.mask, example, column, of: columns) && (!spec.isCausal || column <= row)
            && abs(row - column) < spec.window ?? .max && isGiven(row, column)
        }, maskedScore: { _ in -1e9 })
      let dropped = weights.dropped
      for row in 0..<rows {
        for column in 0..<columns {
          let own = row * values + head * spec.valueDim
          let other = column * ownValues + spec.keyHead(of: head) * spec.valueDim
          for index in 0..<spec.valueDim { joined[own + index] += dropped[row * columns + column] * u[other + index] }
        }
      }
      return weights
    }
    return Heads(inputs: x, q: q, k: k, u: u, weights: weights, joined: joined, gate: gate)
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let sequences = run.inputs.map { Sequences($0.shape, spec) }
    let (rows, columns) = (sequences[0].length, sequences[1].length)
    let output = outputs(run.inputs[0].shape, count: run.outputs[0].count)
    for example in 0..<sequences[0].count {
      let heads = heads(example, run.inputs, sequences, run.parameters, run.noise)
      let y = linear(
        heads.gated, rows: rows, width: spec.headCount * spec.valueDim, columns: output.width,
        map(run.parameters, .output))
      output.forEach(example) { index, place in run.outputs[0].values[place] = y[index] }
      guard spec.returnsScores else { continue }
      for (head, weights) in heads.weights.enumerated() {
        let start = (example * spec.headCount + head) * rows * columns
        for (index, weight) in weights.dropped.enumerated() { run.outputs[1].values[start + index] = weight }
      }
    }
  }

  /// The output's sequences, its last axes taken as one.
  private func outputs(_ query: [Int], count: Int) -> Sequences {
    Sequences(query, spec, width: count / max(elementCount(query.dropLast()), 1))
  }

  /// The gradient of `linear`: into the kernel, the bias and x.
  private func addLinear(
    _ gradient: [Float], _ x: [Float], rows: Int, width: Int, columns: Int, _ part: Part, _ run: BackwardRun,
    into dx: inout [Float]
  ) {
    let kernel = map(run.parameters, part).kernel
    let gradients = run.parameterGradients.map { map($0, part) }
    for row in 0..<rows {
      for column in 0..<columns { gradients?.bias?[column] += gradient[row * columns + column] }
      for channel in 0..<width {
        var sum: Float = 0
        for column in 0..<columns {
          let value = gradient[row * columns + column]
          sum += value * kernel[channel * columns + column]
          gradients?.kernel[channel * columns + column] += value * x[row * width + channel]
        }
        dx[row * width + channel] += sum
      }
    }
  }

  func backward(_ run: BackwardRun) {
    let inputs = run.inputs.map {
      FormulaTensor(values: $0.floats, shape: $0.shape, mask: $0.mask, maskShape: $0.maskShape)
    }
    let last = spec.keyPlace(of: inputs.count)
    let sequences = inputs.map { Sequences($0.shape, spec) }
    let (rows, columns) = (sequences[0].length, sequences[1].length)
    let (queries, values) = (spec.headCount * spec.keyDim, spec.headCount * spec.valueDim)
    let keyHeads = spec.keyHeadCount ?? spec.headCount
    let (keys, ownValues) = (keyHeads * spec.keyDim, keyHeads * spec.valueDim)
    let output = outputs(inputs[0].shape, count: run.outputs[0].count)
    let scale = 1 / Float(spec.keyDim).squareRoot()
    for example in 0..<sequences[0].count {
      let heads = heads(example, inputs, sequences, run.parameters, run.noise)
      let dy = output.gather(run.outputGradients[0], example)
      var joined = [Float](repeating: 0, count: rows * values)
      addLinear(dy, heads.gated, rows: rows, width: values, columns: output.width, .output, run, into: &joined)
      var dg: [Float] = []
      if spec.hasGate {
        // sigmoid' = g (1 - g)
        dg = joined.indices.map { joined[$0] * heads.joined[$0] * heads.gate[$0] * (1 - heads.gate[$0]) }
        for index in joined.indices { joined[index] *= heads.gate[index] }
      }
      var (dq, dk, du) = (
        [Float](repeating: 0, count: rows * queries), [Float](repeating: 0, count: columns * keys),
        [Float](repeating: 0, count: columns * ownValues)
      )
      for (head, weights) in heads.weights.enumerated() {
        let dropped = weights.dropped
        var gradient = [Float](repeating: 0, count: rows * columns)
        for row in 0..<rows {
          for column in 0..<columns {
            let index = row * columns + column
            let own = row * values + head * spec.valueDim
            let other = column * ownValues + spec.keyHead(of: head) * spec.valueDim
            for place in 0..<spec.valueDim {
              gradient[index] += joined[own + place] * heads.u[other + place]
              du[other + place] += dropped[index] * joined[own + place]
            }
            if spec.returnsScores {
              gradient[index] += run.outputGradients[1][(example * spec.headCount + head) * rows * columns + index]
            }
          }
        }
        let scores = weights.scoreGradient(gradient)
        for row in 0..<rows {
          // The score of what is not seen is no function of anything.
          for column in 0..<columns where weights.isSeen[row * columns + column] {
            let factor = scores[row * columns + column] * scale
            let own = row * queries + head * spec.keyDim
            let other = column * keys + spec.keyHead(of: head) * spec.keyDim
            for place in 0..<spec.keyDim {
              dq[own + place] += factor * heads.k[other + place]
              dk[other + place] += factor * heads.q[own + place]
            }
          }
        }
      }
      let maps: [(part: Part, input: Int, x: [Float], gradient: [Float], columns: Int)] =
        [
          (.query, 0, heads.inputs[0], dq, queries), (.key, last, heads.inputs[1], dk, keys),
          (.value, 1, heads.inputs[2], du, ownValues),
        ] + (spec.hasGate ? [(.gate, 0, heads.inputs[0], dg, values)] : [])
      for (part, input, x, gradient, columns) in maps {
        var dx = [Float](repeating: 0, count: x.count)
        addLinear(
          gradient, x, rows: sequences[input].length, width: sequences[input].width, columns: columns, part, run,
          into: &dx)
        guard let total = run.inputGradients[input] else { continue }
        sequences[input].forEach(example) { index, place in total[place] += dx[index] }
      }
    }
  }
}
