import Foundation
import RNNCore

/// What stands before the numbers of an `.npy` file (NumPy's `lib/_format_impl.py`, versions 1.0 to 3.0).
struct NPYHeader: Equatable {
  var type: NPYType
  /// Whether the first dimension, not the last, is the fastest.
  var isFortranOrder: Bool
  var shape: [Int]

  static let magic: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]
  /// NumPy cannot make an array of a higher rank.
  static let maximumRank = 64

  /// Parses the header at the start of `file`; returns it with the number of bytes it takes.
  static func parse(_ file: Data) throws -> (header: NPYHeader, length: Int) {
    let (fields, length) = try NPYHeaderFields.parse(file)
    let header = NPYHeader(
      type: try NPYType(descr: fields.descr), isFortranOrder: fields.isFortranOrder, shape: fields.shape)
    return (header, length)
  }
}

/// The three entries of a header, whatever the element type.
struct NPYHeaderFields {
  var descr: PythonLiteral
  var isFortranOrder: Bool
  var shape: [Int]

  /// The elements are Python objects, and what follows the header is a pickle.
  var isObjectArray: Bool { descr == .string("|O") || descr == .string("O") }

  static func parse(_ file: Data) throws -> (fields: NPYHeaderFields, length: Int) {
    var reader = ByteReader(file)
    guard reader.remaining >= 8, try reader.bytes(NPYHeader.magic.count).elementsEqual(NPYHeader.magic) else {
      throw RNNError.badData("no .npy file: its first bytes are not NumPy's")
    }
    let version = (try reader.integer(UInt8.self), try reader.integer(UInt8.self))
    let length: Int
    switch version {
    case (1, 0): length = Int(try reader.integer(UInt16.self))
    case (2, 0), (3, 0): length = Int(try reader.integer(UInt32.self))
    default:
      throw RNNError.unsupported(
        "version \(version.0).\(version.1) of the .npy format is not known", remedy: "Save the array again with NumPy.")
    }
    let text = try reader.bytes(length)
    let fields = try NPYHeaderFields(try PythonLiteral(parsing: text))
    return (fields, reader.position)
  }

  private init(_ literal: PythonLiteral) throws {
    guard case .dictionary(let members) = literal else { throw RNNError.badData("the header is no dictionary") }
    let keys = members.map(\.key).sorted()
    guard keys == ["descr", "fortran_order", "shape"] else {
      throw RNNError.badData(
        "the header has the keys \(keys.joined(separator: ", ")), expected descr, fortran_order, shape")
    }
    func member(_ key: String) -> PythonLiteral { members.first { $0.key == key }?.value ?? .none }
    guard case .bool(let isFortranOrder) = member("fortran_order") else {
      throw RNNError.badData("fortran_order is \(member("fortran_order").text), expected True or False")
    }
    guard case .tuple(let dimensions) = member("shape") else {
      throw RNNError.badData("shape is \(member("shape").text), expected a tuple")
    }
    guard dimensions.count <= NPYHeader.maximumRank else {
      throw RNNError.badData("an array of rank \(dimensions.count), NumPy allows \(NPYHeader.maximumRank)")
    }
    shape = try dimensions.map { dimension in
      guard case .integer(let value) = dimension, value >= 0 else {
        throw RNNError.badData("the dimension \(dimension.text) is no size")
      }
      return value
    }
    descr = member("descr")
    self.isFortranOrder = isFortranOrder
  }
}

/// An element type with its byte order.
struct NPYType: Equatable {
  var dtype: DType
  var isBigEndian = false

  private static let dtypes: [String: DType] = [
    "b1": .bool, "i1": .int8, "u1": .uint8, "i2": .int16, "u2": .uint16, "i4": .int32, "u4": .uint32, "i8": .int64,
    "u8": .uint64, "f2": .float16, "f4": .float32, "f8": .float64,
  ]

  /// How NumPy writes a bfloat16 array of the ml_dtypes package: two bytes whose type is lost. Real two-byte voids
  /// are `|V2`.
  static let bfloat16 = "<V2"

  init(dtype: DType) {
    self.dtype = dtype
  }

  /// - Throws: `unsupported` naming the type.
  init(descr: PythonLiteral) throws {
    guard case .string(let text) = descr else {
      guard case .list = descr else { throw RNNError.badData("descr is \(descr.text), expected a type's name") }
      throw RNNError.unsupported(
        "a structured array (dtype \(String(descr.text.prefix(200)))) is no tensor",
        remedy: "Save each field as an array of its own: numpy.save(\"field.npy\", a[\"field\"]).")
    }
    if text == NPYType.bfloat16 {
      dtype = .bfloat16
      return
    }
    let order = text.first.flatMap { "<>|=".contains($0) ? $0 : nil }
    let code = order == nil ? text : String(text.dropFirst())
    guard let dtype = NPYType.dtypes[code] else { throw NPYType.refusal(of: text, code: code) }
    self.dtype = dtype
    isBigEndian = order == ">" && dtype.byteCount > 1
  }

  private static func refusal(of descr: String, code: String) -> RNNError {
    let name = "dtype '\(descr)'"
    switch code.first {
    case "O":
      return .unsupported(
        "an object array (\(name)) is a Python pickle, which is never run",
        remedy: "Save plain numbers: numpy.asarray(a, dtype=\"float32\"), or lists padded to one length.")
    case "U", "S", "a":
      return .unsupported("an array of strings (\(name)) is no tensor", remedy: "Save it as numbers.")
    case "c":
      return .unsupported("complex numbers (\(name)) are not supported", remedy: "Save a.real and a.imag apart.")
    case "f", "g":
      return .unsupported("floats of this size (\(name)) are not supported", remedy: "Save a.astype(\"float64\").")
    case "M", "m":
      return .unsupported("dates and times (\(name)) are not supported", remedy: "Save a.astype(\"int64\").")
    case "V":
      return .unsupported("raw bytes (\(name)) have no type that is known", remedy: "Save a.view(\"uint8\").")
    default:
      return .unsupported("the \(name) is not known", remedy: "Save a.astype(\"float32\").")
    }
  }

  /// The name of this type in a header.
  var descr: String {
    if dtype == .bfloat16 { return NPYType.bfloat16 }
    let code = NPYType.dtypes.first { $0.value == dtype }?.key ?? ""
    return (dtype.byteCount == 1 ? "|" : isBigEndian ? ">" : "<") + code
  }
}
