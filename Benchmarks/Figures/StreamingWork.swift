import CAllocations
import CFigures
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

  /// The same by C code that was compiled for this number of units, as RTNeural's is.
  static func runFixedSize(units: Int, _ folder: URL) throws -> Reading {
    let model = try NativeModel(contentsOf: folder.appendingPathComponent("streaming\(units).rnn"))
    let weights = model.parameters.map { $0.tensor.floats() }
    guard weights.count == 5,
      let step = figures_fixed_size_lstm(units, weights[0], weights[1], weights[2], weights[3], weights[4][0])
    else { throw RNNError.badData("no step was compiled for \(units) units") }
    let first = step(0.5)
    var last: Float = 0
    var reading = Reading.timed { last = step(0.5) }
    guard last.isFinite else { throw RNNError.badData("the stream went astray") }
    reading.outputs = [Double(first)]
    return reading
  }
}
