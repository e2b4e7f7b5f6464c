import Foundation
import RNNCore

/// Runs a workload's programs one after the other, several times round, and prints what came out.
struct InTurn {
  let folder: URL
  let python: URL
  let limit: MachineLimit
  private let rounds = 3
  private let program = URL(fileURLWithPath: CommandLine.arguments[0])

  init(folder: URL, python: URL, limit: MachineLimit) {
    (self.folder, self.python, self.limit) = (folder, python, limit)
  }

  private struct Runs {
    var readings: [Reading] = []
    var peakBytes = 0

    func median(_ value: (Reading) -> Double?) -> Double? {
      let values = readings.compactMap(value).sorted()
      return values.isEmpty ? nil : values[values.count / 2]
    }
  }

  func measure(_ workload: Workload) throws {
    for threads in workload.threads { try measure(workload, threads: threads) }
  }

  private func measure(_ workload: Workload, threads: Int) throws {
    var own = Runs()
    var peers = workload.peers.map { _ in Runs() }
    let ownPeers = workload.ownPeers.keys.sorted()
    var compiled = ownPeers.map { _ in Runs() }
    for _ in 0..<rounds {
      let ours = [program.path, "run", workload.name, folder.path, "\(threads)"]
      try run(ours, threads: threads, into: &own)
      for (index, peer) in ownPeers.enumerated() { try run(ours + [peer], threads: threads, into: &compiled[index]) }
      for (index, peer) in workload.peers.enumerated() {
        try run(
          [python.path, Figures.script(workload.script), peer, folder.path, "\(threads)"]
            + (workload.argument.map { [$0] } ?? []), threads: threads, into: &peers[index])
      }
    }
    print("\(workload.title), \(threads) thread\(threads == 1 ? "" : "s"), in turn, \(rounds) rounds:")
    let all = Array(zip(workload.peers + ownPeers, peers + compiled))
    for (name, runs) in [("rnnconv", own)] + all { print(line(name, runs, workload)) }
    if let tolerance = workload.tolerance { try compare(own, all, tolerance) }
    let fastest = peers.compactMap { $0.median(\.p50) }.min() ?? .infinity
    let ours = own.median(\.p50) ?? .infinity
    var summary =
      "  rnnconv takes \(Figures.format(ours / fastest, 3)) of the fastest peer's time (goal: \(workload.goal))"
    if let ours = own.median(\.p99), let fastest = peers.compactMap({ $0.median(\.p99) }).min() {
      summary += ", \(Figures.format(ours / fastest, 3)) at p99"
    }
    for (name, runs) in zip(ownPeers, compiled) {
      summary += ", \(Figures.format(ours / (runs.median(\.p50) ?? .infinity), 3)) of \(name)'s"
    }
    if let goal = workload.memoryGoal {
      let ratio = Double(own.peakBytes) / Double(peers.map(\.peakBytes).min() ?? 1)
      summary += ", \(Figures.format(ratio, 2)) of the smallest peer's memory (goal: \(goal))"
    }
    print(summary)
    if let operations = workload.operations {
      let share = operations / (ours * 1e-6) / (limit.operations * Double(threads))
      print("  the dense formulas at that speed would be \(Figures.format(share * 100, 0)) % of the machine's limit")
    }
  }

  private func run(_ command: [String], threads: Int, into runs: inout Runs) throws {
    // One thread means one core, whatever a framework's own threads do.
    let words = (threads == 1 ? ["/usr/bin/taskset", "-c", "0"] : []) + command
    let output = folder.appendingPathComponent("run.json")
    let run = try Measurement.run(URL(fileURLWithPath: words[0]), Array(words.dropFirst()), output: output)
    let lines = try String(contentsOf: output, encoding: .utf8).split(separator: "\n")
    guard let last = lines.last else { throw RNNError.badData("\(command) printed nothing") }
    runs.readings.append(try Reading(try JSONValue(parsing: String(last))))
    runs.peakBytes = max(runs.peakBytes, run.peakBytes)
  }

  private func line(_ name: String, _ runs: Runs, _ workload: Workload) -> String {
    let values = runs.readings.map(\.p50)
    var line = "  " + name.padding(toLength: 17, withPad: " ", startingAt: 0)
    line += " \(Figures.format(runs.median(\.p50) ?? 0, 2)) us a \(workload.unit)"
    line += " (\(Figures.format(values.min() ?? 0, 2)) to \(Figures.format(values.max() ?? 0, 2)))"
    if let p99 = runs.median(\.p99) { line += ", p99 \(Figures.format(p99, 2))" }
    line += ", peak memory \(runs.peakBytes / 1_000_000) MB"
    if let loss = runs.median(\.loss) { line += ", loss \(Figures.format(loss, 4))" }
    return line
  }

  private func compare(_ own: Runs, _ peers: [(String, Runs)], _ tolerance: Double) throws {
    for (name, peer) in peers {
      guard let ours = own.readings.first?.outputs, let theirs = peer.readings.first?.outputs,
        ours.count == theirs.count, !ours.isEmpty,
        zip(ours, theirs).allSatisfy({ abs($0 - $1) <= tolerance })
      else {
        throw RNNError.badData(
          "\(name) answers \(peer.readings.first?.outputs ?? []), rnnconv \(own.readings.first?.outputs ?? [])")
      }
    }
  }
}
