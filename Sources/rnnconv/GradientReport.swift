import Foundation
import RNNCore
import RNNRuntime

/// `StateGradients` in words and numbers.
enum GradientReport {
  /// Rows that a table shows at most; the steps between are left out evenly.
  private static let mostRows = 24

  static func table(_ found: StateGradients) -> String {
    var lines = ["loss  \(short(found.loss))"]
    for layer in found.layers {
      lines.append("")
      lines.append("\(layer.name) (\(layer.kind.rawValue)), \(layer.norms.count) steps")
      lines.append("steps back  |d loss / d h|  of the last")
      let steps = layer.norms.count
      let last = layer.norms.last ?? 0
      for back in shown(steps) {
        let norm = layer.norms[steps - 1 - back]
        let columns = [
          String(back).leftPadded(10), short(norm).leftPadded(14),
          (last > 0 ? short(norm / last) : "-").leftPadded(11),
        ]
        lines.append(columns.joined(separator: "  "))
      }
      lines.append(verdict(layer))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func shown(_ steps: Int) -> [Int] {
    guard steps > mostRows else { return Array(0..<steps) }
    return (0..<mostRows).map { $0 * (steps - 1) / (mostRows - 1) }
  }

  private static func verdict(_ layer: StateGradients.Layer) -> String {
    guard let factor = layer.factor else { return "no factor: a length is 0 or no finite number" }
    let what = factor < 0.9 ? "it vanishes" : factor > 1.1 ? "it explodes" : "it keeps its size"
    return "a step back multiplies it by \(short(factor)) on average: \(what)"
  }

  private static func short(_ value: Double) -> String { String(format: "%.4g", value) }

  static func json(_ found: StateGradients) -> String {
    let layers = found.layers.map { layer -> JSONValue in
      [
        "name": .string(layer.name), "kind": .string(layer.kind.rawValue),
        "norms": .array(layer.norms.map(JSONValue.number)), "factor": layer.factor.map(JSONValue.number) ?? .null,
      ]
    }
    return JSONValue.object(JSONObject([("loss", .number(found.loss)), ("layers", .array(layers))])).text() + "\n"
  }
}

extension String {
  func leftPadded(_ width: Int) -> String { String(repeating: " ", count: max(width - count, 0)) + self }
}
