import RNNCore

/// Brings the layers of a model and the arrays of a file together.
struct KerasWeightMatching {
  /// A plain layer with parameters, the layout that it is stored in, and its arrays in the order of that.
  struct Match {
    var leaf: PlainLeaf
    var layout: KerasLayout
    var arrays: [KerasStoredWeights.Array]
  }

  private let checkpoint: Checkpoint
  private let architecture: KerasArchitecture
  private let leaves: [PlainLeaf]

  init(_ checkpoint: Checkpoint, _ architecture: KerasArchitecture) {
    self.checkpoint = checkpoint
    self.architecture = architecture
    leaves = architecture.leaves
  }

  /// - Returns: what was found, and what is wrong with layers whose numbers of arrays differ.
  /// - Throws: `badData` naming every layer that found nothing.
  func matches() throws -> (matches: [Match], problems: [String]) {
    switch try KerasStoredWeights(checkpoint).arrangement {
    case .listed(let stored): return try byPosition(stored.filter { !$0.arrays.isEmpty })
    case .variableTree(let root): return (try KerasVariableTree(checkpoint, architecture).matches(root: root), [])
    case .flat(let arrays): return (try flat(arrays), [])
    }
  }

  /// The layers of the whole model that have weights, with their plain layers.
  private var tops: [(name: String, leaves: [PlainLeaf])] {
    architecture.spec.layers.enumerated().compactMap { index, layer in
      let own = leaves.filter { $0.top == index }
      return own.isEmpty ? nil : (layer.name, own)
    }
  }

  private func byPosition(
    _ stored: [KerasStoredWeights.Layer]
  ) throws -> (matches: [Match], problems: [String]) {
    let tops = tops
    guard tops.count == stored.count else {
      throw RNNError.badData(
        "the model has \(tops.count) layers with weights (\(tops.map(\.name).joined(separator: ", "))), the file "
          + "\(stored.count) (\(stored.map(\.name).joined(separator: ", ")))",
        remedy: "Check that the architecture belongs to these weights.")
    }
    var problems: [String] = []
    var matches: [Match] = []
    for (top, group) in zip(tops, stored) {
      if let found = KerasWeightMatching.assign(group.arrays, to: top.leaves) {
        matches += found
      } else {
        let needed = top.leaves.reduce(0) { $0 + $1.spec.parameterNames.count }
        let kind = architecture.spec.layers[top.leaves[0].top].spec.kind.rawValue
        problems.append(
          "the layer '\(top.name)' (\(kind)) needs \(needed) arrays, the file has \(group.arrays.count): "
            + group.arrays.map { "\($0.path) \($0.tensor.shape)" }.joined(separator: ", "))
      }
    }
    return (matches, problems)
  }

  /// The arrays of one layer of the whole model: what gradients move comes first, layer by layer, then the rest.
  /// - Returns: `nil` where no layout has so many arrays.
  static func assign(_ arrays: [KerasStoredWeights.Array], to leaves: [PlainLeaf]) -> [Match]? {
    let candidates = leaves.map { KerasLayout.candidates(for: $0.spec) }
    for variant in 0..<(candidates.map(\.count).max() ?? 0) {
      let layouts = candidates.map { $0[min(variant, $0.count - 1)] }
      guard layouts.reduce(0, { $0 + $1.arrayCount }) == arrays.count else { continue }
      let places = order(leaves, layouts)
      var matches = zip(leaves, layouts).map { leaf, layout in
        Match(leaf: leaf, layout: layout, arrays: Array(repeating: arrays[0], count: layout.arrayCount))
      }
      for (array, place) in zip(arrays, places) { matches[place.leaf].arrays[place.array] = array }
      return matches
    }
    return nil
  }

  /// For each array in the file, whose it is.
  static func order(_ leaves: [PlainLeaf], _ layouts: [KerasLayout]) -> [(leaf: Int, array: Int)] {
    let all = leaves.indices.flatMap { leaf in
      layouts[leaf].areTrained(leaves[leaf].spec).enumerated().map { array, isTrained in
        (leaf: leaf, array: array, isTrained: isTrained && leaves[leaf].isTrainable)
      }
    }
    return (all.filter(\.isTrained) + all.filter { !$0.isTrained }).map { ($0.leaf, $0.array) }
  }

  private func flat(_ arrays: [KerasStoredWeights.Array]) throws -> [Match] {
    // `layer/weight` names, if they are all there; else the order of get_weights().
    let named = leaves.map { leaf -> Match? in
      let found = leaf.spec.parameterNames.map { parameter in
        arrays.first { $0.path == NativeModel.path(layer: leaf.path, parameter: parameter) }
      }
      let complete = found.compactMap(\.self)
      guard complete.count == found.count else { return nil }
      return Match(leaf: leaf, layout: .identity(leaf.spec.parameterNames), arrays: complete)
    }
    if !named.contains(where: { $0 == nil }) { return named.compactMap(\.self) }
    let ordered = arrays.enumerated().sorted { left, right in
      (KerasWeightMatching.number(left.element.path) ?? left.offset)
        < (KerasWeightMatching.number(right.element.path) ?? right.offset)
    }.map(\.element)
    let counts = tops.map { top in top.leaves.reduce(0) { $0 + $1.spec.parameterNames.count } }
    guard counts.reduce(0, +) == ordered.count else {
      throw RNNError.badData(
        "the model needs \(counts.reduce(0, +)) weights (\(tops.map(\.name).joined(separator: ", "))), the file holds "
          + "\(ordered.count) (\(ordered.map(\.path).joined(separator: ", ")))",
        remedy: "Name the arrays layer/weight, or store them in the order of get_weights().")
    }
    var start = 0
    return zip(tops, counts).flatMap { top, count -> [Match] in
      defer { start += count }
      return KerasWeightMatching.assign(Swift.Array(ordered[start..<start + count]), to: top.leaves) ?? []
    }
  }

  /// The n of `arr_n`, as `numpy.savez` names arrays without names.
  private static func number(_ path: String) -> Int? {
    path.hasPrefix("arr_") ? Int(path.dropFirst(4)) : nil
  }
}
