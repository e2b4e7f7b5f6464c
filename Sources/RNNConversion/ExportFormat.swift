import RNNDialects

/// The formats that a native model is written in.
public enum ExportFormat: String, Sendable, CaseIterable {
  /// A whole Keras model in HDF5, as `model.save("model.h5")`.
  case kerasH5 = "keras-h5"
  /// Keras's weights alone in HDF5, as `model.save_weights("model.h5")` before Keras 3.
  case kerasH5Weights = "keras-h5-weights"
  /// A `.keras` archive of Keras 3.
  case keras
  /// Keras 3's weights alone, as `model.save_weights("model.weights.h5")`.
  case kerasWeights = "keras-weights"
  /// A state_dict, as `torch.save(model.state_dict(), "model.pt")`.
  case pytorch
  /// A graph of the standard operator set 17.
  case onnx
  /// safetensors, with the names and layouts of a dialect.
  case safetensors
  /// NumPy arrays, with the names and layouts of a dialect.
  case npz

  /// The ending of a file of this format.
  public var fileExtension: String {
    switch self {
    case .kerasH5, .kerasH5Weights: "h5"
    case .keras: "keras"
    case .kerasWeights: "weights.h5"
    case .pytorch: "pt"
    case .onnx: "onnx"
    case .safetensors: "safetensors"
    case .npz: "npz"
    }
  }

  /// The format of a file by its name, `nil` where an ending says nothing.
  public init?(fileName: String) {
    let name = fileName.lowercased()
    let endings: [(String, ExportFormat)] = [
      (".weights.h5", .kerasWeights), (".h5", .kerasH5), (".keras", .keras), (".hdf5", .kerasH5), (".pt", .pytorch),
      (".pth", .pytorch), (".safetensors", .safetensors),
      (".npz", .npz), (".onnx", .onnx),
    ]
    guard let known = endings.first(where: { name.hasSuffix($0.0) }) else { return nil }
    self = known.1
  }

  /// Whether `--dialect` chooses names and layouts.
  public var takesDialect: Bool { self == .safetensors || self == .npz }
}
