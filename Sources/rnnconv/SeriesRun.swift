import Foundation
import RNNCore
import RNNDatasets
import RNNRuntime

/// `run --input series.csv`: an answer for each window, or for each step of the whole.
struct SeriesRun {
  private let input: SeriesInput
  private let model: Model
  private let output: String?
  private let asJSON: Bool
  private let force: Bool

  init(_ url: URL, _ model: Model, output: String?, asJSON: Bool, force: Bool) throws {
    input = try SeriesInput(contentsOf: url, for: model)
    self.model = model
    self.output = output
    self.asJSON = asJSON
    self.force = force
  }

  func run() throws {
    let outputs = try model.makeSession(threads: ProcessInfo.processInfo.activeProcessorCount).predict([input.tensor])
    let named = Array(zip(model.outputNames, outputs))
    guard let output else { return try Console.write(try RunOutput.text(of: named.map(byRow), asJSON: asJSON)) }
    if !output.hasSuffix(".csv") { return try RunOutput.write(named, to: output, replacing: force) }
    let text = try table(named.map(byRow))
    try AtomicFile.write(to: URL(fileURLWithPath: output), replacing: force) { try $0(Data(text.utf8)) }
  }

  /// A sequence of answers to the whole series is an answer for each row.
  private func byRow(_ output: (String, Tensor)) throws -> (String, Tensor) {
    let shape = output.1.shape
    guard input.isWhole, shape.count > 2, shape[1] == input.series.rows else { return output }
    return (output.0, try output.1.reshaped(to: Array(shape.dropFirst())))
  }

  /// The series with the answers beside the rows that they belong to.
  private func table(_ outputs: [(String, Tensor)]) throws -> String {
    let rows = input.series.rows
    var columns: [(name: String, values: [String])] = []
    for (name, tensor) in outputs {
      let answers = tensor.shape.first ?? 0
      let width = answers == 0 ? 0 : tensor.count / answers
      let floats = tensor.floats()
      for column in 0..<width {
        var values = [String](repeating: "", count: rows)
        for answer in 0..<answers {
          let row = answers == rows ? answer : input.rows[min(answer, input.rows.count - 1)]
          values[row] = Console.number(floats[answer * width + column])
        }
        columns.append((width == 1 ? name : "\(name)_\(column)", values))
      }
    }
    var lines: [[String]] = []
    let header = input.series.header ?? (0..<input.series.columns).map { "x\($0)" }
    lines.append(header + columns.map(\.name))
    for row in 0..<rows { lines.append(input.series.fields[row] + columns.map { $0.values[row] }) }
    return lines.map { $0.map(SeriesRun.quoted).joined(separator: ",") }.joined(separator: "\n") + "\n"
  }

  private static func quoted(_ field: String) -> String {
    guard field.contains(where: { ",\"\n\r".contains($0) }) else { return field }
    return "\"" + field.replacing("\"", with: "\"\"") + "\""
  }
}
