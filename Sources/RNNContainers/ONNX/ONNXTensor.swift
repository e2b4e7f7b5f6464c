import Foundation
import RNNCore

/// `TensorProto`: a name, a shape, a type, and the numbers in one of seven fields.
public enum ONNXTensor {
  /// `TensorProto.DataType`.
  static let dtypes: [Int: DType] = [
    1: .float32, 2: .uint8, 3: .int8, 4: .uint16, 5: .int16, 6: .int32, 7: .int64, 9: .bool, 10: .float16,
    11: .float64, 12: .uint32, 13: .uint64, 16: .bfloat16,
  ]

  /// Reads a tensor as it stands in a model, or alone in a file of test data.
  /// - Throws: `badData` where shape and numbers differ; `unsupported` for numbers in another file, or of a type that is
  ///   not carried.
  public static func tensor(_ data: Data) throws -> (name: String, tensor: Tensor) {
    var name = ""
    var dimensions: [Int] = []
    var code = 0
    var raw: Data?
    var packed = Data()
    var small: [Int] = []
    var large: [Int] = []
    var reader = ProtobufReader(data)
    while let (number, value) = try reader.next() {
      switch number {
      case 1: dimensions += try value.integers()
      case 2: code = try value.integer()
      // float_data and double_data
      case 4, 10: packed += try value.fixedBytes()
      case 5: small += try value.integers()
      // int64_data and uint64_data
      case 7, 11: large += try value.integers()
      case 8: name = try value.text()
      case 9: raw = try value.data()
      case 14 where try value.integer() == 1:
        throw RNNError.unsupported(
          "the weights stand in another file",
          remedy: "Save the model with its weights inside: onnx.save(onnx.load(path), other) does, and so does "
            + "torch.onnx.export(..., external_data=False).")
      default: break
      }
    }
    return try locating("weight '\(name.prefix(80))'") {
      guard let dtype = dtypes[code] else {
        throw RNNError.unsupported("numbers of ONNX's type \(code) are not carried")
      }
      // An empty tensor may state any size beside its 0.
      for dimension in dimensions { try SizeLimit.check(dimension, "an axis", atLeast: 0) }
      guard let expected = Tensor.byteCount(dtype: dtype, shape: dimensions) else {
        throw RNNError.badData("the shape \(dimensions) is negative or too large to address")
      }
      var bytes = raw ?? packed
      if bytes.isEmpty, !(small.isEmpty && large.isEmpty) {
        let numbers = small.isEmpty ? large : small
        // Each takes its own width: halves lie in integers of 32 bits.
        for number in numbers {
          Swift.withUnsafeBytes(of: Int64(number).littleEndian) { bytes.append(contentsOf: $0[..<dtype.byteCount]) }
        }
      }
      guard bytes.count == expected else {
        throw RNNError.badData("\(dtype.name) \(dimensions) takes \(expected) bytes, and \(bytes.count) are there")
      }
      return (name, try Tensor(dtype: dtype, shape: dimensions, bytes: bytes))
    }
  }
}

extension Tensor {
  /// A vector of what the bytes hold.
  init(dtype: DType, bytes: Data) throws {
    try self.init(dtype: dtype, shape: [bytes.count / dtype.byteCount], bytes: bytes)
  }
}
