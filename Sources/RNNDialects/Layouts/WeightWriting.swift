import RNNCore

/// A model's weights in the names and layouts of a framework.
public struct WeightWriting {
  public private(set) var tensors: [(name: String, tensor: Tensor)] = []
  /// What the framework cannot hold, or not exactly.
  public private(set) var ledger: [LedgerEntry] = []

  /// - Throws: `unsupported` naming every layer that the framework cannot have.
  public init(_ model: NativeModel, dialect: WeightDialect) throws {
    let leaves = model.spec.leaves
    var refused: [String] = []
    let byPath = model.tensorsByPath
    let shapes = try model.spec.possibleParameterShapes()
    for (leaf, module) in zip(leaves, dialect.moduleNames(leaves)) {
      var parameters = Dictionary(
        leaf.spec.parameterNames.compactMap { name in
          byPath[NativeModel.path(layer: leaf.path, parameter: name)].map { (name, $0) }
        }, uniquingKeysWith: { $1 })
      guard let layout = dialect.layout(of: leaf) else {
        refused.append("'\(leaf.path)' (\(leaf.spec.described))")
        continue
      }
      for name in layout.neutral {
        let shape = shapes[leaf.path]?[name] ?? []
        parameters[name] = try Tensor(
          rounding: [Double](repeating: LayerLayout.Implied.neutral(name), count: shape.reduce(1, *)),
          to: parameters.values.first?.dtype ?? .float32, shape: shape)
      }
      guard try layout.absent.allSatisfy({ try $0.tensor(from: parameters).doubles().allSatisfy { $0 == 0 } }) else {
        refused.append(
          "'\(leaf.path)' (its " + layout.absent.map(\.words).joined(separator: ", ") + " is not 0, and "
            + "\(layout.module) has none)")
        continue
      }
      try write(leaf, layout, dialect.place(of: leaf, layout, module: module), parameters, dialect)
    }
    guard refused.isEmpty else {
      throw RNNError.unsupported("\(dialect.framework) has no layer like " + refused.joined(separator: ", "))
    }
  }

  private mutating func write(
    _ leaf: PlainLeaf, _ layout: LayerLayout, _ place: WeightDialect.Place, _ parameters: [String: Tensor],
    _ dialect: WeightDialect
  ) throws {
    for item in layout.items {
      let collection = item.collection ?? dialect.collections.first
      let name = (collection.map { $0 + dialect.separator } ?? "") + place.name(item)
      guard let arrangement = item.arrangement else {
        tensors.append((name, try Tensor([Int64(0)], shape: [])))
        continue
      }
      let tensor = try locating(name) { try arrangement.tensor(from: parameters) }
      tensors.append((name, tensor))
      for sum in arrangement.sums {
        let (first, second) = (try sum.0.tensor(from: parameters), try sum.1.tensor(from: parameters))
        if second.isAllZeroBits { continue }
        let isRounded = try first.adding(second).isRounded
        ledger.append(
          LedgerEntry(
            isRounded ? .rounded : .emulated, name,
            "\(sum.0.words) + \(sum.1.words), of which it has the sum alone" + (isRounded ? ", rounded" : "")))
      }
    }
  }
}

extension Arrangement {
  /// The pairs of native blocks that the framework has only the sum of.
  var sums: [(Arrangement, Arrangement)] {
    if case .summed(let first, let second) = self { return [(first, second)] }
    return parts.flatMap(\.sums)
  }
}
