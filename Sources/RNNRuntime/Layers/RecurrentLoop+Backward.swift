import RNNCore

/// Back-propagation through time, shared by the recurrent layers.
extension RecurrentLoop {
  /// One step of some neighbouring examples, backwards, for the product with the recurrent kernel.
  struct BackwardRows {
    var count: Int
    /// The first example's `stateSums`; the next one's are `stride` floats further.
    var stateSums: Floats
    var stride: Int
    /// The first example's working memory, as the step left it, and the floats to the next.
    var scratch: Floats
    var scratchStride: Int
  }

  /// One step of one example, backwards.
  struct BackwardStep {
    /// What the forward pass left: activated gates, states before the step, the cell's own.
    var gates: Floats
    var before: StatePointers
    var cell: Floats
    /// d loss / d state: of those after the step on entry, of those before it on return (the first without the part
    /// that goes through the recurrent product, which the loop adds).
    var states: StatePointers
    /// To be filled: d loss / d (x K + b), and d loss / d (h R + b'); the same memory without `hasStateSums`, and that of the
    /// gates with `sumsReplaceGates`.
    var inputSums: Floats
    var stateSums: Floats
    /// Working memory.
    var scratch: Floats
  }

  /// Runs all steps backwards.
  /// - Parameters:
  ///   - stepScratch: floats of working memory of one example's step.
  ///   - throughRecurrent: adds d loss / d h of what went through the recurrent product, from `stateSums` and the
  ///     transposed recurrent kernel (gates x units, units), packed, to the first argument (rows, units).
  ///   - step: one step of one example.
  ///   - finish: adds the gradients of the recurrent kernel and the biases from all `inputSums` and `stateSums`.
  func runBackward(
    _ run: BackwardRun, stepScratch: Int, throughRecurrent: (Floats, BackwardRows, UnsafePointer<Float>) -> Void,
    step: (BackwardStep) -> Void, finish: (Tape, Floats, Floats) -> Void
  ) {
    let x = run.inputs[0]
    let (batch, timesteps, channels) = (x.batch, x.shape[1], x.width)
    let width = gates * units
    let tape = layOut(tape: run.tape, batch: batch, timesteps: timesteps, channels: channels)
    var memory = FloatCutter(run.scratch)
    let inputSums = sumsReplaceGates ? tape.gates : memory.take(batch * timesteps * width)
    let stateSums = hasStateSums ? memory.take(batch * timesteps * width) : inputSums
    let inputGradient = memory.take(options.dropout > 0 ? batch * timesteps * channels : channels)
    let states = StatePointers(count: stateWidths.count) { memory.take(batch * stateWidths[$0]) }
    let carried = memory.take(batch * outputWidth)
    let through = memory.take(batch * outputWidth)
    startGradients(run, states, carried, batch: batch)
    for position in (0..<timesteps).reversed() {
      let time = options.goBackwards ? timesteps - 1 - position : position
      // Valid neighbours go through the recurrent product together.
      var first = 0
      for row in 0...batch {
        let index = row * timesteps + time
        let isValid = row < batch && (options.ignoresMask || x.mask.map { $0[index] != 0 } ?? true)
        if row < batch {
          takeOutputGradient(
            run, states[0] + row * outputWidth, carried + row * outputWidth, isValid: isValid,
            row * timesteps + position)
          if let observed = run.stateGradients {
            let gradient = observed + (row * timesteps + position) * outputWidth
            gradient.update(from: states[0] + row * outputWidth, count: outputWidth)
            Kernels.table.add(gradient, carried + row * outputWidth, outputWidth)
          }
        }
        if isValid {
          step(
            BackwardStep(
              gates: tape.gates + index * width, before: parts(tape.before, index),
              cell: tape.cell + index * cellTape, states: parts(states, row),
              inputSums: inputSums + index * width, stateSums: stateSums + index * width,
              scratch: memory.next + row * stepScratch))
          continue
        }
        if row < batch {
          // Sums over all steps pass by a masked one.
          (inputSums + index * width).update(repeating: 0, count: width)
          if hasStateSums { (stateSums + index * width).update(repeating: 0, count: width) }
        }
        if first < row {
          let (start, count) = (first * outputWidth, (row - first) * outputWidth)
          let isDropped = options.recurrentDropout > 0
          if isDropped { (through + start).update(repeating: 0, count: count) }
          throughRecurrent(
            (isDropped ? through : states[0]) + start,
            BackwardRows(
              count: row - first, stateSums: stateSums + (first * timesteps + time) * width,
              stride: timesteps * width, scratch: memory.next + first * stepScratch, scratchStride: stepScratch),
            run.packed[1])
          if isDropped {
            Kernels.table.multiply_accumulate(
              states[0] + start, through + start, tape.recurrentDropout + start, count)
          }
        }
        first = row + 1
      }
    }
    if options.emitsState { Kernels.table.add(states[0], carried, batch * outputWidth) }
    if run.parameterGradients != nil {
      run.add(
        GradientProduct(
          parameter: 0, rows: channels, columns: width, inner: x.rows,
          a: options.dropout > 0 ? tape.inputs : x.floats, b: inputSums))
      finish(tape, inputSums, stateSums)
    }
    if let dx = run.inputGradients[0] {
      let isDropped = options.dropout > 0
      let target = isDropped ? inputGradient : dx
      // Where nothing is there yet, every row's sums start from one row of zeros.
      let isFirst = run.isFirstInputGradient
      inputGradient.update(repeating: 0, count: isDropped ? x.count : channels)
      multiplyPacked(
        rows: x.rows, columns: channels, inner: width, inputSums, step: width, run.packed[0],
        from: isFirst ? inputGradient : target, step: isFirst ? 0 : channels, into: target, step: channels)
      for example in 0..<batch where isDropped {
        let keep = tape.inputDropout + example * channels
        for time in 0..<timesteps {
          let start = (example * timesteps + time) * channels
          Kernels.table.multiply_accumulate(dx + start, inputGradient + start, keep, channels)
        }
      }
    }
    // Behind the input's gradient, which may be written: a state's may lie in the same place.
    for index in stateWidths.indices where run.inputs.count > index + 1 {
      if let gradient = run.inputGradients[index + 1] {
        Kernels.table.add(gradient, states[index], batch * stateWidths[index])
      }
    }
  }

  /// The states' part of a row.
  private func parts(_ states: StatePointers, _ row: Int) -> StatePointers {
    StatePointers(count: stateWidths.count) { states[$0] + row * stateWidths[$0] }
  }

  /// d loss / d final states; `carried` is the gradient of the last output, where only that is the result.
  private func startGradients(_ run: BackwardRun, _ states: StatePointers, _ carried: Floats, batch: Int) {
    for index in stateWidths.indices {
      let state = states[index]
      if options.returnState {
        state.update(from: run.outputGradients[index + 1], count: batch * stateWidths[index])
      } else {
        state.update(repeating: 0, count: batch * stateWidths[index])
      }
    }
    if options.returnSequences {
      carried.update(repeating: 0, count: batch * outputWidth)
    } else {
      carried.update(from: run.outputGradients[0], count: batch * outputWidth)
    }
  }

  /// The gradient of a step's output: to the state where the step was valid, else to the output before, or to nothing.
  private func takeOutputGradient(
    _ run: BackwardRun, _ state: Floats, _ carried: Floats, isValid: Bool, _ outputRow: Int
  ) {
    if options.returnSequences, run.inputs[0].mask == nil || options.ignoresMask {
      return Kernels.table.add(state, run.outputGradients[0] + outputRow * outputWidth, outputWidth)
    }
    if options.returnSequences, !isZeroed(run.inputs[0], outputRow) {
      Kernels.table.add(carried, run.outputGradients[0] + outputRow * outputWidth, outputWidth)
    }
    if isValid {
      Kernels.table.add(state, carried, outputWidth)
      carried.update(repeating: 0, count: outputWidth)
    } else if options.zeroOutputForMask, !options.zeroesByPosition {
      carried.update(repeating: 0, count: outputWidth)
    }
  }
}
