import Foundation
import RNNCore
import RNNRuntime

/// How a layer is tried.
public struct LayerTrial: Sendable, CustomStringConvertible {
  public var spec: LayerSpec
  /// One example.
  public var input: [Int]
  /// With a `Masking` layer before it, and some steps masked.
  public var isMasked = false
  /// With initial states from the graph.
  public var hasInitialStates = false
  /// Further inputs, one example of each.
  public var others: [[Int]] = []
  /// Whether these are masked, too.
  public var othersAreMasked = false
  /// With gradients of the output that are mostly zeros, in all examples but the first.
  public var isSparse = false
  /// With dropout and noise.
  public var isTraining = false
  public var seed: UInt64 = 1
  /// Of so many elements one is moved, to compare its gradient with differences: of large layers not all can be.
  public var differenceStride = 1

  public init(_ spec: LayerSpec, _ input: [Int], _ change: (inout LayerTrial) -> Void = { _ in }) {
    self.spec = spec
    self.input = input
    change(&self)
  }

  public var description: String {
    "\(spec.kind.rawValue) \(input)\(others.isEmpty ? "" : " and \(others)")\(isMasked ? " masked" : "")\(hasInitialStates ? " with states" : "")"
      + "\(isSparse ? " sparse" : "")\(isTraining ? " in training" : "") seed \(seed)"
  }
}

/// Everything that is asked of a layer, whatever its kind:
///
/// - its outputs have the shapes that its configuration says;
/// - they are those of the naive layer in double precision;
/// - the gradients of its parameters and inputs are the central differences of that;
/// - a batch of n gives what n single runs give, bit for bit, and the sum of their gradients;
/// - a masked step changes nothing: the sequence without it gives the same bits.
///
/// - Returns: what is wrong, in words; empty for a good layer.
/// - Throws: where the layer cannot be run at all.
public func checkLayer(_ trial: LayerTrial) throws -> [String] {
  let check = try LayerCheck(trial)
  return try check.shapes() + check.naive() + check.differences() + check.singles() + check.masks()
}

private struct LayerCheck {
  static let batch = 3

  let trial: LayerTrial
  var native: NativeModel
  /// x, and the initial states.
  let inputs: [Tensor]
  /// For each output, d loss / d output.
  let cotangents: [[Float]]
  private let noise: (seed: UInt64, step: UInt64)?
  private let run: LayerRun

  init(_ trial: LayerTrial) throws {
    self.trial = trial
    var generator = SeededGenerator(seed: trial.seed)
    native = try LayerCheck.model(trial, &generator)
    inputs = try LayerCheck.inputs(trial, native.spec, &generator)
    noise = trial.isTraining ? (seed: trial.seed, step: 5) : nil
    let count = native.spec.outputs.count
    let empty = [[Float]](repeating: [], count: count)
    let first = try LayerRun(native, inputs, empty, noise, firstExample: 0)
    cotangents = first.outputs.map { output in
      let values = generator.floats(output.count)
      return values.enumerated().map { index, value in
        let isKept = !trial.isSparse || index < values.count / LayerCheck.batch || index % 7 == 0
        return isKept ? value : 0
      }
    }
    run = try LayerRun(native, inputs, cotangents, noise, firstExample: 0)
  }

  private static func model(_ trial: LayerTrial, _ generator: inout SeededGenerator) throws -> NativeModel {
    let isEmbedding = trial.spec.kind == .embedding
    var layers = [
      ModelSpec.Layer(
        name: "x", spec: .input(InputSpec(shape: trial.input, dtype: isEmbedding ? "int32" : "float32")))
    ]
    var calls = [ModelSpec.Call(layer: 0, inputs: [])]
    var source = 0
    if trial.isMasked {
      layers.append(.init(name: "mask", spec: .masking(MaskingSpec(maskValue: 0))))
      calls.append(.init(layer: 1, inputs: [.init(call: 0)]))
      source = 1
    }
    var modelInputs = [0]
    var sources = [source]
    let states = trial.hasInitialStates ? try trial.spec.stateShapes(input: trial.input.map { $0 }) : []
    for (number, shape) in (states + trial.others.map { $0.map { $0 } }).enumerated() {
      modelInputs.append(calls.count)
      layers.append(.init(name: "other\(number)", spec: .input(InputSpec(shape: shape))))
      calls.append(.init(layer: layers.count - 1, inputs: []))
      if trial.othersAreMasked {
        layers.append(.init(name: "mask\(number)", spec: .masking(MaskingSpec(maskValue: 0))))
        calls.append(.init(layer: layers.count - 1, inputs: [.init(call: calls.count - 1)]))
      }
      sources.append(calls.count - 1)
    }
    layers.append(.init(name: "layer", spec: trial.spec))
    let references = sources.map { ModelSpec.Reference(call: $0) }
    calls.append(.init(layer: layers.count - 1, inputs: references))
    var spec = ModelSpec(
      name: "m", isSequential: false, layers: layers, calls: calls, inputs: modelInputs,
      outputs: [.init(call: calls.count - 1)])
    let outputs = try spec.shapes().outputs[calls.count - 1].count
    spec.outputs = (0..<outputs).map { .init(call: calls.count - 1, output: $0) }
    var native = NativeModel(
      spec: spec, parameters: [], provenance: Provenance(source: "", container: "", framework: "", dialect: ""))
    let plain = spec.plain
    for (layer, shapes) in zip(plain.layers, try plain.shapes().parameters) {
      for shape in shapes {
        var values = generator.floats(shape.shape.reduce(1, *))
        if shape.name.hasSuffix("variance") { values = values.map { abs($0) + 0.5 } }
        let tensor = try Tensor(values, shape: shape.shape)
        native.parameters.append(.init(layer: layer.name, name: shape.name, tensor: tensor))
      }
    }
    return native
  }

  private static func inputs(
    _ trial: LayerTrial, _ spec: ModelSpec, _ generator: inout SeededGenerator
  ) throws -> [Tensor] {
    let shape = [batch] + trial.input
    let count = shape.reduce(1, *)
    var result: [Tensor]
    if case .embedding(let embedding) = trial.spec {
      let ids = (0..<count).map { _ in Int64.random(in: 0..<Int64(embedding.inputDim), using: &generator) }
      result = [try Tensor(ids, shape: shape)]
    } else {
      var values = generator.floats(count)
      if trial.isMasked {
        let width = shape[shape.count - 1]
        for step in 0..<count / width where Int.random(in: 0..<3, using: &generator) == 0 {
          for channel in 0..<width { values[step * width + channel] = 0 }
        }
      }
      result = [try Tensor(values, shape: shape)]
    }
    for call in spec.inputs.dropFirst() {
      guard case .input(let input) = spec.layers[spec.calls[call].layer].spec else { continue }
      let shape = [batch] + input.shape.map { $0 ?? 0 }
      var values = generator.floats(shape.reduce(1, *))
      if trial.othersAreMasked {
        let width = shape[shape.count - 1]
        for step in 0..<values.count / width where Int.random(in: 0..<3, using: &generator) == 0 {
          for channel in 0..<width { values[step * width + channel] = 0 }
        }
      }
      result.append(try Tensor(values, shape: shape))
    }
    return result
  }

  // MARK: - The five questions

  func shapes() throws -> [String] {
    let shapes = try native.spec.shapes()
    return zip(native.spec.outputs, run.shapes).compactMap { reference, found in
      let expected = [LayerCheck.batch] + shapes.outputs[reference.call][reference.output].map { $0 ?? -1 }
      let isSame = expected.count == found.count && zip(expected, found).allSatisfy { $0 == $1 || $0 == -1 }
      return isSame ? nil : "output \(reference.output) is \(found), expected \(expected)"
    }
  }

  func naive() throws -> [String] {
    let expected = try NaiveModel.run(inputs, try Model(native), Double.self, noise: noise)
    return zip(run.outputs, expected).enumerated().compactMap { index, pair in
      // A few roundings of numbers around 1, and the order of the sums.
      let worst = zip(pair.0, pair.1).map { abs(Double($0) - $1) - 1e-5 * abs($1) }.max() ?? 0
      return worst <= 2e-6 && pair.0.count == pair.1.count ? nil : "output \(index) is \(worst) from the naive layer's"
    }
  }

  func differences() throws -> [String] {
    var problems: [String] = []
    // Nothing but a training step moves these.
    let statistics = Set(
      native.spec.plain.layers.flatMap { layer in
        layer.spec.configuration.statisticNames.map { NativeModel.path(layer: layer.name, parameter: $0) }
      })
    for index in native.parameters.indices {
      let parameter = native.parameters[index]
      guard !statistics.contains(NativeModel.path(layer: parameter.layer, parameter: parameter.name)) else { continue }
      problems += try compare(
        "\(native.parameters[index].name)", run.parameterGradients[index], native.parameters[index].tensor
      ) {
        var moved = native
        moved.parameters[index].tensor = $0
        return try loss(moved, inputs)
      }
    }
    for index in inputs.indices where trial.spec.kind != .embedding {
      problems += try compare("input \(index)", run.inputGradients[index], inputs[index]) {
        var moved = inputs
        moved[index] = $0
        return try loss(native, moved)
      }
    }
    return problems
  }

  private func loss(_ native: NativeModel, _ inputs: [Tensor]) throws -> Double {
    let outputs = try NaiveModel.run(inputs, try Model(native), Double.self, noise: noise)
    return zip(outputs, cotangents).reduce(0) { sum, pair in
      sum + zip(pair.0, pair.1).reduce(0) { $0 + $1.0 * Double($1.1) }
    }
  }

  private func compare(
    _ name: String, _ ours: [Float], _ tensor: Tensor, _ loss: (Tensor) throws -> Double
  ) throws -> [String] {
    let start = tensor.doubles()
    guard ours.count == start.count else { return ["the gradient of \(name) has \(ours.count) numbers"] }
    // Double precision is good to about 1e-10 here: differences over 2e-5 to 1e-5 of values around 1, and exact where a
    // function is linear.
    let step = 1e-5
    let largest = Double(ours.map(abs).max() ?? 0)
    for element in stride(from: 0, to: start.count, by: trial.differenceStride) {
      // A masked step is one whose numbers are all exactly 0, and must stay it.
      let width = tensor.shape.last ?? 1
      let row = start[element / width * width..<(element / width + 1) * width]
      if trial.isMasked || trial.othersAreMasked, name.hasPrefix("input"), row.allSatisfy({ $0 == 0 }) { continue }
      var values = start
      func moved(_ change: Double) throws -> Double {
        values[element] = start[element] + change
        return try loss(
          try Tensor(dtype: .float64, shape: tensor.shape, bytes: values.withUnsafeBytes { Data($0) }))
      }
      let numeric = (try moved(step) - moved(-step)) / (2 * step)
      let error = abs(Double(ours[element]) - numeric)
      // The figure that gradients have against the frameworks, and a floor for sums that cancel.
      if error > 1e-4 * max(largest, 0.1) {
        return ["the gradient of \(name)[\(element)] is \(ours[element]), the difference \(numeric)"]
      }
    }
    return []
  }

  /// Whether an example's output depends on the others, so that it has no bits of its own.
  private var looksAtBatch: Bool {
    native.spec.plain.layers.contains { layer in
      let configuration = layer.spec.configuration
      return configuration.needsWholeBatch || trial.isTraining && !configuration.statisticNames.isEmpty
    }
  }

  func singles() throws -> [String] {
    guard !looksAtBatch else { return [] }
    var problems: [String] = []
    var sums = run.parameterGradients.map { $0.map { _ in 0.0 } }
    for example in 0..<LayerCheck.batch {
      let single = try LayerRun(
        native, try inputs.map { try part(of: $0, example) },
        cotangents.map { part(of: $0, example) }, noise, firstExample: example)
      for index in run.outputs.indices where single.outputs[index] != part(of: run.outputs[index], example) {
        problems.append("output \(index) of example \(example) has other bits alone than in the batch")
      }
      for index in run.inputGradients.indices
      where single.inputGradients[index] != part(of: run.inputGradients[index], example) {
        problems.append("the gradient of input \(index) of example \(example) has other bits alone than in the batch")
      }
      for index in sums.indices {
        for element in sums[index].indices { sums[index][element] += Double(single.parameterGradients[index][element]) }
      }
    }
    for (index, sum) in sums.enumerated() {
      let largest = sum.map(abs).max() ?? 0
      let worst = zip(sum, run.parameterGradients[index]).map { abs($0 - Double($1)) }.max() ?? 0
      if worst > 1e-5 * max(largest, 0.1) {
        problems.append("the gradient of \(native.parameters[index].name) is no sum over the examples: \(worst)")
      }
    }
    return problems
  }

  func masks() throws -> [String] {
    guard trial.isMasked, trial.others.isEmpty, let outputs = try observed() else { return [] }
    let (timesteps, width) = (trial.input[0], trial.input.dropFirst().reduce(1, *))
    guard trial.input.count == 2 else { return [] }
    // Here the masks of other steps decide, by definition.
    if trial.spec.recurrentOptions?.zeroesByPosition == true { return [] }
    var problems: [String] = []
    for example in 0..<LayerCheck.batch {
      let valid = (0..<timesteps).filter { !isMaskedElement((example * timesteps + $0) * width) }
      guard !valid.isEmpty else { continue }
      let x = inputs[0].floats()
      let kept = valid.flatMap { step in
        x[((example * timesteps + step) * width)..<((example * timesteps + step + 1) * width)]
      }
      var short = trial
      short.input = [valid.count, width]
      var generator = SeededGenerator(seed: trial.seed)
      // The same parameters: they come first from the generator, and no shape of theirs depends on the length.
      let model = try LayerCheck.model(short, &generator)
      let states = try inputs.dropFirst().map { try part(of: $0, example) }
      let single = try LayerRun(
        model, [try Tensor(kept, shape: [1, valid.count, width])] + states, model.spec.outputs.map { _ in [] }, noise,
        firstExample: example)
      for (index, output) in outputs.enumerated() {
        let ours = output(part(of: run.outputs[index], example), valid)
        if let ours, ours != single.outputs[index] {
          problems.append("output \(index) of example \(example) depends on masked steps")
        }
      }
    }
    return problems
  }

  /// For each output, what of one example's values must be those of the sequence without its masked steps, `nil` where
  /// nothing is; `nil` for a layer that takes masked steps for ordinary ones.
  private func observed() throws -> [([Float], [Int]) -> [Float]?]? {
    let timesteps = trial.input[0]
    let whole: ([Float], [Int]) -> [Float]? = { values, _ in values }
    if trial.spec.kind == .globalAveragePooling1D { return [whole] }
    guard let options = trial.spec.recurrentOptions, !options.ignoresMask else { return nil }
    let units = (try trial.spec.stateShapes(input: trial.input.map { $0 })[0]).reduce(1) { $0 * ($1 ?? 1) }
    let first: ([Float], [Int]) -> [Float]? = { values, valid in
      guard options.returnSequences else {
        let last = options.goBackwards ? 0 : timesteps - 1
        // The last step's own mask decides: 0, or the first cell's state in place of the last one's.
        let decides = options.zeroOutputForMask || options.emitsState && trial.spec.kind == .stackedRNN
        return decides && !valid.contains(last) ? nil : values
      }
      let places = options.goBackwards ? valid.reversed().map { timesteps - 1 - $0 } : valid
      return places.flatMap { values[$0 * units..<($0 + 1) * units] }
    }
    return [first] + native.spec.outputs.dropFirst().map { _ in whole }
  }

  // MARK: - Parts

  private func isMaskedElement(_ element: Int) -> Bool {
    let width = trial.input[trial.input.count - 1]
    let values = inputs[0].floats()
    return values[element / width * width..<(element / width + 1) * width].allSatisfy { $0 == 0 }
  }

  private func part(of values: [Float], _ example: Int) -> [Float] {
    let count = values.count / LayerCheck.batch
    return Array(values[example * count..<(example + 1) * count])
  }

  private func part(of tensor: Tensor, _ example: Int) throws -> Tensor {
    let size = tensor.bytes.count / LayerCheck.batch
    let start = tensor.bytes.startIndex + example * size
    return try Tensor(
      dtype: tensor.dtype, shape: [1] + tensor.shape.dropFirst(), bytes: Data(tensor.bytes[start..<start + size]))
  }
}

/// One forward and backward run of the fast layers.
private struct LayerRun {
  var shapes: [[Int]]
  var outputs: [[Float]]
  /// In the order of the model's parameters.
  var parameterGradients: [[Float]]
  /// Of the float inputs.
  var inputGradients: [[Float]]

  /// - Parameter cotangents: for each output d loss / d output; zeros where empty.
  init(
    _ native: NativeModel, _ inputs: [Tensor], _ cotangents: [[Float]], _ noise: (seed: UInt64, step: UInt64)?,
    firstExample: Int
  ) throws {
    let graph = RuntimeGraph(native.spec)
    let plain = graph.spec
    let pass = GradientPass(graph, trainable: plain.layers.map { _ in true }, wantsInputs: true)
    var memory: [UnsafeMutableBufferPointer<Float>] = []
    defer { for part in memory { part.deallocate() } }
    func allocate(_ values: [Float]) -> UnsafeMutablePointer<Float> {
      let buffer = UnsafeMutableBufferPointer<Float>.allocate(capacity: max(values.count, 1))
      _ = buffer.initialize(from: values + (values.isEmpty ? [0] : []))
      memory.append(buffer)
      return buffer.baseAddress ?? UnsafeMutablePointer(bitPattern: 1).unsafelyUnwrapped
    }
    let places = plain.layers.map { layer in native.parameters.filter { $0.layer == layer.name } }
    let parameters = places.map { $0.map { UnsafePointer(allocate($0.tensor.floats())) } }
    let gradients = places.map { $0.map { allocate([Float](repeating: 0, count: $0.tensor.count)) } }
    let found = try pass.forward(
      try ModelInputs(inputs, graph), parameters: parameters, seed: noise?.seed, step: noise?.step ?? 0,
      firstExample: firstExample)
    shapes = found.map(\.shape)
    outputs = found.map { Array(UnsafeBufferPointer(start: $0.floats, count: $0.shape.reduce(1, *))) }
    let embeddings = pass.backward(parameters: parameters, parameterGradients: gradients) { index, gradient in
      for (element, value) in cotangents[index].enumerated() { gradient[element] = value }
    }
    for part in embeddings { part.add(to: gradients[part.layer][0]) }
    parameterGradients = zip(gradients.joined(), places.joined()).map { pointer, parameter in
      Array(UnsafeBufferPointer(start: pointer, count: parameter.tensor.count))
    }
    inputGradients = inputs.indices.map { index in pass.inputGradient(index).map(Array.init) ?? [] }
  }
}

extension GradientPass.EmbeddingGradient {
  /// Adds the rows to a dense gradient of the table.
  package func add(to table: UnsafeMutablePointer<Float>) {
    for (position, id) in ids.enumerated() {
      for column in 0..<width { table[id * width + column] += rows[position * width + column] }
    }
  }
}
