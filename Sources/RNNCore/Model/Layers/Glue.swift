// What wrappers and models inside a model come to, beside plain layers. No framework has these as layers.

/// The steps of a sequence in the opposite order; the mask, too, where it says so.
public struct ReverseStepsSpec: ShapeKeepingLayer {
  /// Whether the mask is reversed with the steps. A bidirectional layer's output keeps the mask of its input.
  public var reversesMask: Bool

  public init(reversesMask: Bool) {
    self.reversesMask = reversesMask
  }

  public func outputShapes(inputs: [Shape]) throws -> [Shape] {
    guard !inputs[0].isEmpty else { throw RNNError.badData("no steps to reverse") }
    return [inputs[0]]
  }
}

/// (batch, timesteps, ...) -> (batch x timesteps, ...): every step becomes an example.
public struct FoldStepsSpec: SingleInputLayer, UntouchingLayer {
  public func runsStepByStep(inputs: [Shape]) -> Bool { true }

  /// Whether each step has its part of the mask, where the mask has axes behind that of the steps.
  public var keepsMask: Bool

  public init(keepsMask: Bool) {
    self.keepsMask = keepsMask
  }

  public func outputShape(input: Shape) throws -> Shape {
    guard !input.isEmpty else {
      throw RNNError.badData(
        "TimeDistributed takes (batch, timesteps, ...), but its input is \(describe(shape: [nil] + input))")
    }
    return Array(input.dropFirst())
  }
}

/// The opposite: (batch x timesteps, ...) -> (batch, timesteps, ...), with the timesteps and the mask of a second input.
public struct UnfoldStepsSpec: LayerConfiguration, UntouchingLayer {
  public func runsStepByStep(inputs: [Shape]) -> Bool { true }

  /// Whether the steps' own masks go on; where they have none, a step is valid if anything in it was.
  public var joinsMasks: Bool

  public init(joinsMasks: Bool) {
    self.joinsMasks = joinsMasks
  }

  public var inputCounts: ClosedRange<Int> { 2...2 }

  public func outputShapes(inputs: [Shape]) throws -> [Shape] {
    guard let steps = inputs[1].first else { throw RNNError.badData("no timesteps to unfold to") }
    return [[steps] + inputs[0]]
  }
}

/// The first two axes the other way round: what stood along the batch stands along the next axis.
public struct SwapBatchSpec: SingleInputLayer {
  public init() {}

  public var needsWholeBatch: Bool { true }

  public func outputShape(input: Shape) throws -> Shape {
    guard !input.isEmpty else { throw RNNError.badData("no axis to swap the batch with") }
    return [nil] + input.dropFirst()
  }
}

/// Its first two inputs, chosen by the mask of the third: the first where a step is valid, else the second.
public struct WhereValidSpec: LayerConfiguration {
  public init() {}

  public var inputCounts: ClosedRange<Int> { 3...3 }

  public func outputShapes(inputs: [Shape]) throws -> [Shape] {
    guard inputs[0] == inputs[1] else {
      throw RNNError.badData(
        "\(describe(shape: [nil] + inputs[0])) and \(describe(shape: [nil] + inputs[1])) to choose from")
    }
    return [inputs[0]]
  }
}

/// Its first input with a mask that the second one states: steps are masked where that is 0.
public struct WithMaskSpec: LayerConfiguration, UntouchingLayer {
  public func runsStepByStep(inputs: [Shape]) -> Bool { true }

  public init() {}

  public var inputCounts: ClosedRange<Int> { 2...2 }

  public func outputShapes(inputs: [Shape]) throws -> [Shape] {
    let steps = inputs[0].prefix(inputs[1].count)
    let fits =
      inputs[1].count <= inputs[0].count && zip(steps, inputs[1]).allSatisfy { $0 == $1 || $0 == nil || $1 == nil }
    guard fits else {
      throw RNNError.badData(
        "a mask \(describe(shape: [nil] + inputs[1])) does not fit \(describe(shape: [nil] + inputs[0]))")
    }
    return [inputs[0]]
  }
}

/// Its input without a mask.
public struct WithoutMaskSpec: ShapeKeepingLayer, UntouchingLayer {
  public func runsStepByStep(inputs: [Shape]) -> Bool { true }

  public init() {}
}

/// Its first input with the mask of the second.
public struct MaskOfSpec: LayerConfiguration, UntouchingLayer {
  public func runsStepByStep(inputs: [Shape]) -> Bool { true }

  public init() {}

  public var inputCounts: ClosedRange<Int> { 2...2 }
  public func outputShapes(inputs: [Shape]) throws -> [Shape] { [inputs[0]] }
}
