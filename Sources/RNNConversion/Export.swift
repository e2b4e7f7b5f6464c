import Foundation
import RNNContainers
import RNNCore
import RNNDialects

/// A native model on its way into a foreign format: everything is known before a byte is written.
public struct ModelExport {
  /// What the user may say.
  public struct Options: Sendable {
    /// The names and layouts of an `.npz` or safetensors file: a `WeightDialect`; `nil` for Keras's, `layer/weight`.
    public var dialect: String?
    /// The HDF5 helper; `nil` for the one beside the program.
    public var helper: URL?

    public init() {}
  }

  public let format: ExportFormat
  /// What the format cannot carry, or not exactly.
  public let ledger: [LedgerEntry]
  /// The weights that go out with their own bits, and those that do not.
  public let exactTensors: Int
  public let changedTensors: Int

  private let write: ((Data) throws -> Void) throws -> Void

  /// - Throws: `unsupported` where the format cannot express the model, naming what of it; `usage` for a dialect that
  ///   there is not.
  public init(_ model: NativeModel, as format: ExportFormat, options: Options = Options()) throws {
    self.format = format
    let dialect = try ModelExport.dialect(format, options)
    let content = try Content(model, format, dialect, options)
    let losses = ModelExport.losses(model, format, dialect)
    ledger = content.ledger + losses
    write = content.write
    let changed = content.ledger.filter { $0.kind == .rounded || $0.kind == .emulated }.map(\.subject)
    changedTensors = content.tensorNames.intersection(changed).count
    exactTensors = content.tensorCount - changedTensors
  }

  /// Writes atomically.
  /// - Throws: `cannotWrite` where the file cannot be written.
  public func write(to url: URL, replacing: Bool) throws {
    try AtomicFile.checkDestination(url.path, replacing: replacing)
    try AtomicFile.write(to: url, replacing: replacing) { try write($0) }
  }

  /// Whether anything of the model is not in the file.
  public var losesAnything: Bool { ledger.contains { $0.kind.verdict == .lost } }

  /// Writes atomically.
  /// - Returns: what the format could not carry.
  @discardableResult
  public static func write(
    _ model: NativeModel, as format: ExportFormat, to url: URL, replacing: Bool, helper: URL? = nil
  ) throws -> [LedgerEntry] {
    try AtomicFile.checkDestination(url.path, replacing: replacing)
    var options = Options()
    options.helper = helper
    let export = try ModelExport(model, as: format, options: options)
    try export.write(to: url, replacing: replacing)
    return export.ledger
  }

  private static func dialect(_ format: ExportFormat, _ options: Options) throws -> WeightDialect? {
    if format == .pytorch { return .pytorch }
    guard let name = options.dialect, name != "keras3" else { return nil }
    guard format.takesDialect else {
      throw RNNError.usage(
        "--dialect chooses the names in an .npz or .safetensors file, and \(format.rawValue) has its own")
    }
    guard let dialect = WeightDialect.named(name) else { throw RNNError.usage("no dialect is called '\(name)'") }
    return dialect
  }

  private static func losses(
    _ model: NativeModel, _ format: ExportFormat, _ dialect: WeightDialect?
  ) -> [LedgerEntry] {
    var losses: [LedgerEntry] = []
    if !model.recurrentStates.isEmpty || model.training?.contains(NativeModel.interruptionKey) == true {
      losses.append(LedgerEntry(.dropped, "training", "the place where it was interrupted"))
    }
    if model.text != nil { losses.append(LedgerEntry(.dropped, "text", "the format holds no vocabulary")) }
    switch format {
    case .kerasH5: losses += kerasLosses(model)
    case .keras: losses += sigmoidLosses(model)
    case .onnx:
      if model.training != nil {
        losses.append(LedgerEntry(.dropped, "training", "the format holds what runs, not how it was trained"))
      }
      if !model.optimizerSlots.isEmpty {
        losses.append(LedgerEntry(.dropped, "optimizer", "\(model.optimizerSlots.count) tensors"))
      }
    case .kerasH5Weights, .kerasWeights, .pytorch, .safetensors, .npz:
      losses.append(LedgerEntry(.dropped, "architecture", "the format holds weights only"))
      if model.training != nil {
        losses.append(LedgerEntry(.dropped, "training", "the format holds weights only"))
      }
      if !model.optimizerSlots.isEmpty {
        losses.append(LedgerEntry(.dropped, "optimizer", "\(model.optimizerSlots.count) tensors"))
      }
    }
    if let dialect { losses += DialectArithmetic.losses(model.spec, dialect) }
    return losses
  }

  private static func kerasLosses(_ model: NativeModel) -> [LedgerEntry] {
    var losses: [LedgerEntry] = []
    let slots = model.training == nil ? model.optimizerSlots.count : 0
    if slots > 0 {
      losses.append(LedgerEntry(.dropped, "optimizer", "\(slots) tensors without a training configuration"))
    }
    losses += sigmoidLosses(model)
    for layer in model.spec.plain.layers where layer.spec.ignoresMask {
      losses.append(
        LedgerEntry(
          .assumed, layer.name, "Keras 3 shows a layer with an initial state no mask; Keras 2 would show it one"))
    }
    return losses
  }

  /// The one name whose function changed.
  private static func sigmoidLosses(_ model: NativeModel) -> [LedgerEntry] {
    var losses: [LedgerEntry] = []
    if model.spec.layers.contains(where: { $0.spec.activations.contains(.hardSigmoidFifth) }) {
      losses.append(
        LedgerEntry(
          .assumed, "hard_sigmoid",
          "the file is written as Keras 2's; Keras 3 opens it with its own hard_sigmoid, which is another function"))
    }
    if model.spec.layers.contains(where: { $0.spec.activations.contains(.hardSigmoidSixth) }) {
      losses.append(
        LedgerEntry(
          .assumed, "hard_sigmoid",
          "the file is written as Keras 3's; Keras 2 opens it with its own hard_sigmoid, which is another function"))
    }
    return losses
  }
}

extension ModelExport {
  /// The bytes of a format, not yet written.
  private struct Content {
    var ledger: [LedgerEntry] = []
    var tensorCount: Int
    /// Those that the ledger may speak of; where all go out as they are, none.
    var tensorNames: Set<String> = []
    var write: ((Data) throws -> Void) throws -> Void

    init(_ model: NativeModel, _ format: ExportFormat, _ dialect: WeightDialect?, _ options: Options) throws {
      tensorCount = model.parameters.count
      switch format {
      case .kerasH5, .kerasH5Weights:
        let checkpoint: Checkpoint
        (checkpoint, ledger) = try KerasExport.checkpoint(
          of: model, format == .kerasH5 ? .wholeModel : .weightsOnly)
        write = { sink in try sink(try HDF5Helper(at: options.helper).image(of: checkpoint)) }
      case .keras:
        let archive = try KerasExport.archive(of: model)
        ledger = archive.ledger
        write = { sink in
          let weights = try HDF5Helper(at: options.helper).image(of: archive.weights)
          var zip = ZipWriter()
          try zip.add("metadata.json", [Data(archive.metadata.utf8)], to: sink)
          try zip.add("config.json", [Data(archive.config.utf8)], to: sink)
          try zip.add("model.weights.h5", [weights], to: sink)
          try zip.finish(to: sink)
        }
      case .kerasWeights:
        let weights = try KerasExport.archive(of: model).weights
        write = { sink in try sink(try HDF5Helper(at: options.helper).image(of: weights)) }
      case .onnx:
        let export = try ONNXExport(model)
        ledger = export.ledger
        let graph = export.model
        tensorNames = Set(graph.graph.initializers.keys)
        write = { sink in try sink(try ONNXFile.data(of: graph)) }
      case .pytorch, .safetensors, .npz:
        var arrays = model.parameters.map {
          (name: NativeModel.path(layer: $0.layer, parameter: $0.name), tensor: $0.tensor)
        }
        if let dialect {
          let weights = try WeightWriting(model, dialect: dialect)
          (arrays, ledger) = (weights.tensors, weights.ledger)
          tensorCount = arrays.count
          tensorNames = Set(arrays.map(\.name))
        }
        let tensors = arrays
        switch format {
        case .pytorch: write = { try TorchWriter.write(stateDict: tensors, to: $0) }
        case .npz: write = { try NPZ.write(tensors, to: $0) }
        case .safetensors, .kerasH5, .kerasH5Weights, .keras, .kerasWeights, .onnx:
          write = { sink in
            try Safetensors(entries: tensors.map { .init(name: $0.name, tensor: $0.tensor) }).write(to: sink)
          }
        }
      }
    }
  }
}
