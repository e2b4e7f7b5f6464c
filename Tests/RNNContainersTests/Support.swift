import Foundation
import RNNCore
import Testing

/// Files that tests read: the project's fixtures, and the data that lies beside the repository.
enum TestFiles {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  static let shared = root.deletingLastPathComponent().appendingPathComponent("shared/data")

  static func fixture(_ path: String) -> URL { root.appendingPathComponent("fixtures/" + path) }
  static func shared(_ path: String) -> URL { shared.appendingPathComponent(path) }

  static func contents(_ url: URL) -> Data? {
    if let data = try? Data(contentsOf: url) { return data }
    print("skipped: \(url.path) is absent")
    return nil
  }

  /// All files under `url` with this extension, sorted.
  static func files(under url: URL, withExtension ext: String) -> [URL] {
    let enumerator = FileManager.default.enumerator(at: url, includingPropertiesForKeys: nil)
    let files = (enumerator?.allObjects as? [URL] ?? []).filter { $0.pathExtension == ext }
    if files.isEmpty { print("skipped: no .\(ext) files in \(url.path)") }
    return files.sorted { $0.path < $1.path }
  }
}

/// Runs `body`, which must fail with this reason; returns the whole message.
@discardableResult
func expectError(
  _ reason: RNNError.Reason, containing text: String = "", location: SourceLocation = #_sourceLocation,
  _ body: () throws -> some Any
) -> String {
  do {
    let value = try body()
    Issue.record("no error, but \(value)", sourceLocation: location)
    return ""
  } catch let error as RNNError {
    #expect(error.reason == reason, "\(error)", sourceLocation: location)
    #expect(text.isEmpty || error.description.contains(text), "\(error)", sourceLocation: location)
    return error.description
  } catch {
    Issue.record("another error: \(error)", sourceLocation: location)
    return ""
  }
}

extension Data {
  init(hex: String) {
    let digits = hex.filter { !$0.isWhitespace }
    self.init(
      stride(from: 0, to: digits.count, by: 2).compactMap { index in
        let start = digits.index(digits.startIndex, offsetBy: index)
        return UInt8(digits[start..<digits.index(start, offsetBy: 2)], radix: 16)
      })
  }

  /// The same bytes as a slice whose indices do not begin at 0.
  var shifted: Data { (Data([1, 2, 3]) + self).dropFirst(3) }

  mutating func overwrite(at offset: Int, with bytes: [UInt8]) {
    replaceSubrange(startIndex + offset..<startIndex + offset + bytes.count, with: bytes)
  }
}

/// A seeded generator (SplitMix64), so that a failure can be repeated.
struct Seeded: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}
