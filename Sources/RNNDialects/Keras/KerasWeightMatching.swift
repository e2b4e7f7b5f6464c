import RNNCore

/// Brings the layers of a model and the arrays of a file together.
struct KerasWeightMatching {
  /// A layer with parameters, and the arrays that a file holds for it.
  struct Match {
    var layer: Int
    var arrays: [KerasStoredWeights.Array]
  }

  private let checkpoint: Checkpoint
  private let layers: [KerasArchitecture.Layer]

  init(_ checkpoint: Checkpoint, layers: [KerasArchitecture.Layer]) {
    self.checkpoint = checkpoint
    self.layers = layers
  }

  /// - Throws: `badData` naming every layer that found nothing, or the counts that differ.
  func matches() throws -> [Match] {
    let needy = layers.indices.filter { !layers[$0].layer.spec.parameterNames.isEmpty }
    switch try KerasStoredWeights(checkpoint).arrangement {
    case .listed(let stored): return try byPosition(needy, stored.filter { !$0.arrays.isEmpty })
    case .variableTree(let root): return try byClass(needy, root: root)
    case .flat(let arrays): return try flat(needy, arrays)
    }
  }

  private func byPosition(_ needy: [Int], _ stored: [KerasStoredWeights.Layer]) throws -> [Match] {
    guard needy.count == stored.count else {
      throw RNNError.badData(
        "the model has \(needy.count) layers with weights (\(names(needy))), the file \(stored.count) "
          + "(\(stored.map(\.name).joined(separator: ", ")))",
        remedy: "Check that the architecture belongs to these weights.")
    }
    return zip(needy, stored).map { Match(layer: $0, arrays: $1.arrays) }
  }

  /// The n-th layer of a class has the n-th group of that class; TensorFlow 2.12 and 2.13 leave gaps in the numbers.
  private func byClass(_ needy: [Int], root: String) throws -> [Match] {
    var ranks: [String: Int] = [:]
    var missing: [String] = []
    var matches: [Match] = []
    for index in needy {
      let base = KerasClasses.snakeCase(layers[index].className)
      let rank = ranks[base, default: 0]
      ranks[base] = rank + 1
      let groups = numberedGroups(base, root: root)
      let arrays =
        groups.indices.contains(rank)
        ? ["cell/vars", "vars"].map { KerasStoredWeights.variables(checkpoint, in: "\(groups[rank])/\($0)") }
          .first { !$0.isEmpty } : nil
      if let arrays {
        matches.append(Match(layer: index, arrays: arrays))
      } else {
        missing.append("'\(layers[index].layer.name)' (looked for \(root)/\(base)\(rank == 0 ? "" : "_\(rank)"))")
      }
    }
    guard missing.isEmpty else {
      throw RNNError.badData(
        "the file holds no weights for the layers " + missing.joined(separator: ", "),
        remedy: "Check that the architecture belongs to these weights.")
    }
    return matches
  }

  private func numberedGroups(_ base: String, root: String) -> [String] {
    let prefix = root + "/" + base
    var numbers: Set<Int> = []
    for path in checkpoint.groups + checkpoint.entries.map(\.path) where path.hasPrefix(prefix) {
      let rest = path.dropFirst(prefix.count).prefix { $0 != "/" }
      if rest.isEmpty {
        numbers.insert(0)
      } else if rest.first == "_", let number = Int(rest.dropFirst()), number > 0 {
        numbers.insert(number)
      }
    }
    return numbers.sorted().map { $0 == 0 ? prefix : "\(prefix)_\($0)" }
  }

  private func flat(_ needy: [Int], _ arrays: [KerasStoredWeights.Array]) throws -> [Match] {
    // `layer/weight` names, if they are all there; else the order of get_weights().
    let named = needy.map { index -> Match? in
      let found = layers[index].layer.spec.parameterNames.map { parameter in
        arrays.first { $0.path == NativeModel.path(layer: layers[index].layer.name, parameter: parameter) }
      }
      let complete = found.compactMap(\.self)
      return complete.count == found.count ? Match(layer: index, arrays: complete) : nil
    }
    if !named.contains(where: { $0 == nil }) { return named.compactMap(\.self) }
    let ordered = arrays.enumerated().sorted { left, right in
      (KerasWeightMatching.number(left.element.path) ?? left.offset)
        < (KerasWeightMatching.number(right.element.path) ?? right.offset)
    }.map(\.element)
    let counts = needy.map { layers[$0].layer.spec.parameterNames.count }
    guard counts.reduce(0, +) == ordered.count else {
      throw RNNError.badData(
        "the model needs \(counts.reduce(0, +)) weights (\(names(needy))), the file holds \(ordered.count) "
          + "(\(ordered.map(\.path).joined(separator: ", ")))",
        remedy: "Name the arrays layer/weight, or store them in the order of get_weights().")
    }
    var start = 0
    return zip(needy, counts).map { index, count in
      defer { start += count }
      return Match(layer: index, arrays: Swift.Array(ordered[start..<start + count]))
    }
  }

  /// The n of `arr_n`, as `numpy.savez` names arrays without names.
  private static func number(_ path: String) -> Int? {
    path.hasPrefix("arr_") ? Int(path.dropFirst(4)) : nil
  }

  private func names(_ indices: [Int]) -> String {
    indices.map { layers[$0].layer.name }.joined(separator: ", ")
  }
}
