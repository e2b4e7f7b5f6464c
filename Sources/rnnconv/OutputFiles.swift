import Foundation
import RNNCore

/// The files that a command is to write, checked before any work.
enum OutputFiles {
  /// - Parameters:
  ///   - outputs: with the option that names each.
  ///   - inputs: what the command reads.
  /// - Throws: `usage` where one is written over another or over what is read.
  static func check(_ outputs: [(option: String, path: String?)], besides inputs: [String?]) throws {
    var taken: [(what: String, path: String)] = inputs.compactMap { $0 }.map { ("is read", resolved($0)) }
    for (option, path) in outputs {
      guard let path else { continue }
      let place = resolved(path)
      if let other = taken.first(where: { $0.path == place }) {
        throw RNNError.usage(
          "\(option) would write over \(path), which \(other.what)", remedy: "Name another file with \(option).")
      }
      taken.append(("\(option) writes, too", place))
    }
  }

  private static func resolved(_ path: String) -> String {
    URL(fileURLWithPath: path).resolvingSymlinksInPath().standardizedFileURL.path
  }
}
