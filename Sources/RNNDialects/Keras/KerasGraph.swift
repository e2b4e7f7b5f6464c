import RNNCore

/// Puts the calls of a functional model into an order in which they can run.
struct KerasGraph {
  let era: KerasEra
  private(set) var layers: [ModelSpec.Layer] = []
  private(set) var notes: [KerasLayerNote] = []
  private(set) var calls: [ModelSpec.Call] = []
  private(set) var ledger: [LedgerEntry] = []
  private(set) var texts: [KerasText] = []

  private(set) var nodes: [[KerasCall]] = []
  private(set) var layerIndex: [String: Int] = [:]
  /// The configuration's calls by those that came of them.
  private(set) var nodesOfCalls: [Int: KerasRunOrder.Node] = [:]
  private var callIndex: [KerasTensor: Int] = [:]
  private var masks = KerasMasks()
  /// The layers that are operations in the file.
  private var operations: Set<Int> = []

  init(era: KerasEra) {
    self.era = era
  }

  // MARK: - Reading

  /// - Parameter entries: the configuration's layers.
  /// - Throws: `badData` for damage, `unsupported` naming every layer that is not carried.
  mutating func read(_ entries: [JSONValue]) throws {
    let names = Set(entries.compactMap { ($0["name"] ?? $0["config"]?["name"])?.string })
    var reader = KerasLayerReader(era: era)
    var refusals: [RNNError] = []
    for entry in entries {
      do {
        try read(entry, names, &reader)
      } catch let error as RNNError where error.reason == .unsupported {
        refusals.append(error)
      }
    }
    ledger = reader.ledger
    texts = reader.texts
    if let first = refusals.first {
      throw refusals.count == 1 ? first : RNNError.unsupported(refusals.map(\.description).joined(separator: "; "))
    }
    for (index, layer) in layers.enumerated() { layerIndex[layer.name] = index }
    // A tensor that is only compared to make a mask is no part of the arithmetic.
    masks.setAside(names: layers.map(\.name), nodes: nodes)
  }

  private mutating func read(_ entry: JSONValue, _ names: Set<String>, _ reader: inout KerasLayerReader) throws {
    let name = (entry["config"]?["name"] ?? entry["name"])?.string ?? ""
    if KerasOperations.isOperation(entry) {
      let className = entry["class_name"]?.string ?? ""
      try locating("layer '\(name)' (\(className))") {
        let found = try KerasCall.parse(entry["inbound_nodes"], layers: names)
        guard let first = found.first else { throw RNNError.badData("the operation is never called") }
        guard found.count == 1 else { throw RNNError.unsupported("an operation that is called more than once") }
        let operation = try KerasOperations.read(entry, first, era)
        operations.insert(layers.count)
        append(
          ModelSpec.Layer(name: name, spec: operation.spec), KerasLayerNote(className: className), [operation.call])
        masks.add(name, entry, first)
      }
      return
    }
    var (layer, note) = try reader.layer(entry)
    let place = "layer '\(layer.name)'"
    try locating(place) {
      if case .input(var input) = layer.spec {
        guard let stated = try KerasArchitecture.inputShape(entry["config"]?.object) else {
          throw RNNError.badData("the input's shape is missing")
        }
        (input.batchSize, input.shape) = stated
        layer.spec = .input(input)
        append(layer, note, [KerasCall(arguments: [])])
        return
      }
      let found = try KerasCall.parse(entry["inbound_nodes"], layers: names)
      // Keras 1's merging of the calls of one layer is what `node_indices` says; its calls say the same.
      append(layer, note, found)
    }
  }

  private mutating func append(_ layer: ModelSpec.Layer, _ note: KerasLayerNote, _ found: [KerasCall]) {
    layers.append(layer)
    notes.append(note)
    nodes.append(found)
  }

  // MARK: - Order

  /// - Parameter outputs: of the model.
  /// - Throws: `badData` where a call refers to nothing or to itself, `unsupported` for arguments that are not carried.
  mutating func order(outputs: [KerasTensor]) throws {
    var pending = nodes.enumerated().flatMap { layer, nodes in
      masks.isSetAside(layers[layer].name) ? [] : nodes.indices.map { (layer: layer, node: $0) }
    }
    // Each call is read as if it was the only one; what they say must be the same.
    let configured = layers.map(\.spec)
    var readings: [Int: LayerSpec] = [:]
    while !pending.isEmpty {
      var waiting: [(layer: Int, node: Int)] = []
      for item in pending {
        let name = layers[item.layer].name
        let isPlaced = try locating("layer '\(name)'") {
          let reading = try KerasCallReading(nodes[item.layer][item.node], of: configured[item.layer], era)
          guard reading.inputs.allSatisfy({ (try? reference($0)) != nil }) else { return false }
          if let before = readings[item.layer], before != reading.spec {
            throw RNNError.unsupported("its calls have different arguments")
          }
          guard try prepareMask(reading) else { return false }
          readings[item.layer] = reading.spec
          layers[item.layer].spec = reading.spec
          try place(reading, item)
          return true
        }
        if !isPlaced { waiting.append(item) }
      }
      guard waiting.count < pending.count else {
        throw unreachable(waiting)
      }
      pending = waiting
    }
    loseMasks(outputs: outputs)
    leaveOutUnused()
  }

  /// Why calls cannot be put into an order: their inputs are missing, or come from themselves.
  private func unreachable(_ waiting: [(layer: Int, node: Int)]) -> RNNError {
    let places = Set(waiting.map { KerasTensor(layer: layers[$0.layer].name, node: $0.node, output: 0) })
    let missing = waiting.flatMap { nodes[$0.layer][$0.node].tensors }.filter { tensor in
      (try? reference(tensor)) == nil && !masks.isSetAside(tensor.layer)
        && !places.contains { $0.layer == tensor.layer }
    }
    guard let first = missing.first else {
      let names = waiting.map { "'\(layers[$0.layer].name)'" }.joined(separator: ", ")
      return .badData("the layers \(names) wait for each other in a cycle, or for a call that does not exist")
    }
    guard layerIndex[first.layer] != nil else {
      return .badData("the layer '\(first.layer)' is referred to, but not described")
    }
    return .badData(
      "the call \(first.node) of the layer '\(first.layer)' is referred to, but not described")
  }

  /// What was set aside for masks, and which no mask needed in the end, is no layer.
  private mutating func leaveOutUnused() {
    let called = Set(calls.map(\.layer))
    let kept = layers.indices.filter { called.contains($0) || !masks.isSetAside(layers[$0].name) }
    guard kept.count < layers.count else { return }
    let places = Dictionary(uniqueKeysWithValues: kept.enumerated().map { ($1, $0) })
    for index in calls.indices { calls[index].layer = places[calls[index].layer] ?? 0 }
    // The layers that were added have no calls in the configuration.
    nodes = kept.map { nodes.indices.contains($0) ? nodes[$0] : [] }
    layers = kept.map { layers[$0] }
    notes = kept.map { notes[$0] }
    layerIndex = layerIndex.compactMapValues { places[$0] }
  }

  private mutating func place(_ reading: KerasCallReading, _ item: (layer: Int, node: Int)) throws {
    var inputs = try reading.inputs.map { try reference($0) }
    var own: ModelSpec.Reference?
    if let mask = reading.mask, let first = inputs.first,
      !masks.isImplied(mask, at: first, self)
    {
      own = first
      inputs[0] = add(.withMask(WithMaskSpec()), "mask", [first, try reference(mask)])
    }
    let key = KerasTensor(layer: layers[item.layer].name, node: item.node, output: 0)
    calls.append(ModelSpec.Call(layer: item.layer, inputs: inputs))
    callIndex[key] = calls.count - 1
    nodesOfCalls[calls.count - 1] = KerasRunOrder.Node(layer: item.layer, node: item.node)
    // Masks end at every operation, whatever layer it comes to.
    let configuration = layers[item.layer].spec.configuration
    if operations.contains(item.layer), configuration.keepsMask || configuration is ConcatenateSpec {
      callIndex[key] = add(.withoutMask(WithoutMaskSpec()), "mask", [.init(call: calls.count - 1)]).call
    }
    // What goes on behind the layer is the mask that its input has of itself.
    if let own, layers[item.layer].spec.configuration.keepsMask {
      callIndex[key] = add(.maskOf(MaskOfSpec()), "mask", [.init(call: calls.count - 1), own]).call
    }
  }

  /// Adds a layer that no configuration names.
  private mutating func add(
    _ spec: LayerSpec, _ name: String, _ inputs: [ModelSpec.Reference]
  ) -> ModelSpec.Reference {
    var number = layers.count
    while layers.contains(where: { $0.name == "\(name)_\(number)" }) { number += 1 }
    layers.append(ModelSpec.Layer(name: "\(name)_\(number)", spec: spec))
    notes.append(KerasLayerNote(className: spec.kind.rawValue))
    calls.append(ModelSpec.Call(layer: layers.count - 1, inputs: inputs))
    return ModelSpec.Reference(call: calls.count - 1)
  }

  /// Lets an input of a call have no mask.
  mutating func strip(_ call: Int, _ input: Int) {
    let reference = calls[call].inputs[input]
    // A call stands behind those that it reads.
    let stripped = add(.withoutMask(WithoutMaskSpec()), "mask", [reference])
    calls.insert(calls.removeLast(), at: call)
    func moved(_ index: Int) -> Int { index >= call ? index + 1 : index }
    for index in calls.indices where index != call {
      for place in calls[index].inputs.indices {
        calls[index].inputs[place].call = moved(calls[index].inputs[place].call)
      }
    }
    callIndex = callIndex.mapValues(moved)
    nodesOfCalls = Dictionary(uniqueKeysWithValues: nodesOfCalls.map { (moved($0.key), $0.value) })
    calls[call + 1].inputs[input] = ModelSpec.Reference(call: call, output: stripped.output)
  }

  /// Brings what makes a mask into the graph where the layer's input does not have it of itself.
  /// - Returns: whether everything that the mask needs is there already.
  private mutating func prepareMask(_ reading: KerasCallReading) throws -> Bool {
    guard let mask = reading.mask else { return true }
    if (try? reference(mask)) != nil { return true }
    guard masks.isSetAside(mask.layer) else { return false }
    if let first = reading.inputs.first, masks.isImplied(mask, at: try reference(first), self) { return true }
    return try run(mask)
  }

  /// Takes an operation that was set aside into the arithmetic.
  /// - Parameter waiting: the operations that wait for this one.
  private mutating func run(_ tensor: KerasTensor, waiting: Set<String> = []) throws -> Bool {
    if (try? reference(tensor)) != nil { return true }
    guard let layer = layerIndex[tensor.layer], masks.isSetAside(tensor.layer), let call = nodes[layer].first,
      !waiting.contains(tensor.layer)
    else { return false }
    for input in call.tensors {
      guard try run(input, waiting: waiting.union([tensor.layer])) else { return false }
    }
    calls.append(ModelSpec.Call(layer: layer, inputs: try call.arguments.flatMap(\.tensors).map { try reference($0) }))
    callIndex[KerasTensor(layer: tensor.layer, node: 0, output: 0)] = calls.count - 1
    return true
  }

  // MARK: - References

  /// - Parameter isOutput: whether the tensor stands among the model's outputs, where Keras 3 counts the calls of a
  ///   functional model from 1.
  func reference(_ tensor: KerasTensor, isOutput: Bool = false) throws -> ModelSpec.Reference {
    guard let layer = layerIndex[tensor.layer] else {
      throw RNNError.badData("the layer '\(tensor.layer)' is referred to, but not described")
    }
    let count = nodes[layer].count
    var node = tensor.node
    if layers[layer].spec.kind == .model {
      // Keras 1 and 2 count the call that made the model.
      let isCountedFromOne =
        switch era.generation {
        case .keras1, .keras2: true
        case .keras3: isOutput && notes[layer].className != "Sequential"
        }
      if isCountedFromOne { node &-= 1 }
    }
    // A layer that was called elsewhere too keeps the number it had there; with one call there is no doubt.
    if count == 1 { node = 0 }
    guard let call = callIndex[KerasTensor(layer: tensor.layer, node: node, output: 0)] else {
      throw RNNError.badData("the call \(tensor.node) of the layer '\(tensor.layer)' is referred to, but not described")
    }
    if layers[calls[call].layer].spec.kind == .maskOf, tensor.output > 0 {
      // Only the first output is masked; the others lie before that.
      return ModelSpec.Reference(call: calls[call].inputs[0].call, output: tensor.output)
    }
    return ModelSpec.Reference(call: call, output: tensor.output)
  }

  /// The reference, if the tensor is there already.
  func known(_ tensor: KerasTensor) -> ModelSpec.Reference? { try? reference(tensor) }
}

extension LayerSpec {
  /// Whether a call may give it states to begin with.
  var takesInitialStates: Bool { isRecurrent || kind == .bidirectional }

  /// Lets a recurrent layer, and those inside a wrapper, ignore masks.
  mutating func ignoreMasks() {
    ignoreMask()
    innerLayers = innerLayers.map { layer in
      var layer = layer
      layer.spec.ignoreMasks()
      return layer
    }
  }
}
