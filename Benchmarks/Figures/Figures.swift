import CFigures
import Foundation
import RNNCore
import RNNRuntime

/// Measures what README and issues state, beside its peers in the same minutes, and prints it. Run by `make bench`.
///
///     Figures make FOLDER PROGRAMS                     writes the files to measure with
///     Figures measure FOLDER PROGRAMS PYTHON [NAME..]  measures all, or what begins with one of the names
///     Figures limit                                    measures what the machine can do
///     Figures products OPERATIONS                      matrix products beside OpenBLAS, and shares of the limit
///     Figures run WORKLOAD FOLDER THREADS [PEER]       our side of one workload, as the peers' scripts; or a peer in C
///     Figures alone REPORT COMMAND..                   runs a command, and writes its time and peak memory into a file
///
/// PROGRAMS is the folder of the release builds of `rnnconv` and `rnnconv-hdf5`; PYTHON an interpreter with the peers.
@main
struct Figures {
  static func main() throws {
    let arguments = CommandLine.arguments
    switch (arguments.dropFirst().first, arguments.count) {
    case ("make", 4):
      let folder = URL(fileURLWithPath: arguments[2])
      let helper = URL(fileURLWithPath: arguments[3]).appendingPathComponent("rnnconv-hdf5")
      try FullSizeModel.write(into: folder, helper: helper)
      try BenchmarkModels.write(into: folder, helper: helper)
      try BenchmarkModels.writeBatches(into: folder)
    case ("measure", 5...):
      try measure(
        URL(fileURLWithPath: arguments[2]), programs: URL(fileURLWithPath: arguments[3]),
        python: URL(fileURLWithPath: arguments[4]), only: Array(arguments.dropFirst(5)))
    case ("alone", 4...):
      var command = arguments.dropFirst(3).map { strdup($0) } + [nil]
      exit(figures_alone(arguments[2], &command))
    case ("limit", 2): print(MachineLimit.measure().line)
    case ("products", 3): try ProductFigures.measure(operations: Double(arguments[2]) ?? 1)
    case ("run", 5...6):
      guard let workload = Workload.named(arguments[2]) else { usage() }
      let folder = URL(fileURLWithPath: arguments[3])
      if arguments.count == 6 {
        guard let peer = workload.ownPeers[arguments[5]] else { usage() }
        print(try peer(folder).line)
      } else {
        print(try workload.work(folder, Int(arguments[4]) ?? 1).line)
      }
    default: usage()
    }
  }

  private static func measure(_ folder: URL, programs: URL, python: URL, only names: [String]) throws {
    func isWanted(_ name: String) -> Bool { names.isEmpty || names.contains { name.hasPrefix($0) } }
    let limit = try MachineLimit(parsing: try output(of: ["limit"], folder))
    print("instruction set \(Kernels.instructionSet)")
    print(
      "one core's limit: \(format(limit.operations * 1e-9, 0)) GFLOP/s multiply-adds in registers, "
        + "\(format(limit.bytes * 1e-9, 1)) GB/s read from memory")
    if isWanted("products") { print(try output(of: ["products", "\(limit.operations)"], folder), terminator: "") }
    let files = FileFigures(folder: folder, programs: programs, python: python)
    if isWanted("import") { try files.measureImport() }
    if isWanted("cold") { try files.measureRun() }
    let turn = InTurn(folder: folder, python: python, limit: limit)
    for workload in Workload.all where isWanted(workload.name) { try turn.measure(workload) }
  }

  /// What this program prints in another process.
  private static func output(of arguments: [String], _ folder: URL) throws -> String {
    let file = folder.appendingPathComponent("run.txt")
    _ = try Measurement.run(URL(fileURLWithPath: CommandLine.arguments[0]), arguments, output: file)
    return try String(contentsOf: file, encoding: .utf8)
  }

  private static func usage() -> Never {
    print(
      "usage: Figures make FOLDER PROGRAMS | measure FOLDER PROGRAMS PYTHON [NAME..] | run WORKLOAD FOLDER THREADS [PEER]"
    )
    exit(64)
  }

  /// A script of the peers.
  static func script(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("peers/\(name)").path
  }

  static func format(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
}
