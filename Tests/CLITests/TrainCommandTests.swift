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

  /// Answers at each step, over four characters.
  private let characterModel = """
    {"class_name": "Sequential", "config": {"name": "chars", "layers": [
      {"class_name": "InputLayer", "config": {"name": "x", "batch_shape": [null, null], "dtype": "int32"}},
      {"class_name": "Embedding", "config": {"name": "e", "input_dim": 4, "output_dim": 6}},
      {"class_name": "LSTM", "config": {"name": "l", "units": 12, "return_sequences": true}},
      {"class_name": "Dense", "config": {"name": "d", "units": 4, "activation": "softmax"}}]},
     "keras_version": "3.15.1"}
    """

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

  /// A long training into `part.rnn` that gets a signal once its first checkpoint is there.
  private func trainUntilCheckpoint(_ signal: Int32, _ arguments: [String]) throws -> CLI.Result {
    let long = ["--config", architecture, "--epochs", "2000", "--checkpoint-every", "5", "-o", "part.rnn"]
    let folder = folder
    return try CLI.run(
      ["train", "--data", "data.npz", "--batch-size", "10"] + long + arguments, in: folder.url, deadline: 60,
      stop: (signal, { folder.contains("part.rnn") }))
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
    // The clock decides where it dies; every checkpoint must do.
    let killed = try trainUntilCheckpoint(SIGKILL, ["--seed", "1"])
    #expect(killed.isSignal)
    let saved = try NativeModel(contentsOf: folder.file("part.rnn"))
    // As many epochs as were begun, once in one go and once from the checkpoint.
    let epochs = String(try position(of: saved, "epoch") + 1)
    let once = try train([
      "--config", architecture, "--epochs", epochs, "--seed", "1", "--history", "once.csv", "-o", "once.rnn",
    ])
    #expect(once.status == 0)
    // The batch size and the seed are the checkpoint's.
    let resumed = try CLI.run(
      ["train", "--data", "data.npz", "--resume", "--epochs", epochs, "--history", "part.csv", "-o", "part.rnn"],
      in: folder.url, deadline: 60)
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(try parameters("part.rnn") == parameters("once.rnn"))
    #expect(try text("part.csv") == text("once.csv"))
    // Nothing is left to resume.
    #expect(try train(["--resume", "-o", "part.rnn"]).status == 64)
  }

  private func text(_ name: String) throws -> String {
    String(decoding: try Data(contentsOf: folder.file(name)), as: UTF8.self)
  }

  private func position(of model: NativeModel, _ key: String) throws -> Int {
    let training = try JSONValue(parsing: try #require(model.training))
    return try #require(training["rnnconv_training"]?["position"]?[key]?.integer)
  }

  /// Ctrl-C: the step is finished, the model saved, and the command to go on is printed, ready to be typed.
  @Test func finishesTheStepWhenInterrupted() throws {
    let result = try trainUntilCheckpoint(SIGINT, [])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.errors.contains("stopped after step"))
    let command = try #require(
      result.errors.split(separator: "\n").last { $0.hasPrefix("  rnnconv train") && $0.hasSuffix(" --resume") })
    let saved = try NativeModel(contentsOf: folder.file("part.rnn"))
    let epoch = try position(of: saved, "epoch")
    // As it is printed, but for the number of epochs: this test has no time for 2,000.
    let words = command.split(separator: " ").dropFirst().map { $0 == "2000" ? "\(epoch + 1)" : String($0) }
    let resumed = try CLI.run(words, in: folder.url, deadline: 60)
    #expect(resumed.status == 0, "\(resumed.errors)")
    let once = try train(["--config", architecture, "--epochs", "\(epoch + 1)", "-o", "once.rnn"])
    #expect(once.status == 0)
    #expect(try parameters("part.rnn") == parameters("once.rnn"))
  }

  /// Only the training that was interrupted is taken up.
  @Test func resumesOnlyWhatWasInterrupted() throws {
    #expect(try trainUntilCheckpoint(SIGKILL, []).isSignal)
    let before = try Data(contentsOf: folder.file("part.rnn"))
    try Data(characterModel.utf8).write(to: folder.file("other.json"))
    for (change, word) in [
      (["--config", "other.json"], "another model"), (["--learning-rate", "0.5"], "started with"),
      (["--optimizer", "sgd"], "started with"), (["--loss", "mse"], "started with"),
      (["--metrics", "accuracy,mae"], "started with"), (["--batch-size", "7"], "batch size"),
      (["--seed", "9"], "seed"), (["--no-shuffle"], "shuffle true, not false"),
      (["--class-weights", "1=2"], "class weights"),
      (["--early-stopping", "3"], "early stopping"), (["--monitor", "accuracy"], "monitor"),
      (["--validation-split", "0.1"], "examples"),
    ] {
      let result = try CLI.run(
        ["train", "--data", "data.npz", "--resume", "-o", "part.rnn"] + change, in: folder.url)
      #expect(result.status == 64, "\(change): \(result.errors)")
      #expect(result.errors.contains(word), "\(change): \(result.errors)")
    }
    #expect(try Data(contentsOf: folder.file("part.rnn")) == before)
  }

  /// An interrupted training is a model like any other where nobody resumes it.
  @Test func anInterruptedTrainingIsAModel() throws {
    #expect(try trainUntilCheckpoint(SIGKILL, ["--optimizer", "nadam"]).isSignal)
    let evaluated = try CLI.run(["evaluate", "--model", "part.rnn", "--data", "data.npz"], in: folder.url)
    #expect(evaluated.status == 0, "\(evaluated.errors)")
    let trained = try train(["--model", "part.rnn", "--optimizer", "nadam", "--learning-rate", "0.1", "-o", "on.rnn"])
    #expect(trained.status == 0, "\(trained.errors)")
    #expect(try TrainCommandTests.interruption(NativeModel(contentsOf: folder.file("on.rnn"))) == nil)
    #expect(try TrainCommandTests.interruption(NativeModel(contentsOf: folder.file("part.rnn"))) != nil)
    let exported = try CLI.run(["export", "part.rnn", "--to", "keras-h5", "-o", "part.h5"], in: folder.url)
    #expect(exported.status == 0 && exported.errors.contains("interrupted"), "\(exported.errors)")
    #expect(try CLI.run(["import", "part.h5", "-o", "again.rnn"], in: folder.url).status == 0)
    #expect(try TrainCommandTests.interruption(NativeModel(contentsOf: folder.file("again.rnn"))) == nil)
  }

  private static func interruption(_ model: NativeModel) throws -> JSONValue? {
    try model.training.flatMap { try JSONValue(parsing: $0)[NativeModel.interruptionKey] }
  }

  /// Whatever stands in a checkpoint: an error, never a trap.
  @Test func damagedCheckpoints() throws {
    #expect(try trainUntilCheckpoint(SIGKILL, ["--reduce-on-plateau", "2"]).isSignal)
    let saved = try NativeModel(contentsOf: folder.file("part.rnn"))
    let text = try #require(saved.training)
    for (old, new) in [
      (#""batch": "#, #""batch": 999999999999"#), (#""batch": "#, #""batch": -"#), (#""epoch": "#, #""epoch": 9"#),
      (#""batch_size": "#, #""batch_size": 922337203685477580"#), (#""wait": "#, #""wait": 922337203685477580"#),
      (#""cooldown": "#, #""cooldown": -1"#), (#""seed": ""#, #""seed": "x"#), (#""running": ["#, #""running": [1, "#),
      (#""compiled": {"#, #""compiled": 7, "x": {"#), (#""history": ["#, #""history": [5, "#),
      (#""examples": "#, #""examples": 1e300, "y": "#), (#""patience": "#, #""patience": 1.5, "z": "#),
    ] {
      #expect(text.contains(old), "\(old)")
      var damaged = saved
      damaged.training = text.replacing(old, with: new)
      try damaged.write(to: folder.file("damaged.rnn"), replacing: true)
      let result = try CLI.run(["train", "--data", "data.npz", "--resume", "-o", "damaged.rnn"], in: folder.url)
      #expect(!result.isSignal && [64, 65].contains(result.status), "\(old): \(result.status) \(result.errors)")
    }
    for steps in [Int64(-1), .max, 1 << 60] {
      var damaged = saved
      damaged.optimizerSlots[0].tensor = try Tensor([steps], shape: [])
      try damaged.write(to: folder.file("damaged.rnn"), replacing: true)
      for command in [["train", "--resume", "-o", "damaged.rnn"], ["evaluate", "--model", "damaged.rnn"]] {
        let result = try CLI.run(command + ["--data", "data.npz"], in: folder.url)
        #expect(result.status == 65 && result.errors.contains("steps"), "\(result.errors)")
      }
    }
  }

  @Test func watchesTheEpochs() throws {
    let result = try train([
      "--config", architecture, "--epochs", "40", "--learning-rate", "0.05", "--validation-split", "0.25",
      "--metrics", "accuracy", "--early-stopping", "3", "--reduce-on-plateau", "1", "--plateau-factor", "0.5", "--best",
      "best.rnn", "--monitor", "val_loss", "--history", "history.json", "-o", "last.rnn",
    ])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.errors.contains("stopped early: 3 epochs without improvement"))
    let history = try JSONValue(parsing: try Data(contentsOf: folder.file("history.json")))
    let losses = try #require(history["val_loss"]?.array).compactMap(\.double)
    let rates = try #require(history["learning_rate"]?.array).compactMap(\.double)
    #expect(losses.count < 40 && losses.count == rates.count)
    #expect(try #require(rates.last) < 0.05)
    // The best file is of the best epoch: evaluated on the examples that validated, it gives that epoch's loss.
    let best = try #require(losses.min())
    #expect(losses.firstIndex(of: best) == losses.count - 4)
    let archive = try NPZ.read(try Data(contentsOf: folder.file("data.npz")))
    var data = Data()
    try NPZ.write(
      [
        ("x", try Tensor(archive[0].tensor.doubles()[(90 * 24)...].map { Int64($0) }, shape: [30, 24])),
        ("y", try Tensor(archive[1].tensor.doubles()[90...].map { Int64($0) }, shape: [30])),
      ], to: { data.append($0) })
    try data.write(to: folder.file("validation.npz"))
    func loss(_ model: String) throws -> Double {
      let evaluated = try CLI.run(
        ["evaluate", "--model", model, "--data", "validation.npz", "--batch-size", "10", "--json"], in: folder.url)
      return try #require(try JSONValue(parsing: evaluated.output)["loss"]?.double)
    }
    #expect(try loss("best.rnn") == best)
    #expect(try loss("last.rnn") == losses.last)
  }

  /// Examples of a class that weighs nothing teach nothing.
  @Test func weighsClasses() throws {
    let result = try train([
      "--config", architecture, "--epochs", "6", "--learning-rate", "0.01", "--class-weights", "0=0,1=2", "-o", "m.rnn",
    ])
    #expect(result.status == 0, "\(result.errors)")
    let evaluated = try CLI.run(
      ["evaluate", "--model", "m.rnn", "--data", "data.npz", "--metrics", "recall,precision", "--json"], in: folder.url)
    let values = try JSONValue(parsing: evaluated.output)
    #expect(values["recall"]?.double == 1)
    #expect(try #require(values["precision"]?.double) < 0.7)
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
    // The issue's figure for a continued training.
    #expect(zip(ours, losses).allSatisfy { abs($0 - $1) <= 1e-4 })
    #expect(ours.count == losses.count)
  }

  @Test func writesText() throws {
    let text = String(repeating: "abc ", count: 150)
    try Data(text.utf8).write(to: folder.file("text.txt"))
    try Data(characterModel.utf8).write(to: folder.file("chars.json"))
    let trained = try CLI.run(
      [
        "train", "--config", "chars.json", "--data", "text.txt", "--maxlen", "10", "--batch-size", "5", "--epochs",
        "40", "--learning-rate", "0.02", "-o", "chars.rnn",
      ], in: folder.url, deadline: 60)
    #expect(trained.status == 0, "\(trained.errors)")
    // Nothing names a loss or a metric: those of classes, a number a step.
    #expect(trained.errors.contains("sparse_categorical_crossentropy"))
    #expect(trained.errors.contains("- accuracy: "))
    func write(_ arguments: [String]) throws -> String {
      try CLI.run(["run", "--model", "chars.rnn", "--input", "ab"] + arguments, in: folder.url).output
    }
    #expect(try write(["--generate", "12", "--temperature", "0"]) == "abc abc abc ab\n")
    let drawn = try write(["--generate", "30", "--seed", "4"])
    #expect(drawn.count == 33)
    #expect(try write(["--generate", "30", "--seed", "4"]) == drawn)
  }

  /// Labels that are words get the numbers that the model was trained with, whatever a file holds.
  @Test func classesKeepTheirNumbers() throws {
    try Data(#"{"good": 1, "film": 2, "bad": 3, "play": 4}"#.utf8).write(to: folder.file("words.json"))
    let texts = [("good film", "pos"), ("bad film", "neg"), ("good play", "pos"), ("bad play", "neg")]
    func write(_ name: String, _ rows: [(String, String)]) throws {
      try Data((["text,label"] + rows.map { "\($0.0),\($0.1)" }).joined(separator: "\n").utf8)
        .write(to: folder.file(name))
    }
    try write("texts.csv", (0..<20).flatMap { _ in texts })
    try write("positive.csv", texts.filter { $0.1 == "pos" })
    try write("other.csv", [("good film", "neutral")])
    try write("three.csv", texts + [("film", "neutral")])
    let json = """
      {"class_name": "Sequential", "config": {"name": "texts", "layers": [
        {"class_name": "InputLayer", "config": {"name": "x", "batch_shape": [null, 4], "dtype": "int32"}},
        {"class_name": "Embedding", "config": {"name": "e", "input_dim": 8, "output_dim": 4}},
        {"class_name": "LSTM", "config": {"name": "l", "units": 4}},
        {"class_name": "Dense", "config": {"name": "d", "units": 1, "activation": "sigmoid"}}]},
       "keras_version": "3.15.1"}
      """
    try Data(json.utf8).write(to: folder.file("texts.json"))
    func train(_ data: String, _ more: [String] = []) throws -> CLI.Result {
      try CLI.run(
        [
          "train", "--config", "texts.json", "--data", data, "--vocabulary", "words.json", "--epochs", "15",
          "--learning-rate", "0.05", "-o", "texts.rnn", "--force",
        ] + more, in: folder.url, deadline: 60)
    }
    let trained = try train("texts.csv", ["--validation-data", "positive.csv"])
    #expect(trained.status == 0, "\(trained.errors)")
    #expect(trained.errors.contains("val_accuracy: 1.0000"))
    func evaluate(_ data: String) throws -> CLI.Result {
      try CLI.run(["evaluate", "--model", "texts.rnn", "--data", data, "--json"], in: folder.url)
    }
    #expect(try JSONValue(parsing: try evaluate("positive.csv").output)["accuracy"]?.double == 1)
    let other = try evaluate("other.csv")
    #expect(other.status == 65 && other.errors.contains("'neutral' is none of the classes 'neg', 'pos'"))
    let three = try train("three.csv")
    #expect(three.status == 65 && three.errors.contains("3 classes"), "\(three.errors)")
    // A classifier writes no text.
    let written = try CLI.run(["run", "--model", "texts.rnn", "--input", "good", "--generate", "3"], in: folder.url)
    #expect(written.status == 64 && written.output.isEmpty)
  }

  /// What cannot be written is known before the work, and an example is named by its place in the data.
  @Test func saysWhatIsWrongAndWhere() throws {
    for (flag, value) in [("-o", "no/such/m.rnn"), ("--best", "no/such/b.rnn"), ("--history", "no/such/h.json")] {
      let output = flag == "-o" ? [] : ["-o", "m.rnn"]
      let result = try CLI.run(
        ["train", "--config", architecture, "--data", "data.npz", "--epochs", "100000", flag, value] + output,
        in: folder.url)
      #expect(result.status == 73 && result.errors.contains(value), "\(result.errors)")
      #expect(!folder.contains("m.rnn"))
    }
    let arrays = try NPZ.read(try Data(contentsOf: folder.file("data.npz")))
    var ids = arrays[0].tensor.doubles().map { Int64($0) }
    ids[77 * 24 + 3] = 50
    var data = Data()
    try NPZ.write(
      [("x", try Tensor(ids, shape: [120, 24])), ("y", arrays[1].tensor)], to: { data.append($0) })
    try data.write(to: folder.file("bad.npz"))
    let bad = try CLI.run(["train", "--config", architecture, "--data", "bad.npz", "-o", "m.rnn"], in: folder.url)
    #expect(bad.status == 65 && bad.errors.contains("example 77 of the data"), "\(bad.errors)")
    let misplaced = try CLI.run(
      ["train", "--config", architecture, "--data", "data.npz", "--maxlen", "5", "-o", "m.rnn"], in: folder.url)
    #expect(misplaced.status == 64 && misplaced.errors.contains("holds arrays"))
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
    for (flag, value) in [
      ("--history", "h.txt"), ("--class-weights", "0"), ("--class-weights", "0=1,0=2"), ("--early-stopping", "-1"),
      ("--reduce-on-plateau", "-1"), ("--plateau-factor", "1"), ("--learning-rate", "0"), ("--clipnorm", "-1"),
    ] {
      try expect(64, flag, ["--config", architecture, "--data", "data.npz", "-o", "m.rnn", flag, value])
    }
    try expect(
      64, "val_loss",
      ["--config", architecture, "--data", "data.npz", "-o", "m.rnn", "--early-stopping", "2", "--monitor", "val_loss"])
    try expect(
      64, "which is read", ["--config", architecture, "--data", "data.npz", "-o", "data.npz", "--force"])
    try expect(
      64, "--output writes, too",
      ["--config", architecture, "--data", "data.npz", "-o", "h.json", "--history", "./h.json"])
    try expect(
      64, "--output writes, too", ["--config", architecture, "--data", "data.npz", "-o", "m.rnn", "--best", "./m.rnn"])
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
