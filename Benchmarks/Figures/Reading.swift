import Foundation
import RNNCore

/// What one process measured: microseconds a unit, and numbers that must be the peers', too.
struct Reading {
  var p50: Double
  var p99: Double?
  var outputs: [Double] = []
  var loss: Double?

  init(p50: Double, p99: Double? = nil, outputs: [Double] = [], loss: Double? = nil) {
    (self.p50, self.p99, self.outputs, self.loss) = (p50, p99, outputs, loss)
  }

  /// A line that a process printed.
  init(_ json: JSONValue) throws {
    guard let p50 = json["p50"]?.double else { throw RNNError.badData("no p50 in \(json.text())") }
    self.init(
      p50: p50, p99: json["p99"]?.double, outputs: json["outputs"]?.array?.compactMap(\.double) ?? [],
      loss: json["loss"]?.double)
  }

  var line: String {
    var members: [(String, JSONValue)] = [("p50", .number(p50))]
    if let p99 { members.append(("p99", .number(p99))) }
    if let loss { members.append(("loss", .number(loss))) }
    members.append(("outputs", .array(outputs.map { .number($0) })))
    return JSONValue.object(JSONObject(members)).text()
  }

  /// A call's time, as the peers take theirs (`peers/readings.py`).
  static func timed(units: Int = 1, seconds: Double = 2, _ call: () throws -> Void) rethrows -> Reading {
    var end = Clock.seconds() + 0.5
    repeat { try call() } while Clock.seconds() < end
    var times: [Double] = []
    times.reserveCapacity(1 << 20)
    end = Clock.seconds() + seconds
    while times.count < 10 || Clock.seconds() < end && times.count < 1 << 20 {
      let start = Clock.seconds()
      try call()
      times.append(Clock.seconds() - start)
    }
    times.sort()
    func part(_ share: Double) -> Double { times[Int(Double(times.count) * share)] * 1e6 / Double(units) }
    return Reading(p50: part(0.5), p99: part(0.99))
  }
}
