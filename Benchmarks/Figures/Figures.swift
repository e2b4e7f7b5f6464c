import Foundation
import RNNConversion
import RNNCore
import RNNRuntime

/// Measures what README and issues state, and prints it. Run by `make bench`.
///
///     Figures make FOLDER PROGRAMS               writes the files to measure with
///     Figures measure FOLDER PROGRAMS [PYTHON]   measures
///
/// PROGRAMS is the folder of the release builds of `rnnconv` and `rnnconv-hdf5`; PYTHON, where given, is an interpreter
/// with Keras, which opens and runs the same file in the same minute. The two steps are two processes because a child's
/// peak memory counts from what its parent had when it started it.
@main
struct Figures {
  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count >= 4, ["make", "measure"].contains(arguments[1]) else {
      print("usage: Figures make|measure FOLDER PROGRAMS [PYTHON]")
      exit(64)
    }
    let folder = URL(fileURLWithPath: arguments[2])
    let programs = URL(fileURLWithPath: arguments[3])
    if arguments[1] == "make" {
      return try FullSizeModel.write(into: folder, helper: programs.appendingPathComponent("rnnconv-hdf5"))
    }
    let paths = FullSizeModel.Paths(folder: folder)
    let megabytes = Double(try InputFile.check(paths.keras)) / 1e6
    print("full-size file: \(format(megabytes, 1)) MB, instruction set \(Kernels.instructionSet)")
    let importing = try measureImport(programs, paths, folder, megabytes: megabytes)
    let running = try measureRun(programs, paths, folder)
    if arguments.count > 4 { try comparePeer(URL(fileURLWithPath: arguments[4]), paths, importing, running) }
  }

  private static func measureImport(
    _ programs: URL, _ paths: FullSizeModel.Paths, _ folder: URL, megabytes: Double
  ) throws -> Double {
    let output = folder.appendingPathComponent("imported.rnn").path
    let runs = try (0..<7).map { _ in
      try Measurement.run(
        programs.appendingPathComponent("rnnconv"), ["import", paths.keras.path, "-o", output, "--force"])
    }
    let helper = try Measurement.run(
      programs.appendingPathComponent("rnnconv-hdf5"), ["read"], input: paths.keras)
    let median = runs.map(\.seconds).sorted()[runs.count / 2]
    let peak = (runs.map(\.peakBytes).max() ?? 0) + helper.peakBytes
    print("rnnconv import: median \(format(median, 3)) s of \(runs.count) runs (figure: at most 0.5 s)")
    print(
      "  peak memory of both processes \(format(Double(peak) / 1e6, 1)) MB, "
        + "\(format(Double(peak) / 1e6 / megabytes, 2)) x the file (figure: at most 4 x)")
    return median
  }

  private static func measureRun(_ programs: URL, _ paths: FullSizeModel.Paths, _ folder: URL) throws -> Double {
    let model = folder.appendingPathComponent("text.rnn").path
    let program = programs.appendingPathComponent("rnnconv")
    _ = try Measurement.run(
      program, ["import", paths.keras.path, "--vocabulary", paths.vocabulary.path, "-o", model])
    let runs = try (0..<21).map { _ in
      try Measurement.run(
        program, ["run", "--model", model, "--input", "this film was just brilliant, I loved every minute"])
    }
    let median = runs.map(\.seconds).sorted()[runs.count / 2]
    let peak = runs.map(\.peakBytes).max() ?? 0
    print(
      "rnnconv run, one sentence, cold: median \(format(median, 4)) s of \(runs.count) runs (figure: at most 0.05 s)")
    print("  peak memory \(format(Double(peak) / 1e6, 1)) MB")
    return median
  }

  private static func comparePeer(
    _ python: URL, _ paths: FullSizeModel.Paths, _ importing: Double, _ running: Double
  ) throws {
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("peers/keras_open_and_run.py")
    let peer = try Measurement.run(python, [script.path, paths.keras.path])
    print("Keras in Python, opening the same file and predicting once, cold: \(format(peer.seconds, 2)) s")
    print(
      "  rnnconv import and run take \(format((importing + running) / peer.seconds, 4)) of that, "
        + "run alone \(format(running / peer.seconds, 4))")
  }

  private static func format(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
}
