import RNNCore

/// A value on the stack of `RaggedPickle`. Texts, tuples and lists are numbers into tables, so that a stack of millions
/// of integers counts no references.
enum RaggedSlot {
  case null
  case bool(Bool)
  case integer(Int)
  case text(Int)
  case tuple(Int)
  case list(Int)
  case name(RaggedName)
  case dtype
  case array

  /// What it is, for messages.
  var kind: String {
    switch self {
    case .null: "None"
    case .bool: "a bool"
    case .integer: "an int"
    case .text: "a string"
    case .tuple: "a tuple"
    case .list: "a list"
    case .name(let name): name.rawValue
    case .dtype: "a dtype"
    case .array: "an array"
    }
  }
}

/// The names that an object array of lists may have, with the module `numpy`, but for the first and the last.
enum RaggedName: String {
  case reconstruct = "_reconstruct"
  case ndarray = "numpy.ndarray"
  case dtype = "numpy.dtype"
  /// How Python 3 writes a byte string in protocols 0 to 2.
  case encode = "_codecs.encode"
}

/// The lists of one pickle: of integers, or of such lists.
///
/// All elements stand in one pool. A list is a chain of stretches of it, for a pickle may go on with any list at any
/// time; those that Python writes are nearly all of one piece.
struct RaggedLists {
  /// Rows that a file may have.
  static let maximumLists = 1 << 22

  private enum Kind {
    case empty
    case integers
    case lists
  }

  private struct Stretch {
    var start: Int
    var count: Int
    var next = -1
  }

  private struct List {
    var kind = Kind.empty
    var count = 0
    var first = -1
    var last = -1
  }

  /// Integers, and the numbers of lists.
  private var pool: [Int] = []
  private var stretches: [Stretch] = []
  private var lists: [List] = []

  mutating func make() throws -> Int {
    guard lists.count < RaggedLists.maximumLists else {
      throw RNNError.unsupported("the pickle holds more than \(RaggedLists.maximumLists) lists")
    }
    lists.append(List())
    return lists.count - 1
  }

  mutating func append(_ items: ArraySlice<RaggedSlot>, to index: Int) throws {
    guard let first = items.first else { return }
    let start = pool.count
    switch first {
    case .integer:
      for item in items {
        guard case .integer(let value) = item else { throw refusal(of: item) }
        pool.append(value)
      }
      try setKind(.integers, of: index)
    case .list:
      for item in items {
        guard case .list(let element) = item else { throw refusal(of: item) }
        if lists[element].kind == .lists || element == index { throw nesting(of: element, in: index) }
        pool.append(element)
      }
      try setKind(.lists, of: index)
    case .null, .bool, .text, .tuple, .name, .dtype, .array: throw refusal(of: first)
    }
    lists[index].count += items.count
    let last = lists[index].last
    if last >= 0, stretches[last].start + stretches[last].count == start {
      stretches[last].count += items.count
      return
    }
    stretches.append(Stretch(start: start, count: items.count))
    if last >= 0 { stretches[last].next = stretches.count - 1 } else { lists[index].first = stretches.count - 1 }
    lists[index].last = stretches.count - 1
  }

  private mutating func setKind(_ kind: Kind, of index: Int) throws {
    guard lists[index].kind == .empty || lists[index].kind == kind else {
      throw RNNError.unsupported("the pickle holds a list of ints and lists at once")
    }
    lists[index].kind = kind
  }

  private func refusal(of item: RaggedSlot) -> RNNError {
    .unsupported("the pickle holds \(item.kind) in a list, expected lists of ints")
  }

  /// Every structure that contains itself puts, at one time, a list of lists into a list.
  private func nesting(of element: Int, in index: Int) -> RNNError {
    if element == index || elements(of: element).contains(where: { pool[$0].contains(index) }) {
      return .unsupported("the pickle holds a structure that contains itself")
    }
    return .unsupported("the pickle holds lists inside lists inside a list, expected lists of ints")
  }

  /// The stretches of the pool that make up a list.
  private func elements(of index: Int) -> some Sequence<Range<Int>> {
    sequence(state: lists[index].first) { next in
      guard next >= 0 else { return nil }
      let stretch = stretches[next]
      next = stretch.next
      return stretch.start..<stretch.start + stretch.count
    }
  }

  /// The lists of the list `outer`, end to end.
  /// - Parameter limit: values that the result may have; one list may stand in any number of places.
  func rows(of outer: Int, limit: Int) throws -> RaggedIntegers {
    guard lists[outer].kind != .integers else {
      throw RNNError.unsupported("the array holds ints, expected lists of ints")
    }
    var offsets = [0]
    offsets.reserveCapacity(lists[outer].count + 1)
    var total = 0
    for stretch in elements(of: outer) {
      for position in stretch {
        let row = lists[pool[position]]
        guard row.kind != .lists else { throw nesting(of: pool[position], in: outer) }
        // Both are bounded by the bytes of the pickle, so the sum cannot overflow.
        total += row.count
        guard total <= limit else {
          throw RNNError.unsupported("the pickle holds one list so often that it stands for over \(limit) ints")
        }
        offsets.append(total)
      }
    }
    var values: [Int] = []
    values.reserveCapacity(total)
    for stretch in elements(of: outer) {
      for position in stretch {
        for part in elements(of: pool[position]) { values.append(contentsOf: pool[part]) }
      }
    }
    return RaggedIntegers(unchecked: values, offsets: offsets)
  }
}
