import Foundation
import RNNCore
import RNNRuntime

/// Our side of `peers/streaming.py`.
enum StreamingWork {
  static func run(units: Int, _ folder: URL) throws -> Reading {
    let session = try Model(contentsOf: folder.appendingPathComponent("streaming\(units).rnn")).makeSession()
    let x = try Tensor([Float(0.5)], shape: [1, 1])
    var first = session.initialState()
    let outputs = try session.step([x], state: &first)[0].floats().map(Double.init)
    var state = session.initialState()
    var reading = try Reading.timed { _ = try session.step([x], state: &state) }
    reading.outputs = outputs
    return reading
  }
}
