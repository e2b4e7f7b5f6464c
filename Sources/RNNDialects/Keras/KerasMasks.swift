import RNNCore

/// Masks in Keras 3's functional configurations: what an `Embedding` or a `Masking` compares, and what merging makes of
/// masks, stand there as operations of their own, and their results in the argument `mask` of the layers behind. The native
/// graph has masks implied; here the two are told to be the same, or not.
struct KerasMasks {
  /// How a mask comes about.
  indirect enum Expression: Equatable {
    /// tensor != value, for each number; with `isOverChannels`, for any channel of a step.
    case comparison(ModelSpec.Reference, Double, isOverChannels: Bool)
    /// Valid where any is; in order.
    case any([Expression])
    /// One behind the other along an axis; `nil` is valid everywhere.
    case joined([Expression?], axis: Int)
  }

  /// Operations, by name.
  private var operations: [String: (className: String, config: JSONValue, call: KerasCall)] = [:]
  private var aside: Set<String> = []

  mutating func add(_ name: String, _ entry: JSONValue, _ call: KerasCall) {
    operations[name] = (entry["class_name"]?.string ?? "", entry["config"] ?? .null, call)
  }

  func isSetAside(_ name: String) -> Bool { aside.contains(name) }

  /// Sets the operations aside that nothing needs but arguments `mask`.
  mutating func setAside(names: [String], nodes: [[KerasCall]]) {
    var users: [String: [(user: String, isMask: Bool)]] = [:]
    for (name, calls) in zip(names, nodes) {
      for call in calls {
        for tensor in call.arguments.flatMap(\.tensors) { users[tensor.layer, default: []].append((name, false)) }
        for word in call.keywords {
          for tensor in word.argument.tensors { users[tensor.layer, default: []].append((name, word.name == "mask")) }
        }
      }
    }
    var isChanged = true
    while isChanged {
      isChanged = false
      for name in operations.keys where !aside.contains(name) {
        guard let uses = users[name], uses.allSatisfy({ $0.isMask || aside.contains($0.user) }) else { continue }
        aside.insert(name)
        isChanged = true
      }
    }
  }

  /// What has been found of one comparison; a graph may come back to a tensor many times, and a damaged one for ever.
  private final class Notes {
    private var stated: [String: Expression?] = [:]
    private var implied: [ModelSpec.Reference: Expression?] = [:]

    func stated(_ layer: String, _ find: () -> Expression?) -> Expression? {
      if let known = stated[layer] { return known }
      // Until it is found, who asks again is told that there is none.
      stated[layer] = .some(nil)
      let found = find()
      stated[layer] = found
      return found
    }

    func implied(_ reference: ModelSpec.Reference, _ find: () -> Expression?) -> Expression? {
      if let known = implied[reference] { return known }
      let found = find()
      implied[reference] = found
      return found
    }
  }

  /// Whether a mask is the one that the first input of a call has of itself.
  func isImplied(_ mask: KerasTensor, at input: ModelSpec.Reference, _ graph: KerasGraph) -> Bool {
    let notes = Notes()
    guard let stated = expression(mask, graph, notes), let implied = implied(input, graph, notes) else { return false }
    return stated == implied
  }

  /// Valid where any is; each stands once.
  private static func any(_ parts: [Expression]) -> Expression {
    var found: [Expression] = []
    for part in parts.flatMap({ part in if case .any(let inner) = part { inner } else { [part] } })
    where !found.contains(part) { found.append(part) }
    return .any(found)
  }

  /// What the configuration's operations say.
  private func expression(_ tensor: KerasTensor, _ graph: KerasGraph, _ notes: Notes) -> Expression? {
    notes.stated(tensor.layer) {
      operations[tensor.layer].flatMap { expression($0.className, $0.config, $0.call, graph, notes) }
    }
  }

  private func expression(
    _ className: String, _ config: JSONValue, _ call: KerasCall, _ graph: KerasGraph, _ notes: Notes
  ) -> Expression? {
    let tensors = call.arguments.flatMap(\.tensors)
    switch className {
    case "NotEqual":
      guard let source = tensors.first.flatMap(graph.known), call.arguments.count == 2,
        let value = call.arguments[1].value?.double
      else { return nil }
      return .comparison(source, value, isOverChannels: false)
    case "LogicalOr":
      let parts = tensors.compactMap { expression($0, graph, notes) }
      guard parts.count == tensors.count else { return nil }
      return KerasMasks.any(parts)
    case "ConvertToTensor": return tensors.first.flatMap { expression($0, graph, notes) }
    case "Any":
      guard config["axis"]?.integer == -1, let source = tensors.first else { return nil }
      if case .comparison(let tensor, let value, isOverChannels: false)? = expression(source, graph, notes) {
        return .comparison(tensor, value, isOverChannels: true)
      }
      return joined(source, graph, notes)
    case _: return nil
    }
  }

  /// Concatenated masks, each spread over the channels before.
  private func joined(_ tensor: KerasTensor, _ graph: KerasGraph, _ notes: Notes) -> Expression? {
    guard let operation = operations[tensor.layer], operation.className == "Concatenate",
      let axis = operation.config["axis"]?.integer
    else { return nil }
    var parts: [Expression?] = []
    for part in operation.call.arguments.flatMap(\.tensors) {
      guard let spread = operations[part.layer] else { return nil }
      if spread.className == "OnesLike" {
        parts.append(nil)
        continue
      }
      guard spread.className == "LogicalOr", let wide = spread.call.arguments.first?.tensor,
        let source = operations[wide.layer], source.className == "ExpandDims",
        let mask = source.call.arguments.first?.tensor, let inner = expression(mask, graph, notes)
      else { return nil }
      parts.append(inner)
    }
    return .joined(parts, axis: axis)
  }

  /// What the native graph implies.
  private func implied(_ reference: ModelSpec.Reference, _ graph: KerasGraph, _ notes: Notes) -> Expression? {
    notes.implied(reference) {
      let call = graph.calls[reference.call]
      let configuration = graph.layers[call.layer].spec.configuration
      guard reference.output == 0, let first = call.inputs.first else { return nil }
      if let embedding = configuration as? EmbeddingSpec {
        return embedding.maskZero ? .comparison(first, 0, isOverChannels: false) : nil
      }
      if let masking = configuration as? MaskingSpec {
        return .comparison(first, masking.maskValue, isOverChannels: true)
      }
      if configuration.keepsMask { return implied(first, graph, notes) }
      let parts = call.inputs.map { implied($0, graph, notes) }
      if configuration is MergeSpec {
        let known = parts.compactMap(\.self)
        return known.count == parts.count ? KerasMasks.any(known) : nil
      }
      if let concatenate = configuration as? ConcatenateSpec, parts.contains(where: { $0 != nil }) {
        return .joined(parts, axis: concatenate.axis)
      }
      return nil
    }
  }
}

extension ModelSpec {
  /// Keras 2's GroupNormalization takes its statistics over what a mask leaves, which it aligns with the last axes, so that
  /// few masks fit at all (tf_keras, `group_normalization.py`, `call`); Keras 3's takes them over everything.
  /// - Throws: `unsupported` where a mask may reach one of Keras 2.
  func refuseMasks(_ generation: KerasGeneration) throws {
    guard generation == .keras2 else { return }
    let isMasked = calls.mayHaveMask(layers)
    for call in calls where layers[call.layer].spec.configuration is GroupNormalizationSpec {
      guard call.inputs.contains(where: { $0.output == 0 && isMasked[$0.call] }) else { continue }
      throw RNNError.unsupported(
        "GroupNormalization over the steps that a mask leaves", at: "layer '\(layers[call.layer].name)'")
    }
  }
}

extension ModelSpec {
  /// The kinds of the plain layers that a mask may reach, anywhere in the model.
  var kindsReachedByMasks: Set<LayerSpec.Kind> {
    let plain = self.plain
    let isMasked = plain.calls.mayHaveMask(plain.layers)
    let reached = plain.calls.filter { $0.inputs.contains { $0.output == 0 && isMasked[$0.call] } }
    return Set(reached.map { plain.layers[$0.layer].spec.kind })
  }

  /// Whether any layer makes a mask, or is given one.
  var hasMasks: Bool {
    let plain = self.plain
    return plain.calls.mayHaveMask(plain.layers).contains(true)
  }
}

extension [ModelSpec.Call] {
  /// Whether the first output of each call may have a mask, in one walk: each call stands behind those that it reads.
  func mayHaveMask(_ layers: [ModelSpec.Layer]) -> [Bool] {
    var isMasked: [Bool] = []
    for call in self {
      let reaching = call.inputs.map { $0.output == 0 && isMasked[$0.call] }
      let first = reaching.first ?? false
      let has =
        switch layers[call.layer].spec.configuration {
        case is MaskingSpec, is WithMaskSpec, is NestedModelSpec: true
        case let embedding as EmbeddingSpec: embedding.maskZero
        case is MaskOfSpec: reaching.dropFirst().first ?? false
        case is ConcatenateSpec, is MergeSpec, is FoldStepsSpec, is UnfoldStepsSpec, is SwapBatchSpec,
          is WhereValidSpec:
          reaching.contains(true)
        case is ReverseStepsSpec: first
        case let other: other.keepsMask && first
        }
      isMasked.append(has)
    }
    return isMasked
  }
}
