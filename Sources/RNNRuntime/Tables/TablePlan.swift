import RNNCore

/// Which calls of a model read tables instead of an embedding's rows: a matter of the model and of the memory that the
/// tables may take, never of what was run before.
struct TablePlan {
  /// A call that reads a table.
  struct Reader {
    /// The call of the embedding.
    var embedding: Int
    /// What the layer multiplies with, without its parameters' places in memory.
    var taps: Int
    var columns: Int
    /// The place of the bias among the layer's parameters, where a table holds it.
    var bias: Int?
  }

  private(set) var readers: [Int: Reader] = [:]
  /// Calls of embeddings whose rows nobody looks at any more.
  private(set) var unread: Set<Int> = []

  /// - Parameter bytes: what all tables together may take; the first calls come first.
  init(_ graph: RuntimeGraph, bytes: Int) {
    let spec = graph.spec
    var left = bytes
    for (index, call) in spec.calls.enumerated() {
      guard let source = call.inputs.first, source.output == 0,
        let embedding = TablePlan.embedding(behind: source.call, graph),
        let (taps, columns, bias) = TablePlan.product(spec.layers[call.layer].spec),
        case .embedding(let table) = spec.layers[spec.calls[embedding].layer].spec,
        let size = EmbeddingTable.bytes(ids: table.inputDim, taps: taps, columns: columns), size <= left
      else { continue }
      left -= size
      readers[index] = Reader(embedding: embedding, taps: taps, columns: columns, bias: bias)
    }
    for embedding in Set(readers.values.map(\.embedding)) where isUnread(embedding, spec) { unread.insert(embedding) }
  }

  /// The embedding whose rows a call hands on, if these are read right from the model's inputs.
  private static func embedding(behind call: Int, _ graph: RuntimeGraph) -> Int? {
    let spec = graph.spec
    let layer = spec.layers[spec.calls[call].layer].spec
    if case .embedding = layer {
      guard let source = spec.calls[call].inputs.first,
        let input = spec.inputs.firstIndex(of: spec.source(of: source.call)), graph.embeddingRows[input] != nil
      else { return nil }
      return call
    }
    guard TablePlan.handsOn(layer) else { return nil }
    return spec.calls[call].inputs.first.flatMap { embedding(behind: $0.call, graph) }
  }

  /// Outside training, dropout and noise are nothing.
  private static func handsOn(_ layer: LayerSpec) -> Bool {
    layer.configuration is any UntouchingLayer && layer.configuration is any ShapeKeepingLayer
  }

  /// How a layer reads a step of its input, if that is by a product alone.
  private static func product(_ layer: LayerSpec) -> (taps: Int, columns: Int, bias: Int?)? {
    if case .conv1D(let spec) = layer { return spec.groups == 1 ? (spec.kernelSize, spec.filters, nil) : nil }
    if case .dense(let spec) = layer { return (1, spec.units, spec.useBias ? 1 : nil) }
    if case .lstm(let spec) = layer { return (1, 4 * spec.units, spec.options.useBias ? 2 : nil) }
    if case .gru(let spec) = layer { return (1, 3 * spec.units, spec.options.useBias ? 2 : nil) }
    if case .simpleRNN(let spec) = layer { return (1, spec.units, spec.options.useBias ? 2 : nil) }
    return nil
  }

  /// Whether everything that reads an embedding, or what hands it on, reads a table.
  private func isUnread(_ call: Int, _ spec: ModelSpec) -> Bool {
    guard !spec.outputs.contains(where: { $0.call == call }) else { return false }
    return spec.calls.indices.allSatisfy { reader in
      let places = spec.calls[reader].inputs.indices.filter { spec.calls[reader].inputs[$0].call == call }
      if places.isEmpty { return true }
      if readers[reader] != nil { return places == [0] }
      return TablePlan.handsOn(spec.layers[spec.calls[reader].layer].spec) && isUnread(reader, spec)
    }
  }
}

/// The tables of a model, by the call that reads them.
struct EmbeddingTables: Sendable {
  let tables: [Int: EmbeddingTable]
  /// The embedding of each of these calls.
  let embeddings: [Int: Int]
  let unread: Set<Int>

  init(_ graph: RuntimeGraph, _ parameters: [[UnsafePointer<Float>]], bytes: Int) {
    let plan = TablePlan(graph, bytes: bytes)
    let spec = graph.spec
    var tables: [Int: EmbeddingTable] = [:]
    for (call, reader) in plan.readers {
      let (layer, embedding) = (spec.calls[call].layer, spec.calls[reader.embedding].layer)
      guard case .embedding(let rows) = spec.layers[embedding].spec else { continue }
      let product = EmbeddingTable.Product(
        kernel: parameters[layer][0], taps: reader.taps, channels: rows.outputDim, columns: reader.columns,
        bias: reader.bias.map { parameters[layer][$0] })
      tables[call] = EmbeddingTable(product, embeddings: parameters[embedding][0], ids: rows.inputDim)
    }
    self.tables = tables
    embeddings = plan.readers.mapValues(\.embedding)
    unread = plan.unread
  }
}
