import Foundation
import RNNCore

/// Texts, one at a time, as they arrive.
struct TextLines: Sequence {
  private enum Source {
    case single(String)
    case handle(FileHandle, name: String, isJSON: Bool)
  }

  private let source: Source

  static func single(_ text: String) -> TextLines { TextLines(source: .single(text)) }

  /// - Parameter isJSON: whether each line is an object with `text`.
  static func lines(_ handle: FileHandle, named name: String, isJSON: Bool) -> TextLines {
    TextLines(source: .handle(handle, name: name, isJSON: isJSON))
  }

  func makeIterator() -> AnyIterator<Result<String, any Error>> {
    switch source {
    case .single(let text):
      var isDone = false
      return AnyIterator {
        defer { isDone = true }
        return isDone ? nil : .success(text)
      }
    case .handle(let handle, let name, let isJSON):
      var reader = LineReader(handle)
      var number = 0
      return AnyIterator {
        while true {
          let line = Result { try reader.next() }
          number += 1
          guard case .success(let bytes) = line else { return line.map { _ in "" } }
          guard let bytes else { return nil }
          // A blank line of JSON lines is no object; a blank line of text is an empty text.
          if isJSON, bytes.allSatisfy({ [0x20, 0x09].contains($0) }) { continue }
          return Result { try TextLines.text(bytes, isJSON: isJSON, "\(name), line \(number)") }
        }
      }
    }
  }

  private static func text(_ bytes: Data, isJSON: Bool, _ place: String) throws -> String {
    try locating(place) {
      guard isJSON else {
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.utf8.elementsEqual(bytes) else { throw RNNError.badData("the text is not UTF-8") }
        return text
      }
      guard let text = try JSONValue(parsing: bytes)["text"]?.string else {
        throw RNNError.badData("expected an object with a string 'text'")
      }
      return text
    }
  }
}

/// Lines of a handle, each as soon as it is whole.
private struct LineReader {
  private let handle: FileHandle
  private var buffer = Data()
  private var isAtEnd = false
  private var hasBegun = false
  private static let longestLine = 64 << 20

  init(_ handle: FileHandle) {
    self.handle = handle
  }

  private static func available(_ descriptor: Int32) throws -> Data {
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(descriptor, &bytes, bytes.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw RNNError.noInput("the input cannot be read: \(String(cString: strerror(errno)))") }
      return Data(bytes.prefix(count))
    }
  }

  /// The next line without its end, or `nil` after the last.
  mutating func next() throws -> Data? {
    var searched = buffer.startIndex
    while true {
      if let end = buffer[searched...].firstIndex(of: 0x0A) {
        var line = buffer[..<end]
        if line.last == 0x0D { line.removeLast() }
        buffer.removeSubrange(...end)
        return Data(line)
      }
      if isAtEnd {
        defer { buffer.removeAll() }
        return buffer.isEmpty ? nil : Data(buffer)
      }
      guard buffer.count < LineReader.longestLine else { throw RNNError.badData("a line is longer than 64 MB") }
      searched = buffer.endIndex
      // What is there now, not a full buffer: a line must be answered when it comes.
      let piece = try LineReader.available(handle.fileDescriptor)
      if piece.isEmpty { isAtEnd = true } else { buffer.append(piece) }
      // A byte order mark is no part of the first word.
      if !hasBegun, buffer.count >= 3 {
        hasBegun = true
        if buffer.prefix(3).elementsEqual([0xEF, 0xBB, 0xBF]) { buffer = Data(buffer.dropFirst(3)) }
        searched = buffer.startIndex
      }
    }
  }
}
