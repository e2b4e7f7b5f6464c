import Foundation
import RNNCore
import RNNTraining

/// The history of a training: Keras's keys, one value an epoch.
struct HistoryFile {
  private enum Format: String {
    /// An object with a list for each value.
    case json
    /// A line for each epoch, counted from 0, as Keras's `CSVLogger`; values in the order of the history.
    case csv
  }

  private let url: URL
  private let format: Format

  /// `nil` for a file of another ending.
  init?(path: String) {
    url = URL(fileURLWithPath: path)
    guard let format = Format(rawValue: url.pathExtension.lowercased()) else { return nil }
    self.format = format
  }

  func checkDestination(replacing: Bool) throws { try AtomicFile.checkDestination(url.path, replacing: replacing) }

  func write(_ history: [EpochHistory]) throws {
    let text = text(history)
    try AtomicFile.write(to: url, replacing: true) { try $0(Data(text.utf8)) }
  }

  private func text(_ history: [EpochHistory]) -> String {
    let names = history.first?.values.map(\.name) ?? []
    switch format {
    case .json:
      let members = names.map { name in (name, JSONValue.array(history.map { .number($0[name] ?? .nan) })) }
      return JSONValue.object(JSONObject(members)).text(indent: 2) + "\n"
    case .csv:
      let rows = history.enumerated().map { epoch, line in
        ["\(epoch)"] + names.map { "\(line[$0] ?? .nan)" }
      }
      return ([["epoch"] + names] + rows).map { $0.joined(separator: ",") + "\n" }.joined()
    }
  }
}
