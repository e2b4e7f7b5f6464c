import Foundation
import RNNContainers
import RNNCore

/// A file's tensors in another container, under their own names and with their own bits, whatever they belong to.
public enum TensorCopy {
  /// - Parameter target: safetensors where its name ends so, else `.npz`.
  /// - Returns: how many tensors were written.
  /// - Throws: what opening the file throws; `cannotWrite`; `unsupported` for a dtype that NumPy lacks.
  public static func write(tensorsOf url: URL, to target: URL, replacing: Bool, helper: URL? = nil) throws -> Int {
    try AtomicFile.checkDestination(target.path, replacing: replacing)
    let arrays: [(name: String, tensor: Tensor)] =
      switch try Source(contentsOf: url, helper: helper).content {
      case .checkpoint(let checkpoint): checkpoint.entries.map { ($0.path, $0.tensor) }
      case .native(let model):
        model.parameters.map { (NativeModel.path(layer: $0.layer, parameter: $0.name), $0.tensor) }
          + model.optimizerSlots.map { ("optimizer/" + $0.path, $0.tensor) }
      }
    if target.pathExtension == "safetensors" {
      let file = Safetensors(entries: arrays.map { .init(name: $0.name, tensor: $0.tensor) })
      try AtomicFile.write(to: target, replacing: replacing) { try file.write(to: $0) }
    } else {
      try AtomicFile.write(to: target, replacing: replacing) { try NPZ.write(arrays, to: $0) }
    }
    return arrays.count
  }
}
