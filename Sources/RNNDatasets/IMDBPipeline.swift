import RNNContainers
import RNNCore

/// What `keras.datasets.imdb.load_data` does to the two halves of the set, in its order (Keras 3,
/// `keras/src/datasets/imdb.py`): shuffle, add the offset and the start, drop what is long, replace unknown words.
struct IMDBPipeline {
  private let halves: [PublishedIMDB.Part]
  private let options: PublishedIMDB.Options
  /// For each half the rows that stay, in their new order.
  private let orders: [[Int]]
  let idLimit: Int

  init(_ halves: [PublishedIMDB.Part], _ options: PublishedIMDB.Options) throws {
    self.halves = halves
    self.options = options
    // One generator for both: the second order depends on the length of the first.
    var generator = MersenneTwister(seed: options.seed)
    var orders = halves.map { generator.permutation($0.labels.count) }
    let start = options.startChar == nil ? 0 : 1
    if let maxlen = options.maxlen, maxlen != 0 {
      orders = zip(halves, orders).map { half, order in
        order.filter { half.sequences.offsets[$0 + 1] - half.sequences.offsets[$0] + start < maxlen }
      }
      guard orders.allSatisfy({ !$0.isEmpty }) else {
        throw RNNError.usage(
          "no review is shorter than the maximum length \(maxlen)", remedy: "Give a larger maximum length.")
      }
    }
    self.orders = orders
    let bounds = try IMDBPipeline.bounds(of: halves, orders, options)
    if let numWords = options.numWords, numWords != 0 { idLimit = numWords } else { idLimit = bounds }
  }

  /// The largest id of the rows that stay; checks that no id of the set overflows.
  private static func bounds(
    of halves: [PublishedIMDB.Part], _ orders: [[Int]], _ options: PublishedIMDB.Options
  ) throws -> Int {
    var largest = options.startChar
    for (half, order) in zip(halves, orders) {
      let values = half.sequences.values
      for extreme in [values.min() ?? 0, values.max() ?? 0] {
        guard !extreme.addingReportingOverflow(options.indexFrom).overflow else {
          throw RNNError.badData("the rank \(extreme) and the offset \(options.indexFrom) are too large to add")
        }
      }
      for row in order {
        let found = half.sequences.values[half.sequences.offsets[row]..<half.sequences.offsets[row + 1]].max()
        if let found { largest = max(largest ?? .min, found + options.indexFrom) }
      }
    }
    return largest ?? 0
  }

  /// One half as Keras gives it.
  func part(_ index: Int) throws -> PublishedIMDB.Part {
    let (sequences, order) = (halves[index].sequences, orders[index])
    let known = options.skipTop..<max(options.skipTop, idLimit)
    var values: [Int] = []
    var offsets = [0]
    offsets.reserveCapacity(order.count + 1)
    values.reserveCapacity(sequences.values.count + order.count)
    for row in order {
      func add(_ id: Int) {
        if known.contains(id) { values.append(id) } else if let oov = options.oovChar { values.append(oov) }
      }
      // Keras treats the start as it treats a word.
      if let start = options.startChar { add(start) }
      for rank in sequences[row] { add(rank &+ options.indexFrom) }
      offsets.append(values.count)
    }
    return PublishedIMDB.Part(
      sequences: try RaggedIntegers(values: values, offsets: offsets), labels: order.map { halves[index].labels[$0] })
  }
}
