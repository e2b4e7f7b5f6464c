import RNNCore

/// The layouts of all dialects as text: `spec/layouts.md`, and what `explain --layouts` prints.
public enum LayoutTables {
  /// Markdown.
  public static func text() -> String {
    (introduction + keras + (WeightDialect.all + [.onnx]).flatMap(lines)).joined(separator: "\n") + "\n"
  }

  private static let introduction = [
    "# Layouts of weights",
    "",
    "Written from the tables of the code by `rnnconv explain --layouts`. How Keras stores weights is in `keras.md`; the",
    "native parameters, which the last columns name, are in `native-format.md`.",
    "",
    "Sizes: `in` channels that come in, `u` units, `out` channels that go out, `k` kernel size, `m` depth multiplier, `g`",
    "groups. Native gates: i, f, c, o of an LSTM; z, r, h of a GRU. `kernel[i, f]` are the blocks i and f of the",
    "last axis; `bias[0]` is the first row. Axes count from 0. Every step is undone when a file is read, bit for bit; a sum,",
    "and what is read as added, are the only steps that can round. A tensor of a parameter that a layer lacks is left out.",
    "",
    "Layers and tensors find each other by name where the names are ours (the layer's own name, with `_` for the",
    "separator), else by shape and order: for PyTorch the file's, for the others that of the names, numbers as numbers.",
    "",
  ]

  /// Keras's files list arrays in order; names do not count.
  private static var keras: [String] {
    let layouts: [(kind: LayerSpec.Kind, form: LayerLayout.Form, name: String, layout: KerasLayout)] = [
      (.lstm, .any, "LSTM of Keras 1 with `consume_less` cpu or mem", .keras1LSTM),
      (.gru, .resetBefore, "GRU of Keras 1 with `consume_less` cpu or mem", .keras1GRU),
      (.lstm, .any, "CuDNNLSTM", .cuDNNLSTM), (.gru, .resetAfter, "CuDNNGRU", .cuDNNGRU),
    ]
    var lines = [
      "## `keras1`, `keras2`, `keras3`", "",
      "The native layout is Keras 3's: of Keras 2 and 3, and of Keras 1 with `consume_less` gpu, array n is parameter n. The",
      "kernels of Theano's convolutions are reversed along axis 0, and those of Keras 1 have four axes (`keras.md`,",
      "\"Arrays\"). Of a bidirectional layer the arrays of the forward half come first. What else differs:", "",
      "| layer | in Keras | array | shape | from native blocks |", "|---|---|---|---|---|",
    ]
    for item in layouts {
      let parameters = SymbolicShape.parameters(of: item.kind, item.form)
      for (index, array) in item.layout.arrays.enumerated() {
        let shape = array?.symbolicShape(parameters).map(\.text).joined(separator: ", ") ?? ""
        let form = item.form == .any ? "" : ", \(item.form.rawValue)"
        let first = index == 0 ? "`\(item.kind.rawValue)`\(form) | \(item.name)" : " | "
        lines.append("| \(first) | \(index) | (\(shape)) | \(array?.words ?? "not read") |")
      }
    }
    return lines + [""]
  }

  private static func lines(_ dialect: WeightDialect) -> [String] {
    var lines = [
      "## `\(dialect.name)`", "",
      "\(dialect.framework), from \(dialect.source). Names are joined by `\(dialect.separator)`."
        + (dialect.collections.isEmpty
          ? ""
          : " Whole names begin with " + dialect.collections.map { "`\($0)`" }.joined(separator: " or ") + "."),
      directions(dialect), "",
      "| layer | in \(dialect.framework) | tensor | shape | from native blocks |", "|---|---|---|---|---|",
    ]
    for layout in dialect.layouts {
      let parameters = SymbolicShape.parameters(of: layout.kind, layout.form)
      let form = layout.form == .any ? "" : ", \(layout.form.rawValue)"
      for (index, item) in layout.items.enumerated() {
        let shape = item.arrangement?.symbolicShape(parameters).map(\.text).joined(separator: ", ") ?? ""
        let first = index == 0 ? "`\(layout.kind.rawValue)`\(form) | \(layout.module)" : " | "
        lines.append(
          "| \(first) | `\(name(item, layout, dialect))` | (\(shape)) | "
            + (item.arrangement?.words ?? "written as 0, not read") + " |")
      }
      for item in layout.implied {
        let condition = item.companion.map { "where there is a \($0)" } ?? "always"
        let neutral = Int(LayerLayout.Implied.neutral(item.parameter))
        lines.append("|  |  | | | has \(item.parameter) \(condition): \(neutral) where the layer has none |")
      }
      for block in layout.absent { lines.append("|  |  | | | lacks \(block.words): 0 when read, and must be 0 |") }
    }
    return lines + [""]
  }

  private static func name(_ item: LayerLayout.Item, _ layout: LayerLayout, _ dialect: WeightDialect) -> String {
    if case .suffix = dialect.directions, layout.isNumbered { return item.name + "_l0" }
    if case .numbers = dialect.directions, layout.isNumbered { return "0\(dialect.separator)\(item.name)" }
    return item.name
  }

  private static func directions(_ dialect: WeightDialect) -> String {
    switch dialect.directions {
    case .suffix(let backward):
      "Recurrent layers are numbered in a stack (`_l0`, `_l1`); the backward half of both directions ends in "
        + "`\(backward)`."
    case .places(let forward, let backward, let alone):
      "The halves of both directions stand in `\(forward)` and `\(backward)`"
        + (alone.isEmpty ? "." : ", the cell of one direction in `\(alone)`.")
    case .numbers:
      "The numbered layers of a stack, and forward and backward of both directions by turns, stand in `0`, `1`, ..."
    case .axis:
      "Tensors of recurrent nodes have an axis more, the first, along which both directions stand; names are those of the "
        + "node's inputs."
    case .none: "The halves of both directions are two layers, in `forward` and `backward`."
    }
  }
}
