import RNNCore

/// A model's architecture as a Keras JSON describes it, translated but not yet met with weights.
struct KerasArchitecture {
  /// A layer and what its file says beside its specification.
  struct Layer {
    var className: String
    var layer: ModelSpec.Layer
    /// Whether the configuration states GRU's `reset_after`.
    var statesResetAfter: Bool
  }

  var name: String
  var isSequential: Bool
  var layers: [Layer]
  var calls: [ModelSpec.Call]
  var inputs: [Int]
  var outputs: [ModelSpec.Reference]
  /// The first layer's input where nothing states it; the weights then tell.
  var lacksInputShape = false
  var ledger: [LedgerEntry] = []

  var spec: ModelSpec {
    ModelSpec(
      name: name, isSequential: isSequential, layers: layers.map(\.layer), calls: calls, inputs: inputs,
      outputs: outputs)
  }

  /// - Parameter json: `model_config`, `config.json` or `model.to_json()`.
  init(_ json: JSONValue, era: KerasEra) throws {
    guard let className = json["class_name"]?.string, let config = json["config"] else {
      throw RNNError.badData(
        "the JSON describes no Keras model: 'class_name' and 'config' are missing",
        remedy: "Give the text of model.to_json().")
    }
    switch className {
    case "Sequential": try self.init(sequential: config, json: json, era: era)
    case "Model", "Functional": try self.init(functional: config, era: era)
    default:
      throw RNNError.unsupported(
        "the model is of the class '\(className)'; supported are Sequential and functional models",
        remedy: "Save it from a Sequential or functional model.")
    }
  }

  // MARK: - Layers

  /// A configuration's layer list.
  /// - Throws: the first error of damage, or one error naming every layer that is not supported.
  private static func layers(
    _ entries: [JSONValue], era: KerasEra, ledger: inout [LedgerEntry]
  ) throws -> [Layer] {
    var layers: [Layer] = []
    var refusals: [RNNError] = []
    for entry in entries {
      do {
        layers.append(try layer(entry, era: era, ledger: &ledger))
      } catch let error as RNNError where error.reason == .unsupported {
        refusals.append(error)
      }
    }
    guard let first = refusals.first else { return layers }
    guard refusals.count > 1 else { throw first }
    throw RNNError.unsupported(refusals.map(\.description).joined(separator: "; "))
  }

  /// One entry of a layer list.
  private static func layer(_ entry: JSONValue, era: KerasEra, ledger: inout [LedgerEntry]) throws -> Layer {
    guard let className = entry["class_name"]?.string, let config = entry["config"]?.object else {
      throw RNNError.badData("a layer without 'class_name' and 'config'")
    }
    let name = (config["name"] ?? entry["name"])?.string ?? ""
    return try locating("layer '\(name)' (\(className))") {
      if let registered = entry["registered_name"]?.string, registered != className {
        throw RNNError.unsupported("the custom class '\(registered)' is not supported")
      }
      guard let kind = KerasClasses.kind(of: className) else {
        throw RNNError.unsupported("the layer class '\(className)' is not supported")
      }
      var reader = KerasConfigReader(className: className, layerName: name, config: config, era: era)
      let spec = try KerasLayerReading.spec(kind, &reader)
      var carried = try reader.finish()
      if let policy = KerasDType.name(config["dtype"]), KerasDType.isHalfOrDouble(policy), kind != .input {
        carried["dtype"] = .string(policy)
        ledger.append(
          LedgerEntry(.carried, name, "dtype policy \(policy): weights keep their dtype, arithmetic is float32"))
      }
      ledger += KerasCustomObjects.mentions(in: carried).map {
        LedgerEntry(.carried, name, "\($0.key) '\($0.name)' is custom; kept as text, inference does not need it")
      }
      return Layer(
        className: className,
        layer: ModelSpec.Layer(
          name: name, spec: spec, isTrainable: config["trainable"]?.bool ?? true,
          carried: carried.isEmpty ? nil : JSONValue.object(carried).text()),
        statesResetAfter: config["reset_after"] != nil)
    }
  }

  /// The shape of one example from a `batch_shape` or its older names, and the batch size.
  private static func inputShape(_ config: JSONObject?) throws -> (batch: Int?, shape: Shape)? {
    guard let config else { return nil }
    if let dimensions = (config["batch_shape"] ?? config["batch_input_shape"])?.array {
      let sizes = try dimensions.map(dimension)
      guard let batch = sizes.first else { return nil }
      return (batch, Array(sizes.dropFirst()))
    }
    if let dimensions = (config["input_shape"] ?? config["shape"])?.array {
      return (nil, try dimensions.map(dimension))
    }
    return nil
  }

  private static func dimension(_ value: JSONValue) throws -> Int? {
    if value.isNull { return nil }
    guard let size = value.integer else { throw RNNError.badData("the input shape holds \(value.kind)") }
    try SizeLimit.check(size, "an axis of the input", atLeast: 0)
    return size
  }
}

// MARK: - Sequential

extension KerasArchitecture {
  private init(sequential config: JSONValue, json: JSONValue, era: KerasEra) throws {
    guard let entries = config.array ?? config["layers"]?.array, !entries.isEmpty else {
      throw RNNError.badData("the Sequential model has no layers")
    }
    name = config["name"]?.string ?? "sequential"
    isSequential = true
    layers = []
    calls = []
    inputs = [0]
    outputs = []
    layers = try KerasArchitecture.layers(entries, era: era, ledger: &ledger)
    let first = entries[0]["config"]?.object
    let stated =
      try KerasArchitecture.inputShape(first)
      ?? KerasArchitecture.buildShape(config["build_input_shape"])
      ?? KerasArchitecture.buildShape(json["build_config"]?["input_shape"])
      ?? KerasArchitecture.buildShape(entries[0]["build_config"]?["input_shape"])
    try placeInput(stated, first: first, era: era)
    // Only one layer of a chain can be its input.
    for layer in layers.dropFirst() where layer.layer.spec.kind == .input {
      throw RNNError.badData("a second input inside a Sequential model", at: "layer '\(layer.layer.name)'")
    }
    calls = layers.indices.map { ModelSpec.Call(layer: $0, inputs: $0 == 0 ? [] : [.init(call: $0 - 1)]) }
    outputs = [.init(call: layers.count - 1)]
  }

  /// Makes the first layer an input of the stated shape, adding one where the configuration has none.
  private mutating func placeInput(
    _ stated: (batch: Int?, shape: Shape)?, first: JSONObject?, era: KerasEra
  ) throws {
    if case .input(var input) = layers[0].layer.spec {
      guard let stated else {
        throw RNNError.badData("the input's shape is missing", at: "layer '\(layers[0].layer.name)'")
      }
      (input.batchSize, input.shape) = stated
      layers[0].layer.spec = .input(input)
      return
    }
    let isEmbedding = layers[0].layer.spec.kind == .embedding
    // `dtype` of Keras 2.0's Embedding is that of its input; the table is float32 all the same.
    let dtype = (first?["input_dtype"] ?? first?["dtype"]).flatMap { KerasDType.name($0) }
    var input = InputSpec(shape: [], dtype: isEmbedding ? "int32" : dtype ?? "float32")
    if let stated {
      (input.batchSize, input.shape) = stated
    } else if isEmbedding {
      input.shape = [first?["input_length"]?.integer]
    } else {
      lacksInputShape = true
    }
    layers.insert(
      Layer(
        className: "InputLayer",
        layer: ModelSpec.Layer(name: layers[0].layer.name + "_input", spec: .input(input)), statesResetAfter: false),
      at: 0)
  }

  private static func buildShape(_ value: JSONValue?) throws -> (batch: Int?, shape: Shape)? {
    guard let dimensions = value?.array, let batch = dimensions.first else { return nil }
    return (try dimension(batch), try dimensions.dropFirst().map(dimension))
  }
}

// MARK: - Functional

extension KerasArchitecture {
  private init(functional config: JSONValue, era: KerasEra) throws {
    guard var entries = config["layers"]?.array else {
      throw RNNError.badData(
        "the model describes no layers: it is a subclassed model, whose architecture only its code knows",
        remedy: "Build the same network as a Sequential or functional model and save that.")
    }
    name = config["name"]?.string ?? "model"
    isSequential = false
    layers = []
    calls = []
    inputs = []
    outputs = []
    let masks = KerasMasks(takingFrom: &entries)
    var nodes: [[KerasNode]] = []
    for (entry, layer) in zip(entries, try KerasArchitecture.layers(entries, era: era, ledger: &ledger)) {
      var layer = layer
      try locating("layer '\(layer.layer.name)'") {
        if case .input(var input) = layer.layer.spec {
          guard let stated = try KerasArchitecture.inputShape(entry["config"]?.object) else {
            throw RNNError.badData("the input's shape is missing")
          }
          (input.batchSize, input.shape) = stated
          layer.layer.spec = .input(input)
        }
        nodes.append(
          layer.layer.spec.kind == .input ? [KerasNode(inputs: [])] : try KerasNode.parse(entry["inbound_nodes"]))
      }
      layers.append(layer)
    }
    var graph = KerasGraph(layers: layers.map(\.layer), nodes: nodes)
    calls = try graph.order()
    for (call, mask) in zip(calls, graph.masks) { try masks.check(mask, of: call, calls, graph) }
    if era.generation == .keras3 { ignoreMasksBesideStates() }
    inputs = try KerasTensor.list(config["input_layers"]).map { try graph.reference($0).call }
    outputs = try KerasTensor.list(config["output_layers"]).map { try graph.reference($0) }
    guard !outputs.isEmpty else { throw RNNError.badData("the model has no outputs") }
  }

  /// Keras 3 hands masks to the arguments `<tensor argument>_mask` of a layer that is called with several tensors, and
  /// no recurrent layer has these (`keras/src/layers/layer.py`, `__call__`): with an initial state, masks are not seen.
  private mutating func ignoreMasksBesideStates() {
    for call in calls where call.inputs.count > 1 {
      layers[call.layer].layer.spec.ignoreMask()
    }
  }
}
