import Foundation
import RNNContainers
import RNNCore
import RNNTestSupport
import Testing

/// Series of numbers: files of them, streams of them, and what becomes of gradients along them.
struct SeriesTests {
  private let folder: TemporaryFolder

  /// An LSTM of 7 units over 9 steps of 5 channels, and one that answers at each step of any number.
  init() throws {
    folder = try TemporaryFolder()
    for name in ["lstm", "lstm-any-length"] {
      let model = CLI.fixture("keras-3.15/\(name)/model.h5")
      let result = try CLI.run(["import", model, "-o", "\(name).rnn"], in: folder.url)
      try #require(result.status == 0, "\(result.errors)")
    }
  }

  /// The examples of a fixture's input one behind the other, as a file with a header.
  private func series(_ name: String, rows: Int? = nil) throws -> (text: [String], expected: [Float]) {
    let url = Fixtures.folder.appendingPathComponent("keras-3.15/\(name)")
    func array(_ file: String) throws -> Tensor {
      try NPZ.read(try Data(contentsOf: url.appendingPathComponent(file)))[0].tensor
    }
    let x = try array("inputs.npz")
    let (width, values) = (x.shape[2], x.floats())
    let count = rows ?? values.count / width
    let lines = (0..<count).map { row in
      values[row * width..<(row + 1) * width].map { "\($0)" }.joined(separator: ",")
    }
    return (lines, try array("outputs.npz").floats())
  }

  private func write(_ lines: [String], header: Bool = true) throws {
    let text = ((header ? ["a,b,c,d,e"] : []) + lines).joined(separator: "\n") + "\n"
    try Data(text.utf8).write(to: folder.file("series.csv"))
  }

  private func numbers(_ text: some StringProtocol, separator: Character) -> [Float] {
    text.split(separator: separator).compactMap { Float($0) }
  }

  private func expectClose(_ found: [Float], _ expected: some Collection<Float>, _ what: String) {
    #expect(found.count == expected.count, "\(what)")
    for (ours, theirs) in zip(found, expected) { #expect(abs(ours - theirs) <= 2e-6 + 1e-5 * abs(theirs), "\(what)") }
  }

  /// Each example of the fixture is a window: its answer is Keras's.
  @Test func aWindowOfTheModelsLengthAtEachRow() throws {
    let (lines, expected) = try series("lstm")
    try write(lines)
    let arguments = ["run", "--model", "lstm.rnn", "--input", "series.csv"]
    let result = try CLI.run(arguments, in: folder.url)
    #expect(result.status == 0, "\(result.errors)")
    let answers = result.output.split(separator: "\n")
    #expect(answers.count == lines.count - 8)
    let saved = try CLI.run(arguments + ["-o", "answers.csv"], in: folder.url)
    #expect(saved.status == 0 && saved.output.isEmpty, "\(saved.errors)")
    let rows = try String(contentsOf: folder.file("answers.csv"), encoding: .utf8).split(separator: "\n")
    #expect(rows.count == lines.count + 1)
    #expect(rows[0].hasPrefix("a,b,c,d,e,"))
    for example in 0..<lines.count / 9 {
      let theirs = expected[example * 7..<(example + 1) * 7]
      expectClose(numbers(answers[example * 9], separator: "\t"), theirs, "window \(example)")
      expectClose(Array(numbers(rows[1 + example * 9 + 8], separator: ",").suffix(7)), theirs, "row \(example)")
    }
    // Rows before the first whole window have no answer.
    #expect(numbers(rows[1], separator: ",").count == 5)
    // A header is not needed.
    try write(lines, header: false)
    #expect(try CLI.run(arguments, in: folder.url).output == result.output)
  }

  @Test func oneSequenceWhereTheLengthIsFree() throws {
    let (all, expected) = try series("lstm-any-length")
    #expect(expected.count == all.count * 7)
    let first = try NPZ.read(
      try Data(contentsOf: URL(fileURLWithPath: CLI.fixture("keras-3.15/lstm-any-length/inputs.npz"))))[0].tensor.shape[
        1]
    try write(Array(all.prefix(first)))
    let result = try CLI.run(["run", "--model", "lstm-any-length.rnn", "--input", "series.csv"], in: folder.url)
    #expect(result.status == 0, "\(result.errors)")
    let answers = result.output.split(whereSeparator: { $0 == "\n" || $0 == "\t" }).compactMap { Float($0) }
    expectClose(answers, expected.prefix(first * 7), "one sequence")
    // The same sequence step by step, its answers one a line.
    let stream = try CLI.run(
      ["run", "--model", "lstm-any-length.rnn", "--stream"], in: folder.url,
      input: all.prefix(first).joined(separator: "\n") + "\n")
    #expect(stream.status == 0, "\(stream.errors)")
    #expect(stream.output.split(separator: "\n").count == first)
    let steady = stream.output.split(whereSeparator: { $0 == "\n" || $0 == "\t" }).compactMap { Float($0) }
    #expect(steady == answers)
  }

  @Test func whatIsWrongWithASeriesIsNamed() throws {
    func expect(_ status: Int32, _ words: [String], _ text: String, stream: Bool = false) throws {
      try Data(text.utf8).write(to: folder.file("series.csv"))
      let result = try CLI.run(
        ["run", "--model", "lstm.rnn"] + (stream ? ["--stream"] : ["--input", "series.csv"]), in: folder.url,
        input: stream ? text : nil)
      #expect(result.status == status, "\(text): \(result.errors)")
      for word in words { #expect(result.errors.contains(word), "\(text): \(result.errors)") }
    }
    try expect(65, ["series.csv", "2 columns", "5"], "1,2\n3,4\n")
    try expect(65, ["1 row", "9"], "1,2,3,4,5\n")
    // A line with a number is no header, though one is missing or mistyped.
    try expect(65, ["line 1", "''"], ",2,3,4,5\n1,2,3,4,5\n")
    try expect(65, ["line 1", "'1.O'"], "1.O,2,3,4,5\n1,2,3,4,5\n")
    try expect(65, ["line 2", "'x'"], "1,2,3,4,5\n1,2,x,4,5\n", stream: true)
    try expect(65, ["line 1"], "1,2\n", stream: true)
    try expect(65, ["line 2"], "1,2,3,4,5\n\n", stream: true)
  }

  @Test func gradientsAreATableAndADrawing() throws {
    try write(try series("lstm", rows: 9).text)
    let arguments = ["gradients", "--model", "lstm.rnn", "--input", "series.csv"]
    let table = try CLI.run(arguments + ["-o", "plot.svg"], in: folder.url)
    #expect(table.status == 0, "\(table.errors)")
    #expect(table.output.contains("lstm (LSTM), 9 steps"))
    let drawing = try String(contentsOf: folder.file("plot.svg"), encoding: .utf8)
    #expect(drawing.hasPrefix("<svg ") && drawing.contains("</svg>"))
    let json = try JSONValue(parsing: try CLI.run(arguments + ["--json"], in: folder.url).output)
    let layer = try #require(json["layers"]?.array?.first)
    #expect(layer["name"]?.string == "lstm" && layer["norms"]?.array?.count == 9)
    // The loss is the outputs' sum: behind the last step the gradient is 1 for each of the 7 units.
    let last = try #require(layer["norms"]?.array?.last?.double)
    #expect(abs(last - 7.0.squareRoot()) < 1e-5)
    #expect(try CLI.run(arguments + ["-o", "plot.svg"], in: folder.url).status != 0, "an existing file is kept")
    #expect(try CLI.run(arguments + ["-o", "plot.png"], in: folder.url).status == 64)
  }

  @Test func historyIsPrinted() throws {
    let result = try CLI.run(["explain", "--history"], in: folder.url)
    #expect(result.status == 0)
    for word in ["1997", "1999", "2000", "2014", "forget gate", "peephole", "Hochreiter"] {
      #expect(result.output.contains(word), "\(word)")
    }
    #expect(try CLI.run(["explain"], in: folder.url).status == 64)
  }
}
