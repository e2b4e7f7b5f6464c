import Foundation
import RNNCore

/// Where the tests find files.
public enum Fixtures {
  /// The repository.
  public static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// `fixtures/`, made by real frameworks and committed.
  public static let folder = root.appendingPathComponent("fixtures")

  /// Data beside the project that is not committed; `nil`, and a note, where it is absent.
  public static func shared(_ path: String) -> URL? {
    let url = root.deletingLastPathComponent().appendingPathComponent("shared/data").appendingPathComponent(path)
    guard FileManager.default.fileExists(atPath: url.path) else {
      print("skipped: \(path) is not beside the project")
      return nil
    }
    return url
  }

  /// The folders in `folder` that pass `filter`, by name.
  public static func cases(in folder: URL, where filter: (URL) -> Bool = { _ in true }) -> [URL] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.sorted().map { folder.appendingPathComponent($0) }.filter { url in
      var isDirectory: ObjCBool = false
      return FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory) && isDirectory.boolValue
        && filter(url)
    }
  }

  public static func exists(_ url: URL) -> Bool { FileManager.default.fileExists(atPath: url.path) }

  /// A program that the package builds, in the folder that holds the test bundle.
  public static func product(_ name: String) -> URL {
    for bundle in Bundle.allBundles where bundle.bundlePath.hasSuffix(".xctest") {
      return bundle.bundleURL.deletingLastPathComponent().appendingPathComponent(name)
    }
    return Bundle.main.bundleURL.appendingPathComponent(name)
  }
}

/// A folder that goes away with the test.
public final class TemporaryFolder {
  public let url: URL

  public init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("rnnconv-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(at: url)
  }

  public func file(_ name: String) -> URL { url.appendingPathComponent(name) }

  public func contains(_ name: String) -> Bool { Fixtures.exists(file(name)) }

  /// Names in the folder, sorted.
  public var names: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []).sorted()
  }
}
