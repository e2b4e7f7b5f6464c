import RNNCore
import RealModule

/// Attention over the steps of a value; see `AttentionSpec` for the equations (Luong et al. 2015, Bahdanau et al. 2015).
///
/// The rows of masked query steps are 0. Backwards, with W the weights: dvalue = transposed(W) dy, dW = dy
/// transposed(value), d scores by the softmax, and from these into query, key and the weights of the score.
struct AttentionLayer: FormulaLayer {
  let spec: AttentionSpec

  func plan(_ inputs: [PlannedInput], isTraining: Bool) -> LayerPlan {
    let (query, value) = (inputs[0].shape, inputs[1].shape)
    let scores = spec.returnsScores ? [[query[0], query[1], value[1]]] : []
    return LayerPlan(
      outputShapes: [[query[0], query[1], value[2]]] + scores, maskSource: inputs[0].mask == nil ? nil : 0)
  }

  /// The weights of the score: `scale` and `concat_score_weight`.
  private func factors<Pointer>(_ parameters: [Pointer]) -> (scale: Pointer?, concat: Pointer?) {
    (spec.useScale ? parameters[0] : nil, spec.score == .concat ? parameters[parameters.count - 1] : nil)
  }

  private func score<Scalar: Real & BinaryFloatingPoint>(
    _ query: UnsafePointer<Scalar>, _ key: UnsafePointer<Scalar>, _ width: Int, _ parameters: [UnsafePointer<Scalar>]
  ) -> Scalar {
    let (scale, concat) = factors(parameters)
    var sum: Scalar = 0
    switch spec.score {
    case .dot:
      for channel in 0..<width { sum += query[channel] * key[channel] }
      return sum * (scale?[0] ?? 1)
    case .concat:
      for channel in 0..<width { sum += .tanh((scale?[0] ?? 1) * (query[channel] + key[channel])) }
      return sum * (concat?[0] ?? 1)
    case .additive:
      for channel in 0..<width { sum += (scale?[channel] ?? 1) * .tanh(query[channel] + key[channel]) }
      return sum
    }
  }

  /// One example's weights.
  private func weights<Scalar: Real & BinaryFloatingPoint>(
    _ example: Int, _ query: FormulaTensor<Scalar>, _ value: FormulaTensor<Scalar>, _ key: FormulaTensor<Scalar>,
    _ parameters: [UnsafePointer<Scalar>], _ noise: LayerNoise?
  ) -> AttentionWeights<Scalar> {
    let (rows, columns, width) = (query.shape[1], key.shape[1], query.width)
    var scores: [Scalar] = []
    scores.reserveCapacity(rows * columns)
    for row in 0..<rows {
      for column in 0..<columns {
        scores.append(
          score(
            query.values + (example * rows + row) * width, key.values + (example * columns + column) * width, width,
            parameters))
      }
    }
    return AttentionWeights(
      scores, rows: rows, columns: columns, dropout: spec.dropout, noise: noise,
      firstElement: ((noise?.firstExample ?? 0) + example) * rows * columns,
      isValid: { row, column in
        AttentionMask.isValid(value.mask, example, column, of: columns) && (!spec.isCausal || column <= row)
      }, maskedScore: { $0 - 1e9 })
  }

  func evaluate<Scalar: Real & BinaryFloatingPoint>(_ run: FormulaRun<Scalar>) {
    let (query, value, key) = (run.inputs[0], run.inputs[1], run.inputs[run.inputs.count - 1])
    let (rows, columns, width) = (query.shape[1], value.shape[1], value.width)
    for example in 0..<query.shape[0] {
      let weights = weights(example, query, value, key, run.parameters, run.noise)
      let dropped = weights.dropped
      for row in 0..<rows {
        let y = run.outputs[0].values + (example * rows + row) * width
        let isValid = AttentionMask.isValid(query.mask, example, row, of: rows)
        for channel in 0..<width { y[channel] = 0 }
        for column in 0..<columns where isValid {
          let x = value.values + (example * columns + column) * width
          for channel in 0..<width { y[channel] += dropped[row * columns + column] * x[channel] }
        }
      }
      guard spec.returnsScores else { continue }
      for (index, weight) in dropped.enumerated() {
        run.outputs[1].values[example * rows * columns + index] = weight
      }
    }
  }

  func backward(_ run: BackwardRun) {
    func tensor(_ value: Value) -> FormulaTensor<Float> {
      FormulaTensor(values: value.floats, shape: value.shape, mask: value.mask, maskShape: value.maskShape)
    }
    let last = run.inputs.count - 1
    let (query, value, key) = (tensor(run.inputs[0]), tensor(run.inputs[1]), tensor(run.inputs[last]))
    let (rows, columns, width) = (query.shape[1], value.shape[1], value.width)
    for example in 0..<query.shape[0] {
      let weights = weights(example, query, value, key, run.parameters, run.noise)
      let dropped = weights.dropped
      var gradient = [Float](repeating: 0, count: rows * columns)
      for row in 0..<rows {
        let dy = run.outputGradients[0] + (example * rows + row) * width
        let isValid = AttentionMask.isValid(query.mask, example, row, of: rows)
        for column in 0..<columns {
          let place = (example * columns + column) * width
          let index = row * columns + column
          if isValid {
            for channel in 0..<width {
              gradient[index] += dy[channel] * value.values[place + channel]
              run.inputGradients[1]?[place + channel] += dropped[index] * dy[channel]
            }
          }
          if spec.returnsScores { gradient[index] += run.outputGradients[1][example * rows * columns + index] }
        }
      }
      let scores = weights.scoreGradient(gradient)
      for row in 0..<rows {
        for column in 0..<columns {
          addScoreGradient(
            scores[row * columns + column], run, query: (example * rows + row) * query.width,
            key: (example * columns + column) * query.width, width: query.width)
        }
      }
    }
  }

  private func addScoreGradient(_ gradient: Float, _ run: BackwardRun, query: Int, key: Int, width: Int) {
    let last = run.inputs.count - 1
    let (q, k) = (run.inputs[0].floats + query, run.inputs[last].floats + key)
    let (dq, dk) = (run.inputGradients[0].map { $0 + query }, run.inputGradients[last].map { $0 + key })
    let (scale, concat) = factors(run.parameters)
    let gradients = run.parameterGradients.map { factors($0) }
    switch spec.score {
    case .dot:
      var product: Float = 0
      let factor = gradient * (scale?[0] ?? 1)
      for channel in 0..<width {
        product += q[channel] * k[channel]
        dq?[channel] += factor * k[channel]
        dk?[channel] += factor * q[channel]
      }
      gradients?.scale?[0] += gradient * product
    case .concat:
      let factor = scale?[0] ?? 1
      for channel in 0..<width {
        let sum = q[channel] + k[channel]
        let squashed = Float.tanh(factor * sum)
        let slope = gradient * (concat?[0] ?? 1) * (1 - squashed * squashed)
        gradients?.concat?[0] += gradient * squashed
        gradients?.scale?[0] += slope * sum
        dq?[channel] += slope * factor
        dk?[channel] += slope * factor
      }
    case .additive:
      for channel in 0..<width {
        let squashed = Float.tanh(q[channel] + k[channel])
        let slope = gradient * (scale?[channel] ?? 1) * (1 - squashed * squashed)
        gradients?.scale?[channel] += gradient * squashed
        dq?[channel] += slope
        dk?[channel] += slope
      }
    }
  }
}
