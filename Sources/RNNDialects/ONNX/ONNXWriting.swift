import RNNCore

/// A graph while it is written: plain layers, call by call, with the batch first between them.
struct ONNXWriting {
  let native: NativeModel
  let plain: ModelSpec
  let shapes: ModelShapes
  private(set) var graph: ONNXGraph
  private(set) var ledger: [LedgerEntry] = []
  let tensors: [String: Tensor]
  /// By call, the names of its outputs.
  private var values: [[String]] = []
  private var names: Set<String> = []
  private var refused: [String] = []
  /// The values that are whole numbers: inputs, with the batch first.
  private(set) var wholeNumbers: Set<String> = []
  /// Those as float32.
  private var casts: [String: String] = [:]

  init(_ native: NativeModel) throws {
    self.native = native
    plain = native.spec.plain
    shapes = try plain.shapes()
    tensors = native.tensorsByPath
    graph = ONNXGraph(name: native.spec.name, nodes: [], initializers: [:], inputs: [], outputs: [])
  }

  mutating func write() throws {
    names = Set(native.spec.inputNames + native.spec.outputNames)
    for (index, call) in plain.calls.enumerated() {
      let layer = plain.layers[call.layer]
      if case .input(let input) = layer.spec {
        values.append([addInput(input, named: native.spec.inputNames[plain.inputs.firstIndex(of: index) ?? 0])])
        continue
      }
      let given = call.inputs.map { values[$0.call][$0.output] }
      let inputs = [.embedding, .integerLookup].contains(layer.spec.kind) ? given : given.map { asFloats($0) }
      let sources = call.inputs.map { shapes.outputs[$0.call][$0.output] }
      do {
        var outputs = try nodes(for: layer, inputs, sources)
        // What nothing reads may be left out.
        while outputs.count < shapes.outputs[index].count { outputs.append("") }
        values.append(outputs)
      } catch let error as RNNError where error.reason == .unsupported {
        refused.append("'\(layer.name)' (\(layer.spec.kind.rawValue): \(error.what))")
        values.append(shapes.outputs[index].map { _ in "" })
      }
    }
    guard refused.isEmpty else {
      throw RNNError.unsupported("ONNX has no nodes here for " + refused.joined(separator: ", "))
    }
    // In the model's order: who gives arrays without names goes by that.
    let order = native.spec.inputNames
    graph.inputs.sort { (order.firstIndex(of: $0.name) ?? 0) < (order.firstIndex(of: $1.name) ?? 0) }
    try writeOutputs()
  }

  private mutating func writeOutputs() throws {
    for (index, reference) in plain.outputs.enumerated() {
      var value = asFloats(values[reference.call][reference.output])
      let shape = shapes.outputs[reference.call][reference.output]
      let axis = native.spec.outputBatchAxes?[index] ?? 0
      var dimensions = shape.enumerated().map { place, size in
        size.map(ONNXGraph.Dimension.size) ?? .named("\(native.spec.outputNames[index])_\(place + 1)")
      }
      if axis > 0 {
        var order = Array(0...shape.count)
        order.insert(order.remove(at: 0), at: axis)
        value = transposed(value, order)
      }
      dimensions.insert(.named("batch"), at: min(axis, dimensions.count))
      let stated = native.spec.outputNames[index]
      // A name stands for one value in a graph: what goes out as it came in needs another.
      let name = graph.inputs.contains { $0.name == stated } ? fresh(stated + "_output") : stated
      graph.nodes.append(.init(name: name, operation: "Identity", inputs: [value], outputs: [name]))
      graph.outputs.append(.init(name: name, dtype: .float32, shape: dimensions))
    }
  }

  private mutating func addInput(_ input: InputSpec, named name: String) -> String {
    let dtype: DType = input.dtype.hasPrefix("int64") ? .int64 : input.dtype.contains("int") ? .int32 : .float32
    var dimensions = input.shape.enumerated().map { place, size in
      size.map(ONNXGraph.Dimension.size) ?? .named("\(name)_\(place + 1)")
    }
    dimensions.insert(.named("batch"), at: min(input.batchAxis, dimensions.count))
    graph.inputs.append(.init(name: name, dtype: dtype, shape: dimensions))
    var order = Array(0...input.shape.count)
    order.insert(order.remove(at: min(input.batchAxis, order.count - 1)), at: 0)
    let value = transposed(name, order)
    if dtype != .float32 { wholeNumbers.insert(value) }
    return value
  }

  /// Layers compute with float32, whatever an input's type is; an embedding takes ids as they are.
  private mutating func asFloats(_ value: String) -> String {
    guard wholeNumbers.contains(value) else { return value }
    if let known = casts[value] { return known }
    let cast = one("Cast", [value], ["to": .integer(1)])
    casts[value] = cast
    return cast
  }

  /// Checks how many numbers a node lists one by one.
  /// - Throws: `unsupported` for more than a graph should hold.
  static func checkListed(_ count: Int) throws {
    guard count <= 1 << 20 else { throw RNNError.unsupported("\(count) numbers, which a graph would list one by one") }
  }

  // MARK: - Building

  mutating func note(_ kind: LedgerEntry.Kind, _ subject: String, _ text: String) {
    ledger.append(LedgerEntry(kind, subject, text))
  }

  /// A name that nothing has yet.
  mutating func fresh(_ wish: String) -> String {
    var name = wish
    var number = 1
    while !names.insert(name).inserted {
      name = "\(wish)_\(number)"
      number += 1
    }
    return name
  }

  /// One node.
  /// - Parameter count: of outputs.
  mutating func add(
    _ operation: String, _ inputs: [String], _ attributes: [String: ONNXGraph.Attribute] = [:], named wish: String = "",
    count: Int = 1
  ) -> [String] {
    let outputs = (0..<count).map { _ in fresh(wish.isEmpty ? operation : wish) }
    graph.nodes.append(
      .init(
        name: outputs[0], operation: operation, inputs: inputs, outputs: outputs, attributes: attributes))
    return outputs
  }

  mutating func one(
    _ operation: String, _ inputs: [String], _ attributes: [String: ONNXGraph.Attribute] = [:], named wish: String = ""
  ) -> String {
    add(operation, inputs, attributes, named: wish)[0]
  }

  mutating func transposed(_ value: String, _ order: [Int]) -> String {
    order == order.sorted() ? value : one("Transpose", [value], ["perm": .integers(order)])
  }

  /// A list of integers as a weight.
  mutating func integers(_ values: [Int]) -> String {
    let name = fresh("integers")
    graph.initializers[name] = try? Tensor(values.map(Int64.init), shape: [values.count])
    return name
  }

  /// One integer, without axes.
  mutating func integer(_ value: Int) -> String {
    let name = fresh("integer")
    graph.initializers[name] = try? Tensor([Int64(value)], shape: [])
    return name
  }

  mutating func number(_ value: Double) -> String {
    let name = fresh("number")
    graph.initializers[name] = try? Tensor([Float(value)], shape: [])
    return name
  }

  /// What a layer's configuration holds, as a weight.
  mutating func constant(_ constant: BinarySpec.Constant, _ wish: String) throws -> String {
    try weight(try Tensor(constant.values.map { Float($0) }, shape: constant.shape), named: fresh(wish))
  }

  mutating func reshaped(_ value: String, _ shape: [Int]) -> String { one("Reshape", [value, integers(shape)]) }

  /// Steps (or any axis) from their end to their beginning.
  mutating func reversed(_ value: String, axis: Int) -> String {
    one(
      "Slice", [value, integers([-1]), integers([Int(Int32.min) + 1]), integers([axis]), integers([-1])])
  }

  /// A weight under a name, once a shape; in float32, for graphs compute in the type of their weights.
  mutating func weight(_ tensor: Tensor, named wish: String) throws -> String {
    var name = wish
    // A layer that is called with other axes needs its weights along those.
    if let known = graph.initializers[wish], known.shape != tensor.shape { name = fresh(wish) }
    if graph.initializers[name] == nil {
      names.insert(name)
      if tensor.dtype == .float32 {
        graph.initializers[name] = tensor
      } else {
        graph.initializers[name] = try Tensor(tensor.floats(), shape: tensor.shape)
        note(.emulated, name, "\(tensor.dtype.name) is written as float32, which graphs compute in")
      }
    }
    return name
  }

  /// A weight that goes out in another form.
  mutating func take(_ name: String) -> Tensor? { graph.initializers.removeValue(forKey: name) }

  /// A layer's weights by the names of the dialect's layout.
  mutating func weights(of layer: ModelSpec.Layer, _ spec: LayerSpec? = nil) throws -> [String: String] {
    guard let layout = WeightDialect.onnx.layout(of: spec ?? layer.spec) else {
      throw RNNError.unsupported("no layout")
    }
    var parameters: [String: Tensor] = [:]
    for name in layer.spec.parameterNames {
      parameters[name] = tensors[NativeModel.path(layer: layer.name, parameter: name)]
    }
    var result: [String: String] = [:]
    for item in layout.items {
      guard let arrangement = item.arrangement else { continue }
      var tensor = try arrangement.tensor(from: parameters)
      // The first axis of a recurrent node's weights is the direction.
      if layer.spec.isRecurrent { tensor = try tensor.reshaped(to: [1] + tensor.shape) }
      result[item.name] = try weight(tensor, named: "\(layer.name)/\(item.name)")
    }
    return result
  }

  /// A native parameter as it is.
  mutating func parameter(_ name: String, of layer: ModelSpec.Layer) throws -> String? {
    let path = NativeModel.path(layer: layer.name, parameter: name)
    return try tensors[path].map { try weight($0, named: path) }
  }
}
