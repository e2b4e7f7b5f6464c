import RNNCore
import RealModule

/// Multi-head attention (Vaswani et al. 2017). For each head h, with linear maps of query x, key z and value v:
///
///     q = x Wq + bq    k = z Wk + bk    u = v Wv + bv    weights = softmax(q transposed(k) / sqrt(key dim))
///     y = sum over h of (weights u) Wo + bo
///
/// A step that is masked, or later where the layer is causal, or 0 in a mask that is given, is not seen; a masked query step sees nothing, and
/// so all steps alike (or, with `zeroesUnseen`, none).
struct MultiHeadAttentionLayer: FormulaLayer {
  let spec: MultiHeadAttentionSpec

  func plan(_ inputs: [PlannedInput], isTraining: Bool) -> LayerPlan {
    let (query, value) = (inputs[0].shape, inputs[1].shape)
    let scores = spec.returnsScores ? [[query[0], spec.headCount, query[1], value[1]]] : []
    return LayerPlan(
      outputShapes: [[query[0], query[1], spec.outputDim ?? query[2]]] + scores,
      maskSource: inputs[0].mask == nil ? nil : 0)
  }

  /// Kernel and bias of the n-th of the four maps.
  private func map<Pointer>(_ parameters: [Pointer], _ index: Int) -> (kernel: Pointer, bias: Pointer?) {
    spec.useBias ? (parameters[2 * index], parameters[2 * index + 1]) : (parameters[index], nil)
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
    let (keys, values) = (spec.headCount * spec.keyDim, spec.headCount * spec.valueDim)
    func rowsOf(_ tensor: FormulaTensor<Scalar>) -> UnsafePointer<Scalar> {
      UnsafePointer(tensor.values + example * tensor.shape[1] * tensor.width)
    }
    let q = linear(rowsOf(query), rows: rows, width: query.width, columns: keys, map(parameters, 0))
    let k = linear(rowsOf(key), rows: columns, width: key.width, columns: keys, map(parameters, 1))
    let u = linear(rowsOf(value), rows: columns, width: value.width, columns: values, map(parameters, 2))
    let scale = 1 / Scalar.sqrt(Scalar(spec.keyDim))
    var joined = [Scalar](repeating: 0, count: rows * values)
    let weights = (0..<spec.headCount).map { head -> AttentionWeights<Scalar> in
      var scores: [Scalar] = []
      scores.reserveCapacity(rows * columns)
      for row in 0..<rows {
        for column in 0..<columns {
          var sum: Scalar = 0
          for index in head * spec.keyDim..<(head + 1) * spec.keyDim {
            sum += q[row * keys + index] * scale * k[column * keys + index]
          }
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
            && isGiven(row, column)
        }, maskedScore: { _ in -1e9 })
      let dropped = weights.dropped
      for row in 0..<rows {
        for column in 0..<columns {
          for index in head * spec.valueDim..<(head + 1) * spec.valueDim {
            joined[row * values + index] += dropped[row * columns + column] * u[column * values + index]
          }
        }
      }
      return weights
    }
    return Heads(q: q, k: k, u: u, weights: weights, joined: joined)
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let (rows, columns) = (run.inputs[0].shape[1], run.inputs[1].shape[1])
    let width = run.outputs[0].width
    for example in 0..<run.inputs[0].shape[0] {
      let heads = heads(example, run.inputs, run.parameters, run.noise)
      let y = heads.joined.withUnsafeBufferPointer { joined in
        joined.baseAddress.map {
          linear($0, rows: rows, width: spec.headCount * spec.valueDim, columns: width, map(run.parameters, 3))
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
    _ gradient: [Float], _ x: UnsafePointer<Float>, rows: Int, width: Int, columns: Int, _ index: Int,
    _ run: BackwardRun, into dx: Floats?
  ) {
    let kernel = map(run.parameters, index).kernel
    let gradients = run.parameterGradients.map { map($0, index) }
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
    let (keys, values) = (spec.headCount * spec.keyDim, spec.headCount * spec.valueDim)
    let width = run.outputs[0].width
    let scale = 1 / Float(spec.keyDim).squareRoot()
    for example in 0..<inputs[0].shape[0] {
      let heads = heads(example, inputs, run.parameters, run.noise)
      let dy = Array(UnsafeBufferPointer(start: run.outputGradients[0] + example * rows * width, count: rows * width))
      var joined = [Float](repeating: 0, count: rows * values)
      joined.withUnsafeMutableBufferPointer { gradient in
        heads.joined.withUnsafeBufferPointer { x in
          guard let x = x.baseAddress else { return }
          addLinear(dy, x, rows: rows, width: values, columns: width, 3, run, into: gradient.baseAddress)
        }
      }
      var (dq, dk, du) = (
        [Float](repeating: 0, count: rows * keys), [Float](repeating: 0, count: columns * keys),
        [Float](repeating: 0, count: columns * values)
      )
      for (head, weights) in heads.weights.enumerated() {
        let dropped = weights.dropped
        var gradient = [Float](repeating: 0, count: rows * columns)
        for row in 0..<rows {
          for column in 0..<columns {
            let index = row * columns + column
            for place in head * spec.valueDim..<(head + 1) * spec.valueDim {
              gradient[index] += joined[row * values + place] * heads.u[column * values + place]
              du[column * values + place] += dropped[index] * joined[row * values + place]
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
            for place in head * spec.keyDim..<(head + 1) * spec.keyDim {
              dq[row * keys + place] += factor * heads.k[column * keys + place]
              dk[column * keys + place] += factor * heads.q[row * keys + place]
            }
          }
        }
      }
      func start(_ input: Int) -> Int { example * inputs[input].shape[1] * inputs[input].width }
      for (index, input, gradient) in [(0, 0, dq), (1, last, dk), (2, 1, du)] {
        addLinear(
          gradient, UnsafePointer(inputs[input].values + start(input)), rows: inputs[input].shape[1],
          width: inputs[input].width, columns: index == 2 ? values : keys, index, run,
          into: run.inputGradients[input].map { $0 + start(input) })
      }
    }
  }
}
