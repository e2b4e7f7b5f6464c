import Foundation
import RNNCore
import Testing

/// Runs `body`, which must fail with this reason and name all of `texts`.
func expectError(
  _ reason: RNNError.Reason, naming texts: String..., location: SourceLocation = #_sourceLocation,
  _ body: () throws -> some Any
) {
  do {
    let value = try body()
    Issue.record("no error, but \(value)", sourceLocation: location)
  } catch let error as RNNError {
    #expect(error.reason == reason, "\(error)", sourceLocation: location)
    for text in texts where !text.isEmpty {
      #expect(error.description.contains(text), "\(error)", sourceLocation: location)
    }
  } catch {
    Issue.record("another error: \(error)", sourceLocation: location)
  }
}

/// Runs `body`, whose only failure may be an `RNNError`; a trap would end the test run.
func expectNoTrap(
  _ what: @autoclosure () -> String, location: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) {
  do {
    try body()
  } catch {
    #expect(error is RNNError, "\(what()): \(error)", sourceLocation: location)
  }
}
