import RNNCore

/// Weights of a framework, read into the layers of a known architecture: layers and tensors find each other by name
/// where the names are ours, else by shape and order.
struct WeightReading {
  struct Parameter {
    /// The plain layer's place in the native model.
    var path: String
    var name: String
    var tensor: Tensor
  }

  private(set) var parameters: [Parameter] = []
  /// The names of the tensors that were read, or that nothing reads.
  private(set) var used: Set<String> = []
  /// The parameters in which a sum was rounded, as `layer/parameter`.
  private(set) var rounded: [String] = []
  /// What was taken for what, in sentences.
  private(set) var decisions: [String] = []

  private(set) var placements: [TensorPlacement] = []

  private let dialect: WeightDialect
  private let tensors: [String: Tensor]
  /// In the file's order, or in that of their numbers where the file has none.
  private let names: [String]

  /// - Parameters:
  ///   - entries: by names without the container's own groups, in the file's order.
  ///   - spec: an architecture whose shapes are known.
  /// - Throws: `badData` naming each layer that found nothing with what it needs, and the tensors that are left;
  ///   `unsupported` naming each layer that the dialect cannot have.
  init(_ entries: [(name: String, tensor: Tensor)], dialect: WeightDialect, spec: ModelSpec) throws {
    self.dialect = dialect
    let known = entries.map { (name: dialect.bare($0.name), tensor: $0.tensor) }
    tensors = Dictionary(known.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
    names = dialect.isOrdered ? known.map(\.name) : known.map(\.name).sorted(by: isBeforeByNumbers)
    try read(spec)
  }

  private mutating func read(_ spec: ModelSpec) throws {
    let leaves = spec.leaves
    let shapes = try spec.possibleParameterShapes()
    try refuseUnknown(leaves)
    let modules = dialect.moduleNames(leaves)
    var taken: Set<WeightDialect.Place> = []
    var found: [(layout: LayerLayout, place: WeightDialect.Place)?] = []
    // Ours first: a name that says which layer it is is no matter of order.
    for (leaf, module) in zip(leaves, modules) {
      let match = dialect.layouts(of: leaf.spec).map { layout in
        (layout: layout, place: dialect.place(of: leaf, layout, module: module))
      }.first { fits($0.layout, $0.place, shapes[leaf.path] ?? [:]) && !taken.contains($0.place) }
      if let match { taken.insert(match.place) }
      found.append(match)
    }
    for (index, leaf) in leaves.enumerated() where found[index] == nil {
      found[index] = candidates(leaf, shapes[leaf.path] ?? [:]).first { !taken.contains($0.place) }
      if let match = found[index] { taken.insert(match.place) }
    }
    try refuseMissing(leaves, found.map { $0 != nil }, shapes, taken)
    for (leaf, match) in zip(leaves, found) {
      guard let match else { continue }
      try take(leaf, match.layout, match.place, shapes[leaf.path] ?? [:])
    }
  }

  // MARK: - Finding

  /// Whether all tensors of a layout stand at a place, with the right shapes, and none that would make it another layout.
  private func fits(_ layout: LayerLayout, _ place: WeightDialect.Place, _ shapes: [String: [Int]]) -> Bool {
    layout.items.allSatisfy { item in
      guard let arrangement = item.arrangement else { return true }
      guard let tensor = tensors[place.name(item)], let shape = try? arrangement.shape(shapes) else { return false }
      return tensor.shape == shape
    }
      && dialect.layouts.filter { $0.kind == layout.kind && $0.form == layout.form && $0.module == layout.module }
        .flatMap(\.items)
        .allSatisfy { item in
          item.arrangement == nil || layout.items.contains { $0.name == item.name } || tensors[place.name(item)] == nil
        }
  }

  private func candidates(
    _ leaf: PlainLeaf, _ shapes: [String: [Int]]
  ) -> [(layout: LayerLayout, place: WeightDialect.Place)] {
    dialect.layouts(of: leaf.spec).flatMap { layout -> [(LayerLayout, WeightDialect.Place)] in
      guard let first = layout.items.first(where: { $0.arrangement != nil }) else { return [] }
      return names.compactMap { name in
        guard let place = dialect.place(of: name, as: first, layout) else { return nil }
        let isRight =
          switch leaf.direction {
          case .backward: place.isBackward != false
          case .forward, nil: place.isBackward != true
          }
        return isRight && fits(layout, place, shapes) ? (layout, place) : nil
      }
    }
  }

  private func refuseUnknown(_ leaves: [PlainLeaf]) throws {
    let unknown = leaves.filter { dialect.layouts(of: $0.spec).isEmpty }
    guard unknown.isEmpty else {
      throw RNNError.unsupported(
        "\(dialect.framework) has no layer like "
          + unknown.map { "'\($0.path)' (\($0.spec.described))" }
          .joined(separator: ", "),
        remedy: "Check that the architecture belongs to these weights.")
    }
  }

  private func refuseMissing(
    _ leaves: [PlainLeaf], _ isFound: [Bool], _ shapes: [String: [String: [Int]]], _ taken: Set<WeightDialect.Place>
  ) throws {
    let missing = zip(leaves, isFound).filter { !$0.1 }.map { leaf, _ -> String in
      let layout = dialect.layouts(of: leaf.spec)[0]
      let place = dialect.place(of: leaf, layout, module: leaf.names.last ?? "")
      let needed = layout.items.compactMap { item -> String? in
        guard let shape = try? item.arrangement?.shape(shapes[leaf.path] ?? [:]) else { return nil }
        return "\(item.name)\(place.suffix) \(shape)"
      }
      return "'\(leaf.path)' (\(leaf.spec.kind.rawValue)) needs " + needed.joined(separator: ", ")
    }
    guard !missing.isEmpty else { return }
    let left = names.filter { name in
      !taken.contains { name.hasPrefix($0.prefix) && name.hasSuffix($0.suffix) && !$0.prefix.isEmpty }
    }
    let rest =
      left.isEmpty ? "nothing is left" : left.map { "\($0) \(tensors[$0]?.shape ?? [])" }.joined(separator: ", ")
    throw RNNError.badData(
      "the weights do not fit the architecture as \(dialect.framework)'s: " + missing.joined(separator: "; ")
        + "; in the file: \(rest)",
      remedy: "Check that the architecture belongs to these weights, or name another --dialect.")
  }

  // MARK: - Taking

  private mutating func take(
    _ leaf: PlainLeaf, _ layout: LayerLayout, _ place: WeightDialect.Place, _ shapes: [String: [Int]]
  ) throws {
    var assembly = ParameterAssembly(shapes: shapes)
    var dtype: DType?
    for item in layout.items {
      let name = place.name(item)
      used.insert(name)
      guard let arrangement = item.arrangement, let tensor = tensors[name] else { continue }
      dtype = dtype ?? tensor.dtype
      try locating(name) { try arrangement.place(tensor, in: &assembly) }
      placements.append(
        TensorPlacement(arrangement, tensor: name, shape: tensor.shape, layer: leaf.path, shapes: shapes))
    }
    for block in layout.absent {
      guard let dtype else { continue }
      let shape = try block.shape(shapes)
      let zeros = try Tensor(
        dtype: dtype, shape: shape, bytes: .init(count: Tensor.byteCount(dtype: dtype, shape: shape) ?? 0))
      try assembly.take(zeros, as: block)
    }
    for name in leaf.spec.parameterNames {
      parameters.append(Parameter(path: leaf.path, name: name, tensor: try assembly.parameter(name)))
    }
    for name in layout.neutral { try checkNeutral(try assembly.parameter(name), name, leaf, layout) }
    rounded += assembly.rounded.sorted().map { NativeModel.path(layer: leaf.path, parameter: $0) }
    decisions.append(
      "'\(leaf.path)' is \(dialect.framework)'s \(layout.module) at "
        + (place.prefix.isEmpty && place.suffix.isEmpty ? "the root" : "'\(place.prefix)...\(place.suffix)'"))
  }
}

extension WeightReading {
  /// Checks that a parameter which the layer lacks changes nothing.
  private func checkNeutral(_ tensor: Tensor, _ name: String, _ leaf: PlainLeaf, _ layout: LayerLayout) throws {
    let neutral = LayerLayout.Implied.neutral(name)
    guard tensor.doubles().contains(where: { $0 != neutral }) else { return }
    throw RNNError.badData(
      "'\(leaf.path)' has no \(name) in the architecture, and \(dialect.framework)'s \(layout.module) in the file has "
        + "one that is not \(Int(neutral))",
      remedy: "Check that the architecture belongs to these weights.")
  }
}

extension WeightDialect {
  /// All layouts that a plain layer may be stored in: the one that we write first.
  func layouts(of spec: LayerSpec) -> [LayerLayout] {
    layouts.filter { $0.kind == spec.kind && $0.form.takes(spec) && $0.uncovered(of: spec).isEmpty }
      .flatMap { $0.fitted(to: spec) }
  }

  /// The layout that a layer is written in; `nil` where the framework has no such layer.
  func layout(of leaf: PlainLeaf) -> LayerLayout? {
    let layouts = layouts(of: leaf.spec)
    // Chainer's layers of two directions are its numbered ones.
    return layouts.first { leaf.direction != nil && $0.isNumbered } ?? layouts.first
  }

  /// Whether any of a file's names is one that the dialect's tensors have.
  public func names(anyOf names: [String]) -> Bool {
    names.contains { name in
      layouts.contains { layout in layout.items.contains { place(of: bare(name), as: $0, layout) != nil } }
    }
  }

  /// A tensor's name without the tree that it stands in, and without TensorFlow's output number.
  func bare(_ name: String) -> String {
    var name = name
    if name.hasSuffix(":0") { name.removeLast(2) }
    for collection in collections where name.hasPrefix(collection + separator) {
      return String(name.dropFirst(collection.count + separator.count))
    }
    return name
  }

  /// Whether a file's order is that of the layers; NumPy's archives of Chainer and MLX have none.
  var isOrdered: Bool { if case .suffix = directions { true } else { false } }
}

extension LayerSpec {
  /// A kind with what decides its layout, for messages.
  var described: String {
    if case .gru(let gru) = self { return "GRU with resetAfter \(gru.resetAfter)" }
    return kind.rawValue
  }
}
