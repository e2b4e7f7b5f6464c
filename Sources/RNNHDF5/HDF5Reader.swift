import CHDF5
import Foundation
import RNNCore

/// Reads an HDF5 file that lies in memory.
///
/// libhdf5 is not safe on damaged files: outside tests, use this in a process of its own.
public final class HDF5Reader {
  /// A dataset of numbers, described but not yet read.
  public struct Dataset {
    public var path: String
    public var dtype: DType
    public var shape: [Int]
    /// Where its bytes begin in the image, where they lie there as `read` would return them.
    public var offset: Int?
  }

  /// What bounds the work that a file can cause.
  enum Limit {
    static let depth = 64
    static let objects = 200_000
    static let attributeBytes = 64 << 20
    /// How many times its own size a file may grow when it is read, and the size that is always allowed.
    static let expansion = 16
    static let freeExpansion = 256 << 20
  }

  private let image: UnsafeMutablePointer<rnn_h5_image>
  private let file: hid_t
  private let allowedBytes: Int

  /// In the order of the file's links.
  public private(set) var datasets: [Dataset] = []
  /// Groups and attributes; no tensors.
  public private(set) var structure = Checkpoint()

  private var totalBytes = 0
  private var visited: Set<haddr_t> = []

  /// Opens the image and reads everything but the datasets' contents.
  /// - Parameter bytes: must outlive the reader; the library does not write into them.
  /// - Throws: `badData` for a damaged file, `unsupported` for external links, external storage, virtual datasets,
  ///   unknown filters and element types.
  public init(_ bytes: UnsafeMutableRawBufferPointer) throws {
    HDF5Library.prepare()
    image = .allocate(capacity: 1)
    image.initialize(to: rnn_h5_image(base: bytes.baseAddress, length: bytes.count))
    allowedBytes = Limit.freeExpansion + bytes.count.multipliedReportingOverflow(by: Limit.expansion).partialValue
    file = rnn_h5_open_image(image)
    guard file >= 0 else {
      // `self` is complete here too, and closing a file that never opened is only an error code.
      throw RNNError.badData(
        "the HDF5 structure cannot be read: the file is damaged or incomplete", remedy: "Fetch or save it again.")
    }
    // From here on `self` is complete: should this throw, `deinit` closes the file.
    let root = try HDF5Library.check(H5Gopen2(file, "/", 0), "the root group cannot be opened")
    defer { H5Gclose(root) }
    try visitGroup(root, path: "", depth: 0)
  }

  deinit {
    H5Fclose(file)
    image.deallocate()
  }

  /// The whole file.
  public func checkpoint() throws -> Checkpoint {
    var result = structure
    for dataset in datasets {
      let bytes = try read(dataset)
      try result.append(try Tensor(dtype: dataset.dtype, shape: dataset.shape, bytes: bytes), at: dataset.path)
    }
    return result
  }

  /// The content of one dataset, little-endian and row-major.
  public func read(_ dataset: Dataset) throws -> Data {
    try locating("/" + dataset.path) {
      let handle = try HDF5Library.check(H5Dopen2(file, "/" + dataset.path, 0), "the dataset cannot be opened")
      defer { H5Dclose(handle) }
      guard let size = Tensor.byteCount(dtype: dataset.dtype, shape: dataset.shape), size > 0 else { return Data() }
      let type = try HDF5Reader.memoryType(dataset.dtype, of: H5Dget_type(handle))
      defer { H5Tclose(type) }
      var bytes = Data(count: size)
      let status = bytes.withUnsafeMutableBytes { H5Dread(handle, type, 0, 0, 0, $0.baseAddress) }
      guard status >= 0 else { throw RNNError.badData("the dataset's content is damaged or incomplete") }
      return bytes
    }
  }

  // MARK: - Structure

  private func visitGroup(_ group: hid_t, path: String, depth: Int) throws {
    guard depth <= Limit.depth else {
      throw RNNError.badData("groups nested deeper than \(Limit.depth)", at: "/" + path)
    }
    try readAttributes(of: group, path: path)
    for name in try HDF5Library.linkNames(of: group, at: path) {
      let child = CheckpointPath.join(path, name)
      try locating("/" + child) { try checkLink(group, name) }
      let object = H5Oopen(group, name, 0)
      guard object >= 0 else { throw RNNError.badData("the object cannot be opened", at: "/" + child) }
      defer { H5Oclose(object) }
      try visitObject(object, path: child, depth: depth)
    }
  }

  private func visitObject(_ object: hid_t, path: String, depth: Int) throws {
    guard structure.groups.count + datasets.count < Limit.objects else {
      throw RNNError.badData("more than \(Limit.objects) objects", at: "/" + path)
    }
    switch H5Iget_type(object) {
    case H5I_GROUP:
      var info = H5O_info_t()
      guard H5Oget_info1(object, &info) >= 0 else { throw RNNError.badData("the group is damaged", at: "/" + path) }
      guard visited.insert(info.addr).inserted else {
        throw RNNError.badData("the group stands in two places", at: "/" + path)
      }
      structure.groups.append(path)
      try visitGroup(object, path: path, depth: depth + 1)
    case H5I_DATASET:
      try locating("/" + path) { try describeDataset(object, path: path) }
      try readAttributes(of: object, path: path)
    default:
      // A named type carries no data.
      break
    }
  }

  private func checkLink(_ group: hid_t, _ name: String) throws {
    var info = H5L_info_t()
    guard H5Lget_info(group, name, &info, 0) >= 0 else { throw RNNError.badData("the link is damaged") }
    switch info.type {
    case H5L_TYPE_HARD: return
    case H5L_TYPE_SOFT: throw RNNError.unsupported("a soft link, which is not followed")
    case H5L_TYPE_EXTERNAL: throw RNNError.unsupported("an external link to another file, which is not followed")
    default: throw RNNError.unsupported("a user-defined link, which is not followed")
    }
  }

  private func describeDataset(_ dataset: hid_t, path: String) throws {
    let creation = try HDF5Library.check(H5Dget_create_plist(dataset), "the dataset's storage is damaged")
    defer { H5Pclose(creation) }
    try checkStorage(creation)
    let type = try HDF5Library.check(H5Dget_type(dataset), "the element type is damaged")
    defer { H5Tclose(type) }
    let space = try HDF5Library.check(H5Dget_space(dataset), "the shape is damaged")
    defer { H5Sclose(space) }
    let shape = try HDF5Reader.shape(of: space)
    switch try HDF5Type(type) {
    case .numbers(let dtype):
      guard let size = Tensor.byteCount(dtype: dtype, shape: shape),
        case let (total, overflow) = totalBytes.addingReportingOverflow(size), !overflow, total <= allowedBytes
      else {
        throw RNNError.badData("the dataset of shape \(shape) is larger than a file of this size can hold")
      }
      totalBytes = total
      let offset = try plainOffset(dataset, creation, type, dtype, size)
      datasets.append(Dataset(path: path, dtype: dtype, shape: shape, offset: offset))
    case .fixedString, .variableString:
      // Keras stores no weights as strings; kept as an attribute, so that nothing in the file is silently lost.
      let strings = try HDF5Strings.read(type: type, space: space) { H5Dread(dataset, $0, 0, 0, 0, $1) }
      try structure.setAttribute("strings", .strings(strings), at: path)
    }
  }

  /// Where a dataset's bytes lie in one piece, of the type that they have in memory.
  private func plainOffset(
    _ dataset: hid_t, _ creation: hid_t, _ type: hid_t, _ dtype: DType, _ size: Int
  ) throws -> Int? {
    // One that was never written takes no storage, and has an address all the same.
    guard size > 0, H5Pget_layout(creation) == H5D_CONTIGUOUS, H5Dget_storage_size(dataset) == hsize_t(size) else {
      return nil
    }
    let memoryType = try HDF5Reader.memoryType(dtype, of: H5Tcopy(type))
    defer { H5Tclose(memoryType) }
    guard H5Tequal(type, memoryType) > 0, let offset = Int(exactly: H5Dget_offset(dataset)),
      offset <= image.pointee.length - size
    else { return nil }
    return offset
  }

  /// The filters that every build of the library has.
  private static let builtInFilters = [
    H5Z_FILTER_DEFLATE, H5Z_FILTER_SHUFFLE, H5Z_FILTER_FLETCHER32, H5Z_FILTER_NBIT, H5Z_FILTER_SCALEOFFSET,
  ]

  /// - Parameter creation: the dataset's properties.
  private func checkStorage(_ creation: hid_t) throws {
    guard H5Pget_layout(creation) != H5D_VIRTUAL else {
      throw RNNError.unsupported("a virtual dataset, whose data lie in other files")
    }
    guard H5Pget_external_count(creation) <= 0 else {
      throw RNNError.unsupported("external storage: the data lie in other files")
    }
    for index in 0..<max(H5Pget_nfilters(creation), 0) {
      var flags: UInt32 = 0
      var count = 0
      var configuration: UInt32 = 0
      let filter = H5Pget_filter2(creation, UInt32(index), &flags, &count, nil, 0, nil, &configuration)
      guard HDF5Reader.builtInFilters.contains(filter) else {
        throw RNNError.unsupported(
          "compressed with the HDF5 filter \(filter), which needs a plug-in",
          remedy: "Save it again with gzip or without compression.")
      }
    }
  }

  private func readAttributes(of object: hid_t, path: String) throws {
    for name in try HDF5Library.attributeNames(of: object, at: path) {
      try locating("/\(path)@\(name)") {
        let attribute = try HDF5Library.check(H5Aopen(object, name, 0), "the attribute is damaged")
        defer { H5Aclose(attribute) }
        if let value = try HDF5Reader.value(of: attribute) {
          try structure.setAttribute(name, value, at: path)
        }
      }
    }
  }

  /// `nil` for element types that no weights and no names are made of.
  private static func value(of attribute: hid_t) throws -> AttributeValue? {
    let type = try HDF5Library.check(H5Aget_type(attribute), "the type is damaged")
    defer { H5Tclose(type) }
    let space = try HDF5Library.check(H5Aget_space(attribute), "the shape is damaged")
    defer { H5Sclose(space) }
    guard let elements = try? HDF5Type(type) else { return nil }
    let shape = try shape(of: space)
    switch elements {
    case .numbers(let dtype):
      guard let size = Tensor.byteCount(dtype: dtype, shape: shape), size <= Limit.attributeBytes else {
        throw RNNError.badData("an attribute of shape \(shape) is too large")
      }
      let memoryType = try memoryType(dtype, of: H5Tcopy(type))
      defer { H5Tclose(memoryType) }
      var bytes = Data(count: size)
      if size > 0 {
        let status = bytes.withUnsafeMutableBytes { H5Aread(attribute, memoryType, $0.baseAddress) }
        guard status >= 0 else { throw RNNError.badData("the value is damaged") }
      }
      return .tensor(try Tensor(dtype: dtype, shape: shape, bytes: bytes))
    case .fixedString, .variableString:
      let strings = try HDF5Strings.read(type: type, space: space) { H5Aread(attribute, $0, $1) }
      if shape.isEmpty, let only = strings.first { return .string(only) }
      return .strings(strings)
    }
  }

  /// The type in memory: little-endian numbers, or the file's own type where the library cannot convert (opaque
  /// bfloat16, enumerated booleans). Takes over `fileType`.
  private static func memoryType(_ dtype: DType, of fileType: hid_t) throws -> hid_t {
    switch dtype {
    case .bool, .bfloat16: return fileType
    case .uint8, .int8, .uint16, .int16, .uint32, .int32, .uint64, .int64, .float16, .float32, .float64:
      H5Tclose(fileType)
      return try dtype.makeHDF5Type()
    }
  }

  /// A null dataspace holds nothing: shape [0].
  static func shape(of space: hid_t) throws -> [Int] {
    if H5Sget_simple_extent_type(space) == H5S_NULL { return [0] }
    let rank = H5Sget_simple_extent_ndims(space)
    guard (0...32).contains(rank) else { throw RNNError.badData("the shape is damaged") }
    var dimensions = [hsize_t](repeating: 0, count: Int(rank))
    guard H5Sget_simple_extent_dims(space, &dimensions, nil) >= 0 else {
      throw RNNError.badData("the shape is damaged")
    }
    return try dimensions.map {
      guard let size = Int(exactly: $0) else { throw RNNError.badData("a dimension of \($0) is too large") }
      return size
    }
  }
}
