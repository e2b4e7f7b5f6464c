import Foundation
import RNNCore

/// Opening the full-size file, and one prediction from a cold start.
struct FileFigures {
  let folder: URL
  let programs: URL
  let python: URL

  private static let sentence = "this film was just brilliant, I loved every minute"
  private let rounds = 11
  private var paths: FullSizeModel.Paths { FullSizeModel.Paths(folder: folder) }
  private var program: URL { programs.appendingPathComponent("rnnconv") }

  /// `rnnconv import`, process to process, beside what `keras.models.load_model` takes without the interpreter's start.
  func measureImport() throws {
    let megabytes = Double(try InputFile.check(paths.keras)) / 1e6
    let output = folder.appendingPathComponent("imported.rnn").path
    var own: [Measurement] = []
    var peers: [String: [Double]] = [:]
    for _ in 0..<5 {
      for _ in 0..<3 {
        try? FileManager.default.removeItem(atPath: output)
        own.append(try Measurement.run(program, ["import", paths.keras.path, "-o", output]))
      }
      for peer in ["keras-jax", "keras-tensorflow"] {
        let json = folder.appendingPathComponent("run.json")
        _ = try Measurement.run(python, [Figures.script("keras_load.py"), peer, folder.path, "2"], output: json)
        peers[peer, default: []].append(try Reading(try JSONValue(parsing: try Data(contentsOf: json))).p50 * 1e-6)
      }
    }
    let helper = try Measurement.run(
      programs.appendingPathComponent("rnnconv-hdf5"), ["read"], input: paths.keras)
    let peak = (own.map(\.peakBytes).max() ?? 0) + helper.peakBytes
    let ours = Spread(own.map(\.seconds))
    print("rnnconv import of \(Figures.format(megabytes, 1)) MB, in turn:")
    print("  rnnconv           \(ours)")
    print(
      "    peak memory of both processes \(Figures.format(Double(peak) / 1e6, 1)) MB, "
        + "\(Figures.format(Double(peak) / 1e6 / megabytes, 2)) x the file (goal: 4)")
    for (peer, seconds) in peers.sorted(by: { $0.key < $1.key }) {
      print("  \(peer.padding(toLength: 17, withPad: " ", startingAt: 0)) \(Spread(seconds))")
    }
    let fastest = peers.values.map { Spread($0).median }.min() ?? .infinity
    print("  rnnconv takes \(Figures.format(ours.median / fastest, 3)) of the fastest peer's time (goal: 0.3)")
  }

  /// `rnnconv run` on one sentence beside Python with ONNX Runtime, process to process.
  func measureRun() throws {
    let model = folder.appendingPathComponent("text.rnn").path
    _ = try Measurement.run(
      program, ["import", paths.keras.path, "--vocabulary", paths.vocabulary.path, "-o", model, "--force"])
    var (own, peers): ([Measurement], [Measurement]) = ([], [])
    for _ in 0..<rounds {
      own.append(try Measurement.run(program, ["run", "--model", model, "--input", FileFigures.sentence]))
      peers.append(try Measurement.run(python, [Figures.script("onnx_cold.py"), folder.path, FileFigures.sentence]))
    }
    let (ours, theirs) = (Spread(own.map(\.seconds)), Spread(peers.map(\.seconds)))
    print("one sentence from a cold start, in turn:")
    print("  rnnconv run       \(ours), peak memory \((own.map(\.peakBytes).max() ?? 0) / 1_000_000) MB")
    print("  onnxruntime       \(theirs), peak memory \((peers.map(\.peakBytes).max() ?? 0) / 1_000_000) MB")
    print("  rnnconv takes \(Figures.format(ours.median / theirs.median, 3)) of the peer's time (goal: 0.1)")
  }

  private struct Spread: CustomStringConvertible {
    let median: Double
    let all: ClosedRange<Double>

    init(_ seconds: [Double]) {
      let sorted = seconds.sorted()
      median = sorted[sorted.count / 2]
      all = sorted[0]...sorted[sorted.count - 1]
    }

    var description: String {
      func milliseconds(_ seconds: Double) -> String { Figures.format(seconds * 1e3, 1) }
      return "\(milliseconds(median)) ms (\(milliseconds(all.lowerBound)) to \(milliseconds(all.upperBound)))"
    }
  }
}
