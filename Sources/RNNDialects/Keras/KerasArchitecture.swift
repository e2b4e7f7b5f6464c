import RNNCore

/// A model's architecture as a Keras JSON describes it, translated but not yet met with weights.
struct KerasArchitecture {
  var spec: ModelSpec
  /// By layer.
  var notes: [KerasLayerNote]
  /// The first layer's input where nothing states it; the weights then tell.
  var lacksInputShape = false
  var ledger: [LedgerEntry] = []
  /// The layers that read text, whose inputs are ids here.
  var texts: [KerasText] = []

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
    case _:
      throw RNNError.unsupported(
        "the model is of the class '\(className)'; supported are Sequential and functional models",
        remedy: "Save it from a Sequential or functional model.")
    }
    settleFixedBatch(era)
    try settleTextInputs()
  }

  /// Gives the inputs of layers that read text the shape of the ids.
  private mutating func settleTextInputs() throws {
    guard texts.count <= 1 else {
      throw RNNError.unsupported(
        "several layers that read text: " + texts.map { "'\($0.layer)'" }.joined(separator: ", "))
    }
    for index in texts.indices {
      try locating("layer '\(texts[index].layer)'") {
        guard let layer = spec.layers.firstIndex(where: { $0.name == texts[index].layer }),
          let call = spec.calls.first(where: { $0.layer == layer }), let source = call.inputs.first,
          case .input(var input) = spec.layers[spec.calls[source.call].layer].spec
        else { throw RNNError.unsupported("text that comes from another layer than an input") }
        guard input.shape.count <= 1 else {
          throw RNNError.unsupported("text of the shape \(describe(shape: [nil] + input.shape))")
        }
        let columns = input.shape.first.flatMap { $0 } ?? 1
        if columns > 1 {
          guard notes[layer].className == "StringLookup" else {
            throw RNNError.unsupported("TextVectorization over \(columns) columns")
          }
          // Each column is a word of its own; in a line of text, tabs stand between.
          (texts[index].rules.split, texts[index].rules.separator) = (nil, "\t")
        }
        let isLookup = notes[layer].className == "StringLookup"
        if isLookup, texts[index].counts == nil { texts[index].rules.length = columns }
        input.shape = [isLookup && texts[index].counts != .multiHot ? columns : texts[index].rules.length]
        if texts[index].rules.split == .whole, !isLookup { input.shape = [1] }
        input.dtype = "int32"
        spec.layers[spec.calls[source.call].layer].spec = .input(input)
      }
    }
  }

  /// Keras 2 runs a layer over steps otherwise where the batch is fixed.
  mutating func settleFixedBatch(_ era: KerasEra) {
    let isFixed = spec.layers.contains { layer in
      if case .input(let input) = layer.spec { input.batchSize != nil } else { false }
    }
    guard era.generation == .keras2, isFixed else { return }
    spec.layers = spec.layers.map { layer in
      guard case .timeDistributed(var wrapper) = layer.spec else { return layer }
      wrapper.masks = .around
      var changed = layer
      changed.spec = .timeDistributed(wrapper)
      return changed
    }
  }

  /// The architecture of a native model, to be filled with other weights.
  init(native spec: ModelSpec) {
    self.spec = spec
    notes = spec.layers.map { KerasLayerNote(native: $0) }
  }

  /// The shape of one example from a `batch_shape` or its older names, and the batch size.
  static func inputShape(_ config: JSONObject?) throws -> (batch: Int?, shape: Shape)? {
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
    let name = config["name"]?.string ?? "sequential"
    if entries[0]["class_name"]?.string == "Merge" {
      self = try KerasBranches.architecture(entries, name: name, era: era)
      return
    }
    var reader = KerasLayerReader(era: era)
    let read = try reader.layers(entries)
    spec = ModelSpec(
      name: name, isSequential: true, layers: read.map(\.layer), calls: [], inputs: [0], outputs: [])
    notes = read.map(\.note)
    ledger = reader.ledger
    texts = reader.texts
    let first = entries[0]["config"]?.object
    let stated =
      try KerasArchitecture.inputShape(first)
      ?? KerasArchitecture.inputShape(ofWrapped: entries[0])
      ?? KerasArchitecture.buildShape(config["build_input_shape"])
      ?? KerasArchitecture.buildShape(json["build_config"]?["input_shape"])
      ?? KerasArchitecture.buildShape(entries[0]["build_config"]?["input_shape"])
    try placeInput(stated, first: first, era: era)
    // Only one layer of a chain can be its input.
    for layer in spec.layers.dropFirst() where layer.spec.kind == .input {
      throw RNNError.badData("a second input inside a Sequential model", at: "layer '\(layer.name)'")
    }
    spec.calls = spec.layers.indices.map { ModelSpec.Call(layer: $0, inputs: $0 == 0 ? [] : [.init(call: $0 - 1)]) }
    joinRepeatedLayers()
    spec.outputs = [.init(call: spec.calls.count - 1)]
  }

  /// Keras 1 lets a layer stand in a Sequential twice; it is one layer, called twice.
  private mutating func joinRepeatedLayers() {
    var first: [String: Int] = [:]
    var kept: [Int] = []
    // For each layer its place among those that are kept; one without a name is no other's repetition.
    let places = spec.layers.enumerated().map { index, layer -> Int in
      if !layer.name.isEmpty, let known = first[layer.name] { return known }
      first[layer.name] = kept.count
      kept.append(index)
      return kept.count - 1
    }
    guard kept.count < spec.layers.count else { return }
    spec.calls = spec.calls.map { ModelSpec.Call(layer: places[$0.layer], inputs: $0.inputs) }
    spec.layers = kept.map { spec.layers[$0] }
    notes = kept.map { notes[$0] }
    spec.isSequential = false
  }

  /// A Sequential, or a model, as first layer has an input of its own.
  private static func inputShape(ofWrapped entry: JSONValue) throws -> (batch: Int?, shape: Shape)? {
    let config = entry["config"]
    if let layers = (config?.array ?? config?["layers"]?.array), let first = layers.first {
      return try inputShape(first["config"]?.object) ?? buildShape(config?["build_input_shape"])
        ?? inputShape(ofWrapped: first)
    }
    return nil
  }

  /// Makes the first layer an input of the stated shape, adding one where the configuration has none.
  private mutating func placeInput(
    _ stated: (batch: Int?, shape: Shape)?, first: JSONObject?, era: KerasEra
  ) throws {
    if case .input(var input) = spec.layers[0].spec {
      guard let stated else {
        throw RNNError.badData("the input's shape is missing", at: "layer '\(spec.layers[0].name)'")
      }
      (input.batchSize, input.shape) = stated
      spec.layers[0].spec = .input(input)
      return
    }
    let isEmbedding = spec.layers[0].spec.kind == .embedding
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
    spec.layers.insert(ModelSpec.Layer(name: spec.layers[0].name + "_input", spec: .input(input)), at: 0)
    notes.insert(KerasLayerNote(className: "InputLayer"), at: 0)
  }

  private static func buildShape(_ value: JSONValue?) throws -> (batch: Int?, shape: Shape)? {
    guard let dimensions = value?.array, let batch = dimensions.first else { return nil }
    guard dimensions.allSatisfy({ $0.isNull || $0.integer != nil }) else { return nil }
    return (try dimension(batch), try dimensions.dropFirst().map(dimension))
  }
}

// MARK: - Functional

extension KerasArchitecture {
  private init(functional config: JSONValue, era: KerasEra) throws {
    guard let entries = config["layers"]?.array else {
      throw RNNError.badData(
        "the model describes no layers: it is a subclassed model, whose architecture only its code knows",
        remedy: "Build the same network as a Sequential or functional model and save that.")
    }
    var graph = KerasGraph(era: era)
    try graph.read(entries)
    try graph.order(outputs: KerasTensor.list(config["output_layers"]))
    let inputs = try KerasTensor.list(config["input_layers"]).map { try graph.reference($0).call }
    let outputs = try KerasTensor.list(config["output_layers"]).map { try graph.reference($0, isOutput: true) }
    guard !outputs.isEmpty else { throw RNNError.badData("the model has no outputs") }
    spec = ModelSpec(
      name: config["name"]?.string ?? "model", isSequential: false, layers: graph.layers, calls: graph.calls,
      inputs: inputs, outputs: outputs)
    notes = graph.notes
    ledger = graph.ledger
    texts = graph.texts
  }
}

// MARK: - Inputs that only their use states

extension KerasArchitecture {
  /// Gives the models inside whose configuration states no input shape that of what comes in.
  /// - Parameter mistakesBias: whether the bias of a convolution with channels first goes over its steps where these are as
  ///   many as its filters, see `ChannelsFirstSpec`.
  /// - Throws: `badData` where a shape does not fit.
  static func settleInputs(
    _ spec: inout ModelSpec, _ notes: [KerasLayerNote], inputs: [Shape]? = nil, mistakesBias: Bool = false
  ) throws {
    try spec.checkCallCount()
    var outputs: [[Shape]] = []
    var settled: Set<Int> = []
    for (index, call) in spec.calls.enumerated() {
      try locating("layer '\(spec.layers[call.layer].name)'") {
        let sources = try call.inputs.map { reference -> Shape in
          guard outputs.indices.contains(reference.call), outputs[reference.call].indices.contains(reference.output)
          else { throw RNNError.badData("an input is no output of an earlier layer") }
          return outputs[reference.call][reference.output]
        }
        // The first call of a layer says what comes in; another shape is told where the model is checked.
        if settled.insert(call.layer).inserted {
          try settle(&spec.layers[call.layer].spec, notes[call.layer], sources, mistakesBias)
        }
        let given = spec.inputs.firstIndex(of: index).flatMap { place in inputs?[place] }
        outputs.append(try given.map { [$0] } ?? spec.layers[call.layer].spec.outputShapes(inputs: sources))
      }
    }
  }

  private static func settle(
    _ spec: inout LayerSpec, _ note: KerasLayerNote, _ sources: [Shape], _ mistakesBias: Bool
  ) throws {
    if mistakesBias, case .channelsFirst(var turned) = spec, turned.layer.spec.parameterNames.contains("bias"),
      let output = try spec.outputShapes(inputs: sources).first, output.count == 2, let filters = output[0],
      filters > 1
    {
      turned.biasOverSteps = output[1] == filters
      spec = .channelsFirst(turned)
    }
    if mistakesBias, case .einsumDense(var dense) = spec, let source = sources.first {
      dense.misplacedBiasAxis = try dense.mistakenBiasAxis(input: source)
      spec = .einsumDense(dense)
    }
    if case .split(var split) = spec, split.count == SplitSpec.unsettled, let source = sources.first {
      guard let size = source[try source.place(ofAxis: split.axis)] else {
        throw RNNError.unsupported("the single positions of an axis whose length is not known")
      }
      split.count = size
      spec = .split(split)
    }
    // Of a single id, the axis of size 1 is taken for the vector's own.
    if sources.first == [1] {
      switch spec {
      case .tokenCounts(var counts) where counts.mode == .oneHot:
        counts.mode = .multiHot
        spec = .tokenCounts(counts)
      case .discretization(var bins) where bins.mode == .oneHot:
        bins.mode = .multiHot
        spec = .discretization(bins)
      case .integerLookup(var lookup) where lookup.mode == .oneHot:
        lookup.mode = .multiHot
        spec = .integerLookup(lookup)
      case _: break
      }
    }
    if case .timeDistributed(var wrapper) = spec, let source = sources.first, let inner = note.inner.first {
      try settle(&wrapper.layer.spec, inner, [Array(source.dropFirst())], mistakesBias)
      spec = .timeDistributed(wrapper)
    }
    guard case .model(var nested) = spec, sources.count == nested.model.inputs.count else { return }
    if note.lacksInputShape, case .input(var input) = nested.model.layers[0].spec, input.shape.isEmpty {
      input.shape = sources[0]
      nested.model.layers[0].spec = .input(input)
    }
    try settleInputs(&nested.model, note.inner, inputs: sources, mistakesBias: mistakesBias)
    spec = .model(nested)
  }
}
