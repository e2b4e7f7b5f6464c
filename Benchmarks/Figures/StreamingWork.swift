import CAllocations
import Foundation
import RNNCore
import RNNRuntime

/// Our side of `peers/streaming.py`.
enum StreamingWork {
  static func run(units: Int, _ folder: URL) throws -> Reading {
    let model = try Model(contentsOf: folder.appendingPathComponent("streaming\(units).rnn"))
    let stream = try StreamingSession(model)
    let first = try stream.step(0.5)
    var last: Float = 0
    var reading = try Reading.timed { last = try stream.step(0.5) }
    let before = allocations_of_this_thread()
    for _ in 0..<1000 { last = try stream.step(0.5) }
    guard allocations_of_this_thread() == before else { throw RNNError.badData("a step of the stream took memory") }
    guard last.isFinite else { throw RNNError.badData("the stream went astray") }
    reading.outputs = [Double(first)]
    return reading
  }
}
