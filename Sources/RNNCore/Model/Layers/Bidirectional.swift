/// `Bidirectional`: a recurrent layer that reads forwards and one that reads backwards.
public struct BidirectionalSpec: CompositeLayer {
  public var keepsMask: Bool { returnsSequences }

  /// How the two outputs become one; `nil` in the configuration leaves them two.
  public enum Merge: String, Sendable, Codable, CaseIterable {
    case concatenate = "concat"
    case add = "sum"
    case multiply = "mul"
    case average = "ave"
    case none
  }

  public var forward: ModelSpec.Layer
  public var backward: ModelSpec.Layer
  public var merge: Merge

  public init(forward: ModelSpec.Layer, backward: ModelSpec.Layer, merge: Merge) {
    self.forward = forward
    self.backward = backward
    self.merge = merge
  }

  private var returnsSequences: Bool { (forward.spec.recurrentOptions?.returnSequences) ?? false }

  /// What a direction gives beside its output.
  private var statesOfOne: Int { forward.spec.configuration.outputCount - 1 }

  public var innerLayers: [ModelSpec.Layer] {
    get { [forward, backward] }
    set { (forward, backward) = (newValue[0], newValue[1]) }
  }

  public var innerPlaces: [String] { ["forward_layer", "backward_layer"] }

  public var parts: [ModelSpec.Layer] {
    var parts = placedInnerLayers
    if returnsSequences {
      parts.append(ModelSpec.Layer(name: "reverse", spec: .reverseSteps(ReverseStepsSpec(reversesMask: false))))
    }
    switch merge {
    case .concatenate: parts.append(ModelSpec.Layer(name: "merge", spec: .concatenate(ConcatenateSpec(axis: -1))))
    case .add: parts.append(ModelSpec.Layer(name: "merge", spec: .merge(MergeSpec(.add))))
    case .multiply: parts.append(ModelSpec.Layer(name: "merge", spec: .merge(MergeSpec(.multiply))))
    case .average: parts.append(ModelSpec.Layer(name: "merge", spec: .merge(MergeSpec(.average))))
    case .none: break
    }
    return parts
  }

  /// Its input, or that and the initial states of both directions, the forward ones first.
  public var inputCounts: ClosedRange<Int> {
    1...(1 + 2 * forward.spec.stateCount)
  }

  public var outputCount: Int { (merge == .none ? 2 : 1) + 2 * statesOfOne }

  public func outputShapes(inputs: [Shape]) throws -> [Shape] {
    guard forward.spec.isRecurrent, backward.spec.isRecurrent else {
      throw RNNError.badData("Bidirectional needs a recurrent layer, not \(forward.spec.kind.rawValue)")
    }
    let half = (inputs.count - 1) / 2
    guard inputs.count == 1 + 2 * half else {
      throw RNNError.badData("\(inputs.count - 1) initial states for two directions")
    }
    let first = try locating("forward_layer") {
      try forward.spec.outputShapes(inputs: [inputs[0]] + inputs[1..<(1 + half)])
    }
    let second = try locating("backward_layer") {
      try backward.spec.outputShapes(inputs: [inputs[0]] + inputs[(1 + half)...])
    }
    guard first.count == second.count, first[0].count == second[0].count else {
      throw RNNError.badData("the two directions give outputs of different kinds")
    }
    let outputs: [Shape]
    switch merge {
    case .none: outputs = [first[0], second[0]]
    case .concatenate: outputs = try ConcatenateSpec(axis: -1).outputShapes(inputs: [first[0], second[0]])
    case .add, .multiply, .average: outputs = try MergeSpec(.add).outputShapes(inputs: [first[0], second[0]])
    }
    return outputs + first.dropFirst() + second.dropFirst()
  }

  public func expand(
    _ parts: [GraphExpansion.Part], inputs: [ModelSpec.Reference], into graph: inout GraphExpansion
  ) -> [ModelSpec.Reference] {
    let half = (inputs.count - 1) / 2
    let first = graph.call(parts[0], [inputs[0]] + inputs[1..<(1 + half)])
    var second = graph.call(parts[1], [inputs[0]] + inputs[(1 + half)...])
    if returnsSequences { second[0] = graph.call(parts[2], [second[0]])[0] }
    let outputs = merge == .none ? [first[0], second[0]] : graph.call(parts[parts.count - 1], [first[0], second[0]])
    return outputs + first.dropFirst() + second.dropFirst()
  }
}
