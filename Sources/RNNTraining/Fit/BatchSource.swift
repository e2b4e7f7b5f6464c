/// Where a fit takes its examples.
public protocol BatchSource {
  var count: Int { get }

  /// The examples of these rows, in this order.
  func batch(rows: [Int]) throws -> Trainer.Batch
}

/// The order of the examples in one epoch: the same for the same seed, whatever happened before.
enum EpochOrder {
  /// For stateful models: row r of a batch goes on where row r of the batch before ended, so that the examples, which
  /// follow each other, are dealt into as many streams as a batch has rows. What fills no whole batch is left out.
  static func streams(count: Int, batchSize: Int) -> [Int] {
    let batches = count / batchSize
    return (0..<batches).flatMap { batch in (0..<batchSize).map { $0 * batches + batch } }
  }

  /// Fisher and Yates's shuffle over counted random numbers.
  static func rows(count: Int, isShuffled: Bool, seed: UInt64, epoch: Int) -> [Int] {
    var rows = Array(0..<count)
    guard isShuffled, count > 1 else { return rows }
    var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(epoch) &* 0xD1B5_4A32_D192_ED03
    for last in stride(from: count - 1, to: 0, by: -1) {
      state &+= 0x9E37_79B9_7F4A_7C15
      var mixed = state
      mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
      mixed ^= mixed >> 31
      // 2^64 is so much larger than any count that the remainder's bias is below 2^-40.
      rows.swapAt(last, Int(mixed % UInt64(last + 1)))
    }
    return rows
  }
}
