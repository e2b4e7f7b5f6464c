/// The element types a checkpoint may store; the raw value is the safetensors name.
public enum DType: String, Sendable, CaseIterable, Codable {
  case bool = "BOOL"
  case uint8 = "U8"
  case int8 = "I8"
  case uint16 = "U16"
  case int16 = "I16"
  case uint32 = "U32"
  case int32 = "I32"
  case uint64 = "U64"
  case int64 = "I64"
  case float16 = "F16"
  case bfloat16 = "BF16"
  case float32 = "F32"
  case float64 = "F64"

  /// Bytes of one element.
  public var byteCount: Int {
    switch self {
    case .bool, .uint8, .int8: 1
    case .uint16, .int16, .float16, .bfloat16: 2
    case .uint32, .int32, .float32: 4
    case .uint64, .int64, .float64: 8
    }
  }

  public var isFloatingPoint: Bool {
    switch self {
    case .float16, .bfloat16, .float32, .float64: true
    case .bool, .uint8, .int8, .uint16, .int16, .uint32, .int32, .uint64, .int64: false
    }
  }

  /// The name that NumPy and Keras use.
  public var name: String {
    switch self {
    case .bool: "bool"
    case .uint8: "uint8"
    case .int8: "int8"
    case .uint16: "uint16"
    case .int16: "int16"
    case .uint32: "uint32"
    case .int32: "int32"
    case .uint64: "uint64"
    case .int64: "int64"
    case .float16: "float16"
    case .bfloat16: "bfloat16"
    case .float32: "float32"
    case .float64: "float64"
    }
  }
}
