import Foundation
import RNNCore
import Testing

/// Files that tests read: the project's fixtures, and the data that lies beside the repository.
enum TestFiles {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  static func fixture(_ path: String) -> Data? { contents(root.appendingPathComponent("fixtures/" + path)) }

  static func shared(_ path: String) -> Data? {
    contents(root.deletingLastPathComponent().appendingPathComponent("shared/data/" + path))
  }

  private static func contents(_ url: URL) -> Data? {
    if let data = try? Data(contentsOf: url) { return data }
    print("skipped: \(url.path) is absent")
    return nil
  }
}

/// Runs `body`, which must fail with `badData` and this text.
func expectBadData(
  _ text: String, location: SourceLocation = #_sourceLocation, _ body: () throws -> some Any
) {
  do {
    let value = try body()
    Issue.record("no error, but \(value)", sourceLocation: location)
  } catch let error as RNNError {
    #expect(error.reason == .badData, sourceLocation: location)
    #expect(error.description.contains(text), "\(error)", sourceLocation: location)
  } catch {
    Issue.record("another error: \(error)", sourceLocation: location)
  }
}
