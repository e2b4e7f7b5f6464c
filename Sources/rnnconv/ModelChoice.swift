import Foundation
import RNNCore

/// Which model `run` takes: `--model`, else `$RNNCONV_MODEL`, else the only `.rnn` in the current folder.
enum ModelChoice {
  static func url(_ option: String?) throws -> URL {
    if let option { return URL(fileURLWithPath: option) }
    if let variable = ProcessInfo.processInfo.environment["RNNCONV_MODEL"], !variable.isEmpty {
      return URL(fileURLWithPath: variable)
    }
    let folder = FileManager.default.currentDirectoryPath
    let found = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
      .filter { $0.hasSuffix(".rnn") }.sorted()
    guard let only = found.first, found.count == 1 else {
      let what = found.isEmpty ? "no .rnn file is in this folder" : "this folder holds \(found.joined(separator: ", "))"
      throw RNNError.usage(
        "which model? \(what)", remedy: "Name one with --model, or set RNNCONV_MODEL.")
    }
    return URL(fileURLWithPath: only)
  }
}
