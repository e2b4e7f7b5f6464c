import Foundation

/// What any container holds, in the container's own names: the neutral value between bytes and dialects.
///
/// Paths are separated by `/` and have none at either end; the root is the empty path.
public struct Checkpoint: Sendable {
  public struct Entry: Sendable, Equatable {
    public var path: String
    public var tensor: Tensor
  }

  public struct Attribute: Sendable, Equatable {
    /// The group or tensor that carries the attribute.
    public var path: String
    public var name: String
    public var value: AttributeValue
  }

  public struct Blob: Sendable, Equatable {
    public var name: String
    public var bytes: Data

    public init(name: String, bytes: Data) {
      self.name = name
      self.bytes = bytes
    }
  }

  /// The raw description of the model that a file carries beside its tensors.
  public enum Architecture: Sendable, Equatable {
    case none
    /// Keras's `model.to_json()`, `model_config` or `config.json`.
    case keras(json: String)
    /// A whole pickled module of PyTorch; `path` is where in the file it stands.
    case torch(TorchModule, path: String)
    case onnx(ONNXModel)
  }

  /// Tensors in the container's order.
  public private(set) var entries: [Entry] = []
  /// Groups in the container's order, empty ones included; the root is not listed.
  public var groups: [String] = []
  public private(set) var attributes: [Attribute] = []
  /// Named bytes that are no tensors: metadata, assets.
  public var blobs: [Blob] = []
  public var architecture: Architecture = .none

  private var entryIndex: [String: Int] = [:]
  private var attributeIndex: [String: [String: Int]] = [:]

  public init() {}

  /// - Throws: `badData` when the path is taken.
  public mutating func append(_ tensor: Tensor, at path: String) throws {
    guard entryIndex.updateValue(entries.count, forKey: path) == nil else {
      throw RNNError.badData("the tensor name stands twice", at: path)
    }
    entries.append(Entry(path: path, tensor: tensor))
  }

  /// - Throws: `badData` when `path` already carries an attribute of that name.
  public mutating func setAttribute(_ name: String, _ value: AttributeValue, at path: String) throws {
    guard attributeIndex[path, default: [:]].updateValue(attributes.count, forKey: name) == nil else {
      throw RNNError.badData("the attribute '\(name)' stands twice", at: path)
    }
    attributes.append(Attribute(path: path, name: name, value: value))
  }

  public func tensor(at path: String) -> Tensor? {
    entryIndex[path].map { entries[$0].tensor }
  }

  public func attribute(_ name: String, at path: String) -> AttributeValue? {
    attributeIndex[path]?[name].map { attributes[$0].value }
  }
}

/// The value of an attribute.
public enum AttributeValue: Sendable, Equatable {
  case string(String)
  case strings([String])
  case tensor(Tensor)

  public var string: String? { if case .string(let value) = self { value } else { nil } }

  /// A list of strings; Keras stores an empty one as an empty float64 array.
  public var strings: [String]? {
    switch self {
    case .strings(let values): values
    case .tensor(let tensor) where tensor.count == 0: []
    case .string, .tensor: nil
    }
  }
}

/// Path arithmetic of checkpoints.
public enum CheckpointPath {
  public static func join(_ components: String...) -> String {
    components.filter { !$0.isEmpty }.joined(separator: "/")
  }

  public static func parent(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
  }
}
