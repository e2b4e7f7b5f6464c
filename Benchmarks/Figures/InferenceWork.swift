import Foundation
import RNNContainers
import RNNCore
import RNNRuntime

/// Our side of `peers/inference.py`.
enum InferenceWork {
  static func run(_ name: String, _ folder: URL, threads: Int) throws -> Reading {
    let x = try NPZ.read(try Data(contentsOf: folder.appendingPathComponent("\(name).npz")))[0].tensor
    let session = try Model(contentsOf: folder.appendingPathComponent("\(name).rnn")).makeSession(threads: threads)
    var reading = try Reading.timed(units: x.shape[0]) { _ = try session.predict([x]) }
    reading.outputs = try session.predict([x])[0].floats().prefix(8).map(Double.init)
    return reading
  }
}
