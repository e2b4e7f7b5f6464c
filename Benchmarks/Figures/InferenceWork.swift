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
    reading.outputs = try firstNumbers(of: try session.predict([x])[0])
    return reading
  }

  /// Without a copy of all, which would count as memory that the work takes.
  private static func firstNumbers(of output: Tensor) throws -> [Double] {
    let flat = try output.reshaped(to: [output.count])
    return try flat.slice(0..<min(8, output.count), along: 0).floats().map(Double.init)
  }
}
