import RNNCore

/// What a file says of a layer beside its specification; beside the layers inside it, too.
struct KerasLayerNote {
  /// As the file has it.
  var className: String
  /// Whether the configuration states GRU's `reset_after`.
  var statesResetAfter = true
  /// Of an `RNN` around one cell, that cell's name.
  var cell: String?
  /// Of a model inside: its input's shape is known only where it is used.
  var lacksInputShape = false
  var inner: [KerasLayerNote] = []

  init(className: String) {
    self.className = className
  }

  /// For a layer that comes from no Keras file.
  init(native layer: ModelSpec.Layer) {
    let isAroundCell = (try? KerasLayerWriting.cellName(of: layer)) ?? nil != nil
    className = isAroundCell ? "RNN" : KerasLayerWriting.className(of: layer.spec)
    inner = layer.spec.innerLayers.map { inner in
      var note = KerasLayerNote(native: inner)
      // What stands in a stack of cells is one.
      if layer.spec.kind == .stackedRNN { note.className += "Cell" }
      return note
    }
  }
}

/// Reads entries of a configuration's list of layers, wrappers and models inside included.
struct KerasLayerReader {
  let era: KerasEra
  private(set) var ledger: [LedgerEntry] = []
  /// The layers that read text.
  private(set) var texts: [KerasText] = []

  init(era: KerasEra) {
    self.era = era
  }

  /// A configuration's layer list.
  /// - Throws: the first error of damage, or one error naming every layer that is not supported.
  mutating func layers(_ entries: [JSONValue]) throws -> [(layer: ModelSpec.Layer, note: KerasLayerNote)] {
    var layers: [(layer: ModelSpec.Layer, note: KerasLayerNote)] = []
    var refusals: [RNNError] = []
    for entry in entries {
      do {
        layers.append(try layer(entry))
      } catch let error as RNNError where error.reason == .unsupported {
        refusals.append(error)
      }
    }
    guard let first = refusals.first else { return layers }
    guard refusals.count > 1 else { throw first }
    throw RNNError.unsupported(refusals.map(\.description).joined(separator: "; "))
  }

  /// One entry of a layer list.
  mutating func layer(_ entry: JSONValue) throws -> (layer: ModelSpec.Layer, note: KerasLayerNote) {
    guard let className = entry["class_name"]?.string, let config = entry["config"] else {
      throw RNNError.badData("a layer without 'class_name' and 'config'")
    }
    let name = (config["name"] ?? entry["name"])?.string ?? ""
    return try locating("layer '\(name)' (\(className))") {
      if let registered = entry["registered_name"]?.string, registered != className {
        throw RNNError.unsupported("the custom class '\(registered)' is not supported")
      }
      if KerasText.classes.contains(className), let object = config.object {
        texts.append(try KerasText(className, name, object))
        return (ModelSpec.Layer(name: name, spec: .identity(IdentitySpec())), KerasLayerNote(className: className))
      }
      guard let kind = KerasClass(named: className) else {
        throw RNNError.unsupported("the layer class '\(className)' is not supported")
      }
      if kind == .sequential || kind == .functional { return try model(entry, name: name, className: className) }
      guard var object = config.object else { throw RNNError.badData("the configuration is \(config.kind)") }
      let activation = try activationLayer(&object)
      var reader = KerasConfigReader(className: className, layerName: name, config: object, era: era)
      var note = KerasLayerNote(className: className)
      note.statesResetAfter = object["reset_after"] != nil || className == "CuDNNGRU"
      var carried = JSONObject()
      let spec: LayerSpec
      if let plain = try KerasLayerReading.spec(kind, &reader) {
        spec = plain
      } else if kind == .rnn {
        spec = try rnn(&reader, &note, &carried, name)
      } else if kind == .bidirectional {
        spec = try bidirectional(&reader, &note)
      } else {
        spec = try timeDistributed(&reader, &note)
      }
      let isChannelsFirst = try channelsFirst(kind, &reader)
      let isTimeMajor = spec.isRecurrent ? try reader.bool("time_major", default: false) : false
      for member in try reader.finish().members { carried[member.key] = member.value }
      if let policy = KerasDType.name(object["dtype"]), KerasDType.isHalfOrDouble(policy), kind != .inputLayer {
        carried["dtype"] = .string(policy)
        ledger.append(
          LedgerEntry(.carried, name, "dtype policy \(policy): weights keep their dtype, arithmetic is float32"))
      }
      ledger += KerasCustomObjects.mentions(in: carried).map {
        LedgerEntry(.carried, name, "\($0.key) '\($0.name)' is custom; kept as text, inference does not need it")
      }
      // That it was an RNN, for who writes it for Keras again.
      if let cell = note.cell { carried[KerasLayerWriting.cellKey] = .string(cell) }
      var layer = ModelSpec.Layer(
        name: name, spec: spec, isTrainable: object["trainable"]?.bool ?? true,
        carried: carried.isEmpty ? nil : JSONValue.object(carried).text())
      if isChannelsFirst || isTimeMajor {
        let inner = note
        note = KerasLayerNote(className: className)
        note.inner = [inner]
        layer = ModelSpec.Layer(
          name: name,
          spec: isTimeMajor ? .timeMajor(TimeMajorSpec(layer: layer)) : .channelsFirst(ChannelsFirstSpec(layer: layer)),
          isTrainable: layer.isTrainable)
      }
      guard let activation else { return (layer, note) }
      guard !layer.spec.isRecurrent else {
        throw RNNError.unsupported("\(activation.note.className) as the activation of a recurrent layer")
      }
      var whole = KerasLayerNote(className: className)
      whole.inner = [note, activation.note]
      let activated = LayerSpec.activated(ActivatedSpec(layer: layer, activation: activation.layer))
      return (ModelSpec.Layer(name: name, spec: activated, isTrainable: layer.isTrainable), whole)
    }
  }

  /// A layer that is the activation of another one and no function with numbers; it is taken off that one.
  private mutating func activationLayer(
    _ config: inout JSONObject
  ) throws -> (layer: ModelSpec.Layer, note: KerasLayerNote)? {
    guard let entry = config["activation"], let className = entry["class_name"]?.string,
      let kind = KerasClass(named: className), let inner = entry["config"]?.object
    else { return nil }
    var reader = KerasConfigReader(className: className, layerName: "", config: inner, era: era)
    guard (try? KerasActivationLayers.activation(kind, &reader)) == nil else { return nil }
    config["activation"] = "linear"
    return try layer(entry)
  }

  private func channelsFirst(_ kind: KerasClass, _ reader: inout KerasConfigReader) throws -> Bool {
    guard KerasConvolutions.withDataFormat.contains(kind) else { return false }
    switch try reader.string("data_format") {
    case nil, "channels_last": return false
    case "channels_first": return true
    case let other?: throw RNNError.badData("data_format is '\(other)'")
    }
  }

  // MARK: - Layers with layers inside

  private mutating func inner(
    _ value: JSONValue?, _ key: String
  ) throws -> (layer: ModelSpec.Layer, note: KerasLayerNote) {
    guard let value, value.object != nil else { throw RNNError.badData("the argument '\(key)' is missing") }
    return try layer(value)
  }

  /// `RNN` over one cell is the recurrent layer of that cell; over several, a stack.
  private mutating func rnn(
    _ reader: inout KerasConfigReader, _ note: inout KerasLayerNote, _ carried: inout JSONObject, _ name: String
  ) throws -> LayerSpec {
    let options = try KerasLayerReading.options(&reader)
    let value = reader.value("cell")
    if let entries = (value?["class_name"]?.string == "StackedRNNCells" ? value?["config"]?["cells"] : value)?.array {
      let cells = try entries.map { try inner($0, "cells") }
      note.inner = cells.map(\.note)
      var stack = StackedRNNSpec(cells: cells.map(\.layer), options: options)
      stack.reversesStates = value?["config"]?["reverse_state_order"]?.bool ?? false
      return .stackedRNN(stack)
    }
    let (cell, cellNote) = try inner(value, "cell")
    note.statesResetAfter = cellNote.statesResetAfter
    guard var merged = cell.spec.recurrentOptions else {
      throw RNNError.unsupported("RNN over the cell '\(cellNote.className)'")
    }
    // The cell states its bias and dropout, the layer everything else.
    let (useBias, dropout, recurrentDropout) = (merged.useBias, merged.dropout, merged.recurrentDropout)
    merged = options
    (merged.useBias, merged.dropout, merged.recurrentDropout) = (useBias, dropout, recurrentDropout)
    var spec = cell.spec
    spec.setRecurrentOptions(merged)
    if let text = cell.carried, let object = try JSONValue(parsing: text).object {
      for member in object.members { carried[member.key] = member.value }
    }
    note.cell = cell.name
    return spec
  }

  /// From TensorFlow's Keras on, both directions give zeros at masked steps where they give sequences.
  private mutating func bidirectional(
    _ reader: inout KerasConfigReader, _ note: inout KerasLayerNote
  ) throws -> LayerSpec {
    var (forward, forwardNote) = try inner(reader.value("layer"), "layer")
    // The steps stand first for both directions; the layers inside then stand as others do.
    func turned(_ layer: inout ModelSpec.Layer, _ note: inout KerasLayerNote) -> Bool {
      guard case .timeMajor(let spec) = layer.spec, let inner = note.inner.first else { return false }
      let name = layer.name
      (layer, note) = (spec.layer, inner)
      layer.name = name
      return true
    }
    let isTimeMajor = turned(&forward, &forwardNote)
    guard var options = forward.spec.recurrentOptions else {
      throw RNNError.unsupported("Bidirectional over \(forwardNote.className)")
    }
    let zeroes = era.generation == .keras3 || era.isTensorFlowKeras
    if zeroes { options.zeroOutputForMask = options.zeroOutputForMask || options.returnSequences }
    forward.spec.setRecurrentOptions(options)
    var (backward, backwardNote) = (forward, forwardNote)
    if let value = reader.value("backward_layer"), !value.isNull {
      (backward, backwardNote) = try inner(value, "backward_layer")
      guard turned(&backward, &backwardNote) == isTimeMajor else {
        throw RNNError.unsupported("Bidirectional over one layer with time_major=true and one without")
      }
      if var own = backward.spec.recurrentOptions {
        if zeroes { own.zeroOutputForMask = own.zeroOutputForMask || own.returnSequences }
        backward.spec.setRecurrentOptions(own)
      }
    } else {
      options.goBackwards.toggle()
      backward.spec.setRecurrentOptions(options)
      let bare = forward.name.hasPrefix("forward_") ? String(forward.name.dropFirst(8)) : forward.name
      (forward.name, backward.name) = ("forward_" + bare, "backward_" + bare)
    }
    let merge: BidirectionalSpec.Merge
    if let value = reader.value("merge_mode") {
      guard value.isNull || value.string.flatMap(BidirectionalSpec.Merge.init(rawValue:)) != nil else {
        throw RNNError.unsupported("Bidirectional with merge_mode \(value.text())")
      }
      merge = value.string.flatMap(BidirectionalSpec.Merge.init(rawValue:)) ?? .none
    } else {
      merge = .concatenate
    }
    _ = try KerasLayerReading.options(&reader)
    let spec = LayerSpec.bidirectional(BidirectionalSpec(forward: forward, backward: backward, merge: merge))
    guard isTimeMajor else {
      note.inner = [forwardNote, backwardNote]
      return spec
    }
    var both = KerasLayerNote(className: note.className)
    both.inner = [forwardNote, backwardNote]
    note.inner = [both]
    return .timeMajor(TimeMajorSpec(layer: ModelSpec.Layer(name: reader.layerName, spec: spec)))
  }

  private mutating func timeDistributed(
    _ reader: inout KerasConfigReader, _ note: inout KerasLayerNote
  ) throws -> LayerSpec {
    let (layer, inner) = try inner(reader.value("layer"), "layer")
    note.inner = [inner]
    var spec = TimeDistributedSpec(layer: layer)
    switch era.generation {
    case .keras1: spec.masks = .around
    case .keras2: spec.masks = .joined
    case .keras3: spec.masks = .whole
    }
    return .timeDistributed(spec)
  }

  private mutating func model(
    _ entry: JSONValue, name: String, className: String
  ) throws -> (layer: ModelSpec.Layer, note: KerasLayerNote) {
    var architecture = try KerasArchitecture(entry, era: era)
    if let text = architecture.texts.first {
      throw RNNError.unsupported("the layer '\(text.layer)' reads text inside a model that is a layer")
    }
    // Keras 1's Sequential has no name of its own.
    if !name.isEmpty { architecture.spec.name = name }
    ledger += architecture.ledger
    var note = KerasLayerNote(className: className)
    note.inner = architecture.notes
    note.lacksInputShape = architecture.lacksInputShape
    let config = entry["config"]
    return (
      ModelSpec.Layer(
        name: name.isEmpty ? architecture.spec.name : name, spec: .model(NestedModelSpec(model: architecture.spec)),
        isTrainable: config?["trainable"]?.bool ?? true), note
    )
  }
}
