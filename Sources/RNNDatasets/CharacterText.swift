import Foundation
import RNNCore
import RNNText

/// A plain text for a model of characters: every Unicode scalar is a token, and its id is its place among the distinct
/// ones, sorted.
public struct CharacterText: Sendable, Equatable {
  /// What the model is to say for a window.
  public enum Target: Sendable, Equatable {
    /// The next character at each step, for a model whose output is a sequence.
    case eachStep
    /// The one character after the window.
    case afterWindow
  }

  /// The distinct characters, sorted; the place is the id, from 0.
  public let characters: [Unicode.Scalar]
  /// The text.
  public let ids: [Int32]

  /// - Throws: `badData`, naming the file, where it is not UTF-8.
  public init(contentsOf url: URL) throws {
    let data = try InputFile.contents(of: url)
    self = try locating(url.path) { try CharacterText(text: try Text.utf8(data)) }
  }

  /// - Throws: `badData` for an empty text.
  public init(text: String) throws {
    guard !text.isEmpty else { throw RNNError.badData("the text is empty") }
    // A table over all of Unicode is faster than a dictionary, and goes away again.
    var table = [Int32](repeating: -1, count: 0x11_0000)
    for scalar in text.unicodeScalars { table[Int(scalar.value)] = 0 }
    var characters: [Unicode.Scalar] = []
    for value in table.indices where table[value] == 0 {
      table[value] = Int32(clamping: characters.count)
      if let scalar = Unicode.Scalar(UInt32(value)) { characters.append(scalar) }
    }
    var ids: [Int32] = []
    ids.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars { ids.append(table[Int(scalar.value)]) }
    self.characters = characters
    self.ids = ids
  }

  /// Windows over the first nine tenths of the text to train on, and over the last tenth to validate, where it holds
  /// one.
  /// - Parameters:
  ///   - length: characters of a window.
  ///   - step: from the start of a window to the next; `length` where `nil`, so that none overlap.
  ///   - oneHotInputs: for a model without an Embedding: `Examples.slice` gives float32 (rows, length, characters).
  ///     Else the inputs are int32 (rows, length).
  ///   - oneHotTargets: for a loss over vectors; else int32 (rows, length), or (rows) for `afterWindow`.
  /// - Throws: `usage` for a length or step below 1, `badData` for a text that is too short for one window.
  public func dataset(
    length: Int, target: Target = .eachStep, step: Int? = nil, oneHotInputs: Bool = false, oneHotTargets: Bool = false
  ) throws -> Dataset {
    let step = step ?? length
    guard length >= 1, step >= 1 else {
      throw RNNError.usage("windows of \(length) characters, \(step) apart: both must be 1 or more")
    }
    let split = ids.count - ids.count / 10
    func examples(_ part: Range<Int>) throws -> Examples? {
      // The window and the character after it.
      guard part.count > length else { return nil }
      let starts = stride(from: part.lowerBound, to: part.upperBound - length, by: step)
      let count = (part.count - length - 1) / step + 1
      func windows(after offset: Int, _ size: Int) throws -> Tensor {
        guard let bytes = Tensor.byteCount(dtype: .int32, shape: [count, size]) else {
          throw RNNError.usage("\(count) windows of \(size) characters are too large to address")
        }
        var values: [Int32] = []
        values.reserveCapacity(bytes / 4)
        for start in starts { values.append(contentsOf: ids[(start + offset)..<(start + offset + size)]) }
        return try Tensor(int32: values, shape: [count, size])
      }
      let targets =
        switch target {
        case .eachStep: try windows(after: 1, length)
        case .afterWindow: try windows(after: length, 1).reshaped(to: [count])
        }
      return try Examples(
        inputs: [try windows(after: 0, length)], targets: [targets],
        inputDepths: [oneHotInputs ? characters.count : nil], targetDepths: [oneHotTargets ? characters.count : nil])
    }
    guard let training = try examples(0..<split) else {
      throw RNNError.badData(
        "the text has \(ids.count) characters, too few for a window of \(length)",
        remedy: "Give a longer text or a shorter length.")
    }
    return Dataset(training: training, validation: try examples(split..<ids.count), text: try textBundle())
  }

  /// The rules and the vocabulary that turn text into these ids.
  public func textBundle() throws -> TextBundle {
    var rules = TextRules()
    rules.lower = false
    rules.filters = ""
    rules.isCharacterLevel = true
    rules.firstID = 0
    let tensors = try TextBundle.tensors(characters.map { String($0) })
    return TextBundle(rules: rules, words: tensors.words, offsets: tensors.offsets)
  }
}
