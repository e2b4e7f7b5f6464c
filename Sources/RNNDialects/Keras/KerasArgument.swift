import RNNCore

/// A tensor in a functional configuration: layer, number of the call, number of the output.
struct KerasTensor: Hashable {
  var layer: String
  var node: Int
  var output: Int

  /// `["name", 0, 0]`, with or without keyword arguments behind.
  init?(triple: [JSONValue]) {
    guard triple.count >= 3, let layer = triple[0].string, let node = triple[1].integer, let output = triple[2].integer
    else { return nil }
    self.init(layer: layer, node: node, output: output)
  }

  init(layer: String, node: Int, output: Int) {
    self.layer = layer
    self.node = node
    self.output = output
  }

  /// `{"class_name": "__keras_tensor__", "config": {"keras_history": ["name", 0, 0]}}`
  init?(keras3 value: JSONValue) {
    guard value["class_name"]?.string == "__keras_tensor__",
      let history = value["config"]?["keras_history"]?.array
    else { return nil }
    self.init(triple: history)
  }

  /// `input_layers` and `output_layers`: one triple, a list of triples, or a dictionary of triples.
  static func list(_ value: JSONValue?) throws -> [KerasTensor] {
    guard let value else { throw RNNError.badData("the model's inputs or outputs are missing") }
    if let elements = value.array {
      if let single = KerasTensor(triple: elements) { return [single] }
      return try elements.flatMap { try list($0) }
    }
    // A dictionary of outputs is flattened in the order of its keys, as its tensors are.
    if let object = value.object {
      return try object.members.sorted { $0.key < $1.key }.flatMap { try list($0.value) }
    }
    throw RNNError.badData("the model's inputs or outputs are \(value.kind)")
  }
}

/// What a layer is called with: a tensor, several, or something that a file states.
indirect enum KerasArgument {
  case tensor(KerasTensor)
  case list([KerasArgument])
  case value(JSONValue)

  /// All tensors, in order.
  var tensors: [KerasTensor] {
    switch self {
    case .tensor(let tensor): [tensor]
    case .list(let elements): elements.flatMap(\.tensors)
    case .value: []
    }
  }

  var value: JSONValue? {
    if case .value(let value) = self { return value }
    return nil
  }

  var isNull: Bool { value?.isNull ?? false }

  /// The single tensor that this is.
  var tensor: KerasTensor? {
    if case .tensor(let tensor) = self { return tensor }
    return nil
  }
}

/// One call of a layer, as a file describes it.
struct KerasCall {
  var arguments: [KerasArgument]
  var keywords: [(name: String, argument: KerasArgument)] = []

  /// Every tensor that the call mentions.
  var tensors: [KerasTensor] { arguments.flatMap(\.tensors) + keywords.flatMap(\.argument.tensors) }

  /// The calls of a layer, in any generation's form.
  /// - Parameter layers: the names of the model's layers, by which tensors among keyword arguments are known.
  static func parse(_ value: JSONValue?, layers: Set<String>) throws -> [KerasCall] {
    guard let nodes = value?.array else { throw RNNError.badData("'inbound_nodes' is missing") }
    return try nodes.map { node in
      if node.object != nil { return keras3(node) }
      if let elements = node.array { return try keras2(elements, layers) }
      throw RNNError.badData("'inbound_nodes' holds \(node.kind)")
    }
  }

  /// `[["a", 0, 0, {}], ["b", 0, 0, {}]]`; TensorFlow's lambdas of one tensor leave one bracket out.
  private static func keras2(_ elements: [JSONValue], _ layers: Set<String>) throws -> KerasCall {
    if elements.first?.string != nil {
      return try KerasCall(arguments: [element(elements)], keywords: keywords(of: elements, layers))
    }
    var tensors: [KerasArgument] = []
    for each in elements {
      guard let parts = each.array else {
        throw RNNError.unsupported("a call with something else than layers' outputs")
      }
      tensors.append(try element(parts))
    }
    // Every element repeats the keywords.
    let words = try keywords(of: elements.first?.array ?? [], layers)
    return KerasCall(arguments: tensors.count == 1 ? tensors : [.list(tensors)], keywords: words)
  }

  /// `["a", 0, 0, {}]`, `["_CONSTANT_VALUE", -1, 1.0, {}]`, or a list of such.
  private static func element(_ parts: [JSONValue]) throws -> KerasArgument {
    if parts.first?.array != nil {
      return .list(
        try parts.map { part in
          guard let inner = part.array else { throw RNNError.badData("'inbound_nodes' holds \(part.kind)") }
          return try element(inner)
        })
    }
    if parts.first?.string == "_CONSTANT_VALUE", parts.count >= 3 { return .value(parts[2]) }
    guard let tensor = KerasTensor(triple: parts) else {
      throw RNNError.unsupported("a call with something else than layers' outputs")
    }
    return .tensor(tensor)
  }

  private static func keywords(
    of parts: [JSONValue], _ layers: Set<String>
  ) throws -> [(name: String, argument: KerasArgument)] {
    guard parts.count > 3, let object = parts[3].object else { return [] }
    func argument(_ value: JSONValue) -> KerasArgument {
      guard let elements = value.array else { return .value(value) }
      if elements.count == 3, let tensor = KerasTensor(triple: elements), layers.contains(tensor.layer) {
        return .tensor(tensor)
      }
      let inner = elements.map(argument)
      return inner.contains { !$0.tensors.isEmpty } ? .list(inner) : .value(value)
    }
    return object.members.map { ($0.key, argument($0.value)) }
  }

  /// `{"args": [...], "kwargs": {...}}`
  private static func keras3(_ node: JSONValue) -> KerasCall {
    func argument(_ value: JSONValue) -> KerasArgument {
      if let tensor = KerasTensor(keras3: value) { return .tensor(tensor) }
      if let elements = value.array {
        let inner = elements.map(argument)
        return inner.contains { !$0.tensors.isEmpty } ? .list(inner) : .value(value)
      }
      // Inputs by name go in the order of the names.
      if let object = value.object, object["class_name"] == nil {
        let inner = object.members.sorted { $0.key < $1.key }.map { argument($0.value) }
        return inner.contains { !$0.tensors.isEmpty } ? .list(inner) : .value(value)
      }
      return .value(value)
    }
    return KerasCall(
      arguments: (node["args"]?.array ?? []).map(argument),
      keywords: (node["kwargs"]?.object?.members ?? []).map { ($0.key, argument($0.value)) })
  }
}
