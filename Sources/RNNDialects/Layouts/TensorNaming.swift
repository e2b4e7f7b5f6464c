import RNNCore

/// The names that tensors have in a dialect.
extension WeightDialect {
  /// A layer's tensors in a file, by what stands around the names of the layout.
  struct Place: Hashable {
    var prefix: String
    var suffix = ""
    /// Whether it reads backwards, where the names tell.
    var isBackward: Bool?

    func name(_ item: LayerLayout.Item) -> String { prefix + item.name + suffix }
  }

  /// Where we write a layer.
  /// - Parameter module: the layer's own name in the dialect.
  func place(of leaf: PlainLeaf, _ layout: LayerLayout, module: String) -> Place {
    let isBackward = leaf.direction.map { $0 == .backward }
    func inside(_ part: String) -> Place {
      Place(prefix: module + separator + (part.isEmpty ? "" : part + separator), isBackward: isBackward)
    }
    let ownModule = inside(isBackward.map { $0 ? "backward" : "forward" } ?? "")
    switch directions {
    case .suffix(let backward):
      guard layout.isNumbered else { return ownModule }
      return Place(
        prefix: module + separator, suffix: "_l0" + (isBackward == true ? backward : ""),
        isBackward: isBackward ?? false)
    case .places(let forward, let backward, let alone):
      guard leaf.spec.isRecurrent else { return ownModule }
      return inside(isBackward.map { $0 ? backward : forward } ?? alone)
    case .numbers: return layout.isNumbered ? inside(isBackward == true ? "1" : "0") : ownModule
    case .axis, .none: return ownModule
    }
  }

  /// The place in a file that a name shows to be one of a layout's tensors; `nil` where it is none.
  func place(of name: String, as item: LayerLayout.Item, _ layout: LayerLayout) -> Place? {
    var (rest, suffix, isBackward) = (name[...], "", Bool?.none)
    if case .suffix(let backward) = directions, layout.isNumbered {
      isBackward = false
      if rest.hasSuffix(backward) {
        rest = rest.dropLast(backward.count)
        (suffix, isBackward) = (backward, true)
      }
      // Cells have no number: `weight_ih`.
      if let mark = rest.range(of: "_l", options: .backwards), !rest[mark.upperBound...].isEmpty,
        rest[mark.upperBound...].allSatisfy(\.isNumber)
      {
        suffix = rest[mark.lowerBound...] + suffix
        rest = rest[..<mark.lowerBound]
      }
    }
    guard rest.hasSuffix(item.name) else { return nil }
    let prefix = String(rest.dropLast(item.name.count))
    guard prefix.isEmpty || prefix.hasSuffix(separator) else { return nil }
    if isBackward == nil {
      let parts = Set(prefix.components(separatedBy: separator))
      if !parts.isDisjoint(with: WeightDialect.backwardNames) { isBackward = true }
      if !parts.isDisjoint(with: WeightDialect.forwardNames) { isBackward = false }
    }
    return Place(prefix: prefix, suffix: suffix, isBackward: isBackward)
  }

  private static let forwardNames: Set = ["forward", "forward_rnn", "forward_layer", "fw"]
  private static let backwardNames: Set = ["backward", "backward_rnn", "backward_layer", "bw"]

  /// A name for each leaf's module: those of the native layers, without what the dialect cannot have in a name.
  func moduleNames(_ leaves: [PlainLeaf]) -> [String] {
    var taken: [String: [String]] = [:]
    return leaves.map { leaf in
      let parts = leaf.names.map { $0.replacing(separator, with: "_").replacing("/", with: "_") }
      var name = parts.joined(separator: separator)
      var number = 1
      // Both directions of one layer share a module.
      while let owner = taken[name], owner != leaf.names {
        name = parts.joined(separator: separator) + "_\(number)"
        number += 1
      }
      taken[name] = leaf.names
      return name
    }
  }
}

/// Names in the order in which people count: `layer_2` before `layer_10`.
func isBeforeByNumbers(_ left: String, _ right: String) -> Bool {
  func parts(_ text: String) -> [(text: String, number: Int?)] {
    var result: [(String, Int?)] = []
    var current = ""
    var isDigits = false
    for character in text {
      if character.isASCII && character.isNumber != isDigits, !current.isEmpty {
        result.append((current, isDigits ? Int(current) : nil))
        current = ""
      }
      isDigits = character.isASCII && character.isNumber
      current.append(character)
    }
    if !current.isEmpty { result.append((current, isDigits ? Int(current) : nil)) }
    return result
  }
  for (first, second) in zip(parts(left), parts(right)) where first.text != second.text {
    if let one = first.number, let other = second.number, one != other { return one < other }
    return first.text < second.text
  }
  return left.count < right.count
}
