import RNNCore

/// Keras 3's own format: an architecture in JSON, and weights in groups that are named after classes.
extension KerasExport {
  /// The parts of a `.keras` archive.
  public struct Archive {
    public var config: String
    public var metadata: String
    /// `model.weights.h5`; alone it is what `model.save_weights("x.weights.h5")` writes.
    public var weights: Checkpoint
    /// What the archive does not hold.
    public var ledger: [LedgerEntry]
  }

  /// - Throws: `unsupported` for what Keras 3 cannot express.
  public static func archive(of model: NativeModel) throws -> Archive {
    let export = try KerasExport(keras3: model)
    var config = JSONObject()
    let isSequential = model.spec.isSequential
    config["module"] = .string(isSequential ? "keras" : "keras.src.models.functional")
    config["class_name"] = .string(isSequential ? "Sequential" : "Functional")
    let architecture = try export.architecture(isArchive: true)
    config["config"] = architecture["config"] ?? .null
    config["registered_name"] = isSequential ? .null : "Functional"
    let rereading = try KerasRereading(export.model.spec, .object(config), version: export.version)
    var ledger = export.ledger + rereading.ledger
    let training = export.compileConfiguration()
    if let training {
      config["compile_config"] = training
    } else if model.training != nil {
      ledger.append(
        LedgerEntry(.dropped, "training", "an optimizer in another form than Keras 3's; compile the model again"))
    }
    let weights = try export.variables(rereading.architecture, withOptimizer: training != nil)
    if training == nil, !model.optimizerSlots.isEmpty {
      ledger.append(LedgerEntry(.dropped, "optimizer", "\(model.optimizerSlots.count) tensors"))
    }
    return Archive(
      config: JSONValue.object(config).text(),
      metadata: JSONValue.object(JSONObject([("keras_version", .string(export.version))])).text(), weights: weights,
      ledger: ledger)
  }

  /// Optimizer, loss and metrics as Keras 3 states them; `nil` where there are none, or in an older form.
  private func compileConfiguration() -> JSONValue? {
    guard let text = model.training, var config = (try? JSONValue(parsing: text))?.object,
      model.provenance.dialect == KerasGeneration.keras3.rawValue
    else { return nil }
    config = JSONObject(config.members.filter { !$0.key.hasPrefix("rnnconv_") }.map { ($0.key, $0.value) })
    if let optimizer = config["optimizer_config"]?.object {
      config["optimizer_config"] = nil
      var own = JSONObject([("module", "keras.optimizers")])
      own["class_name"] = optimizer["class_name"] ?? .null
      own["config"] = optimizer["config"]
      own["registered_name"] = .null
      config["optimizer"] = .object(own)
    }
    guard let optimizer = config["optimizer"], !optimizer.isNull else { return nil }
    return .object(config)
  }

  /// The weights in the groups that Keras will look for when it has read the architecture.
  private func variables(_ architecture: KerasArchitecture, withOptimizer: Bool) throws -> Checkpoint {
    let groups = KerasVariableTree.groups(for: architecture)
    let byPath = model.tensorsByPath
    var checkpoint = Checkpoint()
    checkpoint.groups.append("layers")
    for leaf in architecture.leaves {
      var arrays = KerasLayout.written(for: leaf.spec).arrays[...]
      for (group, count) in groups[leaf.path] ?? [] {
        checkpoint.groups.append(group)
        try checkpoint.setAttribute("name", .string(leaf.names.last ?? leaf.path), at: group)
        for (number, array) in arrays.prefix(count).enumerated() {
          guard let name = array?.blocks[0].parameter else {
            try checkpoint.append(try KerasLayout.unneeded(), at: "\(group)/\(number)")
            continue
          }
          guard let tensor = byPath[NativeModel.path(layer: leaf.path, parameter: name)] else {
            throw RNNError(.internalError, "the weight '\(name)' of '\(leaf.path)' is not in the model")
          }
          try checkpoint.append(tensor, at: "\(group)/\(number)")
          // HDF5 has no such numbers: Keras stores two bytes and says what they are.
          if tensor.dtype == .bfloat16 {
            try checkpoint.setAttribute("dtype", .string("bfloat16"), at: "\(group)/\(number)")
          }
        }
        arrays = arrays.dropFirst(count)
      }
    }
    if withOptimizer {
      checkpoint.groups.append("optimizer/vars")
      for (number, slot) in model.optimizerSlots.enumerated() {
        try checkpoint.append(slot.tensor, at: "optimizer/vars/\(number)")
      }
    }
    return checkpoint
  }
}
