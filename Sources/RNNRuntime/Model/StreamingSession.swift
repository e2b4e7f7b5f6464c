import RNNCore

/// A model that takes sequences step by step as they come, as an audio callback must: after the first, a step of Dense,
/// LSTM, GRU and SimpleRNN layers takes no memory and no lock.
///
///     let stream = try StreamingSession(try Model(contentsOf: url))
///     let y = try stream.step(x)
///
/// The bits are those of `Session.predict` on the whole sequence.
public final class StreamingSession {
  /// Floats of one step of the input and of the output, all examples together.
  public let inputCount: Int
  public let outputCount: Int

  private let model: Model
  private let prepared: PreparedRun
  private let input: Value
  private let output: Value
  private let idCount: Int32?

  /// - Parameter examples: sequences that run side by side.
  /// - Throws: `unsupported` naming a layer that looks at more than one step, or where the model has several inputs or
  ///   outputs: `Session.step` runs these.
  public init(_ model: Model, examples: Int = 1) throws {
    guard examples > 0 else { throw RNNError.usage("a stream of \(examples) examples") }
    let spec = model.graph.spec
    guard spec.inputs.count == 1, spec.outputs.count == 1 else {
      throw RNNError.unsupported(
        "the model has \(spec.inputs.count) inputs and \(spec.outputs.count) outputs; a stream has one of each",
        remedy: "Use Session.step.")
    }
    let shapes = try model.stepShapes()
    guard shapes.inputs[0], case .input(let given) = spec.layers[spec.calls[spec.inputs[0]].layer].spec else {
      throw RNNError.unsupported("the model's input has no timesteps, so that there is nothing to stream")
    }
    let rest = try given.shape.dropFirst().map { size in
      guard let size else {
        throw RNNError.unsupported("the model's input \(describe(shape: [nil] + given.shape)) leaves a size open")
      }
      return size
    }
    self.model = model
    prepared = try PreparedRun(model, inputs: [[examples, 1] + rest])
    input = prepared.input(0)
    output = prepared.output(0)
    inputCount = input.count
    outputCount = output.count
    idCount = model.graph.embeddingRows[0].map { Int32(clamping: $0) }
    reset()
  }

  /// Lets the next step be the first of a sequence.
  public func reset() {
    prepared.start({ _, _, _ in CarriedStates() }, continues: true)
  }

  /// The states behind the last step.
  public var state: SessionState {
    var state = SessionState()
    prepared.forEachState { state.layers[$0] = $1.values }
    return state
  }

  /// Goes on from states, such as those of another stream of the same model.
  /// - Throws: `usage` where they are those of another model or number of examples.
  public func resume(_ state: SessionState) throws {
    let spec = model.graph.spec
    try prepared.start(
      { call, layer, input in try state.carried(into: call, of: spec.layers[layer], input: input) }, continues: true)
  }

  /// One step.
  /// - Parameters:
  ///   - x: `inputCount` numbers, example by example; ids where an embedding reads them.
  ///   - y: memory for `outputCount` numbers.
  /// - Throws: `usage` where the counts are others, `badData` for an id that the embedding does not have.
  public func step(_ x: UnsafeBufferPointer<Float>, into y: UnsafeMutableBufferPointer<Float>) throws {
    guard x.count == inputCount, y.count == outputCount, let source = x.baseAddress, let target = y.baseAddress else {
      throw RNNError.usage(
        "a step takes \(inputCount) numbers and gives \(outputCount); \(x.count) and memory for \(y.count) were given")
    }
    try load(source)
    try prepared.forward()
    target.update(from: output.floats, count: outputCount)
  }

  /// One step of a model with one number in and one out.
  /// - Throws: as the other `step`.
  public func step(_ x: Float) throws -> Float {
    guard inputCount == 1, outputCount == 1 else {
      throw RNNError.usage("a step takes \(inputCount) numbers and gives \(outputCount), not one each")
    }
    try withUnsafePointer(to: x) { try load($0) }
    try prepared.forward()
    return output.floats[0]
  }

  /// One step, in arrays.
  /// - Throws: as the other `step`.
  public func step(_ x: [Float]) throws -> [Float] {
    var y = [Float](repeating: 0, count: outputCount)
    try x.withUnsafeBufferPointer { x in try y.withUnsafeMutableBufferPointer { try step(x, into: $0) } }
    return y
  }

  private func load(_ source: UnsafePointer<Float>) throws {
    input.floats.update(from: source, count: inputCount)
    guard let idCount, let ids = input.ids else { return }
    for index in 0..<inputCount {
      guard let id = Int32(exactly: source[index]), id >= 0, id < idCount else {
        throw RNNError.badData(
          "\(source[index]) is none of the ids 0 ..< \(idCount) that the model's embedding has",
          remedy: "Use the vocabulary that the model was trained with.")
      }
      ids[index] = id
    }
  }
}
