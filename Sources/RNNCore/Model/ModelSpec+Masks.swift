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
    for (call, reaching) in zip(calls, masksReaching(shapes)) {
      let layer = layers[call.layer]
      guard let allowed = layer.spec.configuration.maskAxes else { continue }
      for case .known(let axes) in reaching where !allowed.contains(axes) {
        throw RNNError.badData(
          "a mask of \(axes) axes behind the batch reaches the layer, which takes one of its steps",
          at: "layer '\(layer.name)' (\(layer.spec.kind.rawValue))")
      }
    }
  }

  /// The kinds of the plain layers that a mask reaches, anywhere in the model.
  /// - Throws: `badData` where the shapes do not go together.
  public func kindsReachedByMasks() throws -> Set<LayerSpec.Kind> {
    let plain = self.plain
    let reached = zip(plain.calls, plain.masksReaching(try plain.shapes())).filter { $1.contains { $0 != .none } }
    return Set(reached.map { plain.layers[$0.0.layer].spec.kind })
  }

  /// The masks of each call's inputs; of a plain model.
  private func masksReaching(_ shapes: ModelShapes) -> [[MaskRank]] {
    var ranks: [MaskRank] = []
    return calls.map { call in
      let reaching = call.inputs.map { $0.output == 0 ? ranks[$0.call] : .none }
      let axes = call.inputs.map { shapes.outputs[$0.call][$0.output].count }
      ranks.append(ModelSpec.maskRank(behind: layers[call.layer].spec.configuration, reaching, axes: axes))
      return reaching
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
