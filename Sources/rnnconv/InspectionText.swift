import Foundation
import RNNConversion
import RNNCore

/// An inspection as people read it.
enum InspectionText {
  static func text(of inspection: Inspection) -> String {
    var lines = ["\(inspection.source): \(inspection.container)"]
    if let framework = inspection.framework {
      lines.append("framework  \(framework) \(inspection.version ?? "(no version)")")
    }
    if let origin = inspection.origin { lines.append("from       \(origin)") }
    lines += inspection.decisions.map { "era        \($0)" }
    if let text = inspection.text {
      let length = text.length.map { "\($0) timesteps, padded \(text.padding.rawValue)" } ?? "free length"
      lines.append("text       \(inspection.vocabularySize ?? 0) words, \(length)")
    }
    if !inspection.layers.isEmpty {
      lines +=
        [""]
        + table(
          ["layer", "class", "output", "parameters"],
          inspection.layers.map {
            [$0.name, $0.kind, describe(shape: $0.outputShape), String($0.parameterCount)]
          })
      lines.append("total parameters: \(inspection.parameterCount)")
    }
    lines +=
      [""]
      + table(
        ["tensor", "dtype", "shape", "min", "mean", "max"],
        inspection.tensors.map {
          [$0.name, $0.dtype, describe(shape: $0.shape), number($0.minimum), number($0.mean), number($0.maximum)]
        })
    if let training = inspection.training { lines += ["", "training   \(training)"] }
    if !inspection.ledger.isEmpty {
      lines += [""] + inspection.ledger.map { "\($0.kind.rawValue): \($0.subject): \($0.note)" }
    }
    if !inspection.warnings.isEmpty { lines += [""] + inspection.warnings.map { "warning: \($0)" } }
    return lines.joined(separator: "\n")
  }

  private static func number(_ value: Double?) -> String {
    guard let value else { return "-" }
    return String(format: "%.5g", value)
  }

  private static func table(_ header: [String], _ rows: [[String]]) -> [String] {
    let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max() ?? 0 }
    func line(_ cells: [String]) -> String {
      let padded = zip(cells, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
      return padded.joined(separator: "  ").trimmingSuffix { $0 == " " }
    }
    return [line(header), line(widths.map { String(repeating: "-", count: $0) })] + rows.map(line)
  }
}

extension String {
  fileprivate func trimmingSuffix(_ predicate: (Character) -> Bool) -> String {
    var copy = self
    while let last = copy.last, predicate(last) { copy.removeLast() }
    return copy
  }
}
