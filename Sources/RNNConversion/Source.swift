import Foundation
import RNNContainers
import RNNCore

/// A file that was opened by its content: what the import and the inspection both start from.
public struct Source: Sendable {
  /// What the file was found to be.
  public enum Content: Sendable {
    /// Tensors of a foreign framework.
    case checkpoint(Checkpoint)
    /// A `.rnn` file.
    case native(NativeModel)
  }

  public var content: Content
  /// As it is named for people: `HDF5`, `.keras archive`, ...
  public var container: String

  /// Opens a file.
  /// - Parameter helper: where the HDF5 helper is; `nil` for beside the program.
  /// - Throws: `noInput`, `badData`, or `unsupported` for a kind of file that is not read.
  public init(contentsOf url: URL, helper: URL? = nil) throws {
    let (data, file) = try InputFile.opened(url)
    (content, container) = try locating(url.path) { try Source.open(data, file, helper) }
  }

  private static func open(_ data: Data, _ file: FileHandle, _ helper: URL?) throws -> (Content, String) {
    let kind = ContainerKind.recognise(data)
    switch kind {
    case .hdf5:
      return (.checkpoint(try hdf5(try HDF5Helper(at: helper).read(file, data))), "HDF5")
    case .kerasArchive:
      return (.checkpoint(try archive(data, helper)), ".keras archive")
    case .npz: return (.checkpoint(try flat(try NPZ.read(data))), "npz")
    case .npy: return (.checkpoint(try flat([("arr_0", try Tensor(npy: data))])), "npy")
    case .safetensors:
      let file = try Safetensors(parsing: data)
      if NativeFile.isNative(file) { return (.native(try NativeModel(file)), "rnn") }
      return (.checkpoint(try flat(file.entries.map { ($0.name, $0.tensor) })), "safetensors")
    case .torchZip: return (.checkpoint(try TorchFile.checkpoint(zip: data)), "PyTorch")
    case .torchLegacy: return (.checkpoint(try TorchFile.checkpoint(legacy: data)), "PyTorch, before 1.6")
    case .onnx: return (.checkpoint(try onnx(try ONNXFile.model(parsing: data))), "ONNX")
    case .tflite, .pickle:
      throw RNNError.unsupported(
        "the file is \(kind.name), which is not read yet",
        remedy: "Keras HDF5, .keras, .weights.h5, PyTorch, ONNX, .npz and .safetensors files are.")
    case .json:
      throw RNNError.badData(
        "the file is JSON, which holds no weights",
        remedy: "If it is an architecture, give it with --config beside a file of weights.")
    case .otherZip:
      throw RNNError.badData(
        "the file is a zip archive, but no .keras or .npz file: neither config.json nor .npy members are in it",
        remedy: "Unpack it if a model is inside.")
    case .damagedZip:
      _ = try ZipArchive(parsing: data)
      throw RNNError.badData("the zip archive is damaged")
    case .unknown:
      throw RNNError.badData(
        "the content is of no known kind: neither HDF5 nor zip, npy or safetensors",
        remedy: "Check the download: an error page or a pointer file may stand in the model's place.")
    }
  }

  private static func hdf5(_ checkpoint: Checkpoint) throws -> Checkpoint {
    var checkpoint = checkpoint
    if let json = checkpoint.attribute("model_config", at: "")?.string { checkpoint.architecture = .keras(json: json) }
    let isKeras =
      checkpoint.architecture != .none
      || checkpoint.attributes.contains { $0.name == "layer_names" || $0.name == "layer_names0" }
      || ["layers", "_layer_checkpoint_dependencies"].contains { root in
        checkpoint.groups.contains { $0 == root || $0.hasPrefix(root + "\\") || $0.hasPrefix(root + "/") }
      }
    guard isKeras else {
      throw RNNError.badData(
        "an HDF5 file, but not Keras's: neither 'model_config' nor 'layer_names' nor a group 'layers' is in it",
        remedy: "Save the model with model.save(\"model.h5\") or model.save_weights(\"model.weights.h5\").")
    }
    return try withForwardSlashes(checkpoint)
  }

  private static func archive(_ data: Data, _ helper: URL?) throws -> Checkpoint {
    let archive = try KerasArchive(parsing: try ZipArchive(parsing: data))
    var checkpoint = try locating("model.weights.h5") {
      guard ContainerKind.recognise(archive.weights) == .hdf5 else {
        throw RNNError.badData("the member is no HDF5 file", remedy: "Fetch or save the file again.")
      }
      let input = try AnonymousFile.make([archive.weights])
      return try withForwardSlashes(try HDF5Helper(at: helper).read(input, archive.weights))
    }
    checkpoint.architecture = .keras(json: archive.configJSON)
    checkpoint.blobs = archive.assets.map { Checkpoint.Blob(name: $0.name, bytes: $0.bytes) }
    if let version = archive.kerasVersion, checkpoint.attribute("keras_version", at: "") == nil {
      try checkpoint.setAttribute("keras_version", .string(version), at: "")
    }
    return checkpoint
  }

  /// Keras 2.13 to 2.15 on Windows put its own path separator into the names of groups.
  private static func withForwardSlashes(_ checkpoint: Checkpoint) throws -> Checkpoint {
    func forward(_ path: String) -> String { path.replacing("\\", with: "/") }
    let isTree = ["layers", "_layer_checkpoint_dependencies"].contains { root in
      checkpoint.groups.contains { $0.hasPrefix(root) }
    }
    guard isTree, checkpoint.groups.contains(where: { $0.contains("\\") }) else { return checkpoint }
    var result = Checkpoint()
    result.architecture = checkpoint.architecture
    result.groups = checkpoint.groups.map(forward)
    for entry in checkpoint.entries { try result.append(entry.tensor, at: forward(entry.path)) }
    for attribute in checkpoint.attributes {
      try result.setAttribute(attribute.name, attribute.value, at: forward(attribute.path))
    }
    return result
  }

  private static func onnx(_ model: ONNXModel) throws -> Checkpoint {
    var checkpoint = Checkpoint()
    checkpoint.architecture = .onnx(model)
    for name in model.graph.initializers.keys.sorted() {
      guard let tensor = model.graph.initializers[name] else { continue }
      try checkpoint.append(tensor, at: name)
    }
    return checkpoint
  }

  private static func flat(_ arrays: [(name: String, tensor: Tensor)]) throws -> Checkpoint {
    var checkpoint = Checkpoint()
    for array in arrays { try checkpoint.append(array.tensor, at: array.name) }
    return checkpoint
  }
}
