import Foundation
import RNNContainers
import RNNCore
import RNNTestSupport
import Testing

/// `rnnconv convert`, the ledger's options, and the bits of `inspect --tensors`.
struct ConvertCommandTests {
  private let chain = "layouts/torch/chain/model.pt"
  private var config: [String] { ["--config", CLI.fixture("layouts/torch/chain/config.json")] }

  private func convert(_ source: String, _ target: String, _ options: [String] = [], in folder: URL) throws
    -> CLI.Result
  {
    try CLI.run(["convert", CLI.fixture(source), target] + options, in: folder)
  }

  /// What a file begins with says what it is, whatever wrote it.
  @Test(arguments: [
    ("m.h5", "\u{89}HDF"), ("m.HDF5", "\u{89}HDF"), ("m.weights.h5", "\u{89}HDF"), ("m.keras", "PK"), ("m.pt", "PK"),
    ("m.pth", "PK"), ("m.npz", "PK"), ("m.onnx", "\u{08}"),
  ])
  func theEndingSaysTheFormat(_ target: String, start: String) throws {
    let folder = try TemporaryFolder()
    let result = try convert("keras-3.15/lstm/model.h5", target, in: folder.url)
    #expect(result.status == 0, "\(result.errors)")
    let bytes = try Data(contentsOf: folder.file(target))
    #expect(bytes.starts(with: start.unicodeScalars.map { UInt8($0.value) }))
    // The program recognises its own files by their content.
    let inspection = try CLI.run(["inspect", target], in: folder.url)
    #expect(inspection.status == 0, "\(inspection.errors)")
  }

  @Test func anotherEndingIsAskedFor() throws {
    let folder = try TemporaryFolder()
    for (target, options) in [("m.bin", []), ("m.rnn", ["--to-dialect", "mlx"])] {
      let result = try convert("keras-3.15/lstm/model.h5", target, options, in: folder.url)
      #expect(result.status == 64, "\(target): \(result.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder.file(target).path))
    }
  }

  /// The checkpoint holds an optimizer's state, which is lost when it is read; its bits are kept, which is lost by none.
  @Test(arguments: ["m.rnn", "m.h5", "m.npz"]) func strictRefusesWhatTheReadingLoses(_ target: String) throws {
    let folder = try TemporaryFolder()
    let strict = try convert(chain, target, config + ["--strict"], in: folder.url)
    #expect(strict.status == 69, "\(strict.errors)")
    #expect(strict.errors.contains("optimizer_state_dict"))
    #expect(!FileManager.default.fileExists(atPath: folder.file(target).path))
    #expect(try convert(chain, target, config, in: folder.url).status == 0)
  }

  @Test(arguments: ["m.rnn", "m.onnx", "m.pt"]) func dryRunPrintsAndWritesNothing(_ target: String) throws {
    let folder = try TemporaryFolder()
    let result = try convert(chain, target, config + ["--dry-run"], in: folder.url)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains(target == "m.rnn" ? "lost: optimizer_state_dict" : "exact:"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).isEmpty)
  }

  /// Whoever asks beforehand is told by the status, too.
  @Test func dryRunIsStrict() throws {
    let folder = try TemporaryFolder()
    let result = try convert("keras-3.15/lstm-masked/model.h5", "m.onnx", ["--dry-run", "--strict"], in: folder.url)
    #expect(result.status == 69, "\(result.errors)")
    #expect(result.output.contains("lost:"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).isEmpty)
  }

  @Test func strictWritesWhatLosesNothing() throws {
    let folder = try TemporaryFolder()
    let result = try convert("keras-3.15/lstm/model.h5", "m.keras", ["--strict"], in: folder.url)
    #expect(result.status == 0, "\(result.errors)")
  }

  /// What is said about a file that needs it not is a mistake, not noise.
  @Test(arguments: [
    ("layouts/onnx-package/lstm_defaults/model.onnx", ["--activations", "relu"]),
    ("layouts/onnx-package/lstm_defaults/model.onnx", ["--dialect", "pytorch"]),
    ("layouts/onnx-package/lstm_defaults/model.onnx", ["--forget-bias", "1"]),
    ("keras-3.15/lstm/model.h5", ["--activations", "relu"]),
    ("keras-3.15/lstm/model.h5", ["--forget-bias", "1"]),
  ])
  func whatDoesNotApplyIsRefused(_ source: String, options: [String]) throws {
    let folder = try TemporaryFolder()
    let result = try convert(source, "m.rnn", options, in: folder.url)
    #expect(result.status == 64, "\(result.errors)")
    #expect(!FileManager.default.fileExists(atPath: folder.file("m.rnn").path))
  }

  /// PyTorch wrote the same state_dict as safetensors itself.
  @Test func tensorsAreWrittenAsTheyAre() throws {
    let folder = try TemporaryFolder()
    let files = ["layouts/torch/chain/legacy.pt", "layouts/torch/chain/model.npz"]
    let theirs = try Safetensors(
      parsing: try Data(contentsOf: URL(fileURLWithPath: CLI.fixture("layouts/torch/chain/model.safetensors"))))
    let expected = Dictionary(uniqueKeysWithValues: theirs.entries.map { ($0.name, $0.tensor) })
    for file in files {
      let result = try CLI.run(
        ["inspect", CLI.fixture(file), "--tensors", "t.safetensors", "--force"], in: folder.url)
      #expect(result.status == 0, "\(result.errors)")
      let ours = try Safetensors(parsing: try Data(contentsOf: folder.file("t.safetensors")))
      #expect(Dictionary(uniqueKeysWithValues: ours.entries.map { ($0.name, $0.tensor) }) == expected, "\(file)")
    }
  }

  @Test func theVocabularyIsNotWrittenOver() throws {
    let folder = try TemporaryFolder()
    let words = try Data(contentsOf: URL(fileURLWithPath: CLI.fixture("sentiment/word_index.json")))
    try words.write(to: folder.file("v.json"))
    let result = try CLI.run(
      ["import", CLI.fixture("sentiment/model.h5"), "--vocabulary", "v.json", "-o", "v.json", "--force"],
      in: folder.url)
    #expect(result.status == 64, "\(result.errors)")
    #expect(try Data(contentsOf: folder.file("v.json")) == words)
  }
}
