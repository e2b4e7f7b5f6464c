import RNNCore

/// A plain layer with parameters, wherever in wrappers and models it stands.
struct KerasLeaf {
  /// In the native model.
  var path: String
  /// The same from the innermost model that holds it.
  var localPath: String
  /// The layer of the whole model that it belongs to.
  var top: Int
  var spec: LayerSpec
  /// Whether gradients move it: it and everything around it is trainable.
  var isTrainable: Bool
}

extension KerasArchitecture {
  /// All plain layers with parameters, in the order in which Keras lists their weights.
  var leaves: [KerasLeaf] {
    spec.layers.enumerated().flatMap { index, layer in
      KerasArchitecture.leaves(of: layer, path: layer.name, local: layer.name, top: index, isTrainable: true)
    }
  }

  private static func leaves(
    of layer: ModelSpec.Layer, path: String, local: String, top: Int, isTrainable: Bool
  ) -> [KerasLeaf] {
    let isTrainable = isTrainable && layer.isTrainable
    let inner = layer.spec.innerLayers
    guard inner.isEmpty else {
      return zip(inner, layer.spec.innerPlaces).flatMap { part, place in
        leaves(
          of: part, path: place.isEmpty ? path : path + "/" + place,
          local: layer.spec.kind == .model ? place : place.isEmpty ? local : local + "/" + place, top: top,
          isTrainable: isTrainable)
      }
    }
    guard !layer.spec.parameterNames.isEmpty else { return [] }
    return [KerasLeaf(path: path, localPath: local, top: top, spec: layer.spec, isTrainable: isTrainable)]
  }

  /// Changes plain layers, wherever they stand.
  mutating func changePlainLayers(_ body: (String, inout LayerSpec, KerasLayerNote) -> Void) {
    for (index, note) in notes.enumerated() {
      KerasArchitecture.change(&spec.layers[index], note, path: spec.layers[index].name, body)
    }
  }

  private static func change(
    _ layer: inout ModelSpec.Layer, _ note: KerasLayerNote, path: String,
    _ body: (String, inout LayerSpec, KerasLayerNote) -> Void
  ) {
    var inner = layer.spec.innerLayers
    guard !inner.isEmpty else { return body(path, &layer.spec, note) }
    for (index, place) in layer.spec.innerPlaces.enumerated() where note.inner.indices.contains(index) {
      change(&inner[index], note.inner[index], path: place.isEmpty ? path : path + "/" + place, body)
    }
    layer.spec.innerLayers = inner
  }
}
