import RNNCore

/// Weights that PyTorch stores as length and direction: w = g v / |v|, a length for each output channel, or along
/// whatever axis the lengths stand (`torch.nn.utils.weight_norm`, and its successor among the parametrizations).
enum WeightNorm {
  struct Folded {
    var entries: [(name: String, tensor: Tensor)]
    /// The names that each folded weight was made of.
    var sources: [String: [String]] = [:]
  }

  /// - Throws: `badData` where lengths and directions do not fit together.
  static func folded(_ entries: [(name: String, tensor: Tensor)]) throws -> Folded {
    let known = Dictionary(entries.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
    var result = Folded(entries: [])
    for entry in entries {
      if let pair = partner(of: entry.name), let direction = known[pair.direction] {
        let weight = try locating(pair.weight) { try product(length: entry.tensor, direction: direction) }
        result.entries.append((pair.weight, weight))
        result.sources[pair.weight] = [entry.name, pair.direction]
      } else if !isDirection(entry.name, known) {
        result.entries.append(entry)
      }
    }
    return result
  }

  /// For a length: the direction's name and the weight's.
  private static func partner(of name: String) -> (direction: String, weight: String)? {
    if name.hasSuffix("_g") { return (name.dropLast(2) + "_v", String(name.dropLast(2))) }
    let mark = "parametrizations."
    guard name.hasSuffix(".original0"), let place = name.range(of: mark) else { return nil }
    let weight = name.dropLast(".original0".count)
    return (weight + ".original1", String(name[..<place.lowerBound] + weight[place.upperBound...]))
  }

  private static func isDirection(_ name: String, _ known: [String: Tensor]) -> Bool {
    if name.hasSuffix("_v") { return known[name.dropLast(2) + "_g"] != nil }
    guard name.hasSuffix(".original1"), name.contains("parametrizations.") else { return false }
    return known[name.dropLast(1) + "0"] != nil
  }

  private static func product(length: Tensor, direction: Tensor) throws -> Tensor {
    let shape = direction.shape
    let kept = length.shape.isEmpty ? shape.map { _ in 1 } : length.shape
    guard kept.count == shape.count, zip(kept, shape).allSatisfy({ $0 == 1 || $0 == $1 }),
      direction.dtype == length.dtype, direction.dtype.isFloatingPoint
    else {
      throw RNNError.badData("a weight's lengths \(length) do not fit its directions \(direction)")
    }
    let (lengths, directions) = (length.doubles(), direction.doubles())
    // The place of each number's length: axes of size 1 do not count.
    var places = [Int](repeating: 0, count: directions.count)
    var step = 1
    var inner = 1
    for axis in shape.indices.reversed() {
      if kept[axis] > 1 {
        for index in places.indices { places[index] += index / inner % shape[axis] * step }
        step *= kept[axis]
      }
      inner *= shape[axis]
    }
    var squares = [Double](repeating: 0, count: lengths.count)
    for (place, value) in zip(places, directions) { squares[place] += value * value }
    let values = zip(places, directions).map { place, value in value * (lengths[place] / squares[place].squareRoot()) }
    return try Tensor(rounding: values, to: direction.dtype, shape: shape)
  }
}
