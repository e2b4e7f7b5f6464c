extension ModelSpec {
  /// How many axes behind the batch the mask of a tensor has, where that can be known beforehand.
  private enum MaskRank: Equatable {
    case none
    case known(Int)
    case unknown
  }

  /// Checks that no layer gets a mask of other axes than it reads.
  ///
  /// - Parameter shapes: of this model, which must be a plain one.
  /// - Throws: `badData` naming the layer.
  func checkMasks(_ shapes: ModelShapes) throws {
    var ranks: [MaskRank] = []
    func rank(_ reference: Reference) -> MaskRank { reference.output == 0 ? ranks[reference.call] : .none }
    func axes(_ reference: Reference) -> Int { shapes.outputs[reference.call][reference.output].count }
    for call in calls {
      let layer = layers[call.layer]
      let configuration = layer.spec.configuration
      let reaching = call.inputs.map(rank)
      if let allowed = configuration.maskAxes {
        for case .known(let axes) in reaching where !allowed.contains(axes) {
          throw RNNError.badData(
            "a mask of \(axes) axes behind the batch reaches the layer, which takes one of its steps",
            at: "layer '\(layer.name)' (\(layer.spec.kind.rawValue))")
        }
      }
      ranks.append(
        ModelSpec.maskRank(behind: configuration, reaching, axes: call.inputs.map(axes)))
    }
  }

  private static func maskRank(
    behind configuration: any LayerConfiguration, _ reaching: [MaskRank], axes: [Int]
  ) -> MaskRank {
    if configuration is MaskingSpec { return .known(axes[0] - 1) }
    if let embedding = configuration as? EmbeddingSpec { return embedding.maskZero ? .known(axes[0]) : .none }
    if configuration is WithMaskSpec { return .known(axes[1]) }
    if configuration is MaskOfSpec { return reaching[1] }
    let joins =
      configuration is ConcatenateSpec || configuration is MergeSpec || configuration is UnfoldStepsSpec
      || configuration is FoldStepsSpec || configuration is SwapBatchSpec || configuration is WhereValidSpec
    if joins { return reaching.contains { $0 != .none } ? .unknown : .none }
    return configuration.keepsMask || configuration is ReverseStepsSpec ? reaching[0] : .none
  }
}
