import CRNNKernels
import Foundation
import RNNCore

/// The instruction set that the hot loops use, chosen once for the process.
public enum Kernels {
  /// The environment variable that forces one: `baseline`, `avx2` or `avx512`.
  public static let environmentVariable = "RNNCONV_ISA"

  static let table: rnn_kernels = {
    let forced = ProcessInfo.processInfo.environment[environmentVariable]
    let found = forced.flatMap { rnn_kernels_named($0) } ?? rnn_kernels_named(nil)
    guard let found else { preconditionFailure("the baseline kernels exist on every machine") }
    return found.pointee
  }()

  /// The name of the instruction set in use.
  public static var instructionSet: String { String(cString: table.name) }

  /// - Throws: `usage` where `RNNCONV_ISA` names what this machine does not have.
  public static func checkEnvironment() throws {
    guard let forced = ProcessInfo.processInfo.environment[environmentVariable] else { return }
    guard rnn_kernels_named(forced) != nil else {
      throw RNNError.usage(
        "\(environmentVariable) is '\(forced)', which this machine does not have",
        remedy: "Use baseline, avx2 or avx512, or leave it unset.")
    }
  }
}

/// Floats in memory that somebody else owns.
typealias Floats = UnsafeMutablePointer<Float>

/// A matrix product that adds to its result: c[rows, columns] += a[rows, inner] b[inner, columns], row-major. Steps are
/// the floats from one row to the next.
@inline(__always)
func multiplyAdd(
  rows: Int, columns: Int, inner: Int, _ a: UnsafePointer<Float>, step aStep: Int, _ b: UnsafePointer<Float>,
  step bStep: Int, into c: Floats, step cStep: Int
) {
  guard rows > 0, columns > 0, inner > 0 else { return }
  Kernels.table.multiply_add(rows, columns, inner, a, aStep, b, bStep, c, cStep)
}

/// The same with the first factor transposed: c[rows, columns] += transposed(a[inner, rows]) b[inner, columns].
@inline(__always)
func multiplyTransposedAdd(
  rows: Int, columns: Int, inner: Int, _ a: UnsafePointer<Float>, step aStep: Int, _ b: UnsafePointer<Float>,
  step bStep: Int, into c: Floats, step cStep: Int
) {
  guard rows > 0, columns > 0, inner > 0 else { return }
  Kernels.table.multiply_transposed_add(rows, columns, inner, a, aStep, b, bStep, c, cStep)
}
