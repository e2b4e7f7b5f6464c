import Foundation
import RNNContainers
import RNNConversion
import RNNCore
import RNNDialects
import RNNRuntime
import RNNTestSupport
import Testing

/// Weights that other frameworks wrote, with an architecture beside them: the numbers of that framework.
struct ForeignWeightTests {
  /// `fixtures/layouts/<framework>/<case>/<file>`.
  struct File: Sendable, CustomTestStringConvertible {
    var folder: URL
    var name: String
    var testDescription: String {
      "\(folder.deletingLastPathComponent().lastPathComponent)/\(folder.lastPathComponent)/\(name)"
    }
  }

  private static let files: [File] = {
    let root = Fixtures.folder.appendingPathComponent("layouts")
    // The graphs, and the files that must be refused, have tests of their own.
    let others = ["onnx", "refused"]
    return Fixtures.cases(in: root) { folder in !others.contains { folder.lastPathComponent.contains($0) } }.flatMap {
      framework in
      Fixtures.cases(in: framework).flatMap { folder -> [File] in
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.sorted().filter { $0.hasPrefix("model.") || $0.hasPrefix("legacy.") }
          .map { File(folder: folder, name: $0) }
      }
    }
  }()

  private func options(_ file: File) throws -> ImportOptions {
    var options = ImportOptions()
    let config = file.folder.appendingPathComponent("config.json")
    if Fixtures.exists(config) { options.config = config }
    let stated = file.folder.appendingPathComponent("options.json")
    guard Fixtures.exists(stated) else { return options }
    let words = try #require(try JSONValue(parsing: try Data(contentsOf: stated))["import"]?.array).compactMap(\.string)
    for (option, value) in stride(from: 0, to: words.count, by: 2).map({ (words[$0], words[$0 + 1]) }) {
      switch option {
      case "--dialect": options.dialect = value
      case "--forget-bias": options.forgetBias = Double(value)
      case "--activations": options.activations = try TorchActivations.list(value)
      default: Issue.record("the option \(option) is not known")
      }
    }
    return options
  }

  @Test func thereAreFiles() { #expect(Self.files.count > 80) }

  /// 2e-6 + 1e-5 x the value: what two orders of summation differ by.
  @Test(arguments: files) func agrees(_ file: File) throws {
    let model = try ModelImport.model(from: file.folder.appendingPathComponent(file.name), options: try options(file))
    let trained = "outputs-checkpoint.npz"
    let isTrained = file.name == "model.pt" && Fixtures.exists(file.folder.appendingPathComponent(trained))
    func arrays(_ name: String) throws -> [Tensor] {
      try NPZ.read(try Data(contentsOf: file.folder.appendingPathComponent(name))).map(\.tensor)
    }
    let inputs = try arrays("inputs.npz")
    let expected = try arrays(isTrained ? trained : "outputs.npz")
    let outputs = try Model(model).predict(inputs)
    #expect(outputs.map(\.shape) == expected.map(\.shape))
    for (output, other) in zip(outputs, expected) {
      #expect(
        Tolerance.excess(of: output.floats(), over: other.floats(), twin: nil, absolute: 2e-6, relative: 1e-5)
          <= 0)
    }
  }

  /// A file of one framework is never taken for one of another: the dialect that is found is the one of the folder.
  @Test(arguments: files.filter { !$0.folder.path.contains("tensorflow1") }) func isRecognised(_ file: File) throws {
    let model = try ModelImport.model(from: file.folder.appendingPathComponent(file.name), options: try options(file))
    let framework = file.folder.deletingLastPathComponent().lastPathComponent
    let expected = framework.hasPrefix("torch") ? "pytorch" : framework
    guard model.provenance.dialect != expected else { return }
    // Layers that several frameworks store alike come out alike.
    var named = try options(file)
    named.dialect = expected
    let same = try ModelImport.model(from: file.folder.appendingPathComponent(file.name), options: named)
    #expect(same.parameters == model.parameters, "\(model.provenance.dialect)")
  }

  @Test func theForgetBiasIsAskedFor() throws {
    let file = try #require(Self.files.first { $0.testDescription.hasPrefix("tensorflow1/lstm/") })
    var options = try options(file)
    options.forgetBias = nil
    #expect { try ModelImport.model(from: file.folder.appendingPathComponent(file.name), options: options) } throws: {
      ($0 as? RNNError)?.reason == .usage && "\($0)".contains("--forget-bias")
    }
  }

  /// What runs between modules is not in a state_dict: nobody guesses it.
  @Test func activationsAreAskedFor() throws {
    let file = try #require(Self.files.first { $0.testDescription == "torch-chains/words/model.pt" })
    func importing(_ activations: String?) throws -> NativeModel {
      var options = ImportOptions()
      options.activations = try activations.map(TorchActivations.list) ?? []
      return try ModelImport.model(from: file.folder.appendingPathComponent(file.name), options: options)
    }
    #expect { try importing(nil) } throws: {
      ($0 as? RNNError)?.reason == .badData && "\($0)".contains("'fc1', 'fc2'")
        && "\($0)".contains("--activations fc1=relu,fc2=relu")
    }
    #expect { try importing("fc1=relu") } throws: { "\($0)".contains("stand behind 'fc2'") }
    #expect { try importing("relu,relu,relu") } throws: { ($0 as? RNNError)?.reason == .usage }
    #expect { try importing("fc3=relu,fc1=relu,fc2=relu") } throws: {
      ($0 as? RNNError)?.reason == .usage && "\($0)".contains("'fc3'")
    }
    #expect { try importing("fc1=prelu") } throws: { "\($0)".contains("prelu") && "\($0)".contains("softmax") }
    let model = try importing("fc1=relu,fc2=sigmoid")
    #expect(model.ledger.contains { $0.kind == .assumed && $0.subject == "gru" && $0.note.contains("last step") })
    #expect(!model.ledger.contains { $0.kind == .rounded })
  }

  @Test func whatStandsBesideTheWeightsIsInTheLedger() throws {
    let file = try #require(Self.files.first { $0.testDescription == "torch/chain/model.pt" })
    let model = try ModelImport.model(
      from: file.folder.appendingPathComponent(file.name), options: try options(file))
    #expect(model.ledger.contains { $0.kind == .dropped && $0.subject == "optimizer_state_dict" })
    #expect(model.provenance.framework == "PyTorch" && model.provenance.dialect == "pytorch")
  }

  /// Two biases that are added round; a weight of length and direction, too. The ledger says both.
  @Test func whatIsRoundedIsInTheLedger() throws {
    let file = try #require(Self.files.first { $0.testDescription == "torch-chains/weight-norm/model.pt" })
    let model = try ModelImport.model(
      from: file.folder.appendingPathComponent(file.name), options: try options(file))
    let rounded = model.ledger.filter { $0.kind == .rounded }.map(\.subject)
    #expect(Set(rounded) == ["conv.weight", "fc.weight", "lstm/bias"])
  }

  /// These modules' tensors have the names and shapes of an nn.LayerNorm, nn.Linear or the like.
  @Test(arguments: [
    ("group-norm", "GroupNorm"), ("embedding-bag", "EmbeddingBag"), ("batch-norm-without-statistics", "BatchNorm1d"),
    ("own-class", "Doubled"), ("prelu", "PReLU"),
  ])
  func aClassThatIsNotItsShapesIsNamed(_ name: String, _ className: String) {
    let file = Fixtures.folder.appendingPathComponent("layouts/refused-torch/\(name)/model.pt")
    #expect { try ModelImport.model(from: file, options: ImportOptions()) } throws: {
      ($0 as? RNNError)?.reason == .badData && "\($0)".contains(className) && "\($0)".contains("--config")
    }
  }

  @Test func whatIsNoChainAsksForAnArchitecture() throws {
    guard let wild = Fixtures.shared("wild") else { return }
    for (name, place) in [
      ("torch-1ea648", "'tcn.0.skip'"), ("torch-bdc8f1", "'lstm2'"), ("torch-419da5", "'linear_2'"),
    ] {
      let folder = wild.appendingPathComponent(name)
      let file = try #require(try FileManager.default.contentsOfDirectory(atPath: folder.path).first)
      #expect { try ModelImport.model(from: folder.appendingPathComponent(file), options: ImportOptions()) } throws: {
        ($0 as? RNNError)?.reason == .badData && "\($0)".contains(place) && "\($0)".contains("--config")
      }
    }
  }

  @Test func anotherArchitectureIsRefusedByName() throws {
    let lstm = try #require(Self.files.first { $0.testDescription.hasPrefix("torch/lstm/") })
    let gru = try #require(Self.files.first { $0.testDescription.hasPrefix("torch/gru/") })
    var options = ImportOptions()
    options.config = gru.folder.appendingPathComponent("config.json")
    #expect { try ModelImport.model(from: lstm.folder.appendingPathComponent(lstm.name), options: options) } throws: {
      ($0 as? RNNError)?.reason == .badData && "\($0)".contains("weight_ih_l0 [15, 3]")
        && "\($0)".contains("rnn0.weight_ih_l0 [20, 3]")
    }
  }
}
