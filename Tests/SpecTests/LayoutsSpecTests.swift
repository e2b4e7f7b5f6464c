import Foundation
import RNNTestSupport
import Testing

@testable import RNNDialects

/// `spec/layouts.md` is what the tables of the code say.
struct LayoutsSpecTests {
  @Test func theFileIsWrittenFromTheTables() throws {
    let file = Fixtures.root.appendingPathComponent("spec/layouts.md")
    let text = String(decoding: try Data(contentsOf: file), as: UTF8.self)
    #expect(text == LayoutTables.text(), "write it again: rnnconv explain --layouts > spec/layouts.md")
  }

  /// `spec/onnx.md` lists the operations that are read, each once.
  @Test func operationsOfONNXAreThoseOfTheCode() throws {
    let document = try SpecDocument("onnx.md")
    let listed = try document.table("Operations").flatMap { $0[0].codes }
    #expect(Set(listed) == ONNXReading.operations)
    #expect(Set(listed).count == listed.count)
    #expect(try document.prose("Operations").contains("Sets 1 to \(ONNXImport.newestOperatorSet)"))
  }
}
