/// `TimeDistributed`: a layer, or a whole model, over every step of a sequence, with the same parameters.
public struct TimeDistributedSpec: CompositeLayer {
  public func runsStepByStep(inputs: [Shape]) -> Bool { true }

  public var keepsMask: Bool { true }

  public var layer: ModelSpec.Layer
  public var masks: Masks = .whole

  /// What becomes of masks.
  public enum Masks: String, Sendable, Codable, CaseIterable {
    /// Each step's part goes into the layer; the whole goes on unchanged: Keras 3.
    case whole
    /// Each step's part goes into the layer, and what comes out goes on; where nothing does, a step is valid if anything
    /// in it was: Keras 2 and tf.keras.
    case joined
    /// Nothing goes into the layer; the whole goes on: Keras 1, and Keras 2 with a fixed batch.
    case around
  }

  public init(layer: ModelSpec.Layer) {
    self.layer = layer
  }

  public var innerLayers: [ModelSpec.Layer] {
    get { [layer] }
    set { layer = newValue[0] }
  }

  public var innerPlaces: [String] { ["layer"] }

  public var parts: [ModelSpec.Layer] {
    placedInnerLayers + [
      ModelSpec.Layer(name: "fold", spec: .foldSteps(FoldStepsSpec(keepsMask: masks != .around))),
      ModelSpec.Layer(name: "unfold", spec: .unfoldSteps(UnfoldStepsSpec(joinsMasks: masks == .joined))),
    ]
  }

  public func outputShapes(inputs: [Shape]) throws -> [Shape] {
    let steps = try FoldStepsSpec(keepsMask: true).outputShape(input: inputs[0])
    let output = try locating("'\(layer.name)' (\(layer.spec.kind.rawValue))") {
      guard layer.spec.configuration.inputCounts.contains(1) else {
        throw RNNError.badData("a layer over every step takes one input")
      }
      return try layer.spec.outputShapes(inputs: [steps])[0]
    }
    return [[inputs[0][0]] + output]
  }

  public func expand(
    _ parts: [GraphExpansion.Part], inputs: [ModelSpec.Reference], into graph: inout GraphExpansion
  ) -> [ModelSpec.Reference] {
    let folded = graph.call(parts[1], [inputs[0]])
    let output = graph.call(parts[0], folded)[0]
    return graph.call(parts[2], [output, inputs[0]])
  }
}
