import RNNCore

/// A convolution with as many groups as channels: its kernel (taps, channels, multiplier) in memory is that of the
/// grouped convolution, (taps, 1, channels x multiplier).
struct DepthwiseConv1DLayer: UnaryLayer {
  let spec: DepthwiseConv1DSpec

  private func grouped(_ channels: Int) throws -> Conv1DLayer {
    Conv1DLayer(spec: try spec.grouped(channels: channels))
  }

  func plan(input: [Int], isMasked: Bool, isTraining: Bool) throws -> LayerPlan {
    try grouped(input[2]).plan(input: input, isMasked: isMasked, isTraining: isTraining)
  }

  func forward(_ run: inout ForwardRun) throws { try grouped(run.inputs[0].width).forward(&run) }

  func backward(_ run: BackwardRun) { try? grouped(run.inputs[0].width).backward(run) }
}

/// A depthwise convolution, then one of kernel size 1; the tape holds what lies between.
struct SeparableConv1DLayer: UnaryLayer {
  let spec: SeparableConv1DSpec

  private var first: DepthwiseConv1DLayer { DepthwiseConv1DLayer(spec: spec.depthwise) }
  private var second: Conv1DLayer { Conv1DLayer(spec: spec.pointwise) }

  /// Both halves' plans, and the shape between them.
  private func halves(_ input: [Int], _ isTraining: Bool) throws -> (
    first: LayerPlan, second: LayerPlan, between: [Int]
  ) {
    let first = try first.plan(input: input, isMasked: false, isTraining: isTraining)
    let between = first.outputShapes[0]
    return (first, try second.plan(input: between, isMasked: false, isTraining: isTraining), between)
  }

  func plan(input: [Int], isMasked: Bool, isTraining: Bool) throws -> LayerPlan {
    let (first, second, shape) = try halves(input, isTraining)
    let between = FloatMemory.lines(elementCount(shape))
    return LayerPlan(
      outputShapes: second.outputShapes, scratch: between + max(first.scratch, second.scratch),
      tape: between + second.tape, backwardScratch: between + max(first.backwardScratch, second.backwardScratch))
  }

  func forward(_ run: inout ForwardRun) throws {
    let shape = try halves(run.inputs[0].shape, run.tape != nil).between
    let between = FloatMemory.lines(elementCount(shape))
    let middle = Value(floats: run.tape ?? run.scratch, shape: shape)
    var depthwise = ForwardRun(
      inputs: run.inputs, outputs: [middle], parameters: [run.parameters[0]], scratch: run.scratch + between)
    try first.forward(&depthwise)
    var pointwise = ForwardRun(
      inputs: [middle], outputs: run.outputs, parameters: Array(run.parameters.dropFirst()),
      scratch: run.scratch + between, tape: run.tape.map { $0 + between }, noise: run.noise)
    try second.forward(&pointwise)
  }

  func backward(_ run: BackwardRun) {
    guard let shape = try? halves(run.inputs[0].shape, true).between else { return }
    let count = elementCount(shape)
    let between = FloatMemory.lines(count)
    let gradient = run.scratch
    gradient.update(repeating: 0, count: count)
    let middle = Value(floats: run.tape, shape: shape)
    second.backward(
      BackwardRun(
        inputs: [middle], outputs: run.outputs, parameters: Array(run.parameters.dropFirst()),
        scratch: run.scratch + between, tape: run.tape + between, noise: run.noise,
        outputGradients: run.outputGradients, inputGradients: [gradient],
        parameterGradients: run.parameterGradients.map { Array($0.dropFirst()) }))
    first.backward(
      BackwardRun(
        inputs: run.inputs, outputs: [middle], parameters: [run.parameters[0]], scratch: run.scratch + between,
        tape: run.tape, noise: run.noise, outputGradients: [gradient], inputGradients: run.inputGradients,
        parameterGradients: run.parameterGradients.map { [$0[0]] }))
  }
}
