/// The gated layers as they came one after the other: each with its year, source and equations.
///
/// In all of them x is the input, h the output before, c the cell state before; s is the sigmoid; a product without a sign
/// is element by element, and K, R, b are kernel, recurrent kernel and bias of the gate that they stand with.
public enum RecurrentHistory {
  public struct Entry: Sendable {
    public var year: String
    public var name: String
    public var source: String
    /// What it is here.
    public var layer: String
    /// Input gate, forget gate, candidate, cell state, output gate, output; or those that a GRU has.
    public var equations: [String]
  }

  /// What the equations of the LSTMs tell, row by row.
  public static let rows = ["input gate", "forget gate", "candidate", "cell state", "output gate", "output"]

  public static let lstms: [Entry] = [
    Entry(
      year: "1997", name: "LSTM", source: "Hochreiter and Schmidhuber, Neural Computation 9(8)",
      layer: "LSTMVariantSpec.original1997",
      equations: [
        "i = s(xK + hR + b)", "-", "g = 4 s(xK + hR + b) - 2", "c' = c + i g", "o = s(xK + hR + b)",
        "h' = o (2 s(c') - 1)",
      ]),
    Entry(
      year: "1999", name: "with forget gate", source: "Gers, Schmidhuber and Cummins, Neural Computation 12(10), 2000",
      layer: "LSTMVariantSpec.forget1999",
      equations: [
        "i = s(xK + hR + b)", "f = s(xK + hR + b)", "g = 4 s(xK + hR + b) - 2", "c' = f c + i g", "o = s(xK + hR + b)",
        "h' = o (2 s(c') - 1)",
      ]),
    Entry(
      year: "2000", name: "with peepholes", source: "Gers and Schmidhuber, IJCNN 2000",
      layer: "LSTMVariantSpec.peephole2000",
      equations: [
        "i = s(xK + hR + p c + b)", "f = s(xK + hR + p c + b)", "g = 4 s(xK + hR + b) - 2", "c' = f c + i g",
        "o = s(xK + hR + p c' + b)", "h' = o c'",
      ]),
    Entry(
      year: "2005", name: "vanilla", source: "Graves and Schmidhuber, Neural Networks 18; Greff et al. 2015",
      layer: "LSTMVariantSpec.vanilla",
      equations: [
        "i = s(xK + hR + p c + b)", "f = s(xK + hR + p c + b)", "g = tanh(xK + hR + b)", "c' = f c + i g",
        "o = s(xK + hR + p c' + b)", "h' = o tanh(c')",
      ]),
    Entry(
      year: "2014", name: "with projection", source: "Sak, Senior and Beaufays, Interspeech 2014",
      layer: "LSTMVariantSpec, projection, cellClip, projectionClip",
      equations: [
        "i = s(xK + hR + p c + b)", "f = s(xK + hR + p c + b)", "g = tanh(xK + hR + b)", "c' = clip(f c + i g)",
        "o = s(xK + hR + p c' + b)", "h' = clip((o tanh(c')) P)",
      ]),
    Entry(
      year: "2015", name: "coupled gates", source: "Greff et al., LSTM: A Search Space Odyssey",
      layer: "LSTMVariantSpec, forgetGate fromInputGate",
      equations: [
        "i = s(xK + hR + b)", "f = 1 - i", "g = tanh(xK + hR + b)", "c' = f c + i g", "o = s(xK + hR + b)",
        "h' = o tanh(c')",
      ]),
    Entry(
      year: "today", name: "LSTM of the frameworks", source: "Keras, PyTorch, ONNX", layer: "LSTMSpec",
      equations: [
        "i = s(xK + hR + b)", "f = s(xK + hR + b)", "g = tanh(xK + hR + b)", "c' = f c + i g", "o = s(xK + hR + b)",
        "h' = o tanh(c')",
      ]),
  ]

  /// What the equations of the GRUs tell, row by row.
  public static let gruRows = ["update gate", "reset gate", "candidate", "output"]

  public static let grus: [Entry] = [
    Entry(
      year: "2014", name: "GRU, reset before", source: "Cho et al., EMNLP 2014 (version 3)",
      layer: "GRUSpec, resetAfter false",
      equations: ["z = s(xK + hR + b)", "r = s(xK + hR + b)", "n = tanh(xK + (r h)R + b)", "h' = z h + (1 - z) n"]),
    Entry(
      year: "2014", name: "GRU, reset after", source: "Cho et al. (version 1); cuDNN",
      layer: "GRUSpec, resetAfter true",
      equations: [
        "z = s(xK + b + hR + b')", "r = s(xK + b + hR + b')", "n = tanh(xK + b + r (hR + b'))", "h' = z h + (1 - z) n",
      ]),
    Entry(
      year: "2014", name: "GRU, z the other way", source: "Chung et al., arXiv 1412.3555",
      layer: "GRUSpec with K, R and b of z negated",
      equations: ["z = s(xK + hR + b)", "r = s(xK + hR + b)", "n = tanh(xK + (r h)R + b)", "h' = (1 - z) h + z n"]),
  ]

  /// Everything, for people.
  public static func text() -> String {
    """
    x input, h output before, c cell state before, s sigmoid; K, R, b kernel, recurrent kernel and bias of each gate,
    p its peephole, P a projection. Products without a sign are element by element.

    \(table(lstms, rows))
    \(table(grus, gruRows))
    """
  }

  /// A block for each row: the layers under one another, so that what differs is seen.
  private static func table(_ entries: [Entry], _ rows: [String]) -> String {
    func padded(_ text: String, _ width: Int) -> String {
      text + String(repeating: " ", count: max(width - text.count, 0))
    }
    let names = entries.map { "\($0.year)  \($0.name)" }
    let width = (names.map(\.count).max() ?? 0) + 2
    var lines: [String] = []
    for (row, title) in rows.enumerated() {
      lines.append(title)
      lines += zip(names, entries).map { "  " + padded($0, width) + $1.equations[row] }
      lines.append("")
    }
    lines.append("sources, and what they are here")
    lines += zip(names, entries).map { "  " + padded($0, width) + "\($1.source): \($1.layer)" }
    return lines.joined(separator: "\n") + "\n"
  }
}
