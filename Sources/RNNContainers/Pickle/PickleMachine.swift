import Foundation
import RNNCore

extension PickleValue {
  /// Reads the first pickle of `data`, protocols 0 to 5, under `rules`.
  ///
  /// A closed list of opcodes builds numbers, strings, containers and inert records; names are compared with a closed
  /// list, never looked up.
  /// - Throws: `badData` for a damaged pickle; `unsupported` for a name or opcode that is not allowed, for structures
  ///   that contain themselves, and for what is larger than the rules allow.
  public init(parsing data: Data, rules: PickleRules) throws {
    var machine = PickleMachine(data, rules)
    let result = try machine.run()
    var export = PickleExport(nodes: machine.nodes, rules: rules)
    self = try export.value(of: result)
  }

  /// Reads the pickle that begins at a byte of `data`.
  /// - Returns: what it holds, and where it ends.
  static func parse(_ data: Data, at position: Int, rules: PickleRules) throws -> (value: PickleValue, end: Int) {
    guard let rest = data.slice(at: position, count: data.count - position) else {
      throw RNNError.badData("a pickle is missing at byte \(position)")
    }
    var machine = PickleMachine(rest, rules)
    let result = try machine.run()
    var export = PickleExport(nodes: machine.nodes, rules: rules)
    return (try export.value(of: result), position + machine.reader.position)
  }
}

/// Python's unpickling stack machine, without Python.
struct PickleMachine {
  let rules: PickleRules
  var reader: ByteReader
  var nodes: [PickleNode] = []
  private var stack: [PickleSlot] = []
  private var marks: [Int] = []
  private var memo: [Int: PickleSlot] = [:]
  private var pushed = 0

  init(_ data: Data, _ rules: PickleRules) {
    reader = ByteReader(data)
    self.rules = rules
  }

  /// Carries out the opcodes up to the first STOP; what follows it is another pickle.
  mutating func run() throws -> PickleSlot {
    while true {
      let position = reader.position
      do {
        let code = try reader.integer(UInt8.self)
        guard let opcode = PickleOpcode(rawValue: code) else { throw PickleMachine.refusal(of: code) }
        if opcode == .stop { return try pop() }
        try perform(opcode)
      } catch var error as RNNError {
        error.what += " (byte \(position) of the pickle)"
        throw error
      }
    }
  }

  static func refusal(of code: UInt8) -> RNNError {
    if let name = PickleOpcode.refused[code] {
      return .unsupported("the pickle uses the opcode \(name), which is never carried out")
    }
    return .badData("the pickle is damaged: \(code) is no opcode")
  }

  private mutating func perform(_ opcode: PickleOpcode) throws {
    switch opcode {
    case .stop: break
    case .proto:
      let version = try reader.integer(UInt8.self)
      guard version <= 5 else { throw RNNError.unsupported("pickle protocol \(version) is not known") }
    case .frame:
      let length = try reader.size64()
      guard length <= reader.remaining else { throw PickleMachine.damaged("a frame reaches past its end") }
    case .mark: try countValues(); marks.append(stack.count)
    case .pop: if marks.last == stack.count { marks.removeLast() } else { _ = try pop() }
    case .popMark: _ = try popToMark()
    case .duplicate: try push(try top())
    case .none: try push(.null)
    case .newTrue: try push(.bool(true))
    case .newFalse: try push(.bool(false))
    case .int, .binInt, .binInt1, .binInt2, .long, .long1, .long4, .float, .binFloat: try push(try number(opcode))
    case .string, .binString, .shortBinString, .unicode, .binUnicode, .shortBinUnicode, .binUnicode8, .binBytes,
      .shortBinBytes, .binBytes8:
      try push(try text(opcode))
    case .get, .binGet, .longBinGet:
      let index = try memoIndex(opcode)
      guard let value = memo[index] else { throw PickleMachine.damaged("memo \(index) is empty") }
      try push(value)
    case .put, .binPut, .longBinPut: memo[try memoIndex(opcode)] = try top()
    case .memoize: memo[memo.count] = try top()
    case .emptyList: try pushNode(.list)
    case .emptyTuple: try pushNode(.tuple)
    case .emptyDictionary: try pushNode(.dictionary)
    case .emptySet: try pushNode(.set)
    case .list: try pushNode(.list, try popToMark())
    case .tuple: try pushNode(.tuple, try popToMark())
    case .frozenSet: try pushNode(.set, try popToMark())
    case .dictionary: try pushNode(.dictionary, try pairs(try popToMark()))
    case .tuple1: try pushNode(.tuple, try pop(1))
    case .tuple2: try pushNode(.tuple, try pop(2))
    case .tuple3: try pushNode(.tuple, try pop(3))
    case .append: try extend(.list, with: try pop(1))
    case .appends: try extend(.list, with: try popToMark())
    case .addItems: try extend(.set, with: try popToMark())
    case .setItem: try extend(.dictionary, with: try pop(2))
    case .setItems: try extend(.dictionary, with: try pairs(try popToMark()))
    case .global:
      let module = try line()
      try pushGlobal(PickleGlobal(String(decoding: module, as: UTF8.self), String(decoding: try line(), as: UTF8.self)))
    case .stackGlobal:
      let names = try pop(2)
      guard case .string(let module) = names[0], case .string(let name) = names[1] else {
        throw PickleMachine.damaged("a name is no string")
      }
      try pushGlobal(PickleGlobal(module, name))
    case .persistentID, .binPersistentID: try persistent(opcode)
    case .reduce: try call(isNew: false)
    case .newObject: try call(isNew: true)
    case .build: try build()
    }
  }

  static func damaged(_ what: String) -> RNNError { .badData("the pickle is damaged: \(what)") }
}

// MARK: - Stack

extension PickleMachine {
  private mutating func countValues(_ count: Int = 1) throws {
    pushed += count
    guard pushed <= rules.maximumValues else {
      throw RNNError.unsupported(
        "the pickle holds more than \(rules.maximumValues) values: too many for \(rules.purpose)")
    }
  }

  private mutating func push(_ slot: PickleSlot) throws {
    try countValues()
    stack.append(slot)
  }

  mutating func pushNode(_ kind: PickleNode.Kind, _ items: [PickleSlot] = []) throws {
    guard nodes.count < rules.maximumObjects else {
      throw RNNError.unsupported(
        "the pickle holds more than \(rules.maximumObjects) objects: too many for \(rules.purpose)")
    }
    nodes.append(PickleNode(kind: kind, items: items))
    try push(.node(nodes.count - 1))
  }

  private func top() throws -> PickleSlot {
    guard let last = stack.last, stack.count > marks.last ?? 0 else {
      throw PickleMachine.damaged("a value is missing on the stack")
    }
    return last
  }

  private mutating func pop() throws -> PickleSlot {
    let slot = try top()
    stack.removeLast()
    return slot
  }

  private mutating func pop(_ count: Int) throws -> [PickleSlot] {
    guard stack.count - (marks.last ?? 0) >= count else {
      throw PickleMachine.damaged("a value is missing on the stack")
    }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  private mutating func popToMark() throws -> [PickleSlot] {
    guard let mark = marks.popLast() else { throw PickleMachine.damaged("a mark is missing on the stack") }
    defer { stack.removeLast(stack.count - mark) }
    return Array(stack[mark...])
  }

  private func pairs(_ items: [PickleSlot]) throws -> [PickleSlot] {
    guard items.count.isMultiple(of: 2) else { throw PickleMachine.damaged("a key lacks its value") }
    return items
  }

  private mutating func extend(_ kind: PickleNode.Kind, with items: [PickleSlot]) throws {
    guard case .node(let index) = try top(), nodes[index].kind == kind else {
      throw PickleMachine.damaged("items are added to something that takes none")
    }
    nodes[index].items.append(contentsOf: items)
  }
}

// MARK: - Names and calls

extension PickleMachine {
  private mutating func pushGlobal(_ global: PickleGlobal) throws {
    let known = rules.globals[global] ?? (rules.keepsUnknownClasses ? .unknownClass : nil)
    guard let role = known else {
      throw RNNError.unsupported(
        "the pickle names \(global), which does not belong to \(rules.purpose); nothing in it is run",
        remedy: rules.remedy)
    }
    try pushNode(.global(global, role))
  }

  private mutating func persistent(_ opcode: PickleOpcode) throws {
    guard rules.allowsPersistentIDs else { throw PickleMachine.refusal(of: opcode.rawValue) }
    let identifier =
      opcode == .binPersistentID ? try pop() : .string(String(decoding: try line(), as: UTF8.self))
    try pushNode(.persistent, [identifier])
  }

  /// The class or function that a slot names. PyTorch's files before 1.6 name a module's class by something outside the
  /// pickle: ("module", class, source file, source).
  private func callee(_ slot: PickleSlot) -> (PickleGlobal, PickleRules.Role)? {
    guard case .node(let index) = slot else { return nil }
    if case .global(let global, let role) = nodes[index].kind { return (global, role) }
    guard nodes[index].kind == .persistent, case .node(let tuple)? = nodes[index].items.first,
      nodes[tuple].kind == .tuple, nodes[tuple].items.count >= 2, case .string("module") = nodes[tuple].items[0]
    else { return nil }
    guard case .node(let named) = nodes[tuple].items[1], case .global(let global, let role) = nodes[named].kind else {
      return nil
    }
    return (global, role)
  }

  /// REDUCE and NEWOBJ: a name and a tuple of arguments become what the name's role says.
  private mutating func call(isNew: Bool) throws {
    let operands = try pop(2)
    guard let (global, role) = callee(operands[0]), case .node(let argumentsIndex) = operands[1],
      nodes[argumentsIndex].kind == .tuple
    else { throw PickleMachine.damaged("something is called that is no name, or without arguments") }
    let arguments = nodes[argumentsIndex].items
    switch role {
    case .mention: throw RNNError.unsupported("the pickle calls \(global), which is never run", remedy: rules.remedy)
    case .record: try pushNode(.object(global), arguments)
    case .unknownClass:
      guard isNew else {
        throw RNNError.unsupported("the pickle calls \(global), which is never run", remedy: rules.remedy)
      }
      try pushNode(.object(global), arguments)
    case .set:
      guard arguments.count <= 1 else { throw PickleMachine.damaged("\(global) takes one argument") }
      try pushNode(.set, try items(of: arguments, global))
    case .defaultDictionary:
      guard arguments.count <= 1 else { throw PickleMachine.damaged("\(global) takes one argument") }
      try pushNode(.dictionary)
    case .orderedDictionary: try pushNode(.dictionary, try entries(of: arguments, global))
    case .reconstructor:
      guard let first = arguments.first, case .node(let index) = first,
        case .global(let type, let role) = nodes[index].kind, role == .record || role == .unknownClass
      else { throw PickleMachine.damaged("\(global) is not given a class") }
      try pushNode(.object(type))
    }
  }

  /// The items of the one list that a call is given, or none.
  private mutating func items(of arguments: [PickleSlot], _ global: PickleGlobal) throws -> [PickleSlot] {
    guard let first = arguments.first else { return [] }
    guard case .node(let list) = first, nodes[list].kind == .list || nodes[list].kind == .tuple else {
      throw PickleMachine.damaged("\(global) is not given a list")
    }
    // One list may be given to any number of calls, and each copies it.
    try countValues(nodes[list].items.count)
    return nodes[list].items
  }

  /// Python 2 gives `OrderedDict` a list of two-element lists.
  private mutating func entries(of arguments: [PickleSlot], _ global: PickleGlobal) throws -> [PickleSlot] {
    guard let first = arguments.first else { return [] }
    guard arguments.count == 1, case .node(let list) = first, nodes[list].kind == .list || nodes[list].kind == .tuple
    else { throw PickleMachine.damaged("\(global) is not given a list") }
    // One list may be given to any number of calls, and each copies it.
    try countValues(nodes[list].items.count * 2)
    return try nodes[list].items.flatMap { slot in
      guard case .node(let pair) = slot, nodes[pair].items.count == 2,
        nodes[pair].kind == .list || nodes[pair].kind == .tuple
      else { throw PickleMachine.damaged("\(global) is not given pairs") }
      return nodes[pair].items
    }
  }

  /// BUILD: gives a record its state. The attributes of a dictionary are forgotten.
  private mutating func build() throws {
    let state = try pop()
    guard case .node(let index) = try top() else { throw PickleMachine.damaged("a state without an object") }
    switch nodes[index].kind {
    case .object:
      guard nodes[index].state == nil else { throw PickleMachine.damaged("an object has two states") }
      nodes[index].state = state
    case .dictionary: break
    case .list, .tuple, .set, .global, .persistent:
      throw PickleMachine.damaged("a state for something that has none")
    }
  }
}
