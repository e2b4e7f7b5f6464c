import Foundation
import RNNCore
import RNNTestSupport
import Testing

/// Python's safetensors read a `.rnn` file of ours (`fixtures/native/read.py`): what it found is what we find.
struct PythonReadsNativeTests {
  private let folder = Fixtures.folder.appendingPathComponent("native")

  @Test func pythonFoundTheSame() throws {
    let file = try Safetensors(parsing: try Data(contentsOf: folder.appendingPathComponent("model.rnn")))
    let python = try JSONValue(parsing: try Data(contentsOf: folder.appendingPathComponent("python.json")))
    let metadata = try #require(python["metadata"]?.object)
    #expect(Set(metadata.keys) == Set(file.metadata.map(\.key)))
    for (key, value) in file.metadata { #expect(metadata[key]?.string == value, "\(key)") }
    let tensors = try #require(python["tensors"]?.array)
    #expect(tensors.count == file.entries.count)
    for entry in file.entries {
      let theirs = try #require(tensors.first { $0["name"]?.string == entry.name }, "\(entry.name)")
      #expect(theirs["dtype"]?.string == entry.tensor.dtype.name)
      #expect(theirs["shape"]?.array?.compactMap(\.integer) == entry.tensor.shape)
      #expect(theirs["sha256"]?.string == sha256(entry.tensor.bytes))
    }
  }

  /// The file is what we write today, so that Python's reading of it says something of today's files.
  @Test func theFileIsWhatWeWrite() throws {
    let data = try Data(contentsOf: folder.appendingPathComponent("model.rnn"))
    #expect(try NativeModel(parsing: data).safetensors().serialized() == data)
  }
}
