import CRNNKernels
import Foundation
import RNNCore
import Testing

/// Runs `body`, which must fail with this reason and name all of `texts`.
func expectError(
  _ reason: RNNError.Reason, naming texts: String..., location: SourceLocation = #_sourceLocation,
  _ body: () throws -> some Any
) {
  do {
    let value = try body()
    Issue.record("no error, but \(value)", sourceLocation: location)
  } catch let error as RNNError {
    #expect(error.reason == reason, "\(error)", sourceLocation: location)
    for text in texts where !text.isEmpty {
      #expect(error.description.contains(text), "\(error)", sourceLocation: location)
    }
  } catch {
    Issue.record("another error: \(error)", sourceLocation: location)
  }
}

/// The instruction sets that this machine has.
enum InstructionSets {
  static let names = (["baseline", "avx2", "avx512"] as [String]).filter { rnn_kernels_named($0) != nil }

  static func table(_ name: String) throws -> rnn_kernels { try #require(rnn_kernels_named(name)).pointee }
}

/// How far `found` is from `exact`, in units of the last place of a float of that size; subnormals have the smallest.
func ulps(_ found: Float, from exact: Double) -> Double {
  if exact.isNaN { return found.isNaN ? 0 : .infinity }
  if Double(found) == exact { return 0 }
  let rounded = Float(exact)
  if rounded.isInfinite || found.isInfinite { return rounded == found ? 0 : .infinity }
  return abs(Double(found) - exact) / Double(max(rounded.magnitude, .leastNormalMagnitude).ulp)
}
