import Foundation
import RNNRuntime

/// `StateGradients` as a picture: steps back to the left, the length's power of ten upwards, a line for each layer.
enum GradientPlot {
  private static let size = (width: 720.0, height: 420.0)
  private static let margin = (left: 70.0, right: 20.0, top: 30.0, bottom: 50.0)
  private static let colours = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#7f7f7f"]

  static func svg(_ found: StateGradients) -> String {
    let steps = found.layers.map(\.norms.count).max() ?? 1
    let powers = found.layers.flatMap { $0.norms.filter { $0 > 0 && $0.isFinite }.map { log10($0) } }
    let low = (powers.min() ?? -1).rounded(.down)
    let high = max((powers.max() ?? 0).rounded(.up), low + 1)
    let (width, height) = (size.width - margin.left - margin.right, size.height - margin.top - margin.bottom)
    func x(_ back: Int) -> Double {
      margin.left + width * (1 - Double(back) / Double(max(steps - 1, 1)))
    }
    func y(_ power: Double) -> Double { margin.top + height * (1 - (power - low) / (high - low)) }
    var parts = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(Int(size.width))\" height=\"\(Int(size.height))\" "
        + "font-family=\"sans-serif\" font-size=\"12\">",
      "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
      text(size.width / 2, 18, "|d loss / d h|, by steps back in time", anchor: "middle"),
    ]
    let ticks = max(Int(((high - low) / 8).rounded(.up)), 1)
    for power in stride(from: Int(low), through: Int(high), by: ticks) {
      let height = y(Double(power))
      parts.append(line(margin.left, height, size.width - margin.right, height, "#dddddd"))
      parts.append(text(margin.left - 8, height + 4, "1e\(power)", anchor: "end"))
    }
    for back in stride(from: 0, to: steps, by: max((steps - 1) / 8, 1)) {
      parts.append(text(x(back), size.height - margin.bottom + 18, "\(back)", anchor: "middle"))
    }
    parts.append(text(size.width / 2, size.height - 12, "steps back from the last one", anchor: "middle"))
    for (index, layer) in found.layers.enumerated() {
      let colour = colours[index % colours.count]
      let points = layer.norms.enumerated().compactMap { step, norm -> String? in
        guard norm > 0, norm.isFinite else { return nil }
        return number(x(layer.norms.count - 1 - step)) + "," + number(y(log10(norm)))
      }
      parts.append(
        "<polyline fill=\"none\" stroke=\"\(colour)\" stroke-width=\"2\" points=\"\(points.joined(separator: " "))\"/>")
      parts.append(
        text(margin.left + 10, margin.top + 16 + 16 * Double(index), "\(layer.name) (\(layer.kind.rawValue))", colour))
    }
    return parts.joined(separator: "\n") + "\n</svg>\n"
  }

  private static func number(_ value: Double) -> String { String(format: "%.1f", value) }

  private static func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ colour: String) -> String {
    "<line x1=\"\(number(x1))\" y1=\"\(number(y1))\" x2=\"\(number(x2))\" y2=\"\(number(y2))\" stroke=\"\(colour)\"/>"
  }

  private static func text(
    _ x: Double, _ y: Double, _ content: String, _ colour: String = "#333333", anchor: String = "start"
  ) -> String {
    // A layer's name may hold anything.
    let escaped = content.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    return "<text x=\"\(number(x))\" y=\"\(number(y))\" fill=\"\(colour)\" text-anchor=\"\(anchor)\">\(escaped)</text>"
  }
}
