import Foundation
import RNNCore
import RNNDialects

/// What `inspect` tells about a file.
public struct Inspection: Sendable {
  /// One line of `model.summary()`.
  public struct LayerLine: Sendable {
    public var name: String
    public var kind: String
    /// With the batch; `nil` is free.
    public var outputShape: [Int?]
    public var parameterCount: Int
    public var isTrainable: Bool
  }

  /// One tensor of the file.
  public struct TensorLine: Sendable {
    public var name: String
    public var dtype: String
    public var shape: [Int]
    /// Over the elements that are numbers; `nil` where there are none.
    public var minimum: Double?
    public var mean: Double?
    public var maximum: Double?
    public var nanCount: Int
  }

  public var source: String
  public var container: String
  public var framework: String?
  public var version: String?
  public var dialect: String?
  /// For a `.rnn` file: the file that it was imported from, its container and its SHA-256.
  public var origin: String?
  public var decisions: [String] = []
  public var layers: [LayerLine] = []
  public var tensors: [TensorLine] = []
  public var training: String?
  public var text: TextRules?
  public var vocabularySize: Int?
  public var ledger: [LedgerEntry] = []
  public var warnings: [String] = []

  /// Looks at any file that can be opened. A model that cannot be imported is still described as far as it goes, with
  /// the reason among the warnings.
  public init(contentsOf url: URL, helper: URL? = nil) throws {
    let opened = try Source(contentsOf: url, helper: helper)
    source = url.lastPathComponent
    container = opened.container
    switch opened.content {
    case .native(let model):
      describe(model)
      let digest = model.provenance.sha256.map { ", SHA-256 \($0)" } ?? ""
      origin = "\(model.provenance.source) (\(model.provenance.container)\(digest))"
      tensors =
        model.parameters.map { TensorLine(NativeModel.path(layer: $0.layer, parameter: $0.name), $0.tensor) }
        + model.optimizerSlots.map { TensorLine("optimizer/" + $0.path, $0.tensor) }
    case .checkpoint(let checkpoint):
      tensors = checkpoint.entries.map { TensorLine($0.path, $0.tensor) }
      describe(checkpoint)
    }
    for tensor in tensors where tensor.nanCount > 0 {
      warnings.append("\(tensor.name) holds \(tensor.nanCount) NaN: the model's outputs will be NaN")
    }
  }

  private mutating func describe(_ model: NativeModel) {
    framework = model.provenance.framework
    version = model.provenance.frameworkVersion
    dialect = model.provenance.dialect
    decisions = model.provenance.decisions
    training = model.training
    text = model.text?.rules
    vocabularySize = model.text.map { $0.offsets.count - 1 }
    ledger = model.ledger
    guard let shapes = try? model.spec.shapes() else { return }
    let counts = Inspection.parameterCounts(of: model)
    for (index, layer) in model.spec.layers.enumerated() {
      let call = model.spec.calls.firstIndex { $0.layer == index }
      layers.append(
        LayerLine(
          name: layer.name, kind: layer.spec.kind.rawValue,
          outputShape: [nil] + (call.flatMap { shapes.outputs[$0].first } ?? []),
          parameterCount: counts[layer.name] ?? 0,
          isTrainable: layer.isTrainable))
    }
  }

  /// By layer of the whole model; what lies inside a wrapper or a model counts as its own.
  private static func parameterCounts(of model: NativeModel) -> [String: Int] {
    let names = Set(model.spec.layers.map(\.name))
    var counts: [String: Int] = [:]
    for parameter in model.parameters {
      var owner = parameter.layer
      while !owner.isEmpty, !names.contains(owner) { owner = CheckpointPath.parent(of: owner) }
      counts[owner, default: 0] += parameter.tensor.count
    }
    return counts
  }

  private mutating func describe(_ checkpoint: Checkpoint) {
    let isTorch = container.hasPrefix("PyTorch")
    // Arrays alone are nobody's; these two containers are Keras's.
    let isKeras = ["HDF5", ".keras archive"].contains(container)
    framework = isTorch ? "PyTorch" : container == "ONNX" ? "ONNX" : "Keras"
    var options = KerasImportOptions()
    options.allowsUnused = true
    do {
      let model = try ModelImport.model(
        of: checkpoint, container: container, options: ImportOptions(), keras: options)
      describe(model)
      for entry in model.ledger where entry.kind == .dropped {
        warnings.append("\(entry.subject): \(entry.note)")
      }
    } catch let error as RNNError {
      warnings.append(
        "no import: \(error.what)" + (error.place.isEmpty ? "" : " (\(error.place.joined(separator: ": ")))"))
      if case .onnx(let graph) = checkpoint.architecture {
        (version, dialect) = ("operator set \(graph.operatorSets[""] ?? 0)", WeightDialect.onnx.name)
        return
      }
      if isTorch {
        dialect = WeightDialect.pytorch.name
        decisions = TorchChain.modules(of: checkpoint)
        return
      }
      guard isKeras else {
        (framework, decisions) = (nil, Inspection.dialectsByName(checkpoint))
        return
      }
      let json: JSONValue? =
        if case .keras(let text) = checkpoint.architecture { try? JSONValue(parsing: text) } else { nil }
      let era = KerasEra(version: KerasImport.version(of: checkpoint, architecture: json), architecture: json)
      version = era.version
      dialect = era.generation.rawValue
      decisions = ["\(era.generation.rawValue): \(era.reason)"]
    } catch {
      warnings.append("no import: \(error.localizedDescription)")
    }
  }

  /// Whose names the arrays have.
  private static func dialectsByName(_ checkpoint: Checkpoint) -> [String] {
    let names = checkpoint.entries.map(\.path)
    let fitting = WeightDialect.all.filter { $0.names(anyOf: names) }.map { "\($0.framework) (\($0.name))" }
    return [fitting.isEmpty ? "names of no framework" : "names as of " + fitting.joined(separator: ", ")]
  }

  /// Parameters of all layers.
  public var parameterCount: Int { layers.reduce(0) { $0 + $1.parameterCount } }
}

extension Inspection.TensorLine {
  init(_ name: String, _ tensor: Tensor) {
    self.name = name
    dtype = tensor.dtype.name
    shape = tensor.shape
    nanCount = 0
    var sum = 0.0
    var count = 0
    for value in tensor.doubles() {
      guard !value.isNaN else {
        nanCount += 1
        continue
      }
      minimum = Swift.min(minimum ?? value, value)
      maximum = Swift.max(maximum ?? value, value)
      sum += value
      count += 1
    }
    mean = count > 0 ? sum / Double(count) : nil
  }
}
