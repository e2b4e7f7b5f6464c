import Foundation
import RNNCore

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
