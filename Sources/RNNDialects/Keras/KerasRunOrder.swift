import RNNCore

/// The order in which Keras 3 runs the calls of a functional model (`keras/src/ops/function.py`, `map_graph`): from the
/// deepest to the outputs, and at one depth as they were met from the outputs backwards.
struct KerasRunOrder {
  /// A call of a layer.
  struct Node: Hashable {
    var layer: Int
    var node: Int
  }

  /// For each call that an output needs, its place.
  private(set) var places: [Node: Int] = [:]

  /// - Parameter inputs: the calls whose tensors a call reads, in their order.
  init(outputs: [Node], inputs: (Node) -> [Node]) {
    let met = KerasRunOrder.decreasingDepth(outputs, inputs)
    var depths: [Node: Int] = [:]
    var depthsOfLayers: [Int: Int] = [:]
    var order: [Node] = []
    func raise(_ node: Node, to depth: Int) {
      if depths[node] == nil { order.append(node) }
      depths[node] = max(depths[node] ?? 0, depth)
    }
    for node in met.reversed() {
      raise(node, to: depthsOfLayers[node.layer] ?? 0)
      let depth = depths[node] ?? 0
      depthsOfLayers[node.layer] = depth
      for parent in inputs(node) { raise(parent, to: depth + 1) }
    }
    let sorted = order.enumerated().sorted { left, right in
      let (first, second) = (depths[left.element] ?? 0, depths[right.element] ?? 0)
      return first != second ? first > second : left.offset < right.offset
    }
    for (place, item) in sorted.enumerated() { places[item.element] = place }
  }

  /// Each call behind those that it reads, as a walk from the outputs leaves them.
  private static func decreasingDepth(_ outputs: [Node], _ inputs: (Node) -> [Node]) -> [Node] {
    var finished: Set<Node> = []
    var entered: Set<Node> = []
    var result: [Node] = []
    // No recursion: a file may hold a chain of any length.
    var stack = outputs.reversed().map { (node: $0, isLeaving: false) }
    while let (node, isLeaving) = stack.popLast() {
      if isLeaving {
        if finished.insert(node).inserted { result.append(node) }
        continue
      }
      guard !finished.contains(node), entered.insert(node).inserted else { continue }
      stack.append((node, true))
      stack += inputs(node).reversed().map { ($0, false) }
    }
    return result
  }
}

extension KerasGraph {
  /// A MultiHeadAttention of Keras 3.8 and later takes the masks off its inputs
  /// (`keras/src/layers/attention/multi_head_attention.py`, `call`), so that what reads masks off
  /// tensors and runs later finds none: multiplication, maximum, minimum and attention.
  /// All other layers are given masks when the model is made.
  /// - Parameter outputs: of the model.
  mutating func loseMasks(outputs: [KerasTensor]) {
    let attentions = nodesOfCalls.filter { call, _ in
      // A GroupQueryAttention leaves them where they are.
      if case .multiHeadAttention(let spec) = layers[calls[call].layer].spec { spec.keyHeadCount == nil } else { false }
    }
    guard era.generation == .keras3, !era.isOlder(than: 3, 8), !attentions.isEmpty else { return }
    let readers = nodesOfCalls.filter { call, _ in
      switch layers[calls[call].layer].spec.configuration {
      case let merge as MergeSpec: merge.skipsMasked
      case is AttentionSpec, is MultiHeadAttentionSpec: true
      case _: false
      }
    }
    guard !readers.isEmpty else { return }
    let order = KerasRunOrder(outputs: outputs.compactMap(node)) { nodes[$0.layer][$0.node].tensors.compactMap(node) }
    let isMasked = calls.mayHaveMask(layers)
    let stripped = readers.map { call, reader -> (call: Int, inputs: [Int]) in
      guard let later = order.places[reader] else { return (call, []) }
      let taken = attentions.filter { order.places[$0.value].map { $0 < later } ?? false }
        .flatMap { calls[$0.key].inputs }
      let inputs = calls[call].inputs
      return (
        call,
        inputs.indices.filter {
          taken.contains(inputs[$0]) && inputs[$0].output == 0 && isMasked[inputs[$0].call]
        }
      )
    }
    // The last first, and each strip moves its call on by one.
    for (call, inputs) in stripped.sorted(by: { $0.call > $1.call }) {
      for (count, input) in inputs.enumerated() { strip(call + count, input) }
    }
  }

  /// The call that a tensor comes from.
  private func node(_ tensor: KerasTensor) -> KerasRunOrder.Node? {
    guard let layer = layerIndex[tensor.layer], nodes.indices.contains(layer) else { return nil }
    let node = nodes[layer].count == 1 ? 0 : tensor.node
    return nodes[layer].indices.contains(node) ? KerasRunOrder.Node(layer: layer, node: node) : nil
  }
}
