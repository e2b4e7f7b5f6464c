import Foundation
import RNNCore

/// Reads the pickle of a NumPy object array of lists of ints: the opcodes that Python 2 and 3 write for one, protocols
/// 0 to 5, and no others. It knows four names, builds lists, tuples, numbers and short strings, and runs nothing.
///
/// `PickleMachine` reads any structure; this one reads millions of integers, at a few nanoseconds each.
struct RaggedPickle {
  static let purpose = "an array of lists of ints"

  /// Every name that may stand in the pickle.
  static let names: [PickleGlobal: RaggedName] = [
    PickleGlobal("numpy.core.multiarray", "_reconstruct"): .reconstruct,
    PickleGlobal("numpy._core.multiarray", "_reconstruct"): .reconstruct,
    PickleGlobal("numpy", "ndarray"): .ndarray,
    PickleGlobal("numpy", "dtype"): .dtype,
    PickleGlobal("_codecs", "encode"): .encode,
  ]

  /// Values on the stack at one time, and entries of the memo.
  static let maximumStack = 1 << 23
  /// Tuples and strings: the array needs about ten of each.
  static let maximumParts = 64
  /// Ints that the lists may have in all, beyond 16 for each byte of the pickle; a list that stands in many places
  /// counts each time.
  static let freeExpansion = 1 << 20

  let bytes: UnsafeRawBufferPointer
  var position = 0
  var stack: [RaggedSlot] = []
  var marks: [Int] = []
  var memo: [Int: RaggedSlot] = [:]
  var texts: [String] = []
  var tuples: [[RaggedSlot]] = []
  var lists = RaggedLists()
  var hasArray = false
  /// Length and list of the array, once it has them.
  var state: (count: Int, list: Int)?

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// Carries out the opcodes up to STOP, which must be the last byte.
  mutating func run() throws -> RaggedIntegers {
    while true {
      let start = position
      do {
        guard position < bytes.count else { throw PickleMachine.damaged("it ends early") }
        let code = bytes[position]
        position += 1
        guard let opcode = PickleOpcode(rawValue: code) else { throw PickleMachine.refusal(of: code) }
        if opcode == .stop { return try result() }
        try perform(opcode)
      } catch var error as RNNError {
        error.what += " (byte \(start) of the pickle)"
        if error.reason == .unsupported, error.remedy == nil {
          error.remedy = "Save lists of ints: numpy.array(lists, dtype=object), or pad them to one length."
        }
        throw error
      }
    }
  }

  private mutating func perform(_ opcode: PickleOpcode) throws {
    switch opcode {
    case .binInt1: try push(.integer(Int(try integer(UInt8.self))))
    case .binInt2: try push(.integer(Int(try integer(UInt16.self))))
    case .binInt: try push(.integer(Int(try integer(Int32.self))))
    case .int, .long: try push(try decimal(opcode))
    case .long1: try push(try longInteger(Int(try integer(UInt8.self))))
    case .mark:
      guard marks.count < RaggedPickle.maximumParts else { throw tooMany("marks") }
      marks.append(stack.count)
      try pushSmallIntegers()
    case .appends:
      let mark = try popMark()
      guard mark > marks.last ?? 0 else { throw PickleMachine.damaged("a value is missing on the stack") }
      try extend(mark - 1)
    case .append:
      guard stack.count >= (marks.last ?? 0) + 2 else { throw PickleMachine.damaged("a value is missing on the stack") }
      try extend(stack.count - 2)
    case .emptyList: try push(.list(try lists.make()))
    case .list:
      let mark = try popMark()
      let list = try lists.make()
      try lists.append(stack[mark...], to: list)
      stack.removeLast(stack.count - mark)
      try push(.list(list))
    case .proto:
      let version = try integer(UInt8.self)
      guard version <= 5 else { throw RNNError.unsupported("pickle protocol \(version) is not known") }
    case .frame:
      let length = try integer(UInt64.self)
      guard length <= bytes.count - position else { throw PickleMachine.damaged("a frame reaches past its end") }
    case .none: try push(.null)
    case .newTrue: try push(.bool(true))
    case .newFalse: try push(.bool(false))
    case .string, .shortBinString, .binString, .unicode, .shortBinUnicode, .binUnicode, .shortBinBytes, .binBytes:
      guard texts.count < RaggedPickle.maximumParts else { throw tooMany("strings") }
      texts.append(try text(opcode))
      try push(.text(texts.count - 1))
    case .get, .binGet, .longBinGet:
      let index = try memoIndex(opcode)
      guard let value = memo[index] else { throw PickleMachine.damaged("memo \(index) is empty") }
      try push(value)
    case .put, .binPut, .longBinPut: try remember(try memoIndex(opcode))
    case .memoize: try remember(memo.count)
    case .emptyTuple: try pushTuple(0)
    case .tuple1: try pushTuple(1)
    case .tuple2: try pushTuple(2)
    case .tuple3: try pushTuple(3)
    case .tuple:
      let mark = try popMark()
      try pushTuple(stack.count - mark)
    case .global: try push(.name(try name(try line(), try line())))
    case .stackGlobal:
      let parts = try pop(2)
      guard case .text(let module) = parts[0], case .text(let function) = parts[1] else {
        throw PickleMachine.damaged("a name is no string")
      }
      try push(.name(try name(texts[module], texts[function])))
    case .reduce: try call()
    case .build: try build()
    case .float, .binFloat: throw RNNError.unsupported("the pickle holds a float, expected lists of ints")
    case .dictionary, .emptyDictionary, .setItem, .setItems: throw foreign("a dictionary")
    case .emptySet, .addItems, .frozenSet: throw foreign("a set")
    case .long4: throw RNNError.unsupported("the pickle holds an integer beyond 64 bits")
    case .binUnicode8, .binBytes8: throw foreign("a string of 64-bit length")
    case .newObject: throw foreign("an object (opcode NEWOBJ)")
    case .pop, .popMark, .duplicate: throw foreign("the opcode \(opcode)")
    case .persistentID, .binPersistentID: throw PickleMachine.refusal(of: opcode.rawValue)
    case .stop: break
    }
  }

  func foreign(_ what: String) -> RNNError {
    .unsupported("the pickle holds \(what), which does not belong to \(RaggedPickle.purpose)")
  }

  private func tooMany(_ what: String) -> RNNError {
    .unsupported(
      "the pickle holds more than \(RaggedPickle.maximumParts) \(what): too many for \(RaggedPickle.purpose)")
  }
}

// MARK: - Stack

extension RaggedPickle {
  mutating func push(_ slot: RaggedSlot) throws {
    guard stack.count < RaggedPickle.maximumStack else {
      throw RNNError.unsupported("the pickle piles up more than \(RaggedPickle.maximumStack) values")
    }
    stack.append(slot)
  }

  /// The run of BININT1 and BININT2 that begins here: nearly all of a data set.
  private mutating func pushSmallIntegers() throws {
    var position = position
    defer { self.position = position }
    while bytes.count - position >= 3 {
      switch bytes[position] {
      case PickleOpcode.binInt1.rawValue:
        try push(.integer(Int(bytes[position + 1])))
        position += 2
      case PickleOpcode.binInt2.rawValue:
        let word = bytes.loadUnaligned(fromByteOffset: position + 1, as: UInt16.self)
        try push(.integer(Int(UInt16(littleEndian: word))))
        position += 3
      default: return
      }
    }
  }

  mutating func pop(_ count: Int) throws -> [RaggedSlot] {
    guard stack.count - (marks.last ?? 0) >= count else {
      throw PickleMachine.damaged("a value is missing on the stack")
    }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  private mutating func popMark() throws -> Int {
    guard let mark = marks.popLast() else { throw PickleMachine.damaged("a mark is missing on the stack") }
    return mark
  }

  private mutating func pushTuple(_ count: Int) throws {
    guard tuples.count < RaggedPickle.maximumParts else { throw tooMany("tuples") }
    tuples.append(try pop(count))
    try push(.tuple(tuples.count - 1))
  }

  private mutating func remember(_ index: Int) throws {
    guard let last = stack.last, stack.count > marks.last ?? 0 else {
      throw PickleMachine.damaged("a value is missing on the stack")
    }
    guard memo.count < RaggedPickle.maximumStack else {
      throw RNNError.unsupported("the pickle remembers more than \(RaggedPickle.maximumStack) values")
    }
    memo[index] = last
  }

  /// Appends what lies on the stack above `position` to the list there.
  private mutating func extend(_ position: Int) throws {
    guard case .list(let list) = stack[position] else {
      throw PickleMachine.damaged("items are added to something that takes none")
    }
    try lists.append(stack[(position + 1)...], to: list)
    stack.removeLast(stack.count - position - 1)
  }
}
