import Foundation
import RNNCore
import RNNDialects
import Testing

/// Runs `body`, which must fail with this reason and name all of `texts`.
func expectError(
  _ reason: RNNError.Reason, naming texts: String..., location: SourceLocation = #_sourceLocation,
  _ body: () throws -> some Any
) {
  do {
    let value = try body()
    Issue.record("no error, but \(value)", sourceLocation: location)
  } catch let error as RNNError {
    #expect(error.reason == reason, "\(error)", sourceLocation: location)
    for text in texts where !text.isEmpty {
      #expect(error.description.contains(text), "\(error)", sourceLocation: location)
    }
  } catch {
    Issue.record("another error: \(error)", sourceLocation: location)
  }
}

/// Checkpoints as files of Keras hold them, made by hand.
struct KerasFile {
  var checkpoint = Checkpoint()
  private var layers: [String] = []
  private let root: String

  /// - Parameter root: empty, or `model_weights` as in whole models.
  init(_ json: String? = nil, version: String? = nil, backend: String? = nil, root: String = "") throws {
    self.root = root
    if let json { checkpoint.architecture = .keras(json: json) }
    if let version { try checkpoint.setAttribute("keras_version", .string(version), at: root) }
    if let backend { try checkpoint.setAttribute("backend", .string(backend), at: root) }
  }

  /// A group of a listed file, its weights in the list's order.
  mutating func add(_ layer: String, _ weights: [(String, Tensor)] = []) throws {
    layers.append(layer)
    let group = CheckpointPath.join(root, layer)
    checkpoint.groups.append(group)
    try checkpoint.setAttribute("weight_names", .strings(weights.map(\.0)), at: group)
    for (name, tensor) in weights { try checkpoint.append(tensor, at: CheckpointPath.join(group, name)) }
  }

  /// The checkpoint with its list of layers.
  func listed() throws -> Checkpoint {
    var copy = checkpoint
    try copy.setAttribute("layer_names", .strings(layers), at: root)
    return copy
  }
}

/// A Sequential model's JSON around its layers' `(class, arguments)`.
func sequential(_ layers: [(String, String)]) -> String {
  let entries = layers.map { #"{"class_name": "\#($0.0)", "config": \#($0.1)}"# }
  return #"{"class_name": "Sequential", "config": {"name": "s", "layers": [\#(entries.joined(separator: ", "))]}}"#
}

/// All elements the same.
func filled(_ shape: [Int], _ value: Float = 0) throws -> Tensor {
  try Tensor([Float](repeating: value, count: shape.reduce(1, *)), shape: shape)
}

/// first, first + 1, ...: every element differs.
func counted(_ shape: [Int], from first: Int = 0) throws -> Tensor {
  try Tensor((0..<shape.reduce(1, *)).map { Float(first + $0) }, shape: shape)
}

func importing(
  _ checkpoint: Checkpoint, _ change: (inout KerasImportOptions) -> Void = { _ in }
) throws -> NativeModel {
  var options = KerasImportOptions()
  change(&options)
  return try KerasImport.nativeModel(from: checkpoint, options: options)
}

extension NativeModel {
  func parameter(_ layer: String, _ name: String) -> Tensor? {
    parameters.first { $0.layer == layer && $0.name == name }?.tensor
  }

  func layer(_ name: String) -> LayerSpec? { spec.layers.first { $0.name == name }?.spec }
}
