import Foundation
import RNNTestSupport
import Testing

/// The Swift files of `Sources`.
enum SourceTree {
  static let root = Fixtures.root.appendingPathComponent("Sources")

  static func swiftFiles(_ target: String = "") throws -> [URL] {
    let folder = target.isEmpty ? root : root.appendingPathComponent(target)
    let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
    return files.compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
  }

  static func targets() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: root.path).filter { name in
      !name.hasPrefix(".") && (try? swiftFiles(name).isEmpty) == false
    }.sorted()
  }
}

/// Dependencies point downwards only: what each target's files import.
struct DependencyDirectionTests {
  /// What every target may import.
  private static let common: Set<String> = ["Foundation", "Darwin", "Glibc", "Musl"]

  private static let allowed: [String: Set<String>] = [
    "RNNCore": ["CFileSystem"],
    "RNNContainers": ["RNNCore", "CZlib"],
    "RNNHDF5": ["RNNCore", "CHDF5"],
    "rnnconv-hdf5": ["RNNHDF5", "RNNCore"],
    "RNNDialects": ["RNNCore"],
    "RNNText": ["RNNCore"],
    "RNNConversion": ["RNNCore", "RNNContainers", "RNNDialects", "RNNText", "CSystem", "Crypto"],
    "RNNRuntime": ["RNNCore", "RNNText", "CRNNKernels", "RealModule"],
    "RNNTraining": ["RNNCore", "RNNRuntime", "RealModule"],
    "RNNDatasets": ["RNNCore", "RNNText", "RNNContainers"],
    "rnnconv": [
      "RNNCore", "RNNContainers", "RNNDialects", "RNNText", "RNNConversion", "RNNRuntime", "RNNTraining",
      "RNNDatasets", "ArgumentParser",
    ],
  ]

  /// `import A`, `@testable import A`, `public import struct A.B`: A.
  static func imports(in text: String) -> Set<String> {
    let kinds = "(?:(?:typealias|struct|class|enum|protocol|let|var|func) +)?"
    guard let pattern = try? Regex("^ *(?:[@\\w()]+ +)*import +\(kinds)(\\w+)", as: (Substring, Substring).self) else {
      return ["the pattern is malformed"]
    }
    return Set(text.components(separatedBy: "\n").compactMap { try? pattern.prefixMatch(in: $0) }.map { String($0.1) })
  }

  @Test func importsAreFound() {
    let lines = [
      "import A", "  @testable import B", "public import struct C.D", "@preconcurrency internal import E",
      "// import F",
    ]
    #expect(Self.imports(in: lines.joined(separator: "\n")) == ["A", "B", "C", "E"])
  }

  @Test func everyTargetStandsInTheTable() throws {
    #expect(try SourceTree.targets() == Self.allowed.keys.sorted())
  }

  @Test(arguments: allowed.keys.sorted())
  func targetImportsOnlyWhatItMay(_ target: String) throws {
    let permitted = try #require(Self.allowed[target]).union(Self.common)
    for file in try SourceTree.swiftFiles(target) {
      let imports = Self.imports(in: try String(contentsOf: file, encoding: .utf8))
      #expect(imports.isSubset(of: permitted), "\(file.lastPathComponent): \(imports.subtracting(permitted).sorted())")
    }
  }

  @Test func kernelsIncludeOnlyTheCLibrary() throws {
    let folder = SourceTree.root.appendingPathComponent("CRNNKernels")
    let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
    for case let file as URL in files where ["c", "h", "inc"].contains(file.pathExtension) {
      for match in try String(contentsOf: file, encoding: .utf8).matches(of: #/#include <([^>]+)>/#) {
        #expect(["immintrin.h", "math.h", "stddef.h", "stdint.h", "string.h"].contains(String(match.1)))
      }
    }
  }
}
