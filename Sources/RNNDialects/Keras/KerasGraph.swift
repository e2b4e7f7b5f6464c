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
    if let object = value.object { return try object.members.flatMap { try list($0.value) } }
    throw RNNError.badData("the model's inputs or outputs are \(value.kind)")
  }
}

/// One call of a layer.
struct KerasNode {
  var inputs: [KerasTensor]
  /// The mask that the call is given by name.
  var mask: KerasTensor?

  /// The nodes of a layer, in any generation's form.
  static func parse(_ value: JSONValue?) throws -> [KerasNode] {
    guard let nodes = value?.array else { throw RNNError.badData("'inbound_nodes' is missing") }
    return try nodes.map { node in
      if node.object != nil { return try keras3(node) }
      if let elements = node.array { return try keras2(elements) }
      throw RNNError.badData("'inbound_nodes' holds \(node.kind)")
    }
  }

  /// `[["a", 0, 0, {}], ["b", 0, 0, {}]]`
  private static func keras2(_ elements: [JSONValue]) throws -> KerasNode {
    let inputs = try elements.map { element in
      guard let parts = element.array, let tensor = KerasTensor(triple: parts) else {
        throw RNNError.unsupported("a call with something else than layers' outputs")
      }
      if parts.count > 3 { try checkNeutral(parts[3]) }
      return tensor
    }
    return KerasNode(inputs: inputs)
  }

  /// `{"args": [tensor or list of tensors], "kwargs": {...}}`
  private static func keras3(_ node: JSONValue) throws -> KerasNode {
    var inputs: [KerasTensor] = []
    for argument in node["args"]?.array ?? [] {
      for value in argument.array ?? [argument] where !value.isNull {
        guard let tensor = KerasTensor(keras3: value) else {
          throw RNNError.unsupported("a call with \(value["class_name"]?.string ?? value.kind) as an argument")
        }
        inputs.append(tensor)
      }
    }
    var rest: [(String, JSONValue)] = []
    var mask: KerasTensor?
    for member in node["kwargs"]?.object?.members ?? [] {
      if member.key == "mask", let tensor = KerasTensor(keras3: member.value) {
        mask = tensor
        continue
      }
      guard member.key == "initial_state", !member.value.isNull else {
        rest.append((member.key, member.value))
        continue
      }
      // One state may stand alone, several stand in a list.
      let states = member.value.array ?? [member.value]
      inputs += try states.map { state in
        guard let tensor = KerasTensor(keras3: state) else {
          throw RNNError.unsupported("an initial state that is no layer's output")
        }
        return tensor
      }
    }
    try checkNeutral(.object(JSONObject(rest)))
    return KerasNode(inputs: inputs, mask: mask)
  }

  /// Keyword arguments of a call that change nothing when a trained model runs.
  private static func checkNeutral(_ keywords: JSONValue) throws {
    for member in keywords.object?.members ?? [] {
      let isNeutral = member.value.isNull || (member.key == "training" && member.value != true)
      guard isNeutral else {
        throw RNNError.unsupported(
          "the layer is called with the argument \(member.key)=\(member.value.text()), which is not supported",
          remedy: "Build the model without it.")
      }
    }
  }
}

/// Puts the calls of a functional model into an order in which they can run.
struct KerasGraph {
  let layers: [ModelSpec.Layer]
  let nodes: [[KerasNode]]
  /// For each call in the order that was found, the mask that it is given by name.
  private(set) var masks: [KerasTensor?] = []
  private var callIndex: [KerasTensor: Int] = [:]
  private var layerIndex: [String: Int] = [:]

  init(layers: [ModelSpec.Layer], nodes: [[KerasNode]]) {
    self.layers = layers
    self.nodes = nodes
    for (index, layer) in layers.enumerated() { layerIndex[layer.name] = index }
  }

  /// - Throws: `badData` where a call refers to nothing or to itself.
  mutating func order() throws -> [ModelSpec.Call] {
    var calls: [ModelSpec.Call] = []
    var pending = nodes.enumerated().flatMap { layer, nodes in
      nodes.indices.map { (layer: layer, node: $0) }
    }
    while !pending.isEmpty {
      var waiting: [(layer: Int, node: Int)] = []
      for item in pending {
        let inputs = nodes[item.layer][item.node].inputs
        let references = inputs.compactMap { try? reference($0) }
        guard references.count == inputs.count else {
          waiting.append(item)
          continue
        }
        callIndex[KerasTensor(layer: layers[item.layer].name, node: item.node, output: 0)] = calls.count
        calls.append(ModelSpec.Call(layer: item.layer, inputs: references))
        masks.append(nodes[item.layer][item.node].mask)
      }
      guard waiting.count < pending.count else {
        let names = waiting.map { "'\(layers[$0.layer].name)'" }.joined(separator: ", ")
        throw RNNError.badData("the inputs of the layers \(names) come from nowhere, or from themselves")
      }
      pending = waiting
    }
    return calls
  }

  func reference(_ tensor: KerasTensor) throws -> ModelSpec.Reference {
    guard let layer = layerIndex[tensor.layer] else {
      throw RNNError.badData("the layer '\(tensor.layer)' is referred to, but not described")
    }
    // A layer that was called elsewhere too keeps the number it had there; with one call there is no doubt.
    let node = nodes[layer].count == 1 ? 0 : tensor.node
    guard let call = callIndex[KerasTensor(layer: tensor.layer, node: node, output: 0)] else {
      throw RNNError.badData("the call \(tensor.node) of the layer '\(tensor.layer)' is referred to, but not described")
    }
    return ModelSpec.Reference(call: call, output: tensor.output)
  }
}
