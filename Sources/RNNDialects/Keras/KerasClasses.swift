import RNNCore

/// Keras's class names of the layers that this dialect carries. One table serves reading and writing: the first name of
/// a kind is the one that is written.
enum KerasClasses {
  static let table: [(name: String, kind: LayerSpec.Kind)] =
    LayerSpec.Kind.allCases.map { ($0.rawValue, $0) } + aliases

  private static let aliases: [(name: String, kind: LayerSpec.Kind)] = [
    ("Convolution1D", .conv1D), ("MaxPool1D", .maxPooling1D), ("AvgPool1D", .averagePooling1D),
    ("GlobalMaxPool1D", .globalMaxPooling1D), ("GlobalAvgPool1D", .globalAveragePooling1D),
  ]

  static func kind(of className: String) -> LayerSpec.Kind? {
    table.first { $0.name == className }?.kind
  }

  /// The group names of the `.weights.h5` layout: the class name in snake case (keras/src/utils/naming.py).
  static func snakeCase(_ className: String) -> String {
    let characters = Array(className)
    var result = ""
    for (index, character) in characters.enumerated() {
      if index > 0, character.isUppercase {
        let previous = characters[index - 1]
        let startsWord = index + 1 < characters.count && characters[index + 1].isLowercase
        if previous.isLowercase || (startsWord && previous != "_") { result += "_" }
      }
      result += character.lowercased()
    }
    return result
  }
}
