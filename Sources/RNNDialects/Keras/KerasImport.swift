import RNNCore

/// What a user may say about a Keras file.
public struct KerasImportOptions: Sendable {
  /// The architecture, where the file has none or another one shall be used.
  public enum Architecture: Sendable {
    case keras(json: String)
    case native(ModelSpec)
  }

  public var architecture: Architecture?
  public var generation: KerasGeneration?
  /// `tensorflow` or `theano`; Keras 1 files do not say, and Theano's convolution kernels are flipped.
  public var backend: String?
  /// Tensors that nothing uses are noted instead of refused.
  public var allowsUnused = false

  public init() {}
}

/// Keras files of every generation, read into a native model.
public struct KerasImport {
  private let checkpoint: Checkpoint
  private let options: KerasImportOptions
  private let era: KerasEra
  private var architecture: KerasArchitecture
  private var training: String?
  private var decisions: [String] = []
  private var used: Set<String> = []

  /// - Parameter checkpoint: from an HDF5 file, a `.keras` archive or an `.npz`.
  /// - Returns: the model; `provenance.source` and `container` are the caller's to fill.
  /// - Throws: `badData` where things do not fit, `unsupported` for what is not carried, each naming all of it.
  public static func nativeModel(from checkpoint: Checkpoint, options: KerasImportOptions) throws -> NativeModel {
    var reading = try KerasImport(checkpoint, options)
    return try reading.model()
  }

  /// The version that a checkpoint states.
  public static func version(of checkpoint: Checkpoint, architecture: JSONValue?) -> String? {
    (checkpoint.attribute("keras_version", at: "") ?? checkpoint.attribute("keras_version", at: "model_weights"))?
      .string ?? architecture?["keras_version"]?.string
  }

  private init(_ checkpoint: Checkpoint, _ options: KerasImportOptions) throws {
    self.checkpoint = checkpoint
    self.options = options
    if case .native(let spec)? = options.architecture {
      era = KerasEra(
        version: KerasImport.version(of: checkpoint, architecture: nil), architecture: nil,
        override: options.generation)
      architecture = KerasArchitecture(native: spec)
    } else {
      let text: String
      if case .keras(let json)? = options.architecture {
        text = json
      } else if case .keras(let json) = checkpoint.architecture {
        text = json
      } else {
        throw RNNError.badData(
          "the file holds weights without an architecture",
          remedy: "Give the text of model.to_json() or another .rnn of the same network with --config.")
      }
      let json = try locating("architecture") { try JSONValue(parsing: text) }
      era = KerasEra(
        version: KerasImport.version(of: checkpoint, architecture: json), architecture: json,
        override: options.generation)
      architecture = try KerasArchitecture(json, era: era)
      // An uncompiled model is written with an empty object.
      training = json["compile_config"].flatMap { $0.object?.isEmpty != false ? nil : $0.text() }
    }
    training = checkpoint.attribute("training_config", at: "")?.string ?? training
  }

  private mutating func model() throws -> NativeModel {
    decisions.append("\(era.generation.rawValue): \(era.reason)")
    let (parameters, names) = try takeParameters()
    let slots = takeOptimizer()
    try refuseUnused()
    var provenance = Provenance(source: "", container: "", framework: "Keras", dialect: era.generation.rawValue)
    provenance.frameworkVersion = era.version
    provenance.backend = backend
    noteActivations()
    provenance.decisions = decisions
    provenance.tensorNames = names
    var model = NativeModel(spec: architecture.spec, parameters: parameters, provenance: provenance)
    model.optimizerSlots = slots
    model.training = training
    model.ledger = architecture.ledger + (training.map(KerasCustomObjects.ledger(ofTraining:)) ?? [])
    if !slots.isEmpty {
      model.ledger.append(
        LedgerEntry(.carried, "optimizer", "\(slots.count) tensors of the optimizer's state, under their own names"))
    }
    try model.validate()
    return model
  }

  private var backend: String? {
    options.backend
      ?? (checkpoint.attribute("backend", at: "") ?? checkpoint.attribute("backend", at: "model_weights"))?.string
  }

  // MARK: - Parameters

  /// - Returns: the parameters, and their names in the file where each is one named array.
  private mutating func takeParameters() throws -> (parameters: [NativeModel.Parameter], names: [String]?) {
    let matches = try KerasWeightMatching(checkpoint, layers: architecture.layers).matches()
    var problems: [String] = []
    var found: [(layer: Int, name: String, tensor: Tensor, fileName: String?)] = []
    for match in matches {
      let layer = architecture.layers[match.layer].layer
      used.formUnion(match.arrays.map(\.path))
      guard let layout = KerasLayout.layout(for: layer.spec, arrayCount: match.arrays.count) else {
        problems.append(
          "the layer '\(layer.name)' (\(layer.spec.kind.rawValue)) needs \(layer.spec.parameterNames.count) arrays, "
            + "the file has \(match.arrays.count): "
            + match.arrays.map { "\($0.path) \($0.tensor.shape)" }.joined(separator: ", "))
        continue
      }
      do {
        if let note = layout.note { decisions.append("'\(layer.name)': \(note)") }
        for (parameter, part) in zip(try layout.parameters(from: match.arrays.map(\.tensor)), layout.parts) {
          let name = part.arrays.count == 1 ? match.arrays[part.arrays[0]].name : nil
          found.append((match.layer, parameter.name, try adjusted(parameter.tensor, parameter.name, layer), name))
        }
      } catch let error as RNNError {
        problems.append("the layer '\(layer.name)': \(error.what)")
      }
    }
    settleReset(found.map { ($0.layer, $0.name, $0.tensor) })
    settleInput(found.map { ($0.layer, $0.name, $0.tensor) })
    problems += try shapeProblems(found.map { ($0.layer, $0.name, $0.tensor) })
    guard problems.isEmpty else {
      throw RNNError.badData(
        "the weights do not fit the architecture: " + problems.joined(separator: "; "),
        remedy: "Check that the architecture belongs to these weights.")
    }
    let parameters = found.map {
      NativeModel.Parameter(layer: architecture.layers[$0.layer].layer.name, name: $0.name, tensor: $0.tensor)
    }
    let names = found.compactMap(\.fileName)
    return (parameters, names.count == found.count && !names.isEmpty ? names : nil)
  }

  /// Convolution kernels of old files and of Theano, in the native layout.
  private mutating func adjusted(_ tensor: Tensor, _ name: String, _ layer: ModelSpec.Layer) throws -> Tensor {
    guard case .conv1D(let spec) = layer.spec, name == "kernel" else { return tensor }
    var kernel = try KerasKernelLayout.threeAxes(tensor, kernelSize: spec.kernelSize, filters: spec.filters)
    if kernel.shape.count != tensor.shape.count {
      decisions.append("'\(layer.name)': a kernel of shape \(tensor.shape) is read as \(kernel.shape)")
    }
    if backend == "theano" {
      kernel = try kernel.flippedAlongFirstAxis()
      decisions.append("'\(layer.name)': the kernel is flipped, for Theano convolves where others correlate")
      if spec.padding == .same, spec.strides > 1 || spec.kernelSize % 2 == 0 {
        architecture.ledger.append(
          LedgerEntry(.assumed, layer.name, "padding 'same' as TensorFlow does it; Theano's own differs here"))
      }
    }
    return kernel
  }

  /// GRU's `reset_after`, where the configuration is silent, by the rank of the bias.
  private mutating func settleReset(_ found: [(layer: Int, name: String, tensor: Tensor)]) {
    for (index, layer) in architecture.layers.enumerated() {
      guard case .gru(var spec) = layer.layer.spec, !layer.statesResetAfter else { continue }
      if let bias = found.first(where: { $0.layer == index && $0.name == "bias" })?.tensor {
        spec.resetAfter = bias.shape.count == 2
        decisions.append("'\(layer.layer.name)': reset_after=\(spec.resetAfter), by the bias of shape \(bias.shape)")
      } else {
        decisions.append("'\(layer.layer.name)': reset_after=\(spec.resetAfter), the default of this era")
      }
      architecture.layers[index].layer.spec = .gru(spec)
    }
  }

  /// The input's shape, where nothing states it, by the first kernel.
  private mutating func settleInput(_ found: [(layer: Int, name: String, tensor: Tensor)]) {
    guard architecture.lacksInputShape, case .input(var input) = architecture.layers[0].layer.spec,
      let kernel = found.first, kernel.name == "kernel"
    else { return }
    switch architecture.layers[kernel.layer].layer.spec {
    case .conv1D(let spec):
      // An absurd number of groups is refused with the shapes.
      let (channels, overflow) = (kernel.tensor.shape[safe: 1] ?? 0).multipliedReportingOverflow(by: spec.groups)
      input.shape = [nil, overflow ? nil : channels]
    case .lstm, .gru, .simpleRNN: input.shape = [nil, kernel.tensor.shape.first]
    case .dense: input.shape = [kernel.tensor.shape.first]
    case .input, .embedding, .masking, .dropout, .spatialDropout1D, .gaussianNoise, .gaussianDropout, .maxPooling1D,
      .averagePooling1D, .globalMaxPooling1D, .globalAveragePooling1D, .activation, .flatten:
      return
    }
    architecture.layers[0].layer.spec = .input(input)
    architecture.ledger.append(
      LedgerEntry(
        .assumed, architecture.layers[0].layer.name,
        "the file states no input shape; taken as \(describe(shape: [nil] + input.shape)) from the first kernel"))
  }

  private func shapeProblems(_ found: [(layer: Int, name: String, tensor: Tensor)]) throws -> [String] {
    let shapes = try architecture.spec.shapes().parameters
    return found.compactMap { item in
      guard let expected = shapes[item.layer].first(where: { $0.name == item.name }),
        expected.shape != item.tensor.shape
      else { return nil }
      let layer = architecture.layers[item.layer].layer
      return "\(item.name) of '\(layer.name)' (\(layer.spec.kind.rawValue)) is \(item.tensor.shape), "
        + "expected \(expected.shape)"
    }
  }

  // MARK: - Everything else in the file

  private mutating func takeOptimizer() -> [NativeModel.OptimizerSlot] {
    var slots: [NativeModel.OptimizerSlot] = []
    func take(_ path: String, as name: String) {
      guard let tensor = checkpoint.tensor(at: path), used.insert(path).inserted else { return }
      slots.append(.init(path: name, tensor: tensor))
    }
    let group = "optimizer_weights"
    for name in (try? KerasAttributes.list("weight_names", at: group, checkpoint)) ?? [] {
      take(CheckpointPath.join(group, name), as: name)
    }
    let variables = checkpoint.entries.map(\.path).filter { $0.hasPrefix("optimizer/") }
    for path in variables.sorted(by: KerasImport.inNumericalOrder) {
      take(path, as: String(path.dropFirst("optimizer/".count)))
    }
    return slots
  }

  private static func inNumericalOrder(_ left: String, _ right: String) -> Bool {
    func key(_ path: String) -> (String, Int) {
      (CheckpointPath.parent(of: path), path.split(separator: "/").last.flatMap { Int($0) } ?? 0)
    }
    return key(left) < key(right)
  }

  private mutating func refuseUnused() throws {
    var unused: [String] = []
    for entry in checkpoint.entries where !used.contains(entry.path) {
      if entry.path.hasPrefix("metrics/") {
        architecture.ledger.append(LedgerEntry(.dropped, entry.path, "state of a metric, \(entry.tensor)"))
      } else {
        unused.append("\(entry.path) \(entry.tensor.shape)")
        if options.allowsUnused {
          architecture.ledger.append(LedgerEntry(.dropped, entry.path, "no layer uses it, \(entry.tensor)"))
        }
      }
    }
    guard unused.isEmpty || options.allowsUnused else {
      throw RNNError.badData(
        "tensors that no layer uses: " + unused.joined(separator: ", "),
        remedy: "Check the architecture, or leave them out with --allow-unused.")
    }
  }

  private mutating func noteActivations() {
    let used = architecture.layers.flatMap { $0.layer.spec.activations }
    if used.contains(.hardSigmoidFifth) {
      decisions.append("hard_sigmoid is clip(0.2 x + 0.5, 0, 1), as before Keras 3")
    }
    if used.contains(.hardSigmoidSixth) { decisions.append("hard_sigmoid is clip(x / 6 + 0.5, 0, 1), as in Keras 3") }
  }
}

extension KerasArchitecture {
  /// The architecture of a native model, to be filled with other weights.
  init(native spec: ModelSpec) {
    name = spec.name
    isSequential = spec.isSequential
    layers = spec.layers.map {
      Layer(className: $0.spec.kind.rawValue, layer: $0, statesResetAfter: true)
    }
    calls = spec.calls
    inputs = spec.inputs
    outputs = spec.outputs
  }
}

extension Array {
  fileprivate subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
