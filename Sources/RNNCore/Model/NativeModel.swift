import Foundation

/// A model in the toolkit's own terms: what every dialect is read into and written from, and what a `.rnn` file holds.
public struct NativeModel: Sendable, Equatable {
  /// One weight, in the Keras 3 layout and in its stored dtype.
  public struct Parameter: Sendable, Equatable {
    public var layer: String
    public var name: String
    public var tensor: Tensor

    public init(layer: String, name: String, tensor: Tensor) {
      self.layer = layer
      self.name = name
      self.tensor = tensor
    }
  }

  /// A tensor of the optimizer's state under the name that its file gave it.
  public struct OptimizerSlot: Sendable, Equatable {
    public var path: String
    public var tensor: Tensor

    public init(path: String, tensor: Tensor) {
      self.path = path
      self.tensor = tensor
    }
  }

  /// A state that a stateful layer carries from batch to batch.
  public struct RecurrentState: Sendable, Equatable {
    /// The layer's place among the plain model's calls.
    public var call: Int
    /// 0 for h, 1 for an LSTM's c.
    public var state: Int
    /// (batch, units)
    public var tensor: Tensor

    public init(call: Int, state: Int, tensor: Tensor) {
      self.call = call
      self.state = state
      self.tensor = tensor
    }
  }

  public var spec: ModelSpec
  /// In the order of the plain model's layers (`ModelSpec.plain`) and, within a layer, of `LayerSpec.parameterShapes`.
  public var parameters: [Parameter]
  /// In the file's order.
  public var optimizerSlots: [OptimizerSlot] = []
  /// What stateful layers carried where a training was interrupted within an epoch; else empty.
  public var recurrentStates: [RecurrentState] = []
  /// Optimizer, loss and metrics as the source's JSON text; with the member `interruptionKey`, the place where training
  /// was interrupted.
  public var training: String?
  public var text: TextBundle?
  public var provenance: Provenance
  /// What the conversion could not carry exactly, or carried without needing it.
  public var ledger: [LedgerEntry] = []
  /// Where each tensor of the imported file went; no part of a `.rnn` file.
  public var placements: [TensorPlacement] = []

  public init(spec: ModelSpec, parameters: [Parameter], provenance: Provenance) {
    self.spec = spec
    self.parameters = parameters
    self.provenance = provenance
  }

  /// Checks the graph, and that the parameters are exactly those that the layers need.
  /// - Returns: the shapes of the plain model.
  /// - Throws: `badData` naming everything that is missing, superfluous or of another shape.
  @discardableResult
  public func validate() throws -> ModelShapes {
    _ = try spec.shapes()
    let plain = spec.plain
    let shapes = try plain.shapes()
    try plain.checkMasks(shapes)
    let needed = zip(plain.layers, shapes.parameters).flatMap { layer, parameters in
      parameters.map { (layer: layer.name, parameter: $0) }
    }
    var problems: [String] = []
    var given: [String: Tensor] = [:]
    for parameter in parameters {
      let name = NativeModel.path(layer: parameter.layer, parameter: parameter.name)
      if given.updateValue(parameter.tensor, forKey: name) != nil { problems.append("'\(name)' stands twice") }
    }
    for (layer, parameter) in needed {
      let name = NativeModel.path(layer: layer, parameter: parameter.name)
      guard let tensor = given.removeValue(forKey: name) else {
        problems.append("'\(name)' \(parameter.shape) is missing")
        continue
      }
      if tensor.shape != parameter.shape {
        problems.append("'\(name)' is \(tensor.shape), expected \(parameter.shape)")
      }
    }
    problems += given.keys.sorted().map { "'\($0)' belongs to no layer" }
    guard problems.isEmpty else {
      throw RNNError.badData("the parameters do not fit the layers: " + problems.joined(separator: "; "))
    }
    return shapes
  }

  /// The member of `training` that only we read.
  public static let interruptionKey = "rnnconv_training"

  private static let classesKey = "rnnconv_classes"

  /// The names of the classes, by their numbers, where the labels that the model was trained on are words; kept in
  /// `training`.
  public var classes: [String]? {
    get { (try? JSONValue(parsing: training ?? ""))?[NativeModel.classesKey]?.array?.compactMap(\.string) }
    set {
      guard let newValue, var json = (try? JSONValue(parsing: training ?? "{}"))?.object else { return }
      json[NativeModel.classesKey] = .array(newValue.map(JSONValue.string))
      training = JSONValue.object(json).text()
    }
  }

  /// Every weight by its name within the model, see `path(layer:parameter:)`.
  public var tensorsByPath: [String: Tensor] {
    Dictionary(
      parameters.map { (NativeModel.path(layer: $0.layer, parameter: $0.name), $0.tensor) }, uniquingKeysWith: { $1 })
  }

  /// The name of a parameter within a model.
  public static func path(layer: String, parameter: String) -> String { layer + "/" + parameter }
}

/// Where a model comes from and what was decided on the way.
public struct Provenance: Sendable, Equatable, Codable {
  /// The name of the source file, without its folder.
  public var source: String
  /// SHA-256 of the source file, hexadecimal.
  public var sha256: String?
  /// `HDF5`, `.keras archive`, `npz`, ...
  public var container: String
  /// `Keras`, ...
  public var framework: String
  /// As the file states it.
  public var frameworkVersion: String?
  /// The dialect that read the file: `keras1`, `keras2`, `keras3`.
  public var dialect: String
  /// `tensorflow`, `theano`, ... where the file or the user says so.
  public var backend: String?
  /// What the dialect decided where the file leaves room, in sentences.
  public var decisions: [String] = []
  /// The name that each parameter had in its file, in the order of the model's parameters; absent where one
  /// parameter was put together from several tensors.
  public var tensorNames: [String]?

  public init(source: String, container: String, framework: String, dialect: String) {
    self.source = source
    self.container = container
    self.framework = framework
    self.dialect = dialect
  }
}

/// One thing that a conversion carried without needing it, changed or left out.
public struct LedgerEntry: Sendable, Equatable, Codable {
  public enum Kind: String, Sendable, Codable, CaseIterable {
    /// Kept as text or raw tensors; nothing reads it.
    case carried
    /// Not kept.
    case dropped
    /// Kept with other bits.
    case rounded
    /// Said in other words that come to the same.
    case emulated
    /// Taken for granted where the file is silent.
    case assumed

    /// What that comes to for who converts.
    public var verdict: Verdict {
      switch self {
      case .carried: .exact
      case .rounded, .emulated, .assumed: .emulated
      case .dropped: .lost
      }
    }
  }

  /// Whether a conversion kept something.
  public enum Verdict: String, Sendable, CaseIterable {
    case exact
    /// The same to within rounding, or under a condition that the note states.
    case emulated
    case lost
  }

  public var kind: Kind
  /// The layer, tensor or configuration key.
  public var subject: String
  public var note: String

  public init(_ kind: Kind, _ subject: String, _ note: String) {
    self.kind = kind
    self.subject = subject
    self.note = note
  }
}
