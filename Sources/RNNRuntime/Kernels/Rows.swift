import CRNNKernels
import RNNCore

// Small pieces that the layers share. A "row" is one last axis; a step is the floats from one row to the next.

/// Every row starts as the bias, or as zero where there is none.
func startRows(_ rows: Floats, rows count: Int, width: Int, with bias: UnsafePointer<Float>?) {
  guard let bias else { return rows.update(repeating: 0, count: count * width) }
  for row in 0..<count { (rows + row * width).update(from: bias, count: width) }
}

/// sum += every row
func addRows(_ rows: UnsafePointer<Float>, rows count: Int, width: Int, step: Int, into sum: Floats) {
  for row in 0..<count { Kernels.table.add(sum, rows + row * step, width) }
}

/// out[columns, rows] <- transposed(matrix[rows, columns])
func transpose(_ matrix: UnsafePointer<Float>, rows: Int, columns: Int, into out: Floats) {
  Kernels.table.transpose(rows, columns, matrix, out)
}

/// out <- f(sums), keeping the sums on the tape where the derivative needs them.
func finishSums(
  _ activation: Activation, _ sums: Floats, rows: Int, width: Int, out: Floats, tape: Floats?
) {
  if activation.needsInput, let tape { tape.update(from: sums, count: rows * width) }
  if activation == .glu {
    ActivationKernel.applyGLU(sums, rows: rows, width: width, out: out)
  } else {
    ActivationKernel.apply(activation, sums, rows: rows, width: width)
  }
}
