import RNNCore

/// What a pickle inside a PyTorch file may name.
enum TorchPickle {
  /// Storages hold the numbers; each has one dtype.
  static let storages: [String: DType] = [
    "FloatStorage": .float32, "DoubleStorage": .float64, "HalfStorage": .float16, "BFloat16Storage": .bfloat16,
    "LongStorage": .int64, "IntStorage": .int32, "ShortStorage": .int16, "CharStorage": .int8,
    "ByteStorage": .uint8, "BoolStorage": .bool,
  ]

  /// What `torch.<name>` says as an element type.
  static let dtypes: [String: DType] = [
    "float32": .float32, "float": .float32, "float64": .float64, "double": .float64, "float16": .float16,
    "half": .float16, "bfloat16": .bfloat16, "int64": .int64, "long": .int64, "int32": .int32, "int": .int32,
    "int16": .int16, "short": .int16, "int8": .int8, "uint8": .uint8, "uint16": .uint16, "uint32": .uint32,
    "uint64": .uint64, "bool": .bool,
  ]

  /// Storages and dtypes that no tensor of ours has; they are named in the error.
  static let otherStorages = [
    "ComplexFloatStorage", "ComplexDoubleStorage", "QInt8Storage", "QUInt8Storage", "QInt32Storage",
    "QUInt4x2Storage", "QUInt2x4Storage",
  ]

  static let rules: PickleRules = {
    var globals: [PickleGlobal: PickleRules.Role] = [
      PickleGlobal("collections", "OrderedDict"): .orderedDictionary,
      PickleGlobal("collections", "defaultdict"): .defaultDictionary,
      PickleGlobal("collections", "Counter"): .record,
      PickleGlobal("collections", "deque"): .record,
      PickleGlobal("copy_reg", "_reconstructor"): .reconstructor,
      PickleGlobal("copyreg", "_reconstructor"): .reconstructor,
      PickleGlobal("_codecs", "encode"): .record,
      PickleGlobal("torch", "Size"): .record,
      PickleGlobal("torch", "device"): .record,
      PickleGlobal("torch.serialization", "_get_layout"): .record,
      PickleGlobal("torch.nn.parameter", "Parameter"): .record,
      PickleGlobal("torch.storage", "UntypedStorage"): .mention,
      PickleGlobal("torch.storage", "_UntypedStorage"): .mention,
      PickleGlobal("datetime", "datetime"): .record,
      PickleGlobal("datetime", "date"): .record,
      PickleGlobal("datetime", "timedelta"): .record,
    ]
    for name in rebuilders { globals[PickleGlobal("torch._utils", name)] = .record }
    for name in storages.keys + otherStorages { globals[PickleGlobal("torch", name)] = .mention }
    for name in dtypes.keys { globals[PickleGlobal("torch", name)] = .mention }
    for name in ["Path", "PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath"] {
      globals[PickleGlobal("pathlib", name)] = .record
      globals[PickleGlobal("pathlib._local", name)] = .record
    }
    for module in ["numpy", "numpy.core.multiarray", "numpy._core.multiarray"] {
      for name in ["ndarray", "dtype", "scalar", "_reconstruct"] { globals[PickleGlobal(module, name)] = .record }
    }
    for module in ["builtins", "__builtin__"] {
      for name in ["set", "frozenset"] { globals[PickleGlobal(module, name)] = .set }
      for name in ["int", "float", "str", "bool", "object", "list", "dict", "tuple", "long"] {
        globals[PickleGlobal(module, name)] = .mention
      }
      for name in ["range", "slice", "complex", "bytearray"] { globals[PickleGlobal(module, name)] = .record }
    }
    var rules = PickleRules(
      globals: globals, purpose: "a PyTorch file",
      remedy: "Save the weights alone: torch.save(model.state_dict(), \"model.pt\").")
    rules.keepsUnknownClasses = true
    rules.allowsPersistentIDs = true
    rules.maximumDepth = 200
    rules.maximumVisits = 4_000_000
    return rules
  }()

  /// What makes tensors out of storages.
  static let rebuilders = [
    "_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_parameter",
    "_rebuild_parameter_with_state",
  ]

  /// Whether a name may be left in a file's values without having been called.
  static func isHarmless(_ global: PickleGlobal) -> Bool { rules.globals[global] == .mention }
}
