import RNNCore

/// A native model as a Keras HDF5 file: the content of `model.save("model.h5")`, in a form that Keras 2 and 3 read.
public struct KerasExport {
  /// What goes into the file.
  public enum Content: Sendable, CaseIterable {
    /// Architecture, weights, training configuration and optimizer state.
    case wholeModel
    /// What `model.save_weights("model.h5")` wrote before Keras 3.
    case weightsOnly
  }

  let model: NativeModel
  /// What the file does not hold as the model has it.
  let ledger: [LedgerEntry]
  let generation: KerasGeneration
  let version: String

  /// - Throws: `unsupported` for what the generation of Keras cannot express.
  public static func checkpoint(
    of model: NativeModel, _ content: Content
  ) throws -> (checkpoint: Checkpoint, ledger: [LedgerEntry]) {
    let export = KerasExport(model, content)
    var checkpoint = Checkpoint()
    var ledger = export.ledger
    switch content {
    case .wholeModel:
      try export.addWeights(to: &checkpoint, root: "model_weights")
      try checkpoint.setAttribute("backend", .string("tensorflow"), at: "")
      try checkpoint.setAttribute("keras_version", .string(export.version), at: "")
      let architecture = try export.architecture()
      try checkpoint.setAttribute("model_config", .string(architecture.text()), at: "")
      ledger += try KerasRereading(export.model.spec, architecture, version: export.version).ledger
      try export.addTraining(to: &checkpoint)
    case .weightsOnly:
      try export.addWeights(to: &checkpoint, root: "")
    }
    if content == .wholeModel, export.generation == .keras3 { ledger += forgottenAxes(model.spec.layers) }
    return (checkpoint, ledger)
  }

  /// Keras 3 reads a list of axes only in its own format; in an HDF5 file, of its own or ours, it passes it over.
  private static func forgottenAxes(_ layers: [ModelSpec.Layer]) -> [LedgerEntry] {
    layers.flatMap { layer -> [LedgerEntry] in
      let configuration = layer.spec.configuration
      if let composite = configuration as? any CompositeLayer { return forgottenAxes(composite.innerLayers) }
      let axes =
        (configuration as? SoftmaxSpec)?.axes ?? (configuration as? LayerNormalizationSpec)?.axes
        ?? (configuration as? UnitNormalizationSpec)?.axes ?? (configuration as? NormalizationSpec)?.axes ?? [-1]
      guard axes.count != 1 else { return [] }
      return [
        LedgerEntry(
          .dropped, layer.name, "the axes \(axes): Keras 3 takes the last one when it reads a .h5; export to keras")
      ]
    }
  }

  /// In the generation in which `hard_sigmoid` and the names of activations mean what they mean in the model.
  private init(_ model: NativeModel, _ content: Content) {
    let activations = model.spec.layers.flatMap(\.spec.activations)
    func all(areIn generation: KerasGeneration) -> Bool {
      activations.allSatisfy { KerasActivationLayers.has($0, generation) }
    }
    if !all(areIn: .keras3) {
      self.init(model, .keras2, content)
    } else if !all(areIn: .keras2) {
      self.init(model, .keras3, content)
    } else {
      self.init(model, model.provenance.dialect == KerasGeneration.keras3.rawValue ? .keras3 : .keras2, content)
    }
  }

  /// For a file that only Keras 3 reads.
  /// - Throws: `unsupported` naming a function that Keras 3 does not have.
  init(keras3 model: NativeModel) throws {
    for layer in model.spec.layers {
      for activation in layer.spec.activations where !KerasActivationLayers.has(activation, .keras3) {
        let isOlder = KerasActivationLayers.has(activation, .keras2)
        throw RNNError.unsupported(
          "Keras 3 has no function like that of '\(layer.name)', \(activation.name)",
          remedy: isOlder ? "Export to keras-h5, in the form of Keras 2." : nil)
      }
    }
    self.init(model, .keras3, .wholeModel)
  }

  private init(_ model: NativeModel, _ generation: KerasGeneration, _ content: Content) {
    self.generation = generation
    let isSame = model.provenance.dialect == generation.rawValue
    // Without an architecture, there is nothing that Keras could refuse.
    (self.model, ledger) =
      switch (generation, content) {
      case (.keras3, .wholeModel): KerasOperationNames.renamed(model)
      case (.keras1, _), (.keras2, _), (.keras3, .weightsOnly): (model, [])
      }
    let fallback =
      switch generation {
      case .keras1, .keras2: "2.2.4"
      case .keras3: "3.15.0"
      }
    version = isSame ? model.provenance.frameworkVersion ?? fallback : fallback
  }

  // MARK: - Architecture

  func architecture(isArchive: Bool = false) throws -> JSONValue {
    for layer in model.spec.layers {
      guard case .input(let input) = layer.spec, input.batchAxis != 0 else { continue }
      throw RNNError.unsupported(
        "the input '\(layer.name)' has its examples along the axis \(input.batchAxis), and Keras has them first")
    }
    guard model.spec.outputBatchAxes == nil else {
      throw RNNError.unsupported(
        "an output has its examples along another axis than the first, and Keras has them first")
    }
    var writing = KerasLayerWriting(generation: generation, version: version, isArchive: isArchive)
    for (call, shapes) in zip(model.spec.calls, try model.spec.shapes().outputs) {
      writing.outputs[model.spec.layers[call.layer].name] = shapes[0]
    }
    return [
      // `Model` is what every version since 1.0 understands.
      "class_name": model.spec.isSequential ? "Sequential" : "Model",
      "config": .object(try KerasGraphWriting(model.spec, writing, name: model.spec.name).config()),
    ]
  }

  // MARK: - Weights

  private func addWeights(to checkpoint: inout Checkpoint, root: String) throws {
    let layers = listedLayers
    if !root.isEmpty { checkpoint.groups.append(root) }
    try checkpoint.setAttribute("backend", .string("tensorflow"), at: root)
    try checkpoint.setAttribute("keras_version", .string(version), at: root)
    try KerasAttributes.setList("layer_names", layers.map(\.name), at: root, &checkpoint)
    let weightsByLayer = try weightsByLayer()
    for layer in layers {
      let group = CheckpointPath.join(root, layer.name)
      checkpoint.groups.append(group)
      let weights = weightsByLayer[layer.name] ?? []
      try KerasAttributes.setList("weight_names", weights.map(\.name), at: group, &checkpoint)
      for weight in weights {
        try checkpoint.append(weight.tensor, at: CheckpointPath.join(group, weight.name))
      }
    }
    if hasTopLevelWeights {
      let group = CheckpointPath.join(root, "top_level_model_weights")
      checkpoint.groups.append(group)
      try checkpoint.setAttribute("weight_names", .strings([]), at: group)
    }
  }

  /// By layer of the whole model: what gradients move comes first, plain layer by plain layer, then the rest.
  private func weightsByLayer() throws -> [String: [(tensor: Tensor, name: String)]] {
    let byPath = Dictionary(
      namedParameters.map { (NativeModel.path(layer: $0.parameter.layer, parameter: $0.parameter.name), $0) },
      uniquingKeysWith: { $1 })
    let leavesByLayer = Dictionary(grouping: KerasArchitecture(native: model.spec).leaves, by: \.top)
    let unneeded = try KerasLayout.unneeded()
    return Dictionary(
      leavesByLayer.map { layer, leaves in
        let layouts = leaves.map { KerasLayout.written(for: $0.spec) }
        let weights = KerasWeightMatching.order(leaves, layouts).compactMap { place -> (Tensor, String)? in
          let leaf = leaves[place.leaf]
          guard let name = layouts[place.leaf].arrays[place.array]?.blocks[0].parameter else {
            return (unneeded, "\(leaf.path)/count:0")
          }
          return byPath[NativeModel.path(layer: leaf.path, parameter: name)].map { ($0.parameter.tensor, $0.name) }
        }
        return (model.spec.layers[layer].name, weights)
      }, uniquingKeysWith: { $1 })
  }

  /// A Sequential does not list its input among its layers.
  private var listedLayers: [ModelSpec.Layer] {
    model.spec.isSequential ? model.spec.layers.filter { $0.spec.kind != .input } : model.spec.layers
  }

  /// Keras 3, and TensorFlow since 2.10, expect the group even where it is empty.
  private var hasTopLevelWeights: Bool {
    let era = KerasEra(version: version, architecture: nil)
    return generation == .keras3 || (era.isTensorFlowKeras && !era.isOlder(than: 2, 10))
  }

  /// The parameters under the names that their file gave them, or under Keras 2's where it gave none.
  private var namedParameters: [(parameter: NativeModel.Parameter, name: String)] {
    let known = model.provenance.tensorNames ?? []
    return model.parameters.enumerated().map { index, parameter in
      let name = known.count == model.parameters.count ? known[index] : "\(parameter.layer)/\(parameter.name):0"
      return (parameter, name)
    }
  }

  // MARK: - Training

  private func addTraining(to checkpoint: inout Checkpoint) throws {
    // Keras opens no file whose training configuration lacks an optimizer.
    guard let training = model.training, let config = KerasExport.legacyTraining(training) else { return }
    try checkpoint.setAttribute("training_config", .string(config), at: "")
    guard !model.optimizerSlots.isEmpty else { return }
    let group = "optimizer_weights"
    checkpoint.groups.append(group)
    try KerasAttributes.setList("weight_names", model.optimizerSlots.map(\.path), at: group, &checkpoint)
    for slot in model.optimizerSlots {
      try checkpoint.append(slot.tensor, at: CheckpointPath.join(group, slot.path))
    }
  }

  /// A `.keras` archive's `compile_config` as the `training_config` of an HDF5 file; the latter as it is. `nil` where
  /// no optimizer is in it.
  private static func legacyTraining(_ text: String) -> String? {
    guard var config = (try? JSONValue(parsing: text))?.object else { return nil }
    // What only we read stays with us; a text without it goes out as it came.
    func foreign(_ object: JSONObject) -> JSONObject {
      JSONObject(object.members.filter { !$0.key.hasPrefix("rnnconv_") }.map { ($0.key, $0.value) })
    }
    config = foreign(config)
    if let optimizer = config["optimizer_config"]?.object {
      config["optimizer_config"] = .object(foreign(optimizer))
      return text.contains("\"rnnconv_") ? JSONValue.object(config).text() : text
    }
    guard let optimizer = config["optimizer"], !optimizer.isNull else { return nil }
    config["optimizer"] = nil
    if let className = optimizer["class_name"], let arguments = optimizer["config"] {
      config["optimizer_config"] = ["class_name": className, "config": arguments]
    } else {
      config["optimizer_config"] = ["class_name": optimizer, "config": .object(JSONObject())]
    }
    return JSONValue.object(config).text()
  }
}
