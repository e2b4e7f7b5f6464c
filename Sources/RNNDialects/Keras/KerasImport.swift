import RNNCore

/// What a user may say about a Keras file.
public struct KerasImportOptions: Sendable {
  /// The architecture, where the file has none or another one shall be used.
  public enum Architecture: Sendable {
    case keras(json: String)
    case native(ModelSpec)
  }

  public var architecture: Architecture?
  /// Where that stands, for errors in it; `nil` for the file with the weights.
  public var architectureName: String?
  public var generation: KerasGeneration?
  /// `tensorflow` or `theano`; Keras 1 files do not say, and Theano's convolution kernels are flipped.
  public var backend: String?
  /// Tensors that nothing uses are noted instead of refused.
  public var allowsUnused = false
  /// Whose weights they are, where they are not Keras's: the architecture then gives their layers.
  public var weights: ForeignWeights?

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
  private var placements: [TensorPlacement] = []
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
      let era = self.era
      architecture =
        if let name = options.architectureName {
          try locating(name) { try KerasArchitecture(json, era: era) }
        } else {
          try KerasArchitecture(json, era: era)
        }
      // An uncompiled model is written with an empty object.
      training = json["compile_config"].flatMap { $0.object?.isEmpty != false ? nil : $0.text() }
    }
    training = checkpoint.attribute("training_config", at: "")?.string ?? training
  }

  private mutating func model() throws -> NativeModel {
    decisions.append("\(era.generation.rawValue): \(era.reason)")
    let text = try takeText()
    let (parameters, names) = try takeParameters()
    let slots = takeOptimizer()
    try refuseUnused()
    var provenance = Provenance(source: "", container: "", framework: "Keras", dialect: era.generation.rawValue)
    provenance.frameworkVersion = era.version
    if let weights = options.weights {
      (provenance.framework, provenance.dialect) = (weights.dialect.framework, weights.dialect.name)
      provenance.frameworkVersion = nil
    }
    provenance.backend = backend
    noteActivations()
    provenance.decisions = decisions
    provenance.tensorNames = names
    var model = NativeModel(spec: architecture.spec, parameters: parameters, provenance: provenance)
    model.optimizerSlots = slots
    model.placements = placements
    model.training = training
    model.text = text
    model.ledger = architecture.ledger + (training.map(KerasCustomObjects.ledger(ofTraining:)) ?? [])
    if !slots.isEmpty {
      model.ledger.append(
        LedgerEntry(.carried, "optimizer", "\(slots.count) tensors of the optimizer's state, under their own names"))
    }
    try model.validate()
    if case .native? = options.architecture {} else { try model.spec.plain.refuseMasks(era.generation) }
    return model
  }

  private var backend: String? {
    options.backend
      ?? (checkpoint.attribute("backend", at: "") ?? checkpoint.attribute("backend", at: "model_weights"))?.string
  }

  // MARK: - Parameters

  private typealias Found = (path: String, name: String, tensor: Tensor, fileName: String?)

  /// - Returns: the parameters, and their names in the file where each is one named array.
  private mutating func takeParameters() throws -> (parameters: [NativeModel.Parameter], names: [String]?) {
    if let weights = options.weights { return (try takeForeign(weights), nil) }
    let matching = try KerasWeightMatching(checkpoint, architecture).matches()
    var problems = matching.problems
    var found: [Found] = []
    for match in matching.matches {
      let path = match.leaf.path
      used.formUnion(match.arrays.map(\.path))
      do {
        let tensors = match.arrays.map(\.tensor)
        let layout = match.layout.settled(for: match.leaf.spec, tensors)
        if let note = layout.note { decisions.append("'\(path)': \(note)") }
        placements += layout.placements(
          of: match.arrays.map { ($0.path, $0.tensor) }, layer: path, spec: match.leaf.spec)
        for parameter in try layout.parameters(from: tensors) {
          let name = parameter.array.flatMap { match.arrays[$0].name }
          if parameter.isRounded {
            let native = NativeModel.path(layer: path, parameter: parameter.name)
            architecture.ledger.append(LedgerEntry(.rounded, native, "CuDNN has two, which are added here, rounded"))
          }
          found.append((path, parameter.name, try adjusted(parameter.tensor, parameter.name, match.leaf), name))
        }
      } catch let error as RNNError {
        problems.append("the layer '\(path)': \(error.what)")
      }
    }
    settleByWeights(found)
    settleInput(found)
    // Where a file names no backend, it is TensorFlow.
    let mistakesBias =
      era.generation == .keras3 && !era.isOlder(than: 3, 4) && [nil, "tensorflow"].contains(backend)
    try KerasArchitecture.settleInputs(&architecture.spec, architecture.notes, mistakesBias: mistakesBias)
    problems += try shapeProblems(found)
    for layer in architecture.spec.plain.layers where layer.name.hasSuffix("/bias_over_steps") {
      architecture.ledger.append(
        LedgerEntry(
          .assumed, String(layer.name.dropLast("/bias_over_steps".count)),
          "the bias goes over the steps, as Keras 3 on TensorFlow adds it where there are as many steps as filters; "
            + "other backends add it to the filters"))
    }
    for layer in architecture.spec.plain.layers {
      guard case .einsumDense(let dense) = layer.spec, let axis = dense.misplacedBiasAxis else { continue }
      architecture.ledger.append(
        LedgerEntry(
          .assumed, layer.name,
          "the bias goes along the axis \(axis), as Keras 3 on TensorFlow adds it where that is as long as its own; other "
            + "backends add it along its own"))
    }
    guard problems.isEmpty else {
      throw RNNError.badData(
        "the weights do not fit the architecture: " + problems.joined(separator: "; "),
        remedy: "Check that the architecture belongs to these weights.")
    }
    let parameters = found.map { NativeModel.Parameter(layer: $0.path, name: $0.name, tensor: $0.tensor) }
    let names = found.compactMap(\.fileName)
    return (parameters, names.count == found.count && !names.isEmpty ? names : nil)
  }

  /// Weights of another framework, laid out as its dialect says.
  private mutating func takeForeign(_ weights: ForeignWeights) throws -> [NativeModel.Parameter] {
    let unsaid = architecture.settle(for: weights)
    try KerasArchitecture.settleInputs(&architecture.spec, architecture.notes, mistakesBias: false)
    let reading = try WeightReading(weights.entries, dialect: weights.dialect, spec: architecture.spec)
    guard unsaid.isEmpty else { throw ForeignWeights.missingForgetBias(unsaid) }
    placements = reading.placements
    let read = weights.entries.map(\.name).filter { reading.used.contains(weights.dialect.bare($0)) }
    used.formUnion(read.flatMap(weights.paths))
    decisions += reading.decisions
    for parameter in reading.rounded {
      architecture.ledger.append(
        LedgerEntry(.rounded, parameter, "\(weights.dialect.framework) has two, which are added here, rounded"))
    }
    for name in weights.sources.keys.sorted() {
      architecture.ledger.append(
        LedgerEntry(.rounded, name, "its length and direction (weight normalization) are one weight here"))
    }
    var dropped: [String: Int] = [:]
    for entry in checkpoint.entries where !weights.holds(entry.path) && used.insert(entry.path).inserted {
      dropped[entry.path.split(separator: "/").first.map(String.init) ?? "", default: 0] += 1
    }
    for group in dropped.keys.sorted() {
      architecture.ledger.append(LedgerEntry(.dropped, group, "\(dropped[group] ?? 0) tensors beside the weights"))
    }
    return reading.parameters.map { NativeModel.Parameter(layer: $0.path, name: $0.name, tensor: $0.tensor) }
  }

  /// Convolution kernels of old files and of Theano, in the native layout.
  private mutating func adjusted(_ tensor: Tensor, _ name: String, _ leaf: PlainLeaf) throws -> Tensor {
    guard case .conv1D(let spec) = leaf.spec, name == "kernel" else { return tensor }
    var kernel = try KerasKernelLayout.threeAxes(tensor, kernelSize: spec.kernelSize, filters: spec.filters)
    if kernel.shape.count != tensor.shape.count {
      decisions.append("'\(leaf.path)': a kernel of shape \(tensor.shape) is read as \(kernel.shape)")
    }
    if backend == "theano" {
      kernel = try kernel.flippedAlongFirstAxis()
      decisions.append("'\(leaf.path)': the kernel is flipped, for Theano convolves where others correlate")
      if spec.padding == .same, spec.strides > 1 || spec.kernelSize % 2 == 0 {
        architecture.ledger.append(
          LedgerEntry(.assumed, leaf.path, "padding 'same' as TensorFlow does it; Theano's own differs here"))
      }
    }
    return kernel
  }

  /// What configurations are silent about and weights tell: GRU's `reset_after`, by the rank of its bias; the shared axes
  /// of Keras 1's PReLU, by the sizes of its alphas.
  private mutating func settleByWeights(_ found: [Found]) {
    var settled: [String] = []
    let isKeras1 = era.generation == .keras1
    architecture.changePlainLayers { path, layer, note in
      if case .gru(var spec) = layer, !note.statesResetAfter {
        if let bias = found.first(where: { $0.path == path && $0.name == "bias" })?.tensor {
          spec.resetAfter = bias.shape.count == 2
          settled.append("'\(path)': reset_after=\(spec.resetAfter), by the bias of shape \(bias.shape)")
        } else {
          settled.append("'\(path)': reset_after=\(spec.resetAfter), the default of this era")
        }
        layer = .gru(spec)
      }
      guard isKeras1, let first = found.first(where: { $0.path == path })?.tensor else { return }
      let shared = first.shape.indices.filter { first.shape[$0] == 1 }.map { $0 + 1 }
      if case .prelu = layer { layer = .prelu(PReLUSpec(sharedAxes: shared)) }
      if case .parametricSoftplus = layer { layer = .parametricSoftplus(ParametricSoftplusSpec(sharedAxes: shared)) }
      if case .sReLU = layer { layer = .sReLU(SReLUSpec(sharedAxes: shared)) }
    }
    decisions += settled
  }

  /// The input's shape, where nothing states it, by the first kernel.
  private mutating func settleInput(_ found: [Found]) {
    guard architecture.lacksInputShape, case .input(var input) = architecture.spec.layers[0].spec,
      let kernel = found.first, kernel.name == "kernel",
      let leaf = architecture.leaves.first(where: { $0.path == kernel.path })
    else { return }
    if case .conv1D(let spec) = leaf.spec {
      // An absurd number of groups is refused with the shapes.
      let (channels, overflow) = (kernel.tensor.shape[safe: 1] ?? 0).multipliedReportingOverflow(by: spec.groups)
      input.shape = [nil, overflow ? nil : channels]
    } else if leaf.spec.configuration is any RecurrentLayer {
      input.shape = [nil, kernel.tensor.shape.first]
    } else if case .dense = leaf.spec {
      let isDistributed = architecture.spec.layers[leaf.top].spec.kind == .timeDistributed
      input.shape = (isDistributed ? [nil] : []) + [kernel.tensor.shape.first]
    } else {
      return
    }
    architecture.spec.layers[0].spec = .input(input)
    architecture.ledger.append(
      LedgerEntry(
        .assumed, architecture.spec.layers[0].name,
        "the file states no input shape; taken as \(describe(shape: [nil] + input.shape)) from the first kernel"))
  }

  private func shapeProblems(_ found: [Found]) throws -> [String] {
    _ = try architecture.spec.shapes()
    let plain = architecture.spec.plain
    var expected: [String: (shape: [Int], kind: LayerSpec.Kind)] = [:]
    for (layer, shapes) in zip(plain.layers, try plain.shapes().parameters) {
      for shape in shapes {
        expected[NativeModel.path(layer: layer.name, parameter: shape.name)] = (shape.shape, layer.spec.kind)
      }
    }
    return found.compactMap { item in
      guard let needed = expected[NativeModel.path(layer: item.path, parameter: item.name)],
        needed.shape != item.tensor.shape
      else { return nil }
      return "\(item.name) of '\(item.path)' (\(needed.kind.rawValue)) is \(item.tensor.shape), "
        + "expected \(needed.shape)"
    }
  }

  // MARK: - Text

  /// The words and weights of a layer that reads text, and what the layer comes to behind its ids.
  private mutating func takeText() throws -> TextBundle? {
    guard let text = architecture.texts.first,
      let layer = architecture.spec.layers.firstIndex(where: { $0.name == text.layer })
    else { return nil }
    // The vocabulary stands in the archive once or twice, the same each time.
    let file = checkpoint.blobs.first { $0.name.hasSuffix("vocabulary.txt") }
    let bundle = try text.bundle(file: file.map { String(decoding: $0.bytes, as: UTF8.self) })
    var weights: [Float]?
    for entry in checkpoint.entries where entry.path.hasSuffix("vars/idf_weights") {
      weights = entry.tensor.floats()
      used.insert(entry.path)
    }
    architecture.spec.layers[layer].spec = text.spec(vocabulary: bundle.offsets.count - 1, weights: weights)
    decisions.append("'\(text.layer)': its \(bundle.offsets.count - 1) words are the model's vocabulary")
    return bundle
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
    let used = architecture.spec.layers.flatMap(\.spec.activations)
    if used.contains(.hardSigmoidFifth) {
      decisions.append("hard_sigmoid is clip(0.2 x + 0.5, 0, 1), as before Keras 3")
    }
    if used.contains(.hardSigmoidSixth) { decisions.append("hard_sigmoid is clip(x / 6 + 0.5, 0, 1), as in Keras 3") }
  }
}

extension Array {
  fileprivate subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
