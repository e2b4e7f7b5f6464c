import Foundation
import RNNCore
import RNNTestSupport
import RNNText
import Testing

@testable import RNNDatasets

@Suite struct CharacterTextTests {
  /// 40 characters, of which 5 are distinct.
  private let text = String(repeating: "cab\ne\u{301}bb", count: 5)

  @Test func sortsTheDistinctScalars() throws {
    // An accent of its own is a character of its own, and sorted behind; a pair of surrogates is one.
    let read = try CharacterText(text: "z\u{1F600}ae\u{301}z\u{E9}\n")
    #expect(read.characters == ["\n", "a", "e", "z", "\u{E9}", "\u{301}", "\u{1F600}"])
    #expect(read.ids == [3, 6, 1, 2, 5, 3, 4, 0])
  }

  @Test func windowsDoNotOverlap() throws {
    let read = try CharacterText(text: text)
    let ids = read.ids.map { Int($0) }
    #expect(ids.count == 40)
    // 36 characters train: 7 windows of 5 with the character after them. 4 are too few to validate.
    let data = try read.dataset(length: 5)
    #expect(data.inputs.map(\.shape) == [[7, 5]])
    #expect(data.inputs[0].integers() == Array(ids[0..<35]))
    #expect(data.targets[0].integers() == Array(ids[1..<36]))
    #expect(data.validation == nil)
    #expect(data.evaluation == data.training)
    // The last tenth: 36..<40 holds one window of 3 and its last target.
    let short = try read.dataset(length: 3)
    #expect(short.count == 11)
    #expect(short.validation?.inputs[0].integers() == Array(ids[36..<39]))
    #expect(short.validation?.targets[0].integers() == Array(ids[37..<40]))
  }

  @Test func oneCharacterAfterTheWindow() throws {
    let read = try CharacterText(text: text)
    let ids = read.ids.map { Int($0) }
    let data = try read.dataset(length: 6, target: .afterWindow, step: 4)
    #expect(data.inputs[0].shape == [8, 6])
    #expect(data.targets[0].shape == [8])
    #expect(data.targets[0].integers() == stride(from: 6, to: 36, by: 4).map { ids[$0] })
    #expect(try data.slice(rows: [2]).inputs[0].integers() == Array(ids[8..<14]))
  }

  @Test func makesOneHotVectorsForABatch() throws {
    let read = try CharacterText(text: text)
    let depth = read.characters.count
    let data = try read.dataset(length: 5, oneHotInputs: true, oneHotTargets: true)
    #expect(data.training.inputShapes == [[5, depth]])
    #expect(data.training.targetShapes == [[5, depth]])
    let batch = try data.slice(rows: [3, 0])
    #expect(batch.inputs[0].shape == [2, 5, depth])
    #expect(batch.inputs[0].dtype == .float32)
    let wanted = read.ids[15..<20] + read.ids[0..<5]
    #expect(batch.inputs[0].floats() == wanted.flatMap { id in (0..<depth).map { $0 == Int(id) ? 1 : 0 } })
    let after = try read.dataset(length: 5, target: .afterWindow, oneHotTargets: true)
    #expect(after.training.inputShapes == [[5]])
    #expect(try after.slice(rows: [0, 1]).targets[0].shape == [2, depth])
  }

  @Test func givesTheRulesOfItsText() throws {
    let read = try CharacterText(text: "A b.\n\u{E9}")
    let encoder = try TextEncoder(try read.textBundle())
    #expect(encoder.ids(for: "A b.\n\u{E9}") == read.ids.map { Int($0) })
    // What the text never had is left out; nothing is lower-cased.
    #expect(encoder.ids(for: "aA") == [3])
    #expect(try read.dataset(length: 2).text == (try read.textBundle()))
  }

  @Test func refusesWhatIsNoText() throws {
    expectError(.badData, containing: "too few for a window of 36") {
      try CharacterText(text: text).dataset(length: 36)
    }
    #expect(try CharacterText(text: text).dataset(length: 35).count == 1)
    expectError(.usage) { try CharacterText(text: text).dataset(length: 0) }
    expectError(.usage) { try CharacterText(text: text).dataset(length: 3, step: 0) }
    expectError(.badData) { try CharacterText(text: text).dataset(length: .max) }
    expectError(.badData) { try CharacterText(text: "") }
    let folder = try TemporaryFolder()
    try Data([0x61, 0x0A, 0x62, 0xFF, 0x0A]).write(to: folder.file("a.txt"))
    expectError(.badData, containing: "a.txt: line 2: the text is not UTF-8") {
      try CharacterText(contentsOf: folder.file("a.txt"))
    }
  }

  @Test func readsShakespeare() throws {
    guard let url = Fixtures.shared("tinyshakespeare.txt") else { return }
    let read = try CharacterText(contentsOf: url)
    #expect(read.characters.count == 65)
    #expect(read.ids.count == 1_115_394)
    let data = try read.dataset(length: 100)
    #expect(data.count == (1_003_855 - 1) / 100)
    #expect(data.validation?.count == (111_539 - 1) / 100)
  }
}
