import CRNNKernels

/// A part of a parameter that products read again and again, so that it is worth bringing into their order first.
struct PackedMatrix {
  /// Its place among the layer's parameters.
  var parameter: Int
  /// Its rows; `nil` takes all that the parameter has before its last axis.
  var rows: Int?
  var columns: Range<Int>
  /// Floats from one row to the next.
  var step: Int
  /// Whether it is transposed first, as the way back has it.
  var isTransposed = false
  /// Whether it is left row by row.
  var isPlain = false

  fileprivate func count(_ rows: Int) -> Int {
    if isPlain { return rows * columns.count }
    return isTransposed
      ? Kernels.table.packed_count(rows, columns.count) : Kernels.table.packed_count(columns.count, rows)
  }

  /// - Parameter scratch: for rows x columns floats.
  fileprivate func pack(_ parameter: UnsafePointer<Float>, rows: Int, into out: Floats, scratch: Floats) {
    let matrix = parameter + columns.lowerBound
    guard isTransposed else { return Kernels.table.pack(columns.count, rows, matrix, step, out) }
    let target = isPlain ? out : scratch
    if step == columns.count {
      transpose(matrix, rows: rows, columns: columns.count, into: target)
    } else {
      for row in 0..<rows {
        for column in 0..<columns.count { target[column * rows + row] = matrix[row * step + column] }
      }
    }
    if !isPlain { Kernels.table.pack(rows, columns.count, target, rows, out) }
  }
}

/// The packed matrices of a model.
package final class PackedParameters: @unchecked Sendable {
  /// By layer, in the order of `RuntimeLayer.packedMatrices` and `backwardMatrices`. Written by `pack` alone.
  let forward: [[UnsafePointer<Float>]]
  let backward: [[UnsafePointer<Float>]]
  private let jobs: [Job]
  private let memory: FloatMemory
  private let scratch: [FloatMemory]

  private struct Job {
    var layer: Int
    var matrix: PackedMatrix
    var rows: Int
    var target: Floats
  }

  /// - Parameters:
  ///   - isTraining: whether the way back is wanted, too.
  ///   - threads: how many parts `pack` may be run in at the same time.
  package init(_ graph: RuntimeGraph, isTraining: Bool, threads: Int = 1) {
    let shapes = graph.parameterShapes
    func rows(_ matrix: PackedMatrix, _ layer: Int) -> Int {
      matrix.rows ?? shapes[layer][matrix.parameter].dropLast().reduce(1, *)
    }
    let matrices = graph.layers.map { layer in [layer.packedMatrices, isTraining ? layer.backwardMatrices : []] }
    var (total, largest) = (0, 0)
    for (layer, lists) in matrices.enumerated() {
      for matrix in lists.joined() {
        total += FloatMemory.lines(matrix.count(rows(matrix, layer)))
        if matrix.isTransposed, !matrix.isPlain { largest = max(largest, rows(matrix, layer) * matrix.columns.count) }
      }
    }
    memory = FloatMemory(total)
    scratch = (0..<threads).map { _ in FloatMemory(largest) }
    var cutter = FloatCutter(memory.base)
    var jobs: [Job] = []
    let pointers = matrices.enumerated().map { layer, lists in
      lists.map { list in
        list.map { matrix -> UnsafePointer<Float> in
          let rows = rows(matrix, layer)
          let target = cutter.take(matrix.count(rows))
          jobs.append(Job(layer: layer, matrix: matrix, rows: rows, target: target))
          return UnsafePointer(target)
        }
      }
    }
    forward = pointers.map { $0[0] }
    backward = pointers.map { $0[1] }
    self.jobs = jobs
  }

  /// - Parameters:
  ///   - parameters: by layer of the model, in the order of `LayerSpec.parameterNames`.
  ///   - part, parts: which share of the work; the parts may run at the same time.
  package func pack(_ parameters: [[UnsafePointer<Float>]], part: Int = 0, of parts: Int = 1) {
    for job in stride(from: part, to: jobs.count, by: parts).map({ jobs[$0] }) {
      job.matrix.pack(
        parameters[job.layer][job.matrix.parameter], rows: job.rows, into: job.target, scratch: scratch[part].base)
    }
  }
}

/// c[rows, columns] <- start[rows, columns] + a[rows, inner] b[inner, columns], with b packed; to the bits of
/// `multiplyAdd`. `start` and `c` may be the same memory.
/// - Parameter fromTheEnd: whether a single row's last columns come first: of a product that is made again and again,
///   every other one, so that it begins with what is still in the cache.
@inline(__always)
func multiplyPacked(
  rows: Int, columns: Int, inner: Int, _ a: UnsafePointer<Float>, step aStep: Int, _ packed: UnsafePointer<Float>,
  from start: UnsafePointer<Float>, step startStep: Int, into c: Floats, step cStep: Int, fromTheEnd: Bool = false
) {
  guard rows > 0, columns > 0 else { return }
  Kernels.table.multiply_packed(
    rows, columns, inner, a, aStep, packed, start, startStep, c, cStep, fromTheEnd ? 1 : 0)
}
