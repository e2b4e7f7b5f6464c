import RNNCore

/// The LSTMs of history; see `LSTMVariantSpec` for the equations, each with its year and source.
///
/// Backwards, with d for gradients of h and c after the step and z for the sums of the gates:
///
///     dm = dh transposed(P), or dh           m = o outputActivation(c) before the projection
///     do = dm outputActivation(c)            dc += dm o outputActivation'(c) + dz_o p_o
///     di = dc g    df = dc c before          dg = dc i
///     dc before = dc f + dz_i p_i + dz_f p_f
///
/// A coupled gate hands its gradient, negated, to the one that it comes from. A number that was clipped has none.
struct LSTMVariantLayer: UnaryLayer {
  let spec: LSTMVariantSpec
  private let blocks: [LSTMVariantSpec.Block]
  private let outputWidth: Int
  /// Places among the parameters.
  private let bias: Int?
  private let peepholes: Int?
  private let projection: Int?
  private let loop: RecurrentLoop

  init(spec: LSTMVariantSpec) {
    self.spec = spec
    blocks = spec.blocks
    outputWidth = spec.projection ?? spec.units
    let names = spec.parameterNames
    bias = names.firstIndex(of: "bias")
    peepholes = names.firstIndex(of: "peephole_kernel")
    projection = names.firstIndex(of: "projection_kernel")
    // The tape of a step: the sums of the blocks, the new c, outputActivation(c), and m.
    loop = RecurrentLoop(
      options: spec.options, units: spec.units, gates: blocks.count, stateWidths: spec.stateWidths,
      cellTape: (blocks.count + 3) * spec.units)
  }

  var packedMatrices: [PackedMatrix] {
    let width = blocks.count * spec.units
    return loop.packedMatrices([
      PackedMatrix(parameter: 1, rows: outputWidth, columns: 0..<width, step: width)
    ])
  }

  var writesInputGradient: Bool { loop.writesInputGradient }
  var placesSteps: Bool { loop.options.returnSequences }

  var backwardMatrices: [PackedMatrix] { loop.backwardMatrices(columns: blocks.count * spec.units) }

  func plan(input: [Int], isMasked: Bool, isTraining: Bool) -> LayerPlan {
    loop.plan(
      input: input, isMasked: isMasked, stepScratch: 7 * spec.units, backwardStepScratch: 8 * spec.units)
  }

  private func block(_ kind: LSTMVariantSpec.Block) -> Int? {
    blocks.firstIndex(of: kind).map { $0 * spec.units }
  }

  /// The row of the peepholes that belongs to a gate: i, f, o, those that there are.
  private func peephole<Pointer: Strideable>(_ peepholes: Pointer?, _ kind: LSTMVariantSpec.Block) -> Pointer?
  where Pointer.Stride == Int {
    let gates = blocks.filter { $0 != .candidate }
    guard let peepholes, let row = gates.firstIndex(of: kind) else { return nil }
    return peepholes.advanced(by: row * spec.units)
  }

  private func clipped(_ value: Float, _ limit: Double?) -> Float {
    guard let limit else { return value }
    return value < Float(-limit) ? Float(-limit) : value > Float(limit) ? Float(limit) : value
  }

  private func isClipped(_ value: Float, _ limit: Double?) -> Bool { limit.map { abs(value) >= Float($0) } ?? false }

  func forward(_ run: inout ForwardRun) {
    let (parameters, recurrent) = (run.parameters, run.packed[1])
    let width = blocks.count * spec.units
    loop.run(&run, bias: bias.map { parameters[$0] }) { memory, step in
      multiplyPacked(
        rows: step.rows.count, columns: width, inner: outputWidth,
        memory.dropped + step.rows.lowerBound * outputWidth, step: outputWidth, recurrent, from: step.sums,
        step: width, into: step.sums, step: width)
      for row in 0..<step.rows.count {
        let example = step.rows.lowerBound + row
        advance(
          step.sums + row * width, h: memory.states[0] + example * outputWidth,
          c: memory.states[1] + example * spec.units, tape: step.tape.map { $0 + row * step.tapeStride },
          scratch: memory.step + row * 7 * spec.units, parameters)
        (step.gates.map { $0 + row * step.gatesStride })?.update(from: step.sums + row * width, count: width)
      }
    }
  }

  /// One step of one example: sums become gates.
  private func advance(
    _ sums: Floats, h: Floats, c: Floats, tape: Floats?, scratch: Floats, _ parameters: [UnsafePointer<Float>]
  ) {
    let units = spec.units
    let peepholes = self.peepholes.map { parameters[$0] }
    let (i, f, squashed, m) = (scratch, scratch + units, scratch + 2 * units, scratch + 3 * units)
    let candidate = sums + (block(.candidate) ?? 0)
    let output = sums + (block(.output) ?? 0)
    for (kind, place) in [(LSTMVariantSpec.Block.input, block(.input)), (.forget, block(.forget))] {
      guard let place else { continue }
      let peephole = peephole(peepholes, kind)
      for unit in 0..<units {
        sums[place + unit] += (peephole?[unit] ?? 0) * c[unit] + (kind == .forget ? Float(spec.forgetBias) : 0)
      }
      clip(sums + place)
    }
    clip(candidate)
    tape?.update(from: sums, count: blocks.count * units)
    for place in [block(.input), block(.forget)].compactMap(\.self) {
      ActivationKernel.apply(spec.recurrentActivation, sums + place, rows: 1, width: units)
    }
    ActivationKernel.apply(spec.activation, candidate, rows: 1, width: units)
    gates(sums, i, f)
    for unit in 0..<units { c[unit] = clipped(f[unit] * c[unit] + i[unit] * candidate[unit], spec.cellClip) }
    let peephole = peephole(peepholes, .output)
    for unit in 0..<units { output[unit] += (peephole?[unit] ?? 0) * c[unit] }
    clip(output)
    if let tape, let place = block(.output) { (tape + place).update(from: output, count: units) }
    ActivationKernel.apply(spec.recurrentActivation, output, rows: 1, width: units)
    squashed.update(from: c, count: units)
    ActivationKernel.apply(spec.outputActivation, squashed, rows: 1, width: units)
    for unit in 0..<units { m[unit] = output[unit] * squashed[unit] }
    if let tape {
      let rest = tape + blocks.count * units
      rest.update(from: c, count: units)
      (rest + units).update(from: squashed, count: units)
      (rest + 2 * units).update(from: m, count: units)
    }
    guard let projection = self.projection.map({ parameters[$0] }) else { return h.update(from: m, count: units) }
    h.update(repeating: 0, count: outputWidth)
    multiplyAdd(
      rows: 1, columns: outputWidth, inner: units, m, step: units, projection, step: outputWidth, into: h,
      step: outputWidth)
    for index in 0..<outputWidth { h[index] = clipped(h[index], spec.projectionClip) }
  }

  private func clip(_ sums: Floats) {
    guard spec.sumClip != nil else { return }
    for unit in 0..<spec.units { sums[unit] = clipped(sums[unit], spec.sumClip) }
  }

  /// The input and forget gates, one of which may come from the other, or be 1.
  private func gates(_ gates: Floats, _ i: Floats, _ f: Floats) {
    for unit in 0..<spec.units {
      let input = block(.input).map { gates[$0 + unit] }
      let forget = block(.forget).map { gates[$0 + unit] }
      switch spec.forgetGate {
      case .none: (i[unit], f[unit]) = (input ?? 1, 1)
      case .own: (i[unit], f[unit]) = (input ?? 1, forget ?? 1)
      case .fromInputGate: (i[unit], f[unit]) = (input ?? 1, 1 - (input ?? 1))
      case .fromForgetGate: (i[unit], f[unit]) = (1 - (forget ?? 1), forget ?? 1)
      }
    }
  }

  func backward(_ run: BackwardRun) {
    let width = blocks.count * spec.units
    loop.runBackward(
      run, stepScratch: 8 * spec.units,
      throughRecurrent: { added, rows, recurrentTransposed in
        multiplyPacked(
          rows: rows.count, columns: outputWidth, inner: width, rows.stateSums, step: rows.stride,
          recurrentTransposed, from: added, step: outputWidth, into: added, step: outputWidth)
      },
      step: { stepBack($0, run) },
      finish: { tape, inputSums, _ in
        guard let gradients = run.parameterGradients else { return }
        let rows = run.inputs[0].rows
        multiplyTransposedAdd(
          rows: outputWidth, columns: width, inner: rows, tape.before[0], step: outputWidth, inputSums,
          step: width, into: gradients[1], step: width)
        if let bias = bias.map({ gradients[$0] }) {
          addRows(inputSums, rows: rows, width: width, step: width, into: bias)
        }
      })
  }

  private func stepBack(_ step: RecurrentLoop.BackwardStep, _ run: BackwardRun) {
    let units = spec.units
    let sums = step.cell
    let rest = step.cell + blocks.count * units
    let (c, squashed, m) = (rest, rest + units, rest + 2 * units)
    let (dh, dc, before) = (step.states[0], step.states[1], step.before[1])
    let cut = (0..<8).map { step.scratch + $0 * units }
    let (dm, dOut, i, f, di, df, slope) = (cut[0], cut[1], cut[2], cut[3], cut[4], cut[5], cut[6])
    let peepholes = self.peepholes.map { run.parameters[$0] }
    let peepholeGradients = self.peepholes.flatMap { run.parameterGradients?[$0] }
    let candidate = block(.candidate) ?? 0
    let output = block(.output) ?? 0
    backThroughProjection(dh, m: m, into: dm, run)
    // The output gate, and what reaches c through it and through m.
    for unit in 0..<units { dOut[unit] = dm[unit] * squashed[unit] }
    gateGradient(spec.recurrentActivation, sums, step.gates, output, dOut, step.inputSums)
    for unit in 0..<units { slope[unit] = dm[unit] * step.gates[output + unit] }
    ActivationGradient.apply(
      spec.outputActivation, rows: 1, width: units, x: c, y: squashed, dy: slope, dx: slope)
    let outputPeephole = peephole(peepholes, .output)
    let outputPeepholeGradient = peephole(peepholeGradients, .output)
    for unit in 0..<units {
      let dz = step.inputSums[output + unit]
      dc[unit] += slope[unit] + dz * (outputPeephole?[unit] ?? 0)
      outputPeepholeGradient?[unit] += dz * c[unit]
      if isClipped(c[unit], spec.cellClip) { dc[unit] = 0 }
    }
    gates(step.gates, i, f)
    for unit in 0..<units {
      di[unit] = dc[unit] * step.gates[candidate + unit]
      df[unit] = dc[unit] * before[unit]
      slope[unit] = dc[unit] * i[unit]
      switch spec.forgetGate {
      case .none, .own: break
      case .fromInputGate: di[unit] -= df[unit]
      case .fromForgetGate: df[unit] -= di[unit]
      }
      dc[unit] *= f[unit]
    }
    gateGradient(spec.activation, sums, step.gates, candidate, slope, step.inputSums)
    for (kind, gradient) in [(LSTMVariantSpec.Block.input, di), (.forget, df)] {
      guard let place = block(kind) else { continue }
      gateGradient(spec.recurrentActivation, sums, step.gates, place, gradient, step.inputSums)
      let (weights, gradients) = (peephole(peepholes, kind), peephole(peepholeGradients, kind))
      for unit in 0..<units {
        let dz = step.inputSums[place + unit]
        dc[unit] += dz * (weights?[unit] ?? 0)
        gradients?[unit] += dz * before[unit]
      }
    }
    dh.update(repeating: 0, count: outputWidth)
  }

  /// d loss / d sums of one block.
  private func gateGradient(
    _ activation: Activation, _ sums: Floats, _ gates: Floats, _ place: Int, _ dy: Floats, _ out: Floats
  ) {
    ActivationGradient.apply(
      activation, rows: 1, width: spec.units, x: sums + place, y: gates + place, dy: dy, dx: out + place)
    for unit in 0..<spec.units where isClipped(sums[place + unit], spec.sumClip) { out[place + unit] = 0 }
  }

  private func backThroughProjection(_ dh: Floats, m: Floats, into dm: Floats, _ run: BackwardRun) {
    guard let projection = self.projection.map({ run.parameters[$0] }) else {
      return dm.update(from: dh, count: spec.units)
    }
    let gradient = self.projection.flatMap { run.parameterGradients?[$0] }
    let width = outputWidth
    for index in 0..<width where spec.projectionClip != nil {
      let sum = (0..<spec.units).reduce(Float(0)) { $0 + m[$1] * projection[$1 * width + index] }
      if isClipped(sum, spec.projectionClip) { dh[index] = 0 }
    }
    for unit in 0..<spec.units {
      dm[unit] = (0..<width).reduce(Float(0)) { $0 + dh[$1] * projection[unit * width + $1] }
      for index in 0..<width { gradient?[unit * width + index] += m[unit] * dh[index] }
    }
  }
}
