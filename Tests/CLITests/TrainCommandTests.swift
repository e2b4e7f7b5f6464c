import Foundation
import RNNContainers
import RNNCore
import RNNTestSupport
import Testing

/// `rnnconv train`, `evaluate` and `run --generate`.
struct TrainCommandTests {
  private let folder: TemporaryFolder
  /// Embedding(50, 8), Dropout, Conv1D, MaxPooling1D, LSTM, Dense(1), sigmoid over 24 ids.
  private let architecture = CLI.fixture("keras-3.15/published--weights/config.json")

  init() throws {
    folder = try TemporaryFolder()
    // Ids below 25 mean 0, others 1: an example is of one kind or the other.
    var generator = SeededGenerator(seed: 3)
    var ids: [Int64] = []
    var labels: [Int64] = []
    for _ in 0..<120 {
      let label = Int64.random(in: 0...1, using: &generator)
      labels.append(label)
      ids += (0..<24).map { _ in Int64.random(in: label * 25..<(label + 1) * 25, using: &generator) }
    }
    var data = Data()
    try NPZ.write(
      [("x", try Tensor(ids, shape: [120, 24])), ("y", try Tensor(labels, shape: [120]))], to: { data.append($0) })
    try data.write(to: folder.file("data.npz"))
  }

  private func train(_ arguments: [String]) throws -> CLI.Result {
    try CLI.run(["train", "--data", "data.npz", "--batch-size", "10"] + arguments, in: folder.url, deadline: 60)
  }

  private func parameters(_ name: String) throws -> [NativeModel.Parameter] {
    try NativeModel(contentsOf: folder.file(name)).parameters
  }

  @Test func learnsAndIsEvaluated() throws {
    let result = try train([
      "--config", architecture, "--epochs", "6", "--learning-rate", "0.01", "--metrics", "accuracy", "--history",
      "history.json", "-o", "trained.rnn",
    ])
    #expect(result.status == 0, "\(result.errors)")
    let history = try JSONValue(parsing: try Data(contentsOf: folder.file("history.json")))
    let losses = try #require(history["loss"]?.array).compactMap(\.double)
    #expect(losses.count == 6)
    // The two kinds share no id: anything that learns tells them apart.
    #expect(try #require(losses.last) < 0.2)
    #expect(try #require(losses.first) > 0.4)
    let evaluated = try CLI.run(
      ["evaluate", "--model", "trained.rnn", "--data", "data.npz", "--metrics", "accuracy", "--json"], in: folder.url)
    #expect(try #require(try JSONValue(parsing: evaluated.output)["accuracy"]?.double) > 0.95)
  }

  @Test func sameSeedSameBitsForAnyThreads() throws {
    for (name, threads, seed) in [("a", "1", "5"), ("b", "2", "5"), ("c", "1", "6")] {
      let result = try train([
        "--config", architecture, "--threads", threads, "--seed", seed, "-o", "\(name).rnn",
      ])
      #expect(result.status == 0, "\(result.errors)")
    }
    #expect(try parameters("a.rnn") == parameters("b.rnn"))
    #expect(try parameters("a.rnn") != parameters("c.rnn"))
  }

  /// Killed without warning after a checkpoint, and taken up again.
  @Test func resumesToTheSameBits() throws {
    let arguments = ["--config", architecture, "--epochs", "2", "--seed", "1"]
    #expect(try train(arguments + ["-o", "whole.rnn"]).status == 0)
    // The clock decides where it dies; every checkpoint must do.
    let long = ["--config", architecture, "--epochs", "2000", "--seed", "1", "--checkpoint-every", "5"]
    let killed = try CLI.run(
      ["train", "--data", "data.npz", "--batch-size", "10"] + long + ["-o", "part.rnn"], in: folder.url, deadline: 1)
    #expect(killed.isSignal)
    #expect(folder.contains("part.rnn"))
    let saved = try NativeModel(contentsOf: folder.file("part.rnn"))
    #expect(saved.training?.contains("rnnconv_position") == true)
    // As many epochs as were begun, once in one go and once from the checkpoint.
    let training = try #require(saved.training)
    let position = try #require(try JSONValue(parsing: training)["rnnconv_position"])
    let epochs = String(try #require(position["epoch"]?.integer) + 1)
    let once = try train(["--config", architecture, "--epochs", epochs, "--seed", "1", "-o", "once.rnn"])
    #expect(once.status == 0)
    let resumed = try train(["--resume", "--epochs", epochs, "-o", "part.rnn"])
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(try parameters("part.rnn") == parameters("once.rnn"))
  }

  @Test func trainsOnWhatKerasLeft() throws {
    let source = CLI.fixture("training/continue/keras-3.15/model.h5")
    #expect(try CLI.run(["import", source, "-o", "half.rnn"], in: folder.url).status == 0)
    let data = CLI.fixture("training/continue/keras-3.15/data.npz")
    let result = try CLI.run(
      [
        "train", "--model", "half.rnn", "--data", data, "--batch-size", "16", "--epochs", "3", "--no-shuffle",
        "--history", "history.json", "-o", "on.rnn",
      ], in: folder.url, deadline: 60)
    #expect(result.status == 0, "\(result.errors)")
    let expected = try NPZ.read(
      try Data(contentsOf: URL(fileURLWithPath: CLI.fixture("training/continue/keras-3.15/losses.npz"))))
    let losses = try #require(expected.first { $0.name == "epochs" }).tensor.doubles()
    let ours = try #require(
      try JSONValue(parsing: try Data(contentsOf: folder.file("history.json")))["loss"]?.array
    ).compactMap(\.double)
    // The figure for a continued training.
    #expect(zip(ours, losses).allSatisfy { abs($0 - $1) <= 1e-4 })
    #expect(ours.count == losses.count)
  }

  @Test func writesText() throws {
    let text = String(repeating: "abc ", count: 150)
    try Data(text.utf8).write(to: folder.file("text.txt"))
    let json = """
      {"class_name": "Sequential", "config": {"name": "chars", "layers": [
        {"class_name": "InputLayer", "config": {"name": "x", "batch_shape": [null, null], "dtype": "int32"}},
        {"class_name": "Embedding", "config": {"name": "e", "input_dim": 4, "output_dim": 6}},
        {"class_name": "LSTM", "config": {"name": "l", "units": 12, "return_sequences": true}},
        {"class_name": "Dense", "config": {"name": "d", "units": 4, "activation": "softmax"}}]},
       "keras_version": "3.15.1"}
      """
    try Data(json.utf8).write(to: folder.file("chars.json"))
    let trained = try CLI.run(
      [
        "train", "--config", "chars.json", "--data", "text.txt", "--maxlen", "10", "--batch-size", "5", "--epochs",
        "40", "--learning-rate", "0.02", "-o", "chars.rnn",
      ], in: folder.url, deadline: 60)
    #expect(trained.status == 0, "\(trained.errors)")
    func write(_ arguments: [String]) throws -> String {
      try CLI.run(["run", "--model", "chars.rnn", "--input", "ab"] + arguments, in: folder.url).output
    }
    #expect(try write(["--generate", "12", "--temperature", "0"]) == "abc abc abc ab\n")
    let drawn = try write(["--generate", "30", "--seed", "4"])
    #expect(drawn.count == 33)
    #expect(try write(["--generate", "30", "--seed", "4"]) == drawn)
  }

  @Test func badInput() throws {
    func expect(_ code: Int32, _ word: String, _ arguments: [String]) throws {
      let before = folder.names
      let result = try CLI.run(["train"] + arguments, in: folder.url)
      #expect(result.status == code, "\(result.errors)")
      #expect(result.errors.contains(word), "\(result.errors)")
      #expect(folder.names == before)
    }
    try expect(66, "absent", ["--config", architecture, "--data", "absent.npz", "-o", "m.rnn"])
    try expect(64, "--config or --model", ["--data", "data.npz", "-o", "m.rnn"])
    try expect(
      64, "--batch-size", ["--config", architecture, "--data", "data.npz", "-o", "m.rnn", "--batch-size", "0"])
    try expect(69, "magic", ["--config", architecture, "--data", "data.npz", "-o", "m.rnn", "--optimizer", "magic"])
    try expect(69, "magic", ["--config", architecture, "--data", "data.npz", "-o", "m.rnn", "--loss", "magic"])
    try expect(66, "absent", ["--resume", "--data", "data.npz", "-o", "absent.rnn"])
    // A rate that drives the loss out of range.
    try expect(
      65, "--learning-rate",
      [
        "--config", architecture, "--data", "data.npz", "-o", "m.rnn", "--optimizer", "sgd", "--learning-rate", "1e30",
        "--loss", "mse", "--epochs", "5",
      ])
  }
}
