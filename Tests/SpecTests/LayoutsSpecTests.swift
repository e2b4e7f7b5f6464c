import Foundation
import RNNDialects
import RNNTestSupport
import Testing

/// `spec/layouts.md` is what the tables of the code say.
struct LayoutsSpecTests {
  @Test func theFileIsWrittenFromTheTables() throws {
    let file = Fixtures.root.appendingPathComponent("spec/layouts.md")
    let text = String(decoding: try Data(contentsOf: file), as: UTF8.self)
    #expect(text == LayoutTables.text(), "write it again: rnnconv explain --layouts > spec/layouts.md")
  }
}
