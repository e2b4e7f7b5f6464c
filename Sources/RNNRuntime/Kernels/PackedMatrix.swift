import CRNNKernels

/// A part of a parameter that products read again and again, so that it is worth bringing into their order first.
struct PackedMatrix {
  /// Its place among the layer's parameters.
  var parameter: Int
  /// Rows of the matrix, which a product sums over; `nil` takes all that the parameter has.
  var inner: Int?
  var columns: Range<Int>
  /// Floats from one row to the next.
  var step: Int

  /// Floats that it takes.
  static func count(inner: Int, columns: Int) -> Int { Kernels.table.packed_count(columns, inner) }

  static func pack(_ matrix: UnsafePointer<Float>, inner: Int, columns: Int, step: Int, into out: Floats) {
    Kernels.table.pack(columns, inner, matrix, step, out)
  }
}

/// The packed matrices of a model.
final class PackedParameters: @unchecked Sendable {
  /// By layer, in the order of `RuntimeLayer.packedMatrices`. Written by `pack` alone.
  let pointers: [[UnsafePointer<Float>]]
  private let matrices: [[PackedMatrix]]
  private let memory: FloatMemory

  init(_ graph: RuntimeGraph) {
    matrices = zip(graph.layers, graph.parameterShapes).map { layer, shapes in
      layer.packedMatrices.map { matrix in
        var matrix = matrix
        matrix.inner = matrix.inner ?? shapes[matrix.parameter].first ?? 0
        return matrix
      }
    }
    let counts = matrices.map { $0.map { PackedMatrix.count(inner: $0.inner ?? 0, columns: $0.columns.count) } }
    memory = FloatMemory(counts.joined().reduce(0) { $0 + FloatMemory.lines($1) })
    var cutter = FloatCutter(memory.base)
    pointers = counts.map { $0.map { UnsafePointer(cutter.take($0)) } }
  }

  /// - Parameter parameters: by layer of the model, in the order of `LayerSpec.parameterNames`.
  func pack(_ parameters: [[UnsafePointer<Float>]]) {
    for layer in matrices.indices {
      for (matrix, pointer) in zip(matrices[layer], pointers[layer]) {
        PackedMatrix.pack(
          parameters[layer][matrix.parameter] + matrix.columns.lowerBound, inner: matrix.inner ?? 0,
          columns: matrix.columns.count, step: matrix.step, into: Floats(mutating: pointer))
      }
    }
  }
}

/// c[rows, columns] <- start[rows, columns] + a[rows, inner] b[inner, columns], with b packed; to the bits of
/// `multiplyAdd`. `start` and `c` may be the same memory.
@inline(__always)
func multiplyPacked(
  rows: Int, columns: Int, inner: Int, _ a: UnsafePointer<Float>, step aStep: Int, _ packed: UnsafePointer<Float>,
  from start: UnsafePointer<Float>, step startStep: Int, into c: Floats, step cStep: Int
) {
  guard rows > 0, columns > 0 else { return }
  Kernels.table.multiply_packed(rows, columns, inner, a, aStep, packed, start, startStep, c, cStep)
}
