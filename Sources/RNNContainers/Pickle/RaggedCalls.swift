import RNNCore

// The few names, what their calls make, and the state that makes an array of one.
extension RaggedPickle {
  func name(_ module: String, _ function: String) throws -> RaggedName {
    let global = PickleGlobal(module, function)
    guard let name = RaggedPickle.names[global] else {
      throw RNNError.unsupported(
        "the pickle names \(global), which does not belong to \(RaggedPickle.purpose); nothing in it is run")
    }
    return name
  }

  mutating func call() throws {
    let operands = try pop(2)
    guard case .name(let name) = operands[0], case .tuple(let index) = operands[1] else {
      throw PickleMachine.damaged("something is called that is no name, or without arguments")
    }
    let arguments = tuples[index]
    switch name {
    case .reconstruct:
      guard arguments.count == 3, case .name(.ndarray) = arguments[0], case .tuple(let shape) = arguments[1],
        tuples[shape].count == 1, case .text = arguments[2]
      else { throw PickleMachine.damaged("_reconstruct is not given an array's class, shape and type") }
      guard !hasArray else { throw foreign("a second array") }
      hasArray = true
      try push(.array)
    case .dtype:
      guard let first = arguments.first, arguments.count <= 3, case .text(let text) = first else {
        throw PickleMachine.damaged("numpy.dtype is not given a type's name")
      }
      guard ["O", "|O", "O8", "O4"].contains(texts[text]) else {
        throw foreign("the dtype '\(texts[text].prefix(20))'")
      }
      try push(.dtype)
    case .encode:
      guard arguments.count == 2, case .text(let text) = arguments[0], case .text(let encoding) = arguments[1],
        texts[encoding] == "latin1"
      else { throw foreign("a call of _codecs.encode for anything but latin1") }
      try push(.text(text))
    case .ndarray: throw RNNError.unsupported("the pickle calls numpy.ndarray, which is never run")
    }
  }

  mutating func build() throws {
    let operands = try pop(2)
    guard case .tuple(let index) = operands[1] else { throw PickleMachine.damaged("a state that is no tuple") }
    switch operands[0] {
    // What follows of a dtype is its byte order and size.
    case .dtype: break
    case .array:
      let parts = tuples[index]
      guard state == nil, parts.count == 5, case .integer = parts[0], case .tuple(let shape) = parts[1],
        case .dtype = parts[2], case .list(let list) = parts[4]
      else { throw PickleMachine.damaged("the state of the array is not that of an object array") }
      let dimensions = tuples[shape]
      guard dimensions.count == 1 else {
        throw RNNError.unsupported("the array has \(dimensions.count) dimensions, expected one of lists of ints")
      }
      guard case .integer(let count) = dimensions[0] else { throw PickleMachine.damaged("a dimension is no int") }
      state = (count, list)
    case .null, .bool, .integer, .text, .tuple, .list, .name:
      throw PickleMachine.damaged("a state for something that has none")
    }
    try push(operands[0])
  }

  /// STOP: the array must be all there is.
  mutating func result() throws -> RaggedIntegers {
    guard case .array = try pop(1)[0] else { throw RNNError.unsupported("the pickle holds no array") }
    guard let state else { throw PickleMachine.damaged("the array has no content") }
    guard position == bytes.count else { throw PickleMachine.damaged("something follows it") }
    let limit = RaggedPickle.freeExpansion + 16 * bytes.count
    let rows = try lists.rows(of: state.list, limit: limit)
    guard rows.count == state.count else {
      throw PickleMachine.damaged("its array has \(rows.count) rows, its shape says \(state.count)")
    }
    return rows
  }
}
