import CRNNKernels
import Foundation
import RNNCore

/// The products of an embedding's rows with a kernel that reads nothing else: what a convolution, a dense or a recurrent
/// layer makes of an id, so that it adds up rows of this table instead of multiplying.
///
/// A row is made when an id is met for the first time, by the same operations whenever that is: the same input gives the
/// same bits on the first call and the thousandth, and memory is taken for the ids that occur. Sessions on several threads
/// share a table.
final class EmbeddingTable: @unchecked Sendable {
  /// What the embedding's rows are multiplied with.
  struct Product {
    /// (taps, channels, columns)
    var kernel: UnsafePointer<Float>
    var taps: Int
    var channels: Int
    var columns: Int
    /// (columns): what the sums of a table with one tap begin with.
    var bias: UnsafePointer<Float>?
  }

  /// Floats of a row, (taps, columns).
  let span: Int
  /// The rows, in the order in which they were made.
  var rows: UnsafePointer<Float> { UnsafePointer(memory.base) }

  private let product: Product
  /// (ids, channels)
  private let embeddings: UnsafePointer<Float>
  private let memory: FloatMemory
  /// For each id, 1 + its row; 0 where it has none yet. Written under the lock, once the row is complete.
  private let places: UnsafeMutablePointer<UInt32>
  private let lock = NSLock()
  private var used = 0
  private let gathered: FloatMemory
  /// Rows that are made together.
  private static let together = 64

  /// - Parameter ids: rows of the embedding.
  init(_ product: Product, embeddings: UnsafePointer<Float>, ids: Int) {
    self.product = product
    self.embeddings = embeddings
    span = product.taps * product.columns
    memory = FloatMemory(ids * span)
    places = .allocate(capacity: max(ids, 1))
    places.initialize(repeating: 0, count: max(ids, 1))
    gathered = FloatMemory(EmbeddingTable.together * product.channels)
  }

  deinit { places.deallocate() }

  /// The bytes of a table when all its rows are made.
  static func bytes(ids: Int, taps: Int, columns: Int) -> Int? {
    let (span, first) = taps.multipliedReportingOverflow(by: columns)
    let (floats, second) = span.multipliedReportingOverflow(by: ids)
    let (bytes, third) = floats.multipliedReportingOverflow(by: MemoryLayout<Float>.stride)
    return first || second || third ? nil : bytes
  }

  /// Finds the row of each id, and makes those that are not there.
  /// - Parameter ids: rows of the embedding.
  func find(_ ids: UnsafePointer<Int32>, count: Int, into rows: UnsafeMutablePointer<UInt32>) {
    var isComplete = true
    for index in 0..<count {
      let place = rnn_counter_load(places + Int(ids[index]))
      isComplete = isComplete && place != 0
      rows[index] = place &- 1
    }
    guard !isComplete else { return }
    lock.withLock {
      // In their order, so that what is read of the embedding together lies together.
      let missing = Set((0..<count).lazy.map { ids[$0] }.filter { self.places[Int($0)] == 0 }).sorted()
      for start in stride(from: 0, to: missing.count, by: EmbeddingTable.together) {
        make(missing[start..<min(start + EmbeddingTable.together, missing.count)])
      }
    }
    for index in 0..<count { rows[index] = rnn_counter_load(places + Int(ids[index])) &- 1 }
  }

  /// - Parameter ids: in ascending order.
  private func make(_ ids: ArraySlice<Int32>) {
    guard let lowest = ids.first, let highest = ids.last else { return }
    let channels = product.channels
    for (row, id) in ids.enumerated() {
      (gathered.base + row * channels).update(from: embeddings + Int(id) * channels, count: channels)
    }
    // This table does not look at these rows of the file again, which in many models are most of it.
    MappedFiles.shared.release(
      UnsafeRawBufferPointer(
        UnsafeBufferPointer(
          start: embeddings + Int(lowest) * channels, count: (Int(highest - lowest) + 1) * channels)))
    let first = memory.base + used * span
    startRows(first, rows: ids.count, width: span, with: product.taps == 1 ? product.bias : nil)
    for tap in 0..<product.taps {
      multiplyAdd(
        rows: ids.count, columns: product.columns, inner: channels, gathered.base, step: channels,
        product.kernel + tap * channels * product.columns, step: product.columns,
        into: first + tap * product.columns, step: span)
    }
    for (row, id) in ids.enumerated() { rnn_counter_store(places + Int(id), UInt32(used + row + 1)) }
    used += ids.count
  }
}

/// Rows of a table, one for each step of a layer's input.
struct TableRows {
  /// The table's first row.
  var table: UnsafePointer<Float>
  /// Floats from one row to the next.
  var span: Int
  /// The row of each step.
  var places: UnsafePointer<UInt32>

  func row(_ step: Int) -> UnsafePointer<Float> { table + Int(places[step]) * span }
}
