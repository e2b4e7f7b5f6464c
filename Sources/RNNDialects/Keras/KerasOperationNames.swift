import RNNCore

/// Keras 3 joins the masks that reach a `Concatenate` by an operation of its own, which stands in the graph under the
/// next free name of its kind: `concatenate`, `concatenate_1` and so on. It does not look at the names of the layers, of
/// which one, by default, is the same, and then refuses the model for a name used twice.
enum KerasOperationNames {
  /// The model with such layers renamed, and what was renamed. They have no weights whose names would change.
  static func renamed(_ model: NativeModel) -> (model: NativeModel, ledger: [LedgerEntry]) {
    guard model.spec.kindsReachedByMasks.contains(.concatenate) else { return (model, []) }
    var model = model
    var ledger: [LedgerEntry] = []
    rename(&model.spec, &ledger)
    return (model, ledger)
  }

  private static func rename(_ spec: inout ModelSpec, _ ledger: inout [LedgerEntry]) {
    var names = Set(spec.layers.map(\.name))
    for index in spec.layers.indices {
      let name = spec.layers[index].name
      if case .model(var nested) = spec.layers[index].spec {
        rename(&nested.model, &ledger)
        spec.layers[index].spec = .model(nested)
      }
      guard spec.layers[index].spec.kind == .concatenate, isOfOperation(name) else { continue }
      var free = "\(name)_layer"
      while !names.insert(free).inserted { free += "_1" }
      spec.layers[index].name = free
      ledger.append(
        LedgerEntry(.emulated, name, "named '\(free)': Keras 3 gives this name to an operation on the masks"))
    }
  }

  private static func isOfOperation(_ name: String) -> Bool {
    guard name.hasPrefix("concatenate") else { return false }
    let rest = name.dropFirst("concatenate".count)
    return rest.isEmpty || (rest.first == "_" && rest.count > 1 && rest.dropFirst().allSatisfy(\.isNumber))
  }
}
