import RNNCore

/// A graph on its way into a native model.
struct ONNXReading {
  let source: ONNXModel
  let operatorSet: Int
  var values: [String: ONNXValue] = [:]
  /// How many nodes, and outputs of the graph, read a name.
  private var uses: [String: Int] = [:]
  private var layers: [ModelSpec.Layer] = []
  private var calls: [ModelSpec.Call] = []
  private var inputCalls: [Int] = []
  var parameters: [NativeModel.Parameter] = []
  var ledger: [LedgerEntry] = []
  private var placements: [TensorPlacement] = []
  private var names: Set<String> = []
  /// The names of inputs and outputs, which no layer between them takes.
  private var reserved: Set<String> = []
  private var freeSizes = 0
  /// The batch that the graph was exported for, where it is for one alone.
  private(set) var fixedBatch: Int?

  init(_ source: ONNXModel, inputs: [ONNXGraph.Value], batchAxes: [Int]) throws {
    self.source = source
    operatorSet = source.operatorSets[""] ?? 0
    for name in source.graph.nodes.flatMap(\.inputs) + source.graph.outputs.map(\.name) { uses[name, default: 0] += 1 }
    for (name, tensor) in source.graph.initializers { values[name] = .constant(tensor) }
    values[""] = .absent
    reserved = Set((inputs + source.graph.outputs).map { ONNXReading.layerName($0.name) })
    var named: [String: ONNXSize] = [:]
    for (input, axis) in zip(inputs, batchAxes) {
      guard let dtype = input.dtype, let shape = input.shape else {
        throw RNNError.unsupported("the input '\(input.name)' states no type or no shape")
      }
      guard shape.indices.contains(axis) else {
        throw RNNError.unsupported("the input '\(input.name)' is one number, and has no axis of examples")
      }
      var sizes: [ONNXSize] = []
      for (place, dimension) in shape.enumerated() where place != axis {
        switch dimension {
        case .size(let size):
          try SizeLimit.check(size, "an axis of the input '\(input.name)'", atLeast: 0)
          sizes.append(.known(size))
        case .named(let name):
          let size = named[name] ?? newSize()
          named[name] = size
          sizes.append(size)
        case .free: sizes.append(newSize())
        }
      }
      var spec = InputSpec(
        shape: sizes.map { if case .known(let size) = $0 { size } else { nil } }, dtype: dtype.name)
      spec.batchAxis = axis
      if case .size(let batch) = shape[axis] {
        spec.batchSize = batch
        fixedBatch = batch
      }
      inputCalls.append(calls.count)
      let reference = add(.input(spec), named: input.name, to: [], isReserved: true)
      var axes = sizes.indices.map(ONNXStream.Axis.native)
      axes.insert(.batch, at: axis)
      values[input.name] = .stream(ONNXStream(reference: reference, axes: axes, sizes: sizes))
    }
  }

  mutating func newSize() -> ONNXSize {
    freeSizes += 1
    return .free(freeSizes)
  }

  // MARK: - The whole

  mutating func model() throws -> NativeModel {
    try refuseUnknown()
    for node in source.graph.nodes {
      do {
        try read(node)
      } catch let error as RNNError {
        throw error.within(node.described)
      } catch is ONNXBatchMismatch {
        throw ONNXBatchMismatch(node: node.described)
      }
    }
    var outputs: [ModelSpec.Reference] = []
    var batchAxes: [Int] = []
    for output in source.graph.outputs {
      guard case .stream(let stream)? = values[output.name] else {
        throw RNNError.unsupported("the output '\(output.name)' does not depend on the inputs")
      }
      let standard = try standard(stream)
      // The output's own name, whatever gives it.
      outputs.append(
        add(.identity(IdentitySpec()), named: output.name, to: [standard.reference], isReserved: true))
      batchAxes.append(standard.batchAxis)
    }
    let name = source.graph.name.isEmpty ? "model" : source.graph.name
    var spec = ModelSpec(
      name: name, isSequential: false, layers: layers, calls: calls, inputs: inputCalls, outputs: outputs)
    spec.outputBatchAxes = batchAxes.allSatisfy { $0 == 0 } ? nil : batchAxes
    var provenance = Provenance(source: "", container: "", framework: "ONNX", dialect: WeightDialect.onnx.name)
    provenance.frameworkVersion = "operator set \(operatorSet)"
    if !source.producer.isEmpty { provenance.decisions.append("written by \(source.producer)") }
    for (input, call) in zip(source.graph.inputs.filter { source.graph.initializers[$0.name] == nil }, inputCalls) {
      guard case .input(let layer) = layers[calls[call].layer].spec, layer.batchAxis != 0 else { continue }
      provenance.decisions.append("'\(input.name)': its axis \(layer.batchAxis) counts the examples")
    }
    var model = NativeModel(spec: spec, parameters: parameters, provenance: provenance)
    model.ledger = ledger
    let explained = Set(placements.map(\.layer))
    model.placements =
      placements
      + parameters.filter { !explained.contains($0.layer) }.map {
        TensorPlacement(
          .whole($0.name), tensor: "\($0.layer): \($0.name)", shape: $0.tensor.shape, layer: $0.layer, shapes: [:])
      }
    try model.validate()
    return model
  }

  /// Names all operations that are not carried at once, but for those that only weights go through.
  private func refuseUnknown() throws {
    var unknown: [String] = []
    for node in source.graph.nodes {
      let isKnown = node.domain.isEmpty && ONNXReading.operations.contains(node.operation)
      let text = node.domain.isEmpty ? node.operation : "\(node.domain).\(node.operation)"
      if !isKnown, !unknown.contains(text) { unknown.append(text) }
    }
    guard unknown.isEmpty else {
      throw RNNError.unsupported("operations that are not carried: " + unknown.joined(separator: ", "))
    }
  }

  // MARK: - Building

  /// A layer with one call; its name is made unique.
  /// - Returns: its first output.
  mutating func add(
    _ spec: LayerSpec, named wish: String, to inputs: [ModelSpec.Reference], isReserved: Bool = false
  ) -> ModelSpec.Reference {
    let base = wish.isEmpty ? spec.kind.rawValue : ONNXReading.layerName(wish)
    var name = base
    var number = 1
    while !isReserved && reserved.contains(name) || !names.insert(name).inserted {
      name = "\(base)_\(number)"
      number += 1
    }
    layers.append(ModelSpec.Layer(name: name, spec: spec))
    calls.append(ModelSpec.Call(layer: layers.count - 1, inputs: inputs))
    return ModelSpec.Reference(call: calls.count - 1)
  }

  /// A slash would be a place inside a layer.
  private static func layerName(_ name: String) -> String { name.replacing("/", with: "_") }

  func layerName(_ reference: ModelSpec.Reference) -> String { layers[calls[reference.call].layer].name }

  func spec(_ reference: ModelSpec.Reference) -> LayerSpec { layers[calls[reference.call].layer].spec }

  mutating func replace(_ reference: ModelSpec.Reference, with spec: LayerSpec) {
    layers[calls[reference.call].layer].spec = spec
  }

  /// Weights of a layer, by the dialect's layout.
  mutating func take(
    _ tensors: [String: Tensor], of layer: LayerSpec, at path: String, shapes: [ParameterShape]
  ) throws {
    guard let layout = WeightDialect.onnx.layout(of: layer) else {
      throw RNNError(.internalError, "no layout for \(layer.kind.rawValue)")
    }
    var assembly = ParameterAssembly(
      shapes: Dictionary(shapes.map { ($0.name, $0.shape) }, uniquingKeysWith: { $1 }))
    for item in layout.items {
      guard let arrangement = item.arrangement else { continue }
      guard let tensor = tensors[item.name] else {
        throw RNNError.badData("the weight \(item.name) is missing or no initializer")
      }
      let expected = try arrangement.shape(assembly.shapes)
      guard tensor.shape == expected else {
        throw RNNError.badData("\(item.name) is \(tensor.shape), expected \(expected)")
      }
      try arrangement.place(tensor, in: &assembly)
      placements.append(
        TensorPlacement(
          arrangement, tensor: "\(path): \(item.name)", shape: tensor.shape, layer: path, shapes: assembly.shapes))
    }
    for name in layer.parameterNames {
      parameters.append(.init(layer: path, name: name, tensor: try assembly.parameter(name)))
    }
    for name in assembly.rounded.sorted() {
      ledger.append(
        LedgerEntry(.rounded, NativeModel.path(layer: path, parameter: name), "ONNX has two, which are added here"))
    }
  }

  // MARK: - Values

  func value(_ node: ONNXGraph.Node, _ index: Int) throws -> ONNXValue {
    guard node.inputs.indices.contains(index) else { return .absent }
    guard let value = values[node.inputs[index]] else {
      throw RNNError.badData("'\(node.inputs[index])' is given by no node before")
    }
    return value
  }

  func stream(_ node: ONNXGraph.Node, _ index: Int) throws -> ONNXStream {
    guard case .stream(let stream) = try value(node, index) else {
      throw RNNError.unsupported("its input \(index) is a weight where a tensor of the run is expected")
    }
    return stream
  }

  /// Bytes of a weight that a file states as one number and a shape.
  private static let filledLimit = 1 << 28

  /// A weight; `nil` for an input that is left out.
  func constant(_ node: ONNXGraph.Node, _ index: Int) throws -> Tensor? {
    switch try value(node, index) {
    case .absent: return nil
    case .constant(let tensor): return tensor
    case .sizes(let sizes, let isScalar):
      guard let known = ONNXReading.integers(sizes) else {
        throw RNNError.unsupported("its input \(index) depends on the inputs' sizes")
      }
      return try Tensor(known.map(Int64.init), shape: isScalar ? [] : [known.count])
    case .filled(let number, let sizes):
      guard let shape = ONNXReading.integers(sizes) else {
        throw RNNError.unsupported("its input \(index) depends on the inputs' sizes")
      }
      guard let bytes = Tensor.byteCount(dtype: .float32, shape: shape), bytes <= ONNXReading.filledLimit else {
        throw RNNError.badData("its input \(index) is one number in the shape \(shape)")
      }
      return try Tensor([Float](repeating: Float(number), count: bytes / 4), shape: shape)
    case .stream:
      throw RNNError.unsupported(
        "its input \(index) ('\(node.inputs[index])') is computed when the graph runs, and must be a weight")
    }
  }

  /// A list of sizes: a weight, or computed from shapes.
  func sizes(_ node: ONNXGraph.Node, _ index: Int) throws -> [ONNXSize]? {
    switch try value(node, index) {
    case .absent: return nil
    case .sizes(let sizes, _): return sizes
    case .constant(let tensor):
      guard let numbers = tensor.integers() else { throw RNNError.badData("its input \(index) holds no integers") }
      return numbers.map(ONNXSize.known)
    case .filled, .stream:
      throw RNNError.unsupported("its input \(index) is no list of sizes that is known before the graph runs")
    }
  }

  /// The same where all must be numbers.
  func integers(_ node: ONNXGraph.Node, _ index: Int) throws -> [Int]? {
    guard let sizes = try sizes(node, index) else { return nil }
    guard let numbers = ONNXReading.integers(sizes) else {
      throw RNNError.unsupported("its input \(index) depends on the inputs' sizes")
    }
    return numbers
  }

  static func integers(_ sizes: [ONNXSize]) -> [Int]? {
    let numbers = sizes.compactMap { if case .known(let number) = $0 { number } else { nil } }
    return numbers.count == sizes.count ? numbers : nil
  }

  /// Whether anything reads an output of a node.
  func isUsed(_ node: ONNXGraph.Node, _ output: Int) -> Bool {
    guard node.outputs.indices.contains(output), !node.outputs[output].isEmpty else { return false }
    return (uses[node.outputs[output]] ?? 0) > 0
  }

  /// How often a name is read.
  func uses(of name: String) -> Int { uses[name] ?? 0 }

  mutating func set(_ node: ONNXGraph.Node, _ value: ONNXValue, output: Int = 0) {
    guard node.outputs.indices.contains(output), !node.outputs[output].isEmpty else { return }
    values[node.outputs[output]] = value
  }

  /// An axis counted from the end where it is negative.
  func place(_ axis: Int, rank: Int) throws -> Int {
    let place = axis < 0 ? axis + rank : axis
    guard (0..<rank).contains(place) else { throw RNNError.badData("the axis \(axis) of \(rank)") }
    return place
  }

  /// Axes counted from the end where they are negative, each but once.
  func places(_ axes: [Int], rank: Int) throws -> [Int] {
    let places = try axes.map { try place($0, rank: rank) }
    guard Set(places).count == places.count else { throw RNNError.badData("of the axes \(axes) one stands twice") }
    return places
  }
}
