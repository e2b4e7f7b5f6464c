import Foundation
import RNNContainers
import RNNCore
import RNNDialects

/// The formats that a native model is written in.
public enum ExportFormat: String, Sendable, CaseIterable {
  /// A whole Keras model in HDF5, as `model.save("model.h5")`.
  case kerasH5 = "keras-h5"
  /// Keras's weights alone in HDF5, as `model.save_weights("model.h5")` before Keras 3.
  case kerasH5Weights = "keras-h5-weights"
  /// NumPy arrays named `layer/weight`.
  case npz

  /// The ending of a file of this format.
  public var fileExtension: String {
    switch self {
    case .kerasH5, .kerasH5Weights: "h5"
    case .npz: "npz"
    }
  }
}

/// A native model, written in a foreign format.
public enum ModelExport {
  /// Writes atomically.
  /// - Returns: what the format could not carry.
  /// - Throws: `unsupported` where the format cannot express the model, `cannotWrite` where the file cannot be written.
  @discardableResult
  public static func write(
    _ model: NativeModel, as format: ExportFormat, to url: URL, replacing: Bool, helper: URL? = nil
  ) throws -> [LedgerEntry] {
    try AtomicFile.checkDestination(url.path, replacing: replacing)
    switch format {
    case .kerasH5:
      let checkpoint = try KerasExport.checkpoint(of: model, .wholeModel)
      let image = try HDF5Helper(at: helper).image(of: checkpoint)
      try AtomicFile.write(to: url, replacing: replacing) { try $0(image) }
    case .kerasH5Weights:
      let checkpoint = try KerasExport.checkpoint(of: model, .weightsOnly)
      let image = try HDF5Helper(at: helper).image(of: checkpoint)
      try AtomicFile.write(to: url, replacing: replacing) { try $0(image) }
    case .npz:
      let arrays = model.parameters.map { (NativeModel.path(layer: $0.layer, parameter: $0.name), $0.tensor) }
      try AtomicFile.write(to: url, replacing: replacing) { try NPZ.write(arrays, to: $0) }
    }
    return losses(model, format)
  }

  private static func losses(_ model: NativeModel, _ format: ExportFormat) -> [LedgerEntry] {
    var losses: [LedgerEntry] = []
    if !model.recurrentStates.isEmpty || model.training?.contains(NativeModel.interruptionKey) == true {
      losses.append(LedgerEntry(.dropped, "training", "the place where it was interrupted"))
    }
    if model.text != nil { losses.append(LedgerEntry(.dropped, "text", "the format holds no vocabulary")) }
    switch format {
    case .kerasH5:
      let slots = model.training == nil ? model.optimizerSlots.count : 0
      if slots > 0 {
        losses.append(LedgerEntry(.dropped, "optimizer", "\(slots) tensors without a training configuration"))
      }
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
      for layer in model.spec.plain.layers where layer.spec.ignoresMask {
        losses.append(
          LedgerEntry(
            .assumed, layer.name, "Keras 3 shows a layer with an initial state no mask; Keras 2 would show it one"))
      }
    case .kerasH5Weights, .npz:
      losses.append(LedgerEntry(.dropped, "architecture", "the format holds weights only"))
      if model.training != nil {
        losses.append(LedgerEntry(.dropped, "training", "the format holds weights only"))
      }
      if !model.optimizerSlots.isEmpty {
        losses.append(LedgerEntry(.dropped, "optimizer", "\(model.optimizerSlots.count) tensors"))
      }
    }
    return losses
  }
}
