import Foundation
import RNNContainers
import RNNCore
import RNNTestSupport
import Testing

/// Runs `body`, which must fail with this reason; returns the whole message.
@discardableResult
func expectError(
  _ reason: RNNError.Reason, containing text: String = "", location: SourceLocation = #_sourceLocation,
  _ body: () throws -> some Any
) -> String {
  do {
    let value = try body()
    Issue.record("no error, but \(value)", sourceLocation: location)
    return ""
  } catch let error as RNNError {
    #expect(error.reason == reason, "\(error)", sourceLocation: location)
    #expect(text.isEmpty || error.description.contains(text), "\(error)", sourceLocation: location)
    return error.description
  } catch {
    Issue.record("another error: \(error)", sourceLocation: location)
    return ""
  }
}

/// The arrays of an `.npz` of `fixtures/datasets`.
struct FixtureArrays {
  let tensors: [String: Tensor]

  init(_ name: String) throws {
    tensors = Dictionary(uniqueKeysWithValues: try NPZ.read(try Self.data(name)).map { ($0.name, $0.tensor) })
  }

  static func url(_ name: String) -> URL { Fixtures.folder.appendingPathComponent("datasets/" + name) }
  static func data(_ name: String) throws -> Data { try Data(contentsOf: url(name)) }

  func tensor(_ name: String) throws -> Tensor { try #require(tensors[name], "\(name)") }
  func integers(_ name: String) throws -> [Int] { try #require(try tensor(name).integers(), "\(name)") }

  func lists(_ prefix: String = "") throws -> RaggedIntegers {
    try RaggedIntegers(values: try integers(prefix + "values"), offsets: try integers(prefix + "offsets"))
  }
}

extension Tensor {
  init(ids: [Int32], shape: [Int]) throws {
    try self.init(dtype: .int32, shape: shape, bytes: ids.withUnsafeBytes { Data($0) })
  }
}

/// An `.npz` archive in memory.
func archive(_ arrays: [(String, Tensor)]) throws -> Data {
  var result = Data()
  try NPZ.write(arrays) { result.append($0) }
  return result
}
