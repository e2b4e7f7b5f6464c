import RNNCore

/// The weights of a file, grouped by layer as the file groups them.
struct KerasStoredWeights {
  struct Array {
    /// Full path in the checkpoint.
    var path: String
    /// As the file's own list of names has it; `nil` where the file has no names.
    var name: String?
    var tensor: Tensor
  }

  struct Layer {
    var name: String
    var arrays: [Array]
  }

  /// How layers and groups find each other.
  enum Arrangement {
    /// A list of layers in the model's order (`layer_names`); matched by position, as Keras does.
    case listed([Layer])
    /// Groups named after classes (`layers/lstm_1/cell/vars/0`).
    case variableTree(root: String)
    /// Nothing but arrays, in the order of `get_weights()` or named `layer/weight`.
    case flat([Array])
  }

  var arrangement: Arrangement

  init(_ checkpoint: Checkpoint) throws {
    if let root = ["", "model_weights"].first(where: { KerasAttributes.hasList("layer_names", at: $0, checkpoint) }) {
      arrangement = .listed(try KerasStoredWeights.listed(checkpoint, root: root))
    } else if let root = ["layers", "_layer_checkpoint_dependencies"].first(where: { root in
      checkpoint.groups.contains(root) || checkpoint.entries.contains { $0.path.hasPrefix(root + "/") }
    }) {
      arrangement = .variableTree(root: root)
    } else {
      arrangement = .flat(checkpoint.entries.map { Array(path: $0.path, name: nil, tensor: $0.tensor) })
    }
  }

  private static func listed(_ checkpoint: Checkpoint, root: String) throws -> [Layer] {
    try KerasAttributes.list("layer_names", at: root, checkpoint).map { layer in
      let group = CheckpointPath.join(root, layer)
      let arrays = try KerasAttributes.list("weight_names", at: group, checkpoint).map { name in
        let path = CheckpointPath.join(group, name)
        guard let tensor = checkpoint.tensor(at: path) else {
          throw RNNError.badData("the file lists the weight '\(name)' and does not hold it", at: "/" + group)
        }
        return Array(path: path, name: name, tensor: tensor)
      }
      return Layer(name: layer, arrays: arrays)
    }
  }

  /// The arrays of one group of a variable tree, in numerical order (`10` sorts before `2` in the file).
  static func variables(_ checkpoint: Checkpoint, in group: String) -> [Array] {
    let prefix = group + "/"
    return checkpoint.entries.compactMap { entry -> (Int, Array)? in
      guard entry.path.hasPrefix(prefix), let number = Int(entry.path.dropFirst(prefix.count)) else { return nil }
      return (number, Array(path: entry.path, name: nil, tensor: entry.tensor))
    }.sorted { $0.0 < $1.0 }.map(\.1)
  }
}

/// String lists in attributes, which Keras splits when they grow too long: `layer_names0`, `layer_names1`, ...
enum KerasAttributes {
  static func hasList(_ name: String, at path: String, _ checkpoint: Checkpoint) -> Bool {
    checkpoint.attribute(name, at: path) != nil || checkpoint.attribute(name + "0", at: path) != nil
  }

  static func list(_ name: String, at path: String, _ checkpoint: Checkpoint) throws -> [String] {
    func strings(_ value: AttributeValue, _ name: String) throws -> [String] {
      guard let strings = value.strings else {
        throw RNNError.badData("the attribute '\(name)' is no list of names", at: "/" + path)
      }
      return strings
    }
    if let whole = checkpoint.attribute(name, at: path) { return try strings(whole, name) }
    var result: [String] = []
    var part = 0
    while let value = checkpoint.attribute("\(name)\(part)", at: path) {
      result += try strings(value, "\(name)\(part)")
      part += 1
    }
    guard part > 0 else { throw RNNError.badData("the attribute '\(name)' is missing", at: "/" + path) }
    return result
  }

  /// The largest object header that Keras fills with one list, in bytes.
  private static let limit = 64_512

  /// Writes a list as Keras does: whole, or in the fewest equal parts that fit.
  static func setList(_ name: String, _ values: [String], at path: String, _ checkpoint: inout Checkpoint) throws {
    let width = values.map(\.utf8.count).max() ?? 0
    var parts = 1
    while (values.count + parts - 1) / parts * width > limit, parts < values.count { parts += 1 }
    if parts == 1 { return try checkpoint.setAttribute(name, .strings(values), at: path) }
    // NumPy's array_split: the first `remainder` parts are one longer.
    let (size, remainder) = values.count.quotientAndRemainder(dividingBy: parts)
    var start = 0
    for part in 0..<parts {
      let end = start + size + (part < remainder ? 1 : 0)
      try checkpoint.setAttribute("\(name)\(part)", .strings(Swift.Array(values[start..<end])), at: path)
      start = end
    }
  }
}
