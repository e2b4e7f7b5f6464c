import RNNRuntime

/// The rows of an embedding that no batch touches.
///
/// Keras's Adam moves every row at every step: the moments of a row that was touched once go on. Over a large table that
/// is most of a step's time, and nobody looks at these rows until a batch reads them. So their steps, of gradient 0, are
/// put off and made up for when a row is read: the same operations in the same order, and so the same bits.
final class IdleRows {
  private let parameter: TrainingParameter
  private let width: Int
  /// The step of each of the optimizer's steps since all rows were at rest.
  private var alphas: [Float] = []
  /// How many of these each row has taken.
  private var taken: [Int]
  /// The last batch, counted from 1, that each row was seen in.
  private var seen: [Int]
  private var batches = 0
  private var rows: [Int] = []

  init(_ parameter: TrainingParameter) {
    self.parameter = parameter
    width = parameter.count / max(parameter.shape[0], 1)
    taken = Array(repeating: 0, count: parameter.shape[0])
    seen = taken
  }

  /// Brings the rows that a batch reads up to date; `step` moves them later.
  /// - Parameter ids: some may be the same, and some no rows at all: whoever reads them says so.
  func catchUp(_ ids: some Sequence<Int>, _ optimizer: Optimizer, _ pool: WorkerPool) {
    batches += 1
    rows.removeAll(keepingCapacity: true)
    for id in ids where seen.indices.contains(id) && seen[id] != batches {
      seen[id] = batches
      rows.append(id)
    }
    catchUp(rows, optimizer, pool)
  }

  /// Brings all rows up to date.
  func settle(_ optimizer: Optimizer, _ pool: WorkerPool) {
    guard !alphas.isEmpty else { return }
    catchUp(Array(taken.indices), optimizer, pool)
    for row in taken.indices { taken[row] = 0 }
    alphas.removeAll()
  }

  private func catchUp(_ rows: [Int], _ optimizer: Optimizer, _ pool: WorkerPool) {
    guard case .adam(let beta1, let beta2, let epsilon, _) = optimizer.rule else { return }
    pool.cut(rows.count) { part in
      alphas.withUnsafeBufferPointer { alphas in
        for row in rows[part] where taken[row] < alphas.count {
          guard let base = alphas.baseAddress else { return }
          TrainingKernels.adamIdle(
            parameter.values + row * width, parameter.slots[0] + row * width, parameter.slots[1] + row * width,
            count: width, alphas: base + taken[row], steps: alphas.count - taken[row], keep1: optimizer.rest(beta1),
            keep2: optimizer.rest(beta2), epsilon: Float(epsilon))
        }
      }
    }
    for row in rows { taken[row] = alphas.count }
  }

  /// One step of the rows of the last batch.
  func step(_ optimizer: Optimizer, _ step: OptimizerStep, _ pool: WorkerPool) {
    pool.cut(rows.count) { part in
      for row in rows[part] {
        let start = row * width
        optimizer.update(
          parameter.values + start, parameter.gradient + start,
          squares: parameter.squares(optimizer).map { $0 + start },
          parameter.slots.map { $0 + start }, count: width, step)
      }
    }
    alphas.append(step.alpha)
    for row in rows { taken[row] = alphas.count }
  }
}
