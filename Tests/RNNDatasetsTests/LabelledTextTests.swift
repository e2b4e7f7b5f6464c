import Foundation
import RNNCore
import RNNTestSupport
import RNNText
import Testing

@testable import RNNDatasets

@Suite struct LabelledTextTests {
  private func csv(_ text: String, _ columns: LabelledText.Columns = .init()) throws -> LabelledText {
    try LabelledText(csv: Data(text.utf8), columns: columns)
  }

  private func json(_ text: String) throws -> LabelledText { try LabelledText(jsonLines: Data(text.utf8)) }

  // MARK: - CSV

  @Test func readsQuotedFields() throws {
    func rows(_ text: String) throws -> [[String]] { try CSVReader.rows(of: Data(text.utf8)).map(\.fields) }
    #expect(
      try rows("a,b\r\n\"c, \"\"d\"\"\",\"e\nf\"\n\n,\n\"\"\ng") == [
        ["a", "b"], ["c, \"d\"", "e\nf"], ["", ""], [""], ["g"],
      ])
    #expect(try rows("\u{FEFF}a\r\n\"\"\"\"") == [["a"], ["\""]])
    #expect(try rows("a\"b,c \"d\"\n") == [["a\"b", "c \"d\""]])
    #expect(try rows("a,").map(\.count) == [2])
    #expect(try rows("").isEmpty)
    #expect(try CSVReader.rows(of: Data("a\n\n\"b\nc\"\nd".utf8)).map(\.line) == [1, 3, 5])
    expectError(.badData, containing: "line 2: a quote is never closed") { try rows("a\n\"b\nc") }
    expectError(.badData, containing: "line 1: text follows a closing quote") { try rows("\"a\"b\n") }
    expectError(.badData, containing: "line 2: a field is not UTF-8") {
      try CSVReader.rows(of: Data([0x61, 0x0A, 0xFF, 0x0A]))
    }
  }

  @Test func findsItsColumns() throws {
    let expected = try csv("text,label\nfine,1\n\"bad, really\",0\n")
    #expect(expected.texts == ["fine", "bad, really"])
    #expect(expected.labels == .numbers([1, 0]))
    for text in [
      "label,id,text\n1,7,fine\n0,8,\"bad, really\"\n", "fine,1\n\"bad, really\",0\n",
      " Text ,LABEL\nfine,1\n\"bad, really\",0",
    ] {
      #expect(try csv(text) == expected)
    }
    #expect(
      try csv("review,sentiment\nfine,1\n\"bad, really\",0", .init(text: "review", label: "sentiment")) == expected)
  }

  @Test func sortsClasses() throws {
    let read = try csv("a,pos\nb,neg\nc,\u{E9}\nd,Neutral\ne,pos\n")
    #expect(read.labels == .classes([2, 1, 3, 0, 2], names: ["Neutral", "neg", "pos", "\u{E9}"]))
    // One of them a word makes all of them words.
    #expect(try csv("text,label\na,1\nb,x\n").labels == .classes([0, 1], names: ["1", "x"]))
    #expect(try csv("a,-1.5\nb,2e3\nc, 7 \n").labels == .numbers([-1.5, 2000, 7]))
    for word in ["nan", "inf", "0x10", "", "1 2"] {
      #expect(try csv("text,label\na,\(word)\n").labels == .classes([0], names: [word]), "\(word)")
    }
  }

  @Test func refusesRowsThatDoNotFit() {
    expectError(.badData, containing: "line 3: 3 columns, expected 2") { try csv("text,label\na,1\nb,c,0\n") }
    expectError(.badData, containing: "no columns 'text' and 'label'; there are: 'a', 'b', 'c'") {
      try csv("a,b,c\n1,2,3\n")
    }
    expectError(.badData, containing: "there are: 'text', 'sentiment'") { try csv("text,sentiment\na,1\n") }
    expectError(.badData, containing: "there are: 'text'") { try csv("text\na\n") }
    expectError(.badData, containing: "no columns 'review'") { try csv("a,1\n", .init(text: "review")) }
    expectError(.badData, containing: "line 1: the label 'sentiment' is no number") {
      try csv("review,sentiment\na,1\nb,0\n")
    }
    expectError(.badData, containing: "no rows") { try csv("text,label\n") }
    expectError(.badData, containing: "no rows") { try csv("\n\n") }
  }

  // MARK: - JSON lines

  @Test func readsJSONLines() throws {
    let read = try json(
      "{\"text\": \"a\\nb\", \"label\": 1, \"id\": 5}\r\n\n{\"label\": 0.5, \"text\": \"\"}\n{\"text\":\"c\",\"label\":true}"
    )
    #expect(read.texts == ["a\nb", "", "c"])
    #expect(read.labels == .numbers([1, 0.5, 1]))
    // A string is a class even where it looks like a number.
    #expect(
      try json("{\"text\":\"a\",\"label\":\"1\"}\n{\"text\":\"b\",\"label\":\"0\"}").labels
        == .classes([1, 0], names: ["0", "1"]))
  }

  @Test func refusesOtherLines() {
    let good = "{\"text\":\"a\",\"label\":1}\n"
    for (line, text) in [
      ("{\"text\": 5, \"label\": 1}", "'text' is a number"), ("{\"label\": 1}", "'text' is missing"),
      ("{\"text\": \"a\"}", "'label' is missing"), ("{\"text\": \"a\", \"label\": null}", "'label' is null"),
      ("{\"text\": \"a\", \"label\": NaN}", "'label' is a number"), ("[1]", "a list, expected an object"),
      ("{", "JSON is malformed"),
    ] {
      expectError(.badData, containing: "line 3: ") { try json(good + "\n" + line) }
      expectError(.badData, containing: text) { try json(good + "\n" + line) }
    }
    expectError(.badData, containing: "no rows") { try json(" \n\n") }
  }

  // MARK: - Use

  @Test func recognisesItsFile() throws {
    let folder = try TemporaryFolder()
    for (name, text) in [("a.jsonl", "{\"text\":\"fine\",\"label\":1}\n"), ("a.csv", "text,label\nfine,1\n")] {
      try Data(text.utf8).write(to: folder.file(name))
      #expect(try LabelledText(contentsOf: folder.file(name)).texts == ["fine"])
    }
    try Data("{braces},1\n".utf8).write(to: folder.file("b.csv"))
    #expect(try LabelledText(contentsOf: folder.file("b.csv")).texts == ["{braces}"])
    try Data("a,1\nb\n".utf8).write(to: folder.file("c.csv"))
    expectError(.badData, containing: "c.csv: line 2: ") { try LabelledText(contentsOf: folder.file("c.csv")) }
  }

  @Test func becomesADataset() throws {
    var bundle = try TextBundle.imdb(ranks: [("good", 1), ("bad", 2), ("film", 3)])
    let read = try csv("good film,pos\nbad,neg\n")
    let data = try read.dataset(bundle)
    #expect(data.inputs[0].shape == [2, 3])
    #expect(data.inputs[0].integers() == [1, 4, 6, 0, 1, 5])
    #expect(data.targets[0].dtype == .int32)
    #expect(data.targets[0].integers() == [1, 0])
    #expect(data.classes == ["neg", "pos"])
    #expect(data.text == bundle)
    bundle.rules.length = 2
    bundle.rules.truncating = .post
    #expect(try read.dataset(bundle).inputs[0].integers() == [1, 4, 1, 5])
    let floats = try csv("good,1\nbad,0.25\n").dataset(bundle)
    #expect(floats.targets[0].floats() == [1, 0.25])
    #expect(floats.classes == nil)
  }

  @Test func readsTheReviews() throws {
    guard let url = Fixtures.shared("imdb_reviews_sample.jsonl") else { return }
    let read = try LabelledText(contentsOf: url)
    #expect(read.texts.count == 1000)
    guard case .numbers(let labels) = read.labels else {
      Issue.record("the labels are no numbers")
      return
    }
    #expect(Set(labels) == [0, 1])
  }
}
