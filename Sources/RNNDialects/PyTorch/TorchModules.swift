import RNNCore

/// The modules that the names and shapes of a state_dict tell.
struct TorchModules {
  enum Cell: Int {
    case rnn = 1
    case gru = 3
    case lstm = 4
  }

  struct Recurrent {
    var cell: Cell
    var units: Int
    var projection: Int?
    var layers: Int
    var isBidirectional: Bool
    var hasBias: Bool

    /// Of what one direction gives.
    var width: Int { projection ?? units }
  }

  enum Kind {
    /// nn.Linear, or nn.Embedding.
    case matrix(hasBias: Bool)
    case convolution(hasBias: Bool)
    case recurrent(Recurrent)
    case batchNorm(isAffine: Bool)
    case layerNorm
    /// One vector: nn.RMSNorm, nn.LayerNorm without bias, nn.PReLU.
    case vector
  }

  struct Module {
    var name: String
    var kind: Kind
    /// Of its weight.
    var shape: [Int]
    /// Channels that it takes.
    var inputs: Int
  }

  private(set) var modules: [Module] = []

  /// - Throws: `badData` naming modules whose tensors are none of these.
  init(_ entries: [(name: String, tensor: Tensor)]) throws {
    var order: [String] = []
    var groups: [String: [String: Tensor]] = [:]
    for entry in entries {
      let split = entry.name.lastIndex(of: ".")
      let module = split.map { String(entry.name[..<$0]) } ?? ""
      let part = split.map { String(entry.name[entry.name.index(after: $0)...]) } ?? entry.name
      if groups[module] == nil { order.append(module) }
      groups[module, default: [:]][part] = entry.tensor
    }
    var unknown: [String] = []
    for name in order {
      let tensors = groups[name] ?? [:]
      guard let module = try TorchModules.module(name, tensors) else {
        unknown.append(
          "'\(name)' with " + tensors.keys.sorted().map { "\($0) \(tensors[$0]?.shape ?? [])" }.joined(separator: ", "))
        continue
      }
      modules.append(module)
    }
    guard unknown.isEmpty else {
      throw TorchChain.noChain("no module of one is " + unknown.joined(separator: "; "))
    }
  }

  private static func module(_ name: String, _ tensors: [String: Tensor]) throws -> Module? {
    let parts = Set(tensors.keys)
    if parts.contains(where: { $0.hasPrefix("weight_ih") }) { return try recurrent(name, tensors) }
    let hasBias = parts.contains("bias")
    if let mean = tensors["running_mean"] {
      let isKnown = parts.isSubset(of: ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"])
      guard isKnown, mean.shape.count == 1, parts.contains("running_var") else { return nil }
      return Module(
        name: name, kind: .batchNorm(isAffine: parts.contains("weight")), shape: mean.shape, inputs: mean.shape[0])
    }
    guard let weight = tensors["weight"], parts.isSubset(of: ["weight", "bias"]) else { return nil }
    let shape = weight.shape
    if let bias = tensors["bias"], bias.shape != [shape.first ?? 0] { return nil }
    switch shape.count {
    case 1: return Module(name: name, kind: hasBias ? .layerNorm : .vector, shape: shape, inputs: shape[0])
    case 2: return Module(name: name, kind: .matrix(hasBias: hasBias), shape: shape, inputs: shape[1])
    case 3: return Module(name: name, kind: .convolution(hasBias: hasBias), shape: shape, inputs: shape[1])
    case _: return nil
    }
  }

  /// `weight_ih_l0`, `weight_hh_l0_reverse`, ...; cells have no numbers.
  private static func recurrent(_ name: String, _ tensors: [String: Tensor]) throws -> Module? {
    let isCell = tensors["weight_ih"] != nil
    var layers = 0
    while tensors["weight_ih_l\(layers)"] != nil { layers += 1 }
    let number = isCell ? "" : "_l0"
    guard isCell || layers > 0, let input = tensors["weight_ih" + number], let state = tensors["weight_hh" + number],
      input.shape.count == 2, state.shape.count == 2, input.shape[0] == state.shape[0]
    else { return nil }
    let projection = tensors["weight_hr" + number]
    let units = projection?.shape.last ?? state.shape[1]
    guard units > 0, input.shape[0] % units == 0, let cell = Cell(rawValue: input.shape[0] / units) else { return nil }
    guard projection == nil || cell == .lstm else { return nil }
    return Module(
      name: name,
      kind: .recurrent(
        Recurrent(
          cell: cell, units: units, projection: projection?.shape.first, layers: max(layers, 1),
          isBidirectional: tensors["weight_ih_l0_reverse"] != nil, hasBias: tensors["bias_ih" + number] != nil)),
      shape: input.shape, inputs: input.shape[1])
  }
}

extension TorchChain {
  /// The modules of a file, in words: what `inspect` tells where no chain is to be had.
  public static func modules(of checkpoint: Checkpoint) -> [String] {
    if case .torch(let whole, _) = checkpoint.architecture {
      return ["a pickled \(whole.className); nothing of it is run"] + whole.lines(below: "")
    }
    guard let state = try? TorchStateDict(checkpoint), let modules = try? TorchModules(state.entries).modules else {
      return []
    }
    return (state.group.isEmpty ? [] : ["the weights stand in '\(state.group)'"])
      + modules.map { "'\($0.name)': \($0.described)" }
  }
}

extension TorchModule {
  fileprivate func lines(below name: String) -> [String] {
    children.flatMap { child in
      let path = name.isEmpty ? child.name : name + "." + child.name
      return ["'\(path)': \(child.module.className)"] + child.module.lines(below: path)
    }
  }
}

extension TorchModules.Module {
  fileprivate var described: String {
    switch kind {
    case .matrix(let hasBias): return hasBias ? "Linear \(inputs) -> \(shape[0])" : "Linear or Embedding \(shape)"
    case .convolution: return "Conv1d or ConvTranspose1d \(shape)"
    case .batchNorm: return "BatchNorm1d of \(inputs)"
    case .layerNorm: return "LayerNorm of \(inputs)"
    case .vector: return "RMSNorm, LayerNorm without bias or PReLU of \(inputs)"
    case .recurrent(let recurrent):
      let name =
        switch recurrent.cell {
        case .lstm: "LSTM"
        case .gru: "GRU"
        case .rnn: "RNN"
        }
      return "\(name) \(inputs) -> \(recurrent.width)"
        + (recurrent.layers > 1 ? ", \(recurrent.layers) layers" : "")
        + (recurrent.isBidirectional ? ", both directions" : "")
    }
  }
}
