import RNNCore

/// Where the gates of each tensor of a file went, for people and as JSON.
enum PlacementText {
  /// A bar a tensor, its blocks to scale, with the native block in each.
  static func text(_ placements: [TensorPlacement]) -> String {
    var lines: [String] = []
    var layer: String?
    for placement in placements {
      if layer != placement.layer {
        if layer != nil { lines.append("") }
        lines.append(placement.layer)
        layer = placement.layer
      }
      lines.append("  \(placement.tensor)  \(describe(shape: placement.shape))")
      guard let axis = placement.axis else {
        let segment = placement.segments[0]
        lines.append("      = \(segment.block)" + (segment.steps.isEmpty ? "" : ": \(segment.steps)"))
        continue
      }
      let cells = placement.segments.map { " \($0.block) " }
      lines.append("      |" + cells.joined(separator: "|") + "|")
      // The places of the blocks, under their left ends.
      var ruler = "      "
      for (segment, cell) in zip(placement.segments, cells) {
        let text = "\(segment.range.lowerBound)"
        ruler += text + String(repeating: " ", count: max(cell.count + 1 - text.count, 1))
      }
      lines.append(ruler + "\(placement.segments.last?.range.upperBound ?? 0)  along axis \(axis)")
      var told: Set<String> = []
      for segment in placement.segments where !segment.steps.isEmpty && told.insert(segment.steps).inserted {
        let same = placement.segments.filter { $0.steps == segment.steps }
        lines.append("      \(name(same, among: placement.segments)): \(segment.steps)")
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Segments by their blocks, or by their places where other segments have the same blocks.
  private static func name(_ some: [TensorPlacement.Segment], among all: [TensorPlacement.Segment]) -> String {
    if some.count == all.count { return "each" }
    let blocks = Set(some.map(\.block))
    if all.count(where: { blocks.contains($0.block) }) == some.count {
      return some.map(\.block).joined(separator: ", ")
    }
    return "from " + some.map { "\($0.range.lowerBound)" }.joined(separator: ", ")
  }

  static func json(_ placements: [TensorPlacement]) -> JSONValue {
    .array(
      placements.map { placement in
        [
          "tensor": .string(placement.tensor), "shape": .array(placement.shape.map(JSONValue.integer)),
          "layer": .string(placement.layer), "axis": placement.axis.map(JSONValue.integer) ?? .null,
          "segments": .array(
            placement.segments.map { segment in
              [
                "start": .integer(segment.range.lowerBound), "end": .integer(segment.range.upperBound),
                "block": .string(segment.block), "steps": .string(segment.steps),
              ]
            }),
        ]
      })
  }
}
