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
    for (leaf, module) in zip(leaves, dialect.moduleNames(leaves)) {
      let parameters = Dictionary(
        leaf.spec.parameterNames.compactMap { name in
          byPath[NativeModel.path(layer: leaf.path, parameter: name)].map { (name, $0) }
        }, uniquingKeysWith: { $1 })
      let layouts = dialect.layouts(of: leaf.spec)
      // Chainer's layers of two directions are its numbered ones.
      guard let layout = layouts.first(where: { leaf.direction != nil && $0.isNumbered }) ?? layouts.first else {
        refused.append("'\(leaf.path)' (\(leaf.spec.described))")
        continue
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
    switch self {
    case .block: []
    case .joined(let parts, _), .interleaved(let parts): parts.flatMap(\.sums)
    case .transposed(let inner, _), .flipped(let inner, _), .negated(let inner), .widened(let inner, _),
      .merged(let inner, _), .recast(let inner, _), .addend(let inner), .unread(let inner), .half(let inner),
      .otherHalf(let inner):
      inner.sums
    case .summed(let first, let second): [(first, second)]
    }
  }
}
