import Foundation
import RNNConversion
import RNNCore
import RNNRuntime

/// Measures what README and issues state, beside its peers in the same minutes, and prints it. Run by `make bench`.
///
///     Figures make FOLDER PROGRAMS              writes the files to measure with
///     Figures measure FOLDER PROGRAMS PYTHON    measures
///     Figures train BATCHES THREADS             one run of a training, as the peers' scripts
///
/// PROGRAMS is the folder of the release builds of `rnnconv` and `rnnconv-hdf5`; PYTHON an interpreter with the peers.
/// The first two steps are two processes because a child's peak memory counts from what its parent had when it started
/// it.
@main
struct Figures {
  static func main() throws {
    let arguments = CommandLine.arguments
    switch (arguments.dropFirst().first, arguments.count) {
    case ("make", 4):
      let folder = URL(fileURLWithPath: arguments[2])
      let programs = URL(fileURLWithPath: arguments[3])
      try FullSizeModel.write(into: folder, helper: programs.appendingPathComponent("rnnconv-hdf5"))
      try TrainingFigure.writeBatches(into: folder)
    case ("measure", 5):
      let folder = URL(fileURLWithPath: arguments[2])
      let programs = URL(fileURLWithPath: arguments[3])
      let python = URL(fileURLWithPath: arguments[4])
      print("instruction set \(Kernels.instructionSet)")
      try FileFigures(folder: folder, programs: programs, python: python).measure()
      try TrainingFigure.measure(folder, python)
    case ("train", 4):
      try TrainingFigure.run(URL(fileURLWithPath: arguments[2]), threads: Int(arguments[3]) ?? 1)
    default:
      print("usage: Figures make FOLDER PROGRAMS | measure FOLDER PROGRAMS PYTHON | train BATCHES THREADS")
      exit(64)
    }
  }

  /// A script of the peers.
  static func script(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("peers/\(name)").path
  }

  static func format(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
}
