import CHDF5
import RNNCore

/// How the elements of a dataset or attribute are read.
enum HDF5Type: Equatable {
  case numbers(DType)
  case fixedString(size: Int, isSpacePadded: Bool)
  case variableString

  /// - Throws: `unsupported` naming what the type is.
  init(_ type: hid_t) throws {
    let size = H5Tget_size(type)
    switch H5Tget_class(type) {
    case H5T_INTEGER:
      self = .numbers(try HDF5Type.integer(size: size, isSigned: H5Tget_sign(type) == H5T_SGN_2))
    case H5T_FLOAT:
      self = .numbers(try HDF5Type.float(type, size: size))
    case H5T_STRING:
      if H5Tis_variable_str(type) > 0 {
        self = .variableString
      } else {
        self = .fixedString(size: size, isSpacePadded: H5Tget_strpad(type) == H5T_STR_SPACEPAD)
      }
    case H5T_OPAQUE where size == 2:
      // The only opaque type that Keras writes: bfloat16 has no HDF5 type of its own.
      self = .numbers(.bfloat16)
    case H5T_ENUM where size == 1 && H5Tget_nmembers(type) == 2:
      // h5py's boolean.
      self = .numbers(.bool)
    case H5T_OPAQUE: throw HDF5Type.unsupported("opaque data of \(size) bytes")
    case H5T_ENUM: throw HDF5Type.unsupported("an enumeration")
    case H5T_COMPOUND: throw HDF5Type.unsupported("compound data (records)")
    case H5T_REFERENCE: throw HDF5Type.unsupported("references")
    case H5T_VLEN: throw HDF5Type.unsupported("lists of varying length")
    case H5T_ARRAY: throw HDF5Type.unsupported("arrays as elements")
    case H5T_BITFIELD: throw HDF5Type.unsupported("bit fields")
    case H5T_TIME: throw HDF5Type.unsupported("HDF5 time values")
    default: throw RNNError.badData("the element type is damaged")
    }
  }

  private static func unsupported(_ what: String) -> RNNError {
    .unsupported("its elements are \(what), which no weights are made of")
  }

  private static func integer(size: Int, isSigned: Bool) throws -> DType {
    switch size {
    case 1: isSigned ? .int8 : .uint8
    case 2: isSigned ? .int16 : .uint16
    case 4: isSigned ? .int32 : .uint32
    case 8: isSigned ? .int64 : .uint64
    default: throw unsupported("integers of \(size) bytes")
    }
  }

  private static func float(_ type: hid_t, size: Int) throws -> DType {
    var sign = 0
    var exponent = 0
    var exponentSize = 0
    var mantissa = 0
    var mantissaSize = 0
    guard H5Tget_fields(type, &sign, &exponent, &exponentSize, &mantissa, &mantissaSize) >= 0 else {
      throw RNNError.badData("the floating-point type is damaged")
    }
    switch (size, exponentSize, mantissaSize) {
    case (2, 5, 10): return .float16
    case (2, 8, 7): return .bfloat16
    case (4, 8, 23): return .float32
    case (8, 11, 52): return .float64
    default: throw unsupported("floating-point numbers of \(size) bytes and \(mantissaSize) bits of fraction")
    }
  }
}

extension DType {
  /// The little-endian HDF5 type; the caller closes it.
  func makeHDF5Type() throws -> hid_t {
    let type: hid_t =
      switch self {
      case .bool: try DType.makeBoolean()
      case .uint8: H5Tcopy(rnn_h5t_std_u8le())
      case .int8: H5Tcopy(rnn_h5t_std_i8le())
      case .uint16: H5Tcopy(rnn_h5t_std_u16le())
      case .int16: H5Tcopy(rnn_h5t_std_i16le())
      case .uint32: H5Tcopy(rnn_h5t_std_u32le())
      case .int32: H5Tcopy(rnn_h5t_std_i32le())
      case .uint64: H5Tcopy(rnn_h5t_std_u64le())
      case .int64: H5Tcopy(rnn_h5t_std_i64le())
      case .float16: rnn_h5t_create_f16le()
      case .bfloat16: H5Tcreate(H5T_OPAQUE, 2)
      case .float32: H5Tcopy(rnn_h5t_ieee_f32le())
      case .float64: H5Tcopy(rnn_h5t_ieee_f64le())
      }
    guard type >= 0 else { throw RNNError(.internalError, "the HDF5 library has no type for \(name)") }
    return type
  }

  /// An enumeration of two int8 values, as h5py writes booleans.
  private static func makeBoolean() throws -> hid_t {
    let base = H5Tcopy(rnn_h5t_std_i8le())
    defer { H5Tclose(base) }
    let type = H5Tenum_create(base)
    for (name, value) in [("FALSE", Int8(0)), ("TRUE", Int8(1))] {
      var value = value
      guard H5Tenum_insert(type, name, &value) >= 0 else {
        throw RNNError(.internalError, "the HDF5 library cannot make a boolean type")
      }
    }
    return type
  }
}
