import RNNCore

/// A plain layer with parameters, wherever in wrappers and models it stands.
struct PlainLeaf {
  /// Of a bidirectional layer.
  enum Direction: Sendable {
    case forward
    case backward
  }

  /// In the native model.
  var path: String
  /// The same from the innermost model that holds it.
  var localPath: String
  /// The names of the layers around it and its own, without the places inside wrappers.
  var names: [String]
  var direction: Direction?
  /// The layer of the whole model that it belongs to.
  var top: Int
  var spec: LayerSpec
  /// Whether gradients move it: it and everything around it is trainable.
  var isTrainable: Bool
}

extension ModelSpec {
  /// All plain layers with parameters, in the order in which Keras lists their weights.
  var leaves: [PlainLeaf] {
    layers.enumerated().flatMap { index, layer in
      ModelSpec.leaves(
        in: PlainLeaf(
          path: layer.name, localPath: layer.name, names: [layer.name], direction: nil, top: index, spec: layer.spec,
          isTrainable: layer.isTrainable))
    }
  }

  /// The plain layers inside a layer, or itself.
  private static func leaves(in whole: PlainLeaf) -> [PlainLeaf] {
    let inner = whole.spec.innerLayers
    guard !inner.isEmpty else { return whole.spec.parameterNames.isEmpty ? [] : [whole] }
    return zip(inner, whole.spec.innerPlaces).enumerated().flatMap { index, item in
      let (layer, place) = item
      var leaf = whole
      leaf.spec = layer.spec
      leaf.isTrainable = whole.isTrainable && layer.isTrainable
      if !place.isEmpty { leaf.path += "/" + place }
      let kind = whole.spec.kind
      if kind == .model {
        (leaf.localPath, leaf.names) = (place, whole.names + [layer.name])
      } else if !place.isEmpty {
        leaf.localPath += "/" + place
      }
      if kind == .bidirectional { leaf.direction = index == 0 ? .forward : .backward }
      if kind == .stackedRNN { leaf.names.append("\(index)") }
      return leaves(in: leaf)
    }
  }
}
