import RNNCore
import RealModule

/// Multi-head attention (Vaswani et al. 2017). For each head h, with linear maps of query x, key z and value v:
///
///     q = x Wq + bq    k = z Wk + bk    u = v Wv + bv    weights = softmax(q transposed(k) / sqrt(key dim))
///     y = sum over h of (weights u * g) Wo + bo    g = sigmoid(x Wg + bg), or 1 without a gate
///
/// A step that is masked, or later where the layer is causal, or outside the window, or 0 in a mask that is given, is not
/// seen; a masked query step sees nothing, and so all steps alike (or, with `zeroesUnseen`, none). Where keys and values
/// have fewer heads, several of the query's in a row share one.
struct MultiHeadAttentionLayer: FormulaLayer {
  let spec: MultiHeadAttentionSpec

  func plan(_ inputs: [PlannedInput], isTraining: Bool) -> LayerPlan {
    let (query, value) = (inputs[0].shape, inputs[1].shape)
    let scores = spec.returnsScores ? [[query[0], spec.headCount, query[1], value[1]]] : []
    return LayerPlan(
      outputShapes: [[query[0], query[1], spec.outputDim ?? query[2]]] + scores,
      maskSource: inputs[0].mask == nil ? nil : 0)
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
    _ x: UnsafePointer<Scalar>, rows: Int, width: Int, columns: Int,
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
    _ example: Int, _ inputs: [FormulaTensor<Scalar>], _ parameters: [UnsafePointer<Scalar>], _ noise: LayerNoise?
  ) -> Heads<Scalar> {
    let (query, value, key) = (inputs[0], inputs[1], inputs[spec.keyPlace(of: inputs.count)])
    let (rows, columns) = (query.shape[1], value.shape[1])
    let given = spec.takesMask ? inputs[inputs.count - 1] : nil
    func isGiven(_ row: Int, _ column: Int) -> Bool {
      guard let given else { return true }
      let (height, width) = (given.shape[1], given.shape[2])
      return given.values[(example * height + (height == 1 ? 0 : row)) * width + (width == 1 ? 0 : column)] != 0
    }
    let (queries, values) = (spec.headCount * spec.keyDim, spec.headCount * spec.valueDim)
    let keyHeads = spec.keyHeadCount ?? spec.headCount
    let (keys, ownValues) = (keyHeads * spec.keyDim, keyHeads * spec.valueDim)
    func rowsOf(_ tensor: FormulaTensor<Scalar>) -> UnsafePointer<Scalar> {
      UnsafePointer(tensor.values + example * tensor.shape[1] * tensor.width)
    }
    let q = linear(rowsOf(query), rows: rows, width: query.width, columns: queries, map(parameters, .query))
    let k = linear(rowsOf(key), rows: columns, width: key.width, columns: keys, map(parameters, .key))
    let u = linear(rowsOf(value), rows: columns, width: value.width, columns: ownValues, map(parameters, .value))
    let gate =
      spec.hasGate
      ? linear(rowsOf(query), rows: rows, width: query.width, columns: values, map(parameters, .gate))
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
    return Heads(q: q, k: k, u: u, weights: weights, joined: joined, gate: gate)
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let (rows, columns) = (run.inputs[0].shape[1], run.inputs[1].shape[1])
    let width = run.outputs[0].width
    for example in 0..<run.inputs[0].shape[0] {
      let heads = heads(example, run.inputs, run.parameters, run.noise)
      let y = heads.gated.withUnsafeBufferPointer { gated in
        gated.baseAddress.map {
          linear($0, rows: rows, width: spec.headCount * spec.valueDim, columns: width, map(run.parameters, .output))
        } ?? []
      }
      for (index, value) in y.enumerated() { run.outputs[0].values[example * rows * width + index] = value }
      guard spec.returnsScores else { continue }
      for (head, weights) in heads.weights.enumerated() {
        let start = (example * spec.headCount + head) * rows * columns
        for (index, weight) in weights.dropped.enumerated() { run.outputs[1].values[start + index] = weight }
      }
    }
  }

  /// The gradient of `linear`: into the kernel, the bias and x.
  private func addLinear(
    _ gradient: [Float], _ x: UnsafePointer<Float>, rows: Int, width: Int, columns: Int, _ part: Part,
    _ run: BackwardRun, into dx: Floats?
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
        dx?[row * width + channel] += sum
      }
    }
  }

  func backward(_ run: BackwardRun) {
    let inputs = run.inputs.map {
      FormulaTensor(values: $0.floats, shape: $0.shape, mask: $0.mask, maskShape: $0.maskShape)
    }
    let last = spec.keyPlace(of: inputs.count)
    let (rows, columns) = (inputs[0].shape[1], inputs[1].shape[1])
    let (queries, values) = (spec.headCount * spec.keyDim, spec.headCount * spec.valueDim)
    let keyHeads = spec.keyHeadCount ?? spec.headCount
    let (keys, ownValues) = (keyHeads * spec.keyDim, keyHeads * spec.valueDim)
    let width = run.outputs[0].width
    let scale = 1 / Float(spec.keyDim).squareRoot()
    for example in 0..<inputs[0].shape[0] {
      let heads = heads(example, inputs, run.parameters, run.noise)
      let dy = Array(UnsafeBufferPointer(start: run.outputGradients[0] + example * rows * width, count: rows * width))
      var joined = [Float](repeating: 0, count: rows * values)
      joined.withUnsafeMutableBufferPointer { gradient in
        heads.gated.withUnsafeBufferPointer { x in
          guard let x = x.baseAddress else { return }
          addLinear(dy, x, rows: rows, width: values, columns: width, .output, run, into: gradient.baseAddress)
        }
      }
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
      func start(_ input: Int) -> Int { example * inputs[input].shape[1] * inputs[input].width }
      let maps: [(part: Part, input: Int, gradient: [Float], columns: Int)] =
        [(.query, 0, dq, queries), (.key, last, dk, keys), (.value, 1, du, ownValues)]
        + (spec.hasGate ? [(.gate, 0, dg, values)] : [])
      for (part, input, gradient, columns) in maps {
        addLinear(
          gradient, UnsafePointer(inputs[input].values + start(input)), rows: inputs[input].shape[1],
          width: inputs[input].width, columns: columns, part, run,
          into: run.inputGradients[input].map { $0 + start(input) })
      }
    }
  }
}
