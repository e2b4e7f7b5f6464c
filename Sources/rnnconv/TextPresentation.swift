import Foundation
import RNNCore
import RNNRuntime

/// How the answer to one text looks: for a person on a terminal, as a line for another program, or as JSON.
struct TextPresentation {
  let model: Model
  let asJSON: Bool

  private static let barWidth = 20

  func line(_ text: String, _ outputs: [Tensor]) -> String {
    if asJSON { return json(text, outputs) + "\n" }
    if Console.isOutputTerminal { return person(text, outputs) + "\n" }
    // A tab or a line break inside a text would break the line in two.
    let flat = text.replacing("\n", with: " ").replacing("\t", with: " ")
    let values = outputs.flatMap { $0.floats() }.map(Console.number)
    return (values + [flat]).joined(separator: "\t") + "\n"
  }

  private func json(_ text: String, _ outputs: [Tensor]) -> String {
    let members = zip(model.outputNames, outputs).map { ($0, RunOutput.json(0, of: $1)) }
    return JSONValue.object(
      JSONObject([("text", .string(text)), ("outputs", .object(JSONObject(members)))])
    ).text()
  }

  /// The sentence, then each value with a bar where it is a probability.
  private func person(_ text: String, _ outputs: [Tensor]) -> String {
    // What steers a terminal must not come from a text.
    let plain = String(
      String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? " " : $0 }))
    var lines = [plain.count > 100 ? plain.prefix(99) + "\u{2026}" : plain]
    for (name, output) in zip(model.outputNames, outputs) {
      for (index, value) in output.floats().enumerated() {
        let label = output.count == 1 ? name : "\(name)[\(index)]"
        lines.append("  \(String(format: "%.4f", value))  \(bar(value))  \(label)")
      }
    }
    return lines.joined(separator: "\n")
  }

  private func bar(_ value: Float) -> String {
    guard value >= 0, value <= 1 else { return "" }
    let filled = Int((value * Float(TextPresentation.barWidth)).rounded())
    let bar =
      String(repeating: "\u{2588}", count: filled)
      + String(repeating: "\u{2591}", count: TextPresentation.barWidth - filled)
    guard Console.hasColour else { return bar }
    return "\u{1B}[\(value >= 0.5 ? 32 : 31)m\(bar)\u{1B}[0m"
  }
}
