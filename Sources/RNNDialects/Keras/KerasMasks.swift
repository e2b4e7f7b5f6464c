import RNNCore

/// Masks in Keras 3's functional configurations: the comparison that an `Embedding` or a `Masking` makes of its input
/// stands there as operations of its own, `NotEqual` and `Any`, and its result in the argument `mask` of the layers behind.
/// The native graph has the mask implied; here the two are checked to be the same.
struct KerasMasks {
  /// What a mask compares.
  private struct Comparison {
    var tensor: KerasTensor
    var value: Double
    /// Whether any channel may differ, as `Masking` takes it.
    var isOverChannels: Bool
  }

  private var comparisons: [String: Comparison] = [:]

  /// - Parameter entries: the configuration's layers; the mask's operations among them are taken out.
  init(takingFrom entries: inout [JSONValue]) {
    var anys: [(name: String, of: String)] = []
    entries = entries.filter { entry in
      guard let name = (entry["name"] ?? entry["config"]?["name"])?.string,
        let arguments = entry["inbound_nodes"]?.array?.first?["args"]?.array,
        let tensor = arguments.first.flatMap({ KerasTensor(keras3: $0) })
      else { return true }
      switch entry["class_name"]?.string {
      case "NotEqual":
        guard arguments.count == 2, let value = arguments[1].double else { return true }
        comparisons[name] = Comparison(tensor: tensor, value: value, isOverChannels: false)
        return false
      case "Any":
        guard entry["config"]?["axis"]?.integer == -1 else { return true }
        anys.append((name, tensor.layer))
        return false
      default: return true
      }
    }
    for any in anys {
      guard var comparison = comparisons[any.of] else { continue }
      comparison.isOverChannels = true
      comparisons[any.name] = comparison
    }
  }

  /// - Throws: `unsupported` where a call's mask is not the one that its input has of itself.
  func check(_ mask: KerasTensor?, of call: ModelSpec.Call, _ calls: [ModelSpec.Call], _ graph: KerasGraph) throws {
    guard let mask else { return }
    let place = "layer '\(graph.layers[call.layer].name)'"
    guard let comparison = comparisons[mask.layer] else {
      throw RNNError.unsupported("a mask that comes from the layer '\(mask.layer)'", at: place)
    }
    let implied = call.inputs.first.flatMap { source(of: $0, calls, graph.layers) }
    let isSame =
      try implied?.tensor == graph.reference(comparison.tensor) && implied?.isOverChannels == comparison.isOverChannels
      && (implied?.value == comparison.value || implied?.value.isNaN == true && comparison.value.isNaN)
    guard isSame else { throw RNNError.unsupported("a mask that is not that of its input", at: place) }
  }

  /// What makes the mask of an output: the nearest `Embedding` or `Masking` before it, through layers that pass masks on.
  private func source(
    of reference: ModelSpec.Reference, _ calls: [ModelSpec.Call], _ layers: [ModelSpec.Layer]
  ) -> (tensor: ModelSpec.Reference, value: Double, isOverChannels: Bool)? {
    let call = calls[reference.call]
    guard let input = call.inputs.first else { return nil }
    switch layers[call.layer].spec {
    case .embedding(let spec): return spec.maskZero ? (input, 0, false) : nil
    case .masking(let spec): return (input, spec.maskValue, true)
    case .dropout, .spatialDropout1D, .gaussianNoise, .gaussianDropout, .dense, .activation:
      return source(of: input, calls, layers)
    case .lstm(let spec): return spec.options.returnSequences ? source(of: input, calls, layers) : nil
    case .gru(let spec): return spec.options.returnSequences ? source(of: input, calls, layers) : nil
    case .simpleRNN(let spec): return spec.options.returnSequences ? source(of: input, calls, layers) : nil
    case .input, .conv1D, .maxPooling1D, .averagePooling1D, .globalMaxPooling1D, .globalAveragePooling1D, .flatten:
      return nil
    }
  }
}
