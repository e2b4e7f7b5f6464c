import Foundation
import RNNCore

/// Opening the full-size file, and one prediction from a cold start.
struct FileFigures {
  let folder: URL
  let programs: URL
  let python: URL

  private var paths: FullSizeModel.Paths { FullSizeModel.Paths(folder: folder) }
  private var program: URL { programs.appendingPathComponent("rnnconv") }

  func measure() throws {
    let megabytes = Double(try InputFile.check(paths.keras)) / 1e6
    print("full-size file: \(Figures.format(megabytes, 1)) MB")
    let importing = try measureImport(megabytes: megabytes)
    let running = try measureRun()
    let peer = try Measurement.run(python, [Figures.script("keras_open_and_run.py"), paths.keras.path])
    print(
      "Keras in Python, opening the same file and predicting once, cold: \(Figures.format(peer.seconds, 2)) s")
    print(
      "  rnnconv import and run take \(Figures.format((importing + running) / peer.seconds, 4)) of that, "
        + "run alone \(Figures.format(running / peer.seconds, 4))")
  }

  private func measureImport(megabytes: Double) throws -> Double {
    let output = folder.appendingPathComponent("imported.rnn").path
    let runs = try (0..<7).map { _ in
      try Measurement.run(program, ["import", paths.keras.path, "-o", output, "--force"])
    }
    let helper = try Measurement.run(
      programs.appendingPathComponent("rnnconv-hdf5"), ["read"], input: paths.keras)
    let median = runs.map(\.seconds).sorted()[runs.count / 2]
    let peak = (runs.map(\.peakBytes).max() ?? 0) + helper.peakBytes
    print("rnnconv import: median \(Figures.format(median, 3)) s of \(runs.count) runs (figure: at most 0.5 s)")
    print(
      "  peak memory of both processes \(Figures.format(Double(peak) / 1e6, 1)) MB, "
        + "\(Figures.format(Double(peak) / 1e6 / megabytes, 2)) x the file (figure: at most 4 x)")
    return median
  }

  private func measureRun() throws -> Double {
    let model = folder.appendingPathComponent("text.rnn").path
    _ = try Measurement.run(
      program, ["import", paths.keras.path, "--vocabulary", paths.vocabulary.path, "-o", model])
    let runs = try (0..<21).map { _ in
      try Measurement.run(
        program, ["run", "--model", model, "--input", "this film was just brilliant, I loved every minute"])
    }
    let median = runs.map(\.seconds).sorted()[runs.count / 2]
    let peak = runs.map(\.peakBytes).max() ?? 0
    print(
      "rnnconv run, one sentence, cold: median \(Figures.format(median, 4)) s of \(runs.count) runs "
        + "(figure: at most 0.05 s)")
    print("  peak memory \(Figures.format(Double(peak) / 1e6, 1)) MB")
    return median
  }
}
