import RNNCore

/// The chain of layers that a state_dict's names and shapes tell, where they tell one.
///
/// What runs between the modules is not in such a file: activations are asked for; that a sequence's last step goes on,
/// and that convolutions have PyTorch's own defaults, is taken for granted and noted.
public struct TorchChain {
  public private(set) var spec: ModelSpec
  public private(set) var ledger: [LedgerEntry] = []

  private var layers: [ModelSpec.Layer] = []
  /// Channels that come out of the last layer; `nil` before the first.
  private var channels: Int?
  private var hasSteps = false
  /// Whether all that runs is known, as in an nn.Sequential.
  private var states = false
  /// Whether the steps stand before the channels now, in a chain that began the other way round.
  private var isTurned = false
  private var readsTurned = false
  private var asked: [String] = []
  private let activations: [String: Activation]
  /// Those that were given without a module's name, for the modules that ask, in order.
  private var unnamed: [Activation]
  private let whole: TorchModule?

  /// - Parameters:
  ///   - activations: as the user gave them, with a module's name or in the order of the modules that need one.
  ///   - module: the pickled module, where the file holds one: its numbers are not guessed.
  /// - Throws: `badData` where the modules make no chain, or where an activation is not said, naming them.
  public init(
    _ state: TorchStateDict, activations given: [(module: String?, activation: Activation)], module: TorchModule?
  ) throws {
    activations = Dictionary(
      given.compactMap { item in item.module.map { ($0, item.activation) } }, uniquingKeysWith: { $1 })
    unnamed = given.filter { $0.module == nil }.map(\.activation)
    whole = module
    spec = .sequential(name: "model", layers: [])
    let modules = try TorchModules(state.entries).modules
    guard let first = modules.first else { throw TorchChain.noChain("it holds no modules") }
    if let steps = whole.flatMap(TorchSequence.steps) {
      try add(steps, modules)
    } else {
      for (index, module) in modules.enumerated() {
        try add(module, next: modules.dropFirst(index + 1).first)
      }
    }
    let unknown = Set(activations.keys).subtracting(modules.map(\.name)).sorted()
    guard unknown.isEmpty else {
      throw RNNError.usage(
        "--activations names " + unknown.map { "'\($0)'" }.joined(separator: ", ") + ", and the file has "
          + modules.map { "'\($0.name)'" }.joined(separator: ", "))
    }
    guard unnamed.isEmpty else {
      throw RNNError.usage("--activations has more of them than the file's modules need")
    }
    guard asked.isEmpty else {
      throw RNNError.badData(
        "the file does not say which activations stand behind " + asked.map { "'\($0)'" }.joined(separator: ", "),
        remedy: "Give them with --activations " + asked.map { "\($0)=relu" }.joined(separator: ",")
          + " (or linear, tanh, sigmoid, ...), or the whole architecture with --config.")
    }
    spec = .sequential(name: "model", layers: [try input(for: first)] + layers)
    try settleLength(modules)
    if !states,
      layers.contains(where: { $0.spec.isRecurrent || $0.spec.kind == .bidirectional || $0.spec.kind == .dense })
    {
      ledger.append(LedgerEntry(.assumed, "dropout", "none; the file does not say whether there was any"))
    }
  }

  static func noChain(_ why: String) -> RNNError {
    RNNError.badData("the names and shapes of the weights tell no chain of layers: \(why)", remedy: remedy)
  }

  private static let remedy = "Give the architecture with --config: the text of a Keras model.to_json(), or a .rnn."

  /// The steps of a sequence that is flattened, by the matrix behind it, which takes all of them at once.
  private mutating func settleLength(_ modules: [TorchModules.Module]) throws {
    guard let flat = layers.firstIndex(where: { $0.spec.kind == .flatten }),
      let dense = layers[flat...].first(where: { $0.spec.kind == .dense }),
      let module = modules.first(where: { $0.name == dense.name }),
      case .input(var input) = spec.layers[0].spec, let free = input.shape.firstIndex(of: nil)
    else { return }
    let place = spec.layers.firstIndex { $0.name == dense.name } ?? 0
    // A pooling to a stated size gives as many, however long the sequence is.
    if let kernel = try? spec.shapes().parameters[place].first, kernel.shape[0] == module.inputs { return }
    var fitting: [ModelSpec] = []
    for length in 1...TorchChain.longest {
      var trial = spec
      input.shape[free] = length
      trial.layers[0].spec = .input(input)
      if let kernel = try? trial.shapes().parameters[place].first, kernel.shape[0] == module.inputs {
        fitting.append(trial)
      } else if !fitting.isEmpty {
        break
      }
    }
    guard let only = fitting.first, fitting.count == 1 else {
      throw TorchChain.noChain(
        "'\(module.name)' takes all \(module.inputs) numbers of a sequence, which "
          + (fitting.isEmpty ? "no length gives" : "several lengths give"))
    }
    spec = only
  }

  /// Steps that a flattened sequence may have.
  private static let longest = 1 << 14

  private func input(for first: TorchModules.Module) throws -> ModelSpec.Layer {
    let shape: Shape
    var dtype = "float32"
    switch first.kind {
    // A chain of PyTorch's own begins with the channels.
    case .recurrent: shape = readsTurned ? [first.inputs, nil] : [nil, first.inputs]
    case .convolution:
      let channels = first.inputs.multipliedReportingOverflow(by: groups(of: first) ?? 1).partialValue
      shape = readsTurned ? [channels, nil] : [nil, channels]
    case .matrix:
      if case .embedding? = layers.first?.spec {
        // Ids: one a step where something reads steps, else one an example.
        (shape, dtype) = ([nil], "int32")
      } else {
        let readsSteps = layers.contains {
          $0.spec.isRecurrent || $0.spec.kind == .bidirectional || $0.spec.kind == .conv1D
        }
        shape = readsSteps ? [nil, first.inputs] : [first.inputs]
      }
    case .batchNorm, .layerNorm, .vector: shape = [first.inputs]
    }
    return ModelSpec.Layer(name: "input", spec: .input(InputSpec(shape: shape, dtype: dtype)))
  }

  // MARK: - Modules

  private mutating func add(_ module: TorchModules.Module, next: TorchModules.Module?) throws {
    if let className = self.module(module.name)?.className { try check(module, className) }
    switch module.kind {
    case .matrix(let hasBias): try addMatrix(module, hasBias: hasBias, next: next)
    case .recurrent(let recurrent): try addRecurrent(module, recurrent, next: next)
    case .convolution(let hasBias): try addConvolution(module, hasBias: hasBias)
    case .batchNorm(let isAffine):
      try meet(module)
      var norm = BatchNormalizationSpec(
        axis: -1, epsilon: number("eps", of: module, default: 1e-5),
        momentum: 1 - number("momentum", of: module, default: 0.1))
      (norm.center, norm.scale) = (isAffine, isAffine)
      append(module, .batchNormalization(norm))
      assume("eps", of: module, "eps is 1e-5, PyTorch's default")
    case .layerNorm:
      try meet(module)
      append(
        module,
        .layerNormalization(LayerNormalizationSpec(axes: [-1], epsilon: number("eps", of: module, default: 1e-5)))
      )
      assume("eps", of: module, "taken for a LayerNorm (a GroupNorm looks alike), with PyTorch's eps, 1e-5")
    case .vector: try addVector(module)
    }
  }

  /// Checks that a module is what its tensors look like.
  private func check(_ module: TorchModules.Module, _ className: String) throws {
    let expected: [String] =
      switch module.kind {
      case .matrix: ["Linear", "Embedding"]
      case .convolution: ["Conv1d", "ConvTranspose1d"]
      case .recurrent: ["LSTM", "GRU", "RNN", "Cell"]
      case .batchNorm: ["BatchNorm1d", "SyncBatchNorm"]
      case .layerNorm: ["LayerNorm"]
      case .vector: ["LayerNorm", "RMSNorm"]
      }
    // A class of somebody's own may do anything with its weights.
    guard className.hasPrefix("torch.nn."), expected.contains(where: className.hasSuffix) else {
      throw RNNError.badData(
        "'\(module.name)' is a \(className), which with these tensors is no layer of a chain here",
        remedy: TorchChain.remedy)
    }
  }

  private mutating func addVector(_ module: TorchModules.Module) throws {
    guard let className = self.module(module.name)?.className else {
      throw TorchChain.noChain("'\(module.name)' may be an RMSNorm, a LayerNorm without bias or a PReLU")
    }
    try meet(module)
    var norm = LayerNormalizationSpec(axes: [-1], epsilon: number("eps", of: module, default: 1e-5))
    norm.center = false
    if className.hasSuffix(".RMSNorm") {
      norm.form = .rootMeanSquare
      // None stands for the distance of 1 from the next number.
      norm.epsilon = number("eps", of: module, default: Double(Float.ulpOfOne))
    }
    append(module, .layerNormalization(norm))
  }

  private mutating func addMatrix(
    _ module: TorchModules.Module, hasBias: Bool, next: TorchModules.Module?
  ) throws {
    let (rows, columns) = (module.shape[0], module.shape[1])
    if try isEmbedding(module, hasBias: hasBias, next: next) {
      append(module, .embedding(EmbeddingSpec(inputDim: rows, outputDim: columns, maskZero: false)))
      (channels, hasSteps) = (columns, true)
      return
    }
    try meet(module)
    if hasSteps, let last = layers.last, last.spec.kind == .conv1D {
      throw TorchChain.noChain("between '\(last.name)' and '\(module.name)' something takes the steps away")
    }
    var dense = DenseSpec(units: rows)
    dense.useBias = hasBias
    dense.activation = ask(module)
    append(module, .dense(dense))
    channels = rows
  }

  /// Whether a matrix is a table of rows: only a first one without a bias can be.
  private func isEmbedding(
    _ module: TorchModules.Module, hasBias: Bool, next: TorchModules.Module?
  ) throws -> Bool {
    guard !hasBias, layers.isEmpty else { return false }
    if let known = self.module(module.name)?.className { return known.hasSuffix(".Embedding") }
    let isTable = next.map { $0.inputs == module.shape[1] } ?? false
    let isMatrix = next.map { $0.inputs == module.shape[0] } ?? true
    if isTable != isMatrix { return isTable }
    guard isTable else {
      throw TorchChain.noChain("'\(module.name)' gives neither rows nor columns that the next module takes")
    }
    if module.name.lowercased().contains("emb") { return true }
    throw TorchChain.noChain("'\(module.name)' may be an Embedding or a Linear without bias")
  }

  private mutating func addRecurrent(
    _ module: TorchModules.Module, _ recurrent: TorchModules.Recurrent, next: TorchModules.Module?
  ) throws {
    try meet(module)
    hasSteps = true
    // What reads steps behind it is given all of them.
    let feedsSteps: Bool
    switch next?.kind {
    case .recurrent, .convolution, nil: feedsSteps = true
    case .matrix, .batchNorm, .layerNorm, .vector: feedsSteps = false
    }
    for layer in 0..<recurrent.layers {
      let isLast = layer == recurrent.layers - 1
      let name = recurrent.layers == 1 ? module.name : "\(module.name).\(layer)"
      var options = RecurrentOptions()
      options.useBias = recurrent.hasBias
      options.returnSequences = !isLast || feedsSteps || recurrent.isBidirectional
      if !isLast { options.dropout = 0 }
      let spec = try spec(of: recurrent, module, options)
      if recurrent.isBidirectional {
        var backward = options
        backward.goBackwards = true
        append(
          name,
          .bidirectional(
            BidirectionalSpec(
              forward: .init(name: "forward", spec: spec),
              backward: .init(name: "backward", spec: try self.spec(of: recurrent, module, backward)),
              merge: .concatenate)))
      } else {
        append(name, spec)
      }
    }
    channels = recurrent.width * (recurrent.isBidirectional ? 2 : 1)
    guard !feedsSteps else {
      if next == nil {
        ledger.append(LedgerEntry(.assumed, module.name, "all steps are the output; the file does not say which"))
      }
      return
    }
    // `output[:, -1]`, whose backward half has read but one step.
    if recurrent.isBidirectional {
      append(
        module.name + ".last", .slice(SliceSpec(ranges: [SliceSpec.Range(start: -1, isIndex: true)])))
    }
    hasSteps = false
    ledger.append(
      LedgerEntry(
        .assumed, module.name,
        "its last step, output[:, -1], goes on to '\(next?.name ?? "")'; the file does not say so"))
  }

  private func spec(
    of recurrent: TorchModules.Recurrent, _ module: TorchModules.Module, _ options: RecurrentOptions
  ) throws -> LayerSpec {
    switch recurrent.cell {
    case .lstm where recurrent.projection != nil:
      var lstm = LSTMVariantSpec(units: recurrent.units)
      (lstm.projection, lstm.options) = (recurrent.projection, options)
      return .lstmVariant(lstm)
    case .lstm:
      var lstm = LSTMSpec(units: recurrent.units)
      lstm.options = options
      return .lstm(lstm)
    case .gru:
      var gru = GRUSpec(units: recurrent.units, resetAfter: true)
      gru.options = options
      return .gru(gru)
    case .rnn:
      var rnn = SimpleRNNSpec(units: recurrent.units)
      rnn.options = options
      let stated = self.module(module.name)?.fields["nonlinearity"]?.string
      rnn.activation = activations[module.name] ?? (stated == "relu" ? .relu : .tanh)
      return .simpleRNN(rnn)
    }
  }

  private mutating func addConvolution(_ module: TorchModules.Module, hasBias: Bool) throws {
    let stated = self.module(module.name)
    if stated?.className.hasSuffix("ConvTranspose1d") == true {
      throw TorchChain.noChain("'\(module.name)' is a transposed convolution")
    }
    func pair(_ field: String, _ usual: Int) throws -> Int {
      guard let value = stated?.fields[field] else { return usual }
      guard let number = value.array?.first?.integer ?? value.integer else {
        throw TorchChain.noChain("'\(module.name)' has the \(field) \(value.text())")
      }
      return number
    }
    if let mode = stated?.fields["padding_mode"]?.string, mode != "zeros" {
      throw TorchChain.noChain("'\(module.name)' has the padding_mode \(mode)")
    }
    let guessed = channels.flatMap { module.shape[1] > 0 && $0 % module.shape[1] == 0 ? $0 / module.shape[1] : nil }
    let groups = self.groups(of: module) ?? guessed ?? 1
    try meet(module, channels: module.inputs.multipliedReportingOverflow(by: groups).partialValue)
    let padding = try pair("padding", 0)
    if padding > 0 {
      append(module.name + ".padding", .edges(EdgeSpec(before: padding, after: padding, isCropping: false)))
    }
    var conv = Conv1DSpec(filters: module.shape[0], kernelSize: module.shape[2])
    (conv.groups, conv.useBias) = (groups, hasBias)
    (conv.strides, conv.dilationRate) = (try pair("stride", 1), try pair("dilation", 1))
    conv.activation = ask(module)
    append(module, .conv1D(conv))
    (channels, hasSteps) = (module.shape[0], true)
    assume("stride", of: module, "stride 1, no padding, no dilation: PyTorch's defaults")
  }

  // MARK: - nn.Sequential

  /// What runs one behind the other is known: nothing is asked for.
  private mutating func add(_ steps: [TorchSequence.Step], _ modules: [TorchModules.Module]) throws {
    states = true
    for (index, step) in steps.enumerated() {
      if let module = modules.first(where: { $0.name == step.name }) {
        switch module.kind {
        case .convolution: turn(toChannelsFirst: false, before: step.name)
        case .batchNorm: break
        case .matrix, .layerNorm, .vector, .recurrent:
          guard !isTurned else { throw TorchChain.noChain("'\(step.name)' runs over the steps") }
        }
        let next = steps.dropFirst(index + 1).lazy.compactMap { later in modules.first { $0.name == later.name } }.first
        try add(module, next: next)
        continue
      }
      switch try TorchSequence.layer(step) {
      case .nothing: break
      case .activation(let activation):
        if activation.isOverLastAxis { try turn(for: step) }
        append(step.name, .activation(ActivationSpec(activation: activation)))
      case .overSteps(let spec):
        turn(toChannelsFirst: false, before: step.name)
        append(step.name, spec)
      case .flatten:
        turn(toChannelsFirst: true, before: step.name)
        append(step.name, .flatten(FlattenSpec()))
        // How many numbers that gives, the next module knows.
        (channels, hasSteps) = (nil, false)
      }
    }
    turn(toChannelsFirst: true, before: "output")
  }

  /// What runs along one axis finds it last: `dim` counts the examples' axis, and steps behind the channels.
  private mutating func turn(for step: TorchSequence.Step) throws {
    let rank = hasSteps ? 3 : 2
    // Without a `dim`, PyTorch takes the examples of three axes.
    let stated = step.module.fields["dim"]?.integer ?? (hasSteps ? 0 : 1)
    switch stated < 0 ? stated + rank : stated {
    case rank - 1: turn(toChannelsFirst: true, before: step.name)
    case 1 where isTurned: break
    case _: throw TorchChain.noChain("'\(step.name)' runs along the axis \(stated) of \(rank)")
    }
  }

  /// PyTorch has the channels before the steps, and layers here the steps before the channels.
  private mutating func turn(toChannelsFirst first: Bool, before name: String) {
    guard first ? isTurned : !isTurned else { return }
    append(name + (first ? ".channels_first" : ".steps_first"), .permute(PermuteSpec(order: [2, 1])))
    (isTurned, readsTurned) = (!first, true)
  }

  // MARK: - What is there

  private mutating func append(_ module: TorchModules.Module, _ spec: LayerSpec) { append(module.name, spec) }

  private mutating func append(_ name: String, _ spec: LayerSpec) {
    layers.append(ModelSpec.Layer(name: name.isEmpty ? "module" : name, spec: spec))
  }

  /// - Throws: `badData` where a module takes another number of channels than come in.
  private mutating func meet(_ module: TorchModules.Module, channels taken: Int? = nil) throws {
    let taken = taken ?? module.inputs
    if let channels, channels != taken {
      throw TorchChain.noChain(
        "'\(module.name)' takes \(taken) channels, and '\(layers.last?.name ?? "")' gives \(channels)")
    }
    channels = taken
  }

  /// Of a convolution that was pickled with its arguments.
  private func groups(of module: TorchModules.Module) -> Int? { self.module(module.name)?.fields["groups"]?.integer }

  private mutating func ask(_ module: TorchModules.Module) -> Activation {
    if let known = activations[module.name] { return known }
    if states { return .linear }
    if !unnamed.isEmpty { return unnamed.removeFirst() }
    asked.append(module.name)
    return .linear
  }

  /// A module of the pickled tree by its name in the state_dict.
  private func module(_ name: String) -> TorchModule? {
    var current = whole
    for part in name.split(separator: ".") {
      current = current?.children.first { $0.name == part }?.module
    }
    return current
  }

  private func number(_ field: String, of module: TorchModules.Module, default usual: Double) -> Double {
    self.module(module.name)?.fields[field]?.double ?? usual
  }

  private mutating func assume(_ field: String, of module: TorchModules.Module, _ note: String) {
    guard self.module(module.name)?.fields[field] == nil else { return }
    ledger.append(LedgerEntry(.assumed, module.name, note))
  }
}
