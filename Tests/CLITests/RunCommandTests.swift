import Foundation
import RNNContainers
import RNNCore
import RNNTestSupport
import Testing

/// `rnnconv run` on text and arrays, against what Keras gave.
struct RunCommandTests {
  struct Sentence {
    var text: String
    var probability: Double
  }

  /// Texts with the probabilities that Keras 3.15 gave for them.
  static func sentences() throws -> [Sentence] {
    let url = Fixtures.folder.appendingPathComponent("sentiment/sentences.jsonl")
    return try String(contentsOf: url, encoding: .utf8).split(separator: "\n").map { line in
      let json = try JSONValue(parsing: String(line))
      return Sentence(
        text: try #require(json["text"]?.string), probability: try #require(json["probability"]?.double))
    }
  }

  /// 2e-6 is a few float32 roundings of a probability; 1e-5 of the value allows for the order of long sums.
  private func agrees(_ value: String, _ expected: Double) -> Bool {
    guard let value = Double(value) else { return false }
    return abs(value - expected) <= 2e-6 + 1e-5 * abs(expected)
  }

  @Test func everySentenceHasKerasProbability() throws {
    let folder = try TemporaryFolder()
    try CLI.importSentiment(into: folder)
    let sentences = try Self.sentences()
    #expect(sentences.count >= 30)
    let lines = sentences.map { JSONValue.object(JSONObject([("text", .string($0.text))])).text() }
    try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: folder.file("texts.jsonl"))
    let result = try CLI.run(["run", "--input", "texts.jsonl"], in: folder.url)
    #expect(result.status == 0, "\(result.errors)")
    let answers = result.output.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    #expect(answers.count == sentences.count)
    for (answer, sentence) in zip(answers, sentences) {
      let parts = answer.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
      #expect(agrees(String(parts[0]), sentence.probability), "\(sentence.text)")
      #expect(parts[1] == sentence.text.replacing("\n", with: " ").replacing("\t", with: " "))
    }
  }

  @Test func oneTextGivesOneLine() throws {
    let folder = try TemporaryFolder()
    try CLI.importSentiment(into: folder)
    let sentence = try #require(try Self.sentences().first { !$0.text.isEmpty && !$0.text.contains("\n") })
    let result = try CLI.run(["run", "--text", "--input", sentence.text], in: folder.url)
    #expect(result.status == 0)
    #expect(result.errors.isEmpty)
    let parts = result.output.split(separator: "\t", maxSplits: 1)
    #expect(agrees(String(parts[0]), sentence.probability))
    #expect(result.output.hasSuffix("\n"))
  }

  @Test func standardInputAndTextFilesAreReadByLines() throws {
    let folder = try TemporaryFolder()
    try CLI.importSentiment(into: folder)
    // A blank line is an empty text; a last line may lack its end; Windows ends are no part of a text.
    let text = "a fine film\r\n\nboring"
    let piped = try CLI.run(["run", "--input", "-"], in: folder.url, input: text)
    #expect(piped.status == 0)
    let lines = piped.output.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(
      lines.dropLast().map { $0.split(separator: "\t", omittingEmptySubsequences: false)[1] } == [
        "a fine film", "", "boring",
      ])
    try Data(text.utf8).write(to: folder.file("texts.txt"))
    let read = try CLI.run(["run", "--input", "texts.txt"], in: folder.url)
    #expect(read.output == piped.output)
  }

  @Test func jsonHoldsTextAndOutputs() throws {
    let folder = try TemporaryFolder()
    try CLI.importSentiment(into: folder)
    let result = try CLI.run(["run", "--json", "--input", "say \"cheese\"\nplease", "--text"], in: folder.url)
    let json = try JSONValue(parsing: result.output)
    #expect(json["text"] == "say \"cheese\"\nplease")
    let outputs = try #require(json["outputs"]?.object)
    #expect(outputs.members.count == 1)
    let value = try #require(outputs.members.first?.value.array?.first?.double)
    #expect((0...1).contains(value))
    #expect(result.output.filter { $0 == "\n" }.count == 1)
  }

  @Test func arraysGoInAndOut() throws {
    let folder = try TemporaryFolder()
    let model = CLI.fixture("keras-3.15/lstm-return-sequences/model.h5")
    let inputs = CLI.fixture("keras-3.15/lstm-return-sequences/inputs.npz")
    let expected = try NPZ.read(
      try Data(contentsOf: URL(fileURLWithPath: CLI.fixture("keras-3.15/lstm-return-sequences/outputs.npz"))))
    #expect(try CLI.run(["import", model], in: folder.url).status == 0)
    for name in ["out.npz", "out.npy"] {
      let result = try CLI.run(["run", "--input", inputs, "-o", name], in: folder.url)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.output.isEmpty)
    }
    let data = try Data(contentsOf: folder.file("out.npz"))
    let written = try NPZ.read(data)
    #expect(written.map(\.name) == expected.map(\.name))
    #expect(written[0].tensor.shape == expected[0].tensor.shape)
    #expect(try Tensor(npy: try Data(contentsOf: folder.file("out.npy"))) == written[0].tensor)
    // A lone .npy goes in as well.
    let array = try NPZ.read(try Data(contentsOf: URL(fileURLWithPath: inputs)))[0].tensor
    try array.npy().write(to: folder.file("in.npy"))
    let again = try CLI.run(["run", "--input", "in.npy", "-o", "again.npz"], in: folder.url)
    #expect(again.status == 0)
    #expect(try Data(contentsOf: folder.file("again.npz")) == data)
  }

  @Test func aByteOrderMarkIsNoPartOfTheFirstWord() throws {
    let folder = try TemporaryFolder()
    try CLI.importSentiment(into: folder)
    let plain = try CLI.run(["run", "--input", "-"], in: folder.url, input: "fine film\n")
    let marked = try CLI.run(["run", "--input", "-"], in: folder.url, input: "\u{FEFF}fine film\n")
    #expect(plain.output == marked.output)
  }

  @Test func theModelIsFoundInTheOrderOfTheContract() throws {
    let folder = try TemporaryFolder()
    try CLI.importSentiment(into: folder)
    let only = try CLI.run(["run", "--input", "fine"], in: folder.url)
    #expect(only.status == 0)
    try CLI.importSentiment(into: folder, name: "second.rnn")
    let both = try CLI.run(["run", "--input", "fine"], in: folder.url)
    #expect(both.status == 64)
    #expect(both.errors.contains("model.rnn") && both.errors.contains("second.rnn") && both.errors.contains("--model"))
    let named = try CLI.run(["run", "--input", "fine", "--model", "second.rnn"], in: folder.url)
    #expect(named.output == only.output)
    let variable = try CLI.run(
      ["run", "--input", "fine"], in: folder.url, environment: ["RNNCONV_MODEL": "second.rnn"])
    #expect(variable.output == only.output)
  }

  @Test func everyInstructionSetGivesTheSameAnswer() throws {
    let folder = try TemporaryFolder()
    try CLI.importSentiment(into: folder)
    var values: [Double] = []
    for name in ["baseline", "avx2", "avx512"] {
      let result = try CLI.run(["run", "--input", "fine"], in: folder.url, environment: ["RNNCONV_ISA": name])
      if result.status == 64 { continue }
      let value = try #require(result.output.split(separator: "\t").first)
      values.append(try #require(Double(value)))
    }
    #expect(!values.isEmpty)
    #expect(values.allSatisfy { abs($0 - values[0]) <= 2e-6 })
    let wrong = try CLI.run(["run", "--input", "fine"], in: folder.url, environment: ["RNNCONV_ISA": "abacus"])
    #expect(wrong.status == 64)
    #expect(wrong.errors.contains("abacus"))
  }
}
