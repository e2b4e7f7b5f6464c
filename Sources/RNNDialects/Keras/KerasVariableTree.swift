import RNNCore

/// Weights in groups that are named after classes: `layers/lstm_1/cell/vars/0`.
///
/// In each container - the model, a model inside, a stack of cells - the n-th layer of a class has the n-th group of that
/// class (keras/src/saving/saving_lib.py).
struct KerasVariableTree {
  typealias Match = KerasWeightMatching.Match

  private let checkpoint: Checkpoint
  private let architecture: KerasArchitecture
  /// Groups that exist, by the group around them.
  private let children: [String: Set<String>]
  /// Groups with an array somewhere in them.
  private let holding: Set<String>

  init(_ checkpoint: Checkpoint, _ architecture: KerasArchitecture) {
    self.checkpoint = checkpoint
    self.architecture = architecture
    var children: [String: Set<String>] = [:]
    for path in checkpoint.groups + checkpoint.entries.map({ CheckpointPath.parent(of: $0.path) }) {
      var current = path
      while !current.isEmpty {
        let parent = CheckpointPath.parent(of: current)
        children[parent, default: []].insert(current)
        current = parent
      }
    }
    self.children = children
    var holding: Set<String> = []
    for entry in checkpoint.entries {
      var current = CheckpointPath.parent(of: entry.path)
      while !current.isEmpty, holding.insert(current).inserted { current = CheckpointPath.parent(of: current) }
    }
    self.holding = holding
  }

  /// - Throws: `badData` naming every layer that found nothing.
  func matches(root: String) throws -> [Match] {
    var found: [String: [KerasStoredWeights.Array]] = [:]
    var places: [String: String] = [:]
    visit(
      zip(architecture.spec.layers, architecture.notes).map { ($0, $1, $0.name) }, in: root, &places)
    var missing: [String] = []
    var byName: [String: [KerasStoredWeights.Array]] = [:]
    for leaf in architecture.leaves {
      let arrays = places[leaf.path].map { self.arrays(of: leaf.spec, in: $0) } ?? []
      guard arrays.count == layout(of: leaf).arrayCount else { continue }
      found[leaf.path] = arrays
      byName[leaf.localPath] = arrays
    }
    let matches = architecture.leaves.compactMap { leaf -> Match? in
      // A layer that is used inside a model and outside is stored where it was met first.
      let isElsewhere = places[leaf.path].map { !holding.contains($0) } ?? true
      guard let arrays = found[leaf.path] ?? (isElsewhere ? byName[leaf.localPath] : nil) else {
        missing.append("'\(leaf.path)' (looked for \(places[leaf.path] ?? root))")
        return nil
      }
      return Match(leaf: leaf, layout: layout(of: leaf), arrays: arrays)
    }
    guard missing.isEmpty else {
      throw RNNError.badData(
        "the file holds no weights for the layers " + missing.joined(separator: ", "),
        remedy: "Check that the architecture belongs to these weights.")
    }
    return matches
  }

  /// Where each plain layer's arrays are written: the names of its groups, each with how many arrays it takes.
  static func groups(for architecture: KerasArchitecture) -> [String: [(group: String, count: Int)]] {
    let tree = KerasVariableTree(Checkpoint(), architecture)
    var places: [String: String] = [:]
    tree.visit(
      zip(architecture.spec.layers, architecture.notes).map { ($0, $1, $0.name) }, in: "layers", &places)
    var groups: [String: [(group: String, count: Int)]] = [:]
    for leaf in architecture.leaves {
      guard let place = places[leaf.path] else { continue }
      if case .multiHeadAttention(let attention) = leaf.spec {
        let maps = attention.maps
        groups[leaf.path] = maps.map { map in
          let part = map == "attention_output" ? "output" : map
          let isHidden = attention.keyHeadCount != nil || map == "gate"
          return ("\(place)/\(isHidden ? "_" : "")\(part)_dense/vars", leaf.spec.parameterNames.count / maps.count)
        }
      } else {
        // A recurrent layer has a cell, a cell of a stack is one.
        let hasCell = leaf.spec.isRecurrent && !place.contains("/cell/cells/")
        groups[leaf.path] = [
          (place + (hasCell ? "/cell/vars" : "/vars"), KerasLayout.written(for: leaf.spec).arrayCount)
        ]
      }
    }
    return groups
  }

  /// Finds the groups of a container's layers.
  private func visit(
    _ layers: [(layer: ModelSpec.Layer, note: KerasLayerNote, path: String)], in container: String,
    _ places: inout [String: String]
  ) {
    var byBase: [String: [Int]] = [:]
    for (index, item) in layers.enumerated() {
      byBase[KerasClass.groupName(item.note.className), default: []].append(index)
    }
    for (base, members) in byBase {
      let prefix = container + "/" + base
      let needy = members.filter { hasWeights(layers[$0].layer) }
      let exact = members.enumerated().map { number, index in
        (index: index, group: number == 0 ? prefix : "\(prefix)_\(number)")
      }.filter { item in needy.contains(item.index) }
      let existing = numberedGroups(base, in: container)
      // TensorFlow 2.12 and 2.13 leave gaps in the numbers.
      let isExact = exact.allSatisfy { holding.contains($0.group) }
      for (rank, item) in exact.enumerated() {
        let group = isExact || !existing.indices.contains(rank) ? item.group : existing[rank]
        place(layers[item.index], at: group, &places)
      }
    }
  }

  private func place(
    _ item: (layer: ModelSpec.Layer, note: KerasLayerNote, path: String), at group: String,
    _ places: inout [String: String]
  ) {
    let spec = item.layer.spec
    func inner(_ index: Int) -> (layer: ModelSpec.Layer, note: KerasLayerNote, path: String) {
      let place = spec.innerPlaces[index]
      return (spec.innerLayers[index], item.note.inner[index], place.isEmpty ? item.path : item.path + "/" + place)
    }
    let indices = spec.innerLayers.indices
    if indices.isEmpty {
      places[item.path] = group
    } else if spec.kind == .model {
      let root = ["layers", "_layer_checkpoint_dependencies"].map { group + "/" + $0 }.first { children[$0] != nil }
      visit(indices.map(inner), in: root ?? group + "/layers", &places)
    } else if spec.kind == .stackedRNN {
      visit(indices.map(inner), in: group + "/cell/cells", &places)
    } else {
      for index in indices {
        let place = spec.innerPlaces[index]
        self.place(inner(index), at: place.isEmpty ? group : group + "/" + place, &places)
      }
    }
  }

  /// No file of this kind has any other layout than today's.
  private func layout(of leaf: PlainLeaf) -> KerasLayout {
    KerasLayout.candidates(for: leaf.spec).first ?? .identity(leaf.spec.parameterNames)
  }

  private func hasWeights(_ layer: ModelSpec.Layer) -> Bool {
    !layer.spec.parameterNames.isEmpty || layer.spec.innerLayers.contains(where: hasWeights)
  }

  /// The arrays of a plain layer.
  private func arrays(of spec: LayerSpec, in group: String) -> [KerasStoredWeights.Array] {
    if case .multiHeadAttention(let attention) = spec {
      return attention.maps.map { $0 == "attention_output" ? "output" : $0 }.flatMap { part in
        ["\(part)_dense", "_\(part)_dense"].map { variables(in: "\(group)/\($0)/vars") }.first { !$0.isEmpty } ?? []
      }
    }
    return ["cell/vars", "vars"].map { variables(in: "\(group)/\($0)") }.first { !$0.isEmpty } ?? []
  }

  private func variables(in group: String) -> [KerasStoredWeights.Array] {
    KerasStoredWeights.variables(checkpoint, in: group)
  }

  private func numberedGroups(_ base: String, in container: String) -> [String] {
    let prefix = container + "/" + base
    let numbers = (children[container] ?? []).compactMap { path -> Int? in
      guard path.hasPrefix(prefix), holding.contains(path) else { return nil }
      let rest = path.dropFirst(prefix.count)
      if rest.isEmpty { return 0 }
      guard rest.first == "_", let number = Int(rest.dropFirst()), number > 0 else { return nil }
      return number
    }
    return numbers.sorted().map { $0 == 0 ? prefix : "\(prefix)_\($0)" }
  }
}
