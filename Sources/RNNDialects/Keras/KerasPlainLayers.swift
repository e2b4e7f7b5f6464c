import RNNCore

extension KerasArchitecture {
  /// All plain layers with parameters, in the order in which Keras lists their weights.
  var leaves: [PlainLeaf] { spec.leaves }

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
