import Foundation

/// What went wrong, where, and what to do about it: the one error type of the toolkit.
///
/// `reason` follows sysexits, so that the command line can turn an error into an exit code without knowing it.
public struct RNNError: Error, Sendable, Equatable {
  /// The kind of failure; the raw value is the process's exit code.
  public enum Reason: Int32, Sendable, CaseIterable {
    /// The request itself was wrong.
    case usage = 64
    /// The bytes are damaged, or do not fit together.
    case badData = 65
    /// The named input does not exist.
    case noInput = 66
    /// The input is well formed and asks for something that is not supported.
    case unsupported = 69
    /// A bug of this toolkit.
    case internalError = 70
    /// The output cannot be written.
    case cannotWrite = 73
  }

  public var reason: Reason
  /// What was wrong, with what was expected and what was found.
  public var what: String
  /// File, group or archive member, tensor or layer, from the outside to the inside.
  public var place: [String]
  /// What the reader can do; `nil` where nothing sensible can be said.
  public var remedy: String?

  public init(_ reason: Reason, _ what: String, at place: [String] = [], remedy: String? = nil) {
    self.reason = reason
    self.what = what
    self.place = place
    self.remedy = remedy
  }

  /// The same error, seen from one level further out.
  public func within(_ outer: String) -> RNNError {
    var copy = self
    copy.place.insert(outer, at: 0)
    return copy
  }

  public static func badData(_ what: String, at place: String..., remedy: String? = nil) -> RNNError {
    RNNError(.badData, what, at: place, remedy: remedy)
  }

  public static func unsupported(_ what: String, at place: String..., remedy: String? = nil) -> RNNError {
    RNNError(.unsupported, what, at: place, remedy: remedy)
  }

  public static func usage(_ what: String, remedy: String? = nil) -> RNNError {
    RNNError(.usage, what, remedy: remedy)
  }

  public static func noInput(_ what: String, remedy: String? = nil) -> RNNError {
    RNNError(.noInput, what, remedy: remedy)
  }

  public static func cannotWrite(_ what: String, at place: String..., remedy: String? = nil) -> RNNError {
    RNNError(.cannotWrite, what, at: place, remedy: remedy)
  }
}

extension RNNError: CustomStringConvertible, LocalizedError {
  public var description: String {
    let location = place.isEmpty ? "" : place.joined(separator: ": ") + ": "
    return location + what + (remedy.map { "\n  " + $0 } ?? "")
  }

  public var errorDescription: String? { description }
}

/// Runs `body`; an `RNNError` that escapes it gains `place` as its outermost location.
public func locating<Result>(_ place: @autoclosure () -> String, _ body: () throws -> Result) throws -> Result {
  do {
    return try body()
  } catch let error as RNNError {
    throw error.within(place())
  }
}
