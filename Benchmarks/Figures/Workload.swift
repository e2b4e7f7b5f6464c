import Foundation
import RNNCore

/// Something that several programs do in turn, each in a process of its own.
struct Workload: Sendable {
  var name: String
  var title: String
  /// What a time is the time of.
  var unit: String
  var script: String
  /// What the processes are told behind the number of threads.
  var argument: String?
  var peers: [String]
  /// Peers that this program runs itself, by name; the goal is not theirs.
  var ownPeers: [String: @Sendable (URL) throws -> Reading] = [:]
  var threads: [Int]
  /// Ours / fastest peer, at most.
  var goal: Double
  /// Ours / smallest peer, at most; `nil` where memory is not compared.
  var memoryGoal: Double?
  /// Float32 operations a unit, as the dense formulas have them.
  var operations: Double?
  /// How far outputs may lie apart; `nil` where they are not the same model's.
  var tolerance: Double?
  let work: @Sendable (URL, Int) throws -> Reading

  static func named(_ name: String) -> Workload? { all.first { $0.name == name } }

  static let all: [Workload] =
    [
      Workload(
        name: "imdb-training", title: "train the IMDB network, a step of 30 reviews", unit: "step",
        script: "training.py", argument: "imdb", peers: ["pytorch", "keras-jax", "keras-tensorflow"], threads: [2, 1],
        goal: 0.45, memoryGoal: 0.3, operations: 3 * 30 * Operations.sentiment, work: TrainingWork.sentiment),
      Workload(
        name: "imdb-inference", title: "the IMDB network, batch 256", unit: "sample", script: "inference.py",
        argument: "imdb", peers: ["onnxruntime", "pytorch", "keras-jax", "keras-tensorflow"], threads: [2, 1],
        goal: 0.3, memoryGoal: 0.3, operations: Operations.sentiment, tolerance: 1e-5
      ) { try InferenceWork.run("imdb", $0, threads: $1) },
      Workload(
        name: "imdb-latency", title: "the IMDB network, batch 1", unit: "sample", script: "inference.py",
        argument: "imdb1", peers: ["onnxruntime"], threads: [1], goal: 0.3, memoryGoal: 0.3,
        operations: Operations.sentiment, tolerance: 1e-5
      ) { try InferenceWork.run("imdb1", $0, threads: $1) },
      Workload(
        name: "character-training", title: "train two LSTMs of 256 on characters, 64 steps, batch 32",
        unit: "character", script: "training.py", argument: "characters", peers: ["pytorch", "keras-jax"],
        threads: [2, 1], goal: 0.7, memoryGoal: 0.3, operations: 3 * Operations.character,
        work: TrainingWork.characters),
      Workload(
        name: "gru", title: "GRU(128) bidirectional, 200 steps of 64, batch 32", unit: "sample",
        script: "inference.py", argument: "gru", peers: ["onnxruntime", "pytorch"], threads: [2, 1], goal: 0.7,
        memoryGoal: 0.3, operations: Operations.gru, tolerance: 1e-5
      ) { try InferenceWork.run("gru", $0, threads: $1) },
    ]
    + [8, 16, 32, 64].map { units in
      Workload(
        name: "streaming-\(units)", title: "one step of an LSTM(\(units)) and Dense(1), input 1", unit: "step",
        script: "streaming.py", argument: "\(units)", peers: ["onnxruntime"],
        ownPeers: ["fixed-size": { try StreamingWork.runFixedSize(units: units, $0) }], threads: [1], goal: 0.1,
        operations: Double(2 * 4 * units * (units + 1) + 2 * units), tolerance: 1e-6
      ) { folder, _ in try StreamingWork.run(units: units, folder) }
    }

  /// Multiplications and additions of the dense formulas, a sample's forward pass.
  private enum Operations {
    static let sentiment: Double = 2 * Double(96 * 640 * 64 + 24 * (64 + 70) * 280 + 70)
    static let character: Double = 2 * Double((64 + 256) * 1024 + (256 + 256) * 1024 + 256 * 96)
    static let gru: Double = 2 * Double(2 * 200 * (64 + 128) * 384)
  }
}
