import CHDF5
import Foundation
import RNNCore

/// The library's global state and its few idioms.
enum HDF5Library {
  /// Silences the library's own error output and forbids it to load filter plug-ins.
  static func prepare() {
    H5Eset_auto2(0, nil, nil)
    H5PLset_loading_state(0)
  }

  /// The handle, if the library gave one.
  static func check(_ handle: hid_t, _ failure: @autoclosure () -> String) throws -> hid_t {
    guard handle >= 0 else { throw RNNError.badData(failure()) }
    return handle
  }

  /// Names that the C callbacks collect.
  private final class NameList {
    var names: [String] = []
  }

  static func linkNames(of group: hid_t, at path: String) throws -> [String] {
    let list = NameList()
    let status = H5Literate(
      group, H5_INDEX_NAME, H5_ITER_INC, nil,
      { _, name, _, context in HDF5Library.collect(name, context) },
      Unmanaged.passUnretained(list).toOpaque())
    guard status >= 0 else { throw RNNError.badData("the group's links are damaged", at: "/" + path) }
    return list.names
  }

  static func attributeNames(of object: hid_t, at path: String) throws -> [String] {
    let list = NameList()
    let status = H5Aiterate2(
      object, H5_INDEX_NAME, H5_ITER_INC, nil,
      { _, name, _, context in HDF5Library.collect(name, context) },
      Unmanaged.passUnretained(list).toOpaque())
    guard status >= 0 else { throw RNNError.badData("the attributes are damaged", at: "/" + path) }
    return list.names
  }

  /// One step of an iteration; stops with an error when the list grows out of proportion.
  private static func collect(_ name: UnsafePointer<CChar>?, _ context: UnsafeMutableRawPointer?) -> herr_t {
    guard let name, let context else { return -1 }
    let list = Unmanaged<NameList>.fromOpaque(context).takeUnretainedValue()
    guard list.names.count < HDF5Reader.Limit.objects else { return -1 }
    list.names.append(String(cString: name))
    return 0
  }
}

/// Strings of datasets and attributes.
enum HDF5Strings {
  /// - Parameter read: reads all elements with the given memory type into the given buffer.
  static func read(
    type: hid_t, space: hid_t, _ read: (hid_t, UnsafeMutableRawPointer?) -> herr_t
  ) throws -> [String] {
    let shape = try HDF5Reader.shape(of: space)
    guard let count = Tensor.byteCount(dtype: .uint8, shape: shape), count <= HDF5Reader.Limit.attributeBytes / 8 else {
      throw RNNError.badData("\(describe(shape: shape)) strings are too many")
    }
    if count == 0 { return [] }
    switch try HDF5Type(type) {
    case .variableString: return try variable(type: type, space: space, count: count, read)
    case .fixedString(let size, let isSpacePadded):
      return try fixed(type: type, size: size, isSpacePadded: isSpacePadded, count: count, read)
    case .numbers: throw RNNError(.internalError, "numbers read as strings")
    }
  }

  private static func variable(
    type: hid_t, space: hid_t, count: Int, _ read: (hid_t, UnsafeMutableRawPointer?) -> herr_t
  ) throws -> [String] {
    let memoryType = H5Tcopy(type)
    defer { H5Tclose(memoryType) }
    var pointers = [UnsafeMutablePointer<CChar>?](repeating: nil, count: count)
    guard pointers.withUnsafeMutableBytes({ read(memoryType, $0.baseAddress) }) >= 0 else {
      throw RNNError.badData("the strings are damaged")
    }
    defer { pointers.withUnsafeMutableBytes { _ = H5Dvlen_reclaim(memoryType, space, 0, $0.baseAddress) } }
    return pointers.map { $0.map { String(cString: $0) } ?? "" }
  }

  private static func fixed(
    type: hid_t, size: Int, isSpacePadded: Bool, count: Int, _ read: (hid_t, UnsafeMutableRawPointer?) -> herr_t
  ) throws -> [String] {
    let (total, overflow) = size.multipliedReportingOverflow(by: count)
    guard size > 0, !overflow, total <= HDF5Reader.Limit.attributeBytes else {
      throw RNNError.badData("the strings are too long")
    }
    let memoryType = H5Tcopy(type)
    defer { H5Tclose(memoryType) }
    var bytes = [UInt8](repeating: 0, count: total)
    guard bytes.withUnsafeMutableBytes({ read(memoryType, $0.baseAddress) }) >= 0 else {
      throw RNNError.badData("the strings are damaged")
    }
    return (0..<count).map { index in
      var text = bytes[index * size..<(index + 1) * size].prefix { $0 != 0 }
      if isSpacePadded {
        while text.last == UInt8(ascii: " ") { text.removeLast() }
      }
      return String(decoding: text, as: UTF8.self)
    }
  }
}
