import Foundation
import RNNCore
import RNNTraining

/// What `train` writes.
enum TrainedFile {
  /// What comes with the data, beside the model.
  struct Words {
    var text: TextBundle?
    var classes: [String]?
  }

  static func write(_ model: NativeModel, _ words: Words, to url: URL) throws {
    var model = model
    model.text = words.text ?? model.text
    model.classes = words.classes
    try model.write(to: url, replacing: true)
  }
}

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

  func checkDestination() throws { try AtomicFile.checkDestination(url.path, replacing: true) }

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

/// Ctrl-C, or a request to end: the step is finished, the model saved. Asked twice, the program ends at once.
enum Interruption {
  private nonisolated(unsafe) static var flag: sig_atomic_t = 0

  static var wasAsked: Bool { flag != 0 }

  static func listen() {
    for number in [SIGINT, SIGTERM] {
      signal(number) { number in
        if Interruption.flag != 0 {
          signal(number, SIG_DFL)
          raise(number)
        }
        Interruption.flag = 1
      }
    }
    // Whoever started the program may have blocked them, as worker threads do.
    var both = sigset_t()
    sigemptyset(&both)
    sigaddset(&both, SIGINT)
    sigaddset(&both, SIGTERM)
    pthread_sigmask(SIG_UNBLOCK, &both, nil)
  }

  /// What to type to go on: the same command, and `--resume`.
  static var command: String {
    let plain = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-_./=,:+@%"))
    let arguments = CommandLine.arguments.dropFirst().filter { $0 != "--resume" }
    let words = (["rnnconv"] + arguments + ["--resume"]).map { word in
      word.unicodeScalars.allSatisfy(plain.contains) && !word.isEmpty
        ? word : "'" + word.replacingOccurrences(of: "'", with: "'\\''") + "'"
    }
    return words.joined(separator: " ")
  }
}
