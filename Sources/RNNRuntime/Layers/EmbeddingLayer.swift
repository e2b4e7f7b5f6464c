import RNNCore

/// y[..., :] = table[id[...], :]
struct EmbeddingLayer: UnaryLayer {
  let spec: EmbeddingSpec

  func plan(input: [Int], isMasked: Bool, isTraining: Bool) -> LayerPlan {
    LayerPlan(outputShapes: [input + [spec.outputDim]], ownMask: spec.maskZero ? input : nil)
  }

  func forward(_ run: inout ForwardRun) throws {
    let x = run.inputs[0]
    let y = run.outputs[0]
    let width = spec.outputDim
    // Ids were checked when they came in.
    if run.onlyMask, !spec.maskZero, x.ids != nil { return }
    for position in 0..<x.count {
      let id = try id(at: position, of: x)
      if spec.maskZero { y.mask?[position] = id == 0 ? 0 : 1 }
      if run.onlyMask { continue }
      (y.floats + position * width).update(from: run.parameters[0] + id * width, count: width)
    }
  }

  /// dtable[id[...], :] += dy[..., :], which whoever holds the table does with the rows that `GradientPass` hands out.
  func backward(_ run: BackwardRun) {}

  private func id(at position: Int, of x: Value) throws -> Int {
    let id: Int
    if let ids = x.ids {
      id = Int(ids[position])
    } else {
      guard let exact = Int(exactly: x.floats[position]) else {
        throw failure("\(x.floats[position]) is no whole number", position, x)
      }
      id = exact
    }
    guard (0..<spec.inputDim).contains(id) else {
      throw failure("the id \(id) lies outside the embedding's 0 ..< \(spec.inputDim)", position, x)
    }
    return id
  }

  private func failure(_ what: String, _ position: Int, _ x: Value) -> RNNError {
    let perRow = max(x.count / max(x.batch, 1), 1)
    return RNNError.badData(
      "\(what) (row \(position / perRow), position \(position % perRow))",
      remedy: "Use the vocabulary that the model was trained with.")
  }
}
