import Foundation
import RNNCore
import RNNTestSupport
import Testing

/// What goes wrong gets its exit code and a message that says what to do, and leaves no half-written file.
struct BadInputTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  /// Runs, and checks the code, the words of the message, and that nothing new lies in the folder.
  private func expect(
    _ code: Int32, _ words: [String], _ arguments: [String], environment: [String: String] = [:],
    program: URL? = nil, location: SourceLocation = #_sourceLocation
  ) throws {
    let before = folder.names
    let result = try CLI.run(arguments, in: folder.url, environment: environment, program: program)
    #expect(!result.isSignal, sourceLocation: location)
    #expect(result.status == code, "\(result.errors)", sourceLocation: location)
    #expect(result.output.isEmpty, sourceLocation: location)
    for word in words {
      #expect(result.errors.contains(word), "'\(word)' is not in: \(result.errors)", sourceLocation: location)
    }
    #expect(folder.names == before, sourceLocation: location)
  }

  private func write(_ name: String, _ bytes: some Sequence<UInt8>) throws {
    try Data(bytes).write(to: folder.file(name))
  }

  private func smallModel() throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: CLI.fixture("keras-3.15/lstm/model.h5")))
  }

  @Test func missingFile() throws {
    try expect(66, ["absent.h5", "No such file"], ["import", "absent.h5"])
    try expect(66, ["absent.rnn"], ["run", "--model", "absent.rnn", "--input", "fine"])
    try expect(66, ["absent.h5"], ["inspect", "absent.h5"])
    try expect(66, ["absent.rnn"], ["export", "absent.rnn", "--to", "npz"])
  }

  @Test func directory() throws {
    try FileManager.default.createDirectory(at: folder.file("folder.h5"), withIntermediateDirectories: true)
    try expect(64, ["folder.h5", "directory"], ["import", "folder.h5"])
    try expect(64, ["folder.h5", "directory"], ["inspect", "folder.h5"])
  }

  @Test func emptyFile() throws {
    try write("empty.h5", [])
    try expect(65, ["empty.h5", "empty"], ["import", "empty.h5"])
  }

  @Test func textCalledH5() throws {
    try write("page.h5", Array("<!DOCTYPE html><html>404</html>".utf8))
    try expect(65, ["page.h5", "no known kind"], ["import", "page.h5"])
  }

  @Test func hdf5ThatIsNoKerasFile() throws {
    try Data(contentsOf: Fixtures.folder.appendingPathComponent("containers/hdf5/numbers.h5"))
      .write(to: folder.file("data.h5"))
    try expect(65, ["data.h5", "not Keras's"], ["import", "data.h5"])
  }

  @Test func truncatedDownload() throws {
    let whole = try smallModel()
    try write("half.h5", whole.prefix(whole.count / 2))
    try expect(65, ["half.h5", "damaged"], ["import", "half.h5"])
    let archive = try Data(contentsOf: URL(fileURLWithPath: CLI.fixture("keras-3.15/published--keras/model.keras")))
    try write("half.keras", archive.prefix(archive.count / 2))
    try expect(65, ["half.keras"], ["import", "half.keras"])
  }

  @Test func zipThatIsNoKerasArchive() throws {
    // An archive of no members: an end record alone.
    try write("empty.keras", [0x50, 0x4B, 5, 6] + [UInt8](repeating: 0, count: 18))
    try expect(65, ["empty.keras", "no .keras"], ["import", "empty.keras"])
  }

  @Test func weightsThatFitNoLayer() throws {
    let weights = CLI.fixture("keras-3.15/published--h5/model.h5")
    let other = CLI.fixture("keras-3.15/published--weights/config.json")
    try Data(
      String(contentsOfFile: other, encoding: .utf8).replacing("\"units\": 7", with: "\"units\": 6").utf8
    ).write(to: folder.file("other.json"))
    try expect(65, ["lstm", "expected"], ["import", weights, "--config", "other.json", "-o", "model.rnn"])
  }

  @Test func weightsWithoutArchitecture() throws {
    let weights = CLI.fixture("keras-3.15/published--weights/model.weights.h5")
    try expect(65, ["without an architecture", "--config"], ["import", weights])
  }

  @Test func textWithoutVocabulary() throws {
    #expect(try CLI.run(["import", CLI.sentimentModel], in: folder.url).status == 0)
    try expect(64, ["no vocabulary", "--vocabulary"], ["run", "--input", "fine"])
  }

  @Test func arraysThatDoNotFit() throws {
    #expect(try CLI.run(["import", CLI.sentimentModel], in: folder.url).status == 0)
    let inputs = CLI.fixture("keras-3.15/lstm/inputs.npz")
    try expect(65, ["input", "expected (?, 100)"], ["run", "--input", inputs])
  }

  @Test func fileInTheWay() throws {
    try write("model.rnn", Array("precious".utf8))
    try expect(73, ["model.rnn", "--force"], ["import", CLI.sentimentModel])
    #expect(try Data(contentsOf: folder.file("model.rnn")) == Data("precious".utf8))
    #expect(try CLI.run(["import", CLI.sentimentModel, "--force"], in: folder.url).status == 0)
    #expect(try Data(contentsOf: folder.file("model.rnn")).count > 8)
    try write("out.h5", Array("precious".utf8))
    try expect(73, ["out.h5", "--force"], ["export", "model.rnn", "--to", "keras-h5", "-o", "out.h5"])
    try expect(73, ["no/such"], ["export", "model.rnn", "--to", "npz", "-o", "no/such/out.npz"])
  }

  /// A file system that takes no more: the shell's limit on the size of files stands for a full disk.
  @Test func fullDisk() throws {
    try CLI.importSentiment(into: folder, name: "whole.rnn")
    let program = CLI.program("rnnconv").path
    // What an HDF5 file holds goes through a file in memory, to which the limit applies, too.
    for (command, place) in [
      ("import '\(CLI.sentimentModel)' -o small.rnn", "ulimit"),
      ("export whole.rnn --to npz -o small.npz", "small.npz"),
    ] {
      try expect(
        73, [place, "cannot be written"], ["-c", "ulimit -f 16; exec '\(program)' \(command)"],
        program: URL(fileURLWithPath: "/bin/sh"))
    }
  }

  @Test func noHelper() throws {
    let lonely = try TemporaryFolder()
    try FileManager.default.copyItem(at: CLI.program("rnnconv"), to: lonely.file("rnnconv"))
    try expect(
      69, ["rnnconv-hdf5", "make install"], ["import", CLI.sentimentModel], program: lonely.file("rnnconv"))
  }

  @Test func inputRules() throws {
    try CLI.importSentiment(into: folder)
    try write("notes.csv", Array("a,b".utf8))
    try expect(65, ["notes.csv", "header", "no rows"], ["run", "--input", "notes.csv"])
    try expect(66, ["absent.txt", "--text"], ["run", "--input", "absent.txt"])
    try expect(66, ["some/where", "--text"], ["run", "--input", "some/where"])
    let text = try CLI.run(["run", "--input", "some/where", "--text"], in: folder.url)
    #expect(text.status == 0)
    try expect(64, ["out.txt"], ["run", "--input", "fine", "-o", "out.txt"])
  }

  @Test func idsOutsideTheEmbedding() throws {
    #expect(try CLI.run(["import", CLI.sentimentModel], in: folder.url).status == 0)
    var ids = [Int64](repeating: 1, count: 200)
    ids[107] = 5000
    try Tensor(ids, shape: [2, 100]).npy().write(to: folder.file("ids.npy"))
    try expect(65, ["5000", "row 1", "position 7"], ["run", "--input", "ids.npy"])
    var halves = [Float](repeating: 1, count: 100)
    halves[3] = 2.5
    try Tensor(halves, shape: [1, 100]).npy().write(to: folder.file("halves.npy"))
    try expect(65, ["2.5", "row 0", "position 3"], ["run", "--input", "halves.npy"])
  }

  @Test func aKerasFileIsNoModelToRun() throws {
    let model = CLI.fixture("keras-3.15/lstm/model.h5")
    try expect(65, ["no .rnn file", "rnnconv import"], ["run", "--model", model, "--input", "fine"])
    try expect(65, ["no .rnn file", "rnnconv import"], ["export", model, "--to", "npz", "-o", "out.npz"])
  }

  @Test func anImportDoesNotReplaceItsSource() throws {
    try CLI.importSentiment(into: folder)
    let before = try Data(contentsOf: folder.file("model.rnn"))
    try expect(64, ["model.rnn", "which is read"], ["import", "model.rnn"])
    try expect(64, ["model.rnn", "which is read"], ["import", "model.rnn", "--force"])
    try expect(
      64, ["model.rnn", "which is read"], ["export", "model.rnn", "--to", "npz", "-o", "model.rnn", "--force"])
    #expect(try Data(contentsOf: folder.file("model.rnn")) == before)
  }

  @Test func onlyFilesAreReplaced() throws {
    try CLI.importSentiment(into: folder)
    try expect(73, ["/dev/null", "no file"], ["export", "model.rnn", "--to", "npz", "-o", "/dev/null", "--force"])
    // A link stays one.
    try FileManager.default.createSymbolicLink(
      at: folder.file("link.npz"), withDestinationURL: folder.file("there.npz"))
    try Data("old".utf8).write(to: folder.file("there.npz"))
    let result = try CLI.run(["export", "model.rnn", "--to", "npz", "-o", "link.npz", "--force"], in: folder.url)
    #expect(result.status == 0, "\(result.errors)")
    let kind = try FileManager.default.attributesOfItem(atPath: folder.file("link.npz").path)[.type]
    #expect(kind as? FileAttributeType == .typeSymbolicLink)
    #expect(try Data(contentsOf: folder.file("there.npz")).count > 1000)
  }

  @Test func optionsOfTextFitTheModel() throws {
    let words = ["--vocabulary", CLI.sentimentWords, "-o", "model.rnn"]
    try expect(64, ["--num-words", "5000"], ["import", CLI.sentimentModel, "--num-words", "6000"] + words)
    try expect(64, ["--maxlen", "100"], ["import", CLI.sentimentModel, "--maxlen", "50"] + words)
    try expect(64, ["--vocabulary"], ["import", CLI.sentimentModel, "--maxlen", "100", "-o", "model.rnn"])
  }

  /// Started by something that gave it no streams.
  @Test func closedStreams() throws {
    try CLI.importSentiment(into: folder)
    let program = CLI.program("rnnconv").path
    let shell = URL(fileURLWithPath: "/bin/sh")
    let noInput = try CLI.run(["-c", "exec '\(program)' run --input - <&-"], in: folder.url, program: shell)
    #expect(noInput.status == 0 && noInput.output.isEmpty)
    let noErrors = try CLI.run(
      ["-c", "exec '\(program)' import '\(CLI.sentimentModel)' -o again.rnn 2>&-"], in: folder.url, program: shell)
    #expect(noErrors.status == 0 && folder.contains("again.rnn"))
    let noOutput = try CLI.run(
      ["-c", "exec '\(program)' run --model model.rnn --input fine >&-"], in: folder.url, program: shell)
    #expect(noOutput.status == 73)
  }

  @Test func unknownDialectAndFormat() throws {
    try expect(64, ["keras9", "keras3"], ["import", CLI.sentimentModel, "--dialect", "keras9"])
    try expect(64, ["--to"], ["export", "model.rnn", "--to", "nonsense"])
    try expect(64, [], ["run"])
  }
}
