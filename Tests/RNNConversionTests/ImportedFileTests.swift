import Foundation
import RNNConversion
import RNNCore
import RNNTestSupport
import Testing

/// A `.rnn` written while its source is still being digested is what it would be otherwise.
@Suite struct ImportedFileTests {
  @Test func theFileIsTheModelsWithTheSourcesDigest() throws {
    let source = Fixtures.folder.appendingPathComponent("sentiment/model.h5")
    var options = ImportOptions()
    options.helper = helper
    options.text.vocabulary = Fixtures.folder.appendingPathComponent("sentiment/word_index.json")
    let folder = try TemporaryFolder()
    let written = try ModelImport.write(source, to: folder.file("a.rnn"), replacing: false, options: options)
    let model = try ModelImport.model(from: source, options: options)
    #expect(written.provenance == model.provenance)
    #expect(written.provenance.sha256 == sha256(try Data(contentsOf: source)))
    #expect(try Data(contentsOf: folder.file("a.rnn")) == model.safetensors().serialized())
    #expect(throws: RNNError.self) {
      try ModelImport.write(source, to: folder.file("a.rnn"), replacing: false, options: options)
    }
    #expect(folder.names == ["a.rnn"])
  }
}
