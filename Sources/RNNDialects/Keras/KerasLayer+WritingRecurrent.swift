import RNNCore

/// Recurrent layers, their cells and their directions, as configurations.
extension KerasLayerWriting {
  /// The name of the one cell of an `RNN`, among what a layer carries.
  static let cellKey = "cell"

  static func cellName(of layer: ModelSpec.Layer) throws -> String? {
    guard layer.spec.isRecurrent, let carried = layer.carried else { return nil }
    return try JSONValue(parsing: carried)[cellKey]?.string
  }

  /// A recurrent layer as the `RNN` around a cell that it was: under such a class alone its weights are found. All
  /// arguments but the loop's are the cell's.
  func aroundCell(_ layer: ModelSpec.Layer, _ cell: String, _ config: JSONObject) -> JSONObject {
    let loop: Set<String> = [
      "name", "trainable", "dtype", "return_sequences", "return_state", "go_backwards", "stateful", "unroll",
      "zero_output_for_mask", "activity_regularizer",
    ]
    var own = JSONObject([("name", .string(cell))])
    var outer = JSONObject()
    for member in config.members {
      if loop.contains(member.key) { outer[member.key] = member.value } else { own[member.key] = member.value }
    }
    outer["cell"] = inModule(
      "keras.layers",
      JSONObject([
        ("class_name", .string(KerasLayerWriting.className(of: layer.spec) + "Cell")), ("config", .object(own)),
      ]))
    return JSONObject([("class_name", "RNN"), ("config", .object(outer))])
  }

  /// A direction of a Bidirectional. TensorFlow's Keras 2 turns `zero_output_for_mask` on in both where they return
  /// sequences, and does not write it.
  func direction(_ layer: ModelSpec.Layer) throws -> JSONValue {
    let entry = try innerEntry(of: layer)
    guard generation == .keras2, era?.isTensorFlowKeras == true,
      var object = entry.object, var config = object["config"]?.object, config["return_sequences"] == .bool(true)
    else { return entry }
    config["zero_output_for_mask"] = nil
    object["config"] = .object(config)
    return .object(object)
  }

  func cell(_ spec: LSTMSpec) throws -> [(String, JSONValue)] {
    [
      ("units", .integer(spec.units)), ("activation", try name(spec.activation)),
      ("recurrent_activation", try name(spec.recurrentActivation)),
    ]
  }

  func cell(_ spec: GRUSpec) throws -> [(String, JSONValue)] {
    [
      ("units", .integer(spec.units)), ("activation", try name(spec.activation)),
      ("recurrent_activation", try name(spec.recurrentActivation)), ("reset_after", .bool(spec.resetAfter)),
    ]
  }

  func cell(_ spec: SimpleRNNSpec) throws -> [(String, JSONValue)] {
    [("units", .integer(spec.units)), ("activation", try name(spec.activation))]
  }

  /// The one layer that Keras makes both directions from, if they are as it would make them.
  static func mirrored(_ spec: BidirectionalSpec) -> ModelSpec.Layer? {
    var one = spec.forward
    guard one.name.hasPrefix("forward_") else { return nil }
    one.name.removeFirst("forward_".count)
    var other = one
    other.name = "backward_" + one.name
    guard var options = one.spec.recurrentOptions else { return nil }
    options.goBackwards.toggle()
    other.spec.setRecurrentOptions(options)
    return other == spec.backward ? one : nil
  }

  /// Bias and dropout belong to each cell, everything else to the layer around them.
  func stack(_ spec: StackedRNNSpec) throws -> [(String, JSONValue)] {
    let cells = try spec.cells.map { layer -> JSONValue in
      var arguments: [(String, JSONValue)]
      if case .lstm(let lstm) = layer.spec {
        arguments = try cell(lstm)
      } else if case .gru(let gru) = layer.spec {
        arguments = try cell(gru)
      } else if case .simpleRNN(let simple) = layer.spec {
        arguments = try cell(simple)
      } else {
        throw RNNError.unsupported("\(layer.spec.kind.rawValue) as a cell")
      }
      if !layer.isTrainable { arguments.append(("trainable", false)) }
      let options = layer.spec.recurrentOptions ?? RecurrentOptions()
      arguments += [
        ("use_bias", .bool(options.useBias)), ("dropout", .number(options.dropout)),
        ("recurrent_dropout", .number(options.recurrentDropout)),
      ]
      return inModule(
        "keras.layers",
        JSONObject([
          ("class_name", .string(KerasLayerWriting.className(of: layer.spec) + "Cell")),
          ("config", .object(JSONObject([("name", .string(layer.name))] + arguments))),
        ]))
    }
    let own: Set<String> = ["use_bias", "dropout", "recurrent_dropout"]
    let stack = JSONObject([("class_name", "StackedRNNCells"), ("config", ["cells": .array(cells)])])
    return [("cell", inModule("keras.layers", stack))]
      + arguments(of: spec.options).filter { !own.contains($0.0) }
  }

  func arguments(of options: RecurrentOptions) -> [(String, JSONValue)] {
    var arguments: [(String, JSONValue)] = [
      ("use_bias", .bool(options.useBias)), ("return_sequences", .bool(options.returnSequences)),
      ("return_state", .bool(options.returnState)), ("go_backwards", .bool(options.goBackwards)),
      ("stateful", .bool(options.stateful)), ("unroll", .bool(options.unroll)),
      ("dropout", .number(options.dropout)), ("recurrent_dropout", .number(options.recurrentDropout)),
    ]
    // Keras 2.3 and older lack the argument.
    if options.zeroOutputForMask { arguments.append(("zero_output_for_mask", true)) }
    return arguments
  }
}
