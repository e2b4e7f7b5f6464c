import RNNCore

/// A graph written as a Keras configuration; models inside it, too.
struct KerasGraphWriting {
  private let spec: ModelSpec
  private let layers: KerasLayerWriting
  private let name: String
  private let shapes: [[Shape]]

  init(_ spec: ModelSpec, _ layers: KerasLayerWriting, name: String) throws {
    self.spec = spec
    self.layers = layers
    self.name = name
    shapes = try spec.shapes().outputs
  }

  /// The `config` of a Sequential or functional model.
  func config() throws -> JSONObject {
    if spec.isSequential {
      var entries = try spec.layers.map { try layers.listedEntry(of: $0) }
      if layers.firstLayersStateTheirInput, entries.count > 1, spec.layers[1].spec.kind != .model,
        let shape = entries[0]["config"]?["batch_input_shape"], var config = entries[1]["config"]?.object
      {
        config["batch_input_shape"] = shape
        entries[1]["config"] = .object(config)
      }
      return JSONObject([("name", .string(name)), ("layers", .array(entries.map(JSONValue.object)))])
    }
    let entries = try spec.layers.enumerated().map { index, layer -> JSONValue in
      var entry = try layers.listedEntry(of: layer)
      entry["name"] = .string(layer.name)
      let nodes = try spec.calls.filter { $0.layer == index && !$0.inputs.isEmpty }.map { try node($0, layer.spec) }
      entry["inbound_nodes"] = .array(nodes)
      // In Keras 3's own form, what says nothing of training is an operation.
      if nodes.contains(where: { $0.object != nil }), var config = entry["config"]?.object {
        config["trainable"] = .bool(layer.isTrainable)
        entry["config"] = .object(config)
      }
      return .object(entry)
    }
    return JSONObject([
      ("name", .string(name)), ("layers", .array(entries)),
      ("input_layers", ends(spec.inputs.map { .init(call: $0) })), ("output_layers", ends(spec.outputs)),
    ])
  }

  private func ends(_ references: [ModelSpec.Reference]) -> JSONValue {
    let triples = references.map { triple($0, keywords: false, isOutput: true) }
    return triples.count == 1 && layers.tellsOneFromList ? triples[0] : .array(triples)
  }

  /// A call: the list that every version reads, or where tensors go to arguments, Keras 3's own form.
  private func node(_ call: ModelSpec.Call, _ layer: LayerSpec) throws -> JSONValue {
    guard layers.generation == .keras3 else { return try oldNode(call, layer) }
    let tensors = call.inputs.map(tensor)
    if layer.takesInitialStates, tensors.count > 1 {
      let states = ofCells(Array(tensors.dropFirst()), layer)
      return ["args": [tensors[0]], "kwargs": ["initial_state": .array(states)]]
    }
    if case .multiHeadAttention(let spec) = layer {
      var words = keywords(spec.isCausal, spec.returnsScores)
      if spec.takesMask { words["attention_mask"] = tensors.last }
      return ["args": .array(Array(tensors.dropLast(spec.takesMask ? 1 : 0))), "kwargs": .object(words)]
    }
    if case .attention(let spec) = layer {
      return ["args": [.array(tensors)], "kwargs": .object(keywords(spec.isCausal, spec.returnsScores))]
    }
    return .array(call.inputs.map { triple($0, keywords: true) })
  }

  private func keywords(_ isCausal: Bool, _ returnsScores: Bool) -> JSONObject {
    var words = JSONObject()
    if isCausal { words["use_causal_mask"] = true }
    if returnsScores { words["return_attention_scores"] = true }
    return words
  }

  private func oldNode(_ call: ModelSpec.Call, _ layer: LayerSpec) throws -> JSONValue {
    var words = JSONObject()
    var inputs = call.inputs
    if case .multiHeadAttention(let spec) = layer {
      words = keywords(spec.isCausal, spec.returnsScores)
      if spec.takesMask { words["attention_mask"] = triple(inputs.removeLast(), keywords: false) }
      words["value"] = triple(inputs[1], keywords: false)
      if inputs.count > 2 { words["key"] = triple(inputs[2], keywords: false) }
      inputs = [inputs[0]]
    } else if case .attention(let spec) = layer {
      words = keywords(spec.isCausal, spec.returnsScores)
    }
    let tensors = inputs.map { reference in
      var parts = triple(reference, keywords: false).array ?? []
      parts.append(.object(words))
      return JSONValue.array(parts)
    }
    return .array(tensors.prefix(1) + ofCells(Array(tensors.dropFirst()), layer))
  }

  /// The states of several cells, those of each in a list, unless it has one alone.
  private func ofCells(_ states: [JSONValue], _ layer: LayerSpec) -> [JSONValue] {
    guard case .stackedRNN(let stack) = layer, stack.stateCount == states.count, layers.generation != .keras1 else {
      return states
    }
    var rest = states[...]
    let cells = stack.reversesStates ? stack.cells.reversed() : stack.cells
    return cells.map { cell in
      let own = rest.prefix(cell.spec.stateCount)
      rest = rest.dropFirst(own.count)
      return own.count == 1 ? own[own.startIndex] : .array(Array(own))
    }
  }

  private func tensor(_ reference: ModelSpec.Reference) -> JSONValue {
    let shape = [nil] + shapes[reference.call][reference.output]
    return [
      "class_name": "__keras_tensor__",
      "config": [
        "shape": .array(shape.map { $0.map(JSONValue.integer) ?? .null }), "dtype": "float32",
        "keras_history": triple(reference, keywords: false),
      ],
    ]
  }

  /// `["layer", call, output]`, the call counted among those of its layer. A model inside has one call more, that which
  /// made it.
  private func triple(_ reference: ModelSpec.Reference, keywords: Bool, isOutput: Bool = false) -> JSONValue {
    let layer = spec.calls[reference.call].layer
    var node = spec.calls[..<reference.call].filter { $0.layer == layer }.count
    if case .model(let nested) = spec.layers[layer].spec {
      switch layers.generation {
      case .keras1, .keras2: node += 1
      case .keras3: if isOutput, !nested.model.isSequential { node += 1 }
      }
    }
    let parts: [JSONValue] = [.string(spec.layers[layer].name), .integer(node), .integer(reference.output)]
    return .array(keywords ? parts + [.object(JSONObject())] : parts)
  }
}
