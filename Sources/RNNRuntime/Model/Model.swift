import Foundation
import RNNCore
import RNNText

/// A model that runs: immutable, and safe to share between threads.
///
///     let model = try Model(contentsOf: URL(fileURLWithPath: "model.rnn"))
///     let probability = try model.predict("a wonderful film")[0]
public final class Model: Sendable {
  /// What the file holds.
  public let native: NativeModel
  /// The rules and the vocabulary that make ids of text, where the file has them.
  public let textEncoder: TextEncoder?

  let graph: RuntimeGraph
  let parameters: ParameterStore
  let packed: PackedParameters
  let tables: EmbeddingTables

  /// Opens a `.rnn` file. Weights are read where they lie.
  /// - Throws: `RNNError`: `noInput`, `badData` or `unsupported`, with the file's name.
  public convenience init(contentsOf url: URL, options: Options = Options()) throws {
    let native = try NativeModel(contentsOf: url)
    try self.init(native, options: options)
  }

  /// What a model may do to be fast.
  public struct Options: Sendable {
    /// The bytes that tables of embeddings' products may take: a layer that reads an embedding alone then adds up rows
    /// that were made when their ids were first met. Results differ from those without a table by rounding. 0 for none.
    public var tableBytes = 64 << 20

    public init() {}
  }

  /// Prepares a model that is in memory.
  public init(_ native: NativeModel, options: Options = Options()) throws {
    try native.validate()
    self.native = native
    textEncoder = try native.text.map { try TextEncoder($0) }
    parameters = ParameterStore(native)
    graph = RuntimeGraph(native.spec)
    packed = PackedParameters(graph, isTraining: false)
    packed.pack(parameters.pointers)
    tables = EmbeddingTables(graph, parameters.pointers, bytes: options.tableBytes)
  }

  /// Names of the inputs, in the model's order.
  public var inputNames: [String] { native.spec.inputNames }
  /// Names of the outputs, in the model's order.
  public var outputNames: [String] { native.spec.outputNames }

  /// Whether any layer carries its states from one call of a session to the next.
  public var isStateful: Bool { graph.isStateful.contains(true) }

  /// A place to run in; one for each thread that calls.
  /// - Parameter threads: over how many threads it may spread many examples; the bits are the same.
  public func makeSession(threads: Int = 1) -> Session { Session(self, threads: threads) }

  /// Runs any number of examples.
  /// - Parameter inputs: one tensor for each input, batch first; any numeric dtype.
  /// - Returns: one float32 tensor for each output.
  /// - Throws: `badData` where an input does not fit the model or an id lies outside the embedding.
  public func predict(_ inputs: [Tensor]) throws -> [Tensor] {
    let session = makeSession()
    return try session.predict(inputs)
  }

  /// Runs one text and returns the first output.
  /// - Throws: `usage` where the model has no vocabulary, `badData` where the text is too short for the model.
  public func predict(_ text: String) throws -> [Float] {
    try predict([try ids(for: text)]).first?.floats() ?? []
  }

  /// One text as the model's input, (1, timesteps).
  public func ids(for text: String) throws -> Tensor {
    guard let textEncoder else {
      throw RNNError.usage(
        "the model has no vocabulary, so it cannot read text",
        remedy: "Import it again with --vocabulary, or give it arrays.")
    }
    guard native.spec.inputs.count == 1 else {
      throw RNNError.usage("the model has \(native.spec.inputs.count) inputs; text fits a model with one")
    }
    let ids = textEncoder.ids(for: text)
    return try Tensor(ids.map(Int64.init), shape: [1, ids.count])
  }
}
