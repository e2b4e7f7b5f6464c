import CHDF5
import Foundation
import RNNCore

/// Writes a checkpoint as an HDF5 file in memory, in the form that every h5py and Keras reads.
///
/// Scalars of text are variable-length, lists of text fixed-length and NUL-padded: h5py 2 returns both as bytes, which
/// Keras 2 decodes, and h5py 3 as text or bytes, which Keras 3 accepts.
public enum HDF5Writer {
  public static func image(of checkpoint: Checkpoint) throws -> Data {
    HDF5Library.prepare()
    let access = rnn_h5p_create_file_access()
    defer { H5Pclose(access) }
    guard H5Pset_fapl_core(access, 1 << 20, false) >= 0 else { throw failure("open a file in memory") }
    let file = H5Fcreate("image", rnn_h5f_acc_trunc(), 0, access)
    guard file >= 0 else { throw failure("create a file in memory") }
    defer { H5Fclose(file) }
    try writeGroups(of: checkpoint, file)
    try writeDatasets(of: checkpoint, file)
    for attribute in checkpoint.attributes { try write(attribute, file) }
    guard H5Fflush(file, H5F_SCOPE_GLOBAL) >= 0 else { throw failure("finish the file") }
    let size = H5Fget_file_image(file, nil, 0)
    guard size > 0 else { throw failure("measure the file") }
    var image = Data(count: size)
    let written = image.withUnsafeMutableBytes { H5Fget_file_image(file, $0.baseAddress, $0.count) }
    guard written == size else { throw failure("copy the file") }
    return image
  }

  private static func failure(_ what: String) -> RNNError {
    RNNError(.internalError, "the HDF5 library could not \(what)")
  }

  private static func writeGroups(of checkpoint: Checkpoint, _ file: hid_t) throws {
    let links = rnn_h5p_create_link()
    defer { H5Pclose(links) }
    H5Pset_create_intermediate_group(links, 1)
    for path in checkpoint.groups where H5Lexists(file, path, 0) <= 0 {
      let group = H5Gcreate2(file, path, links, 0, 0)
      guard group >= 0 else { throw failure("create the group '\(path)'") }
      H5Gclose(group)
    }
  }

  private static func writeDatasets(of checkpoint: Checkpoint, _ file: hid_t) throws {
    let links = rnn_h5p_create_link()
    defer { H5Pclose(links) }
    H5Pset_create_intermediate_group(links, 1)
    // The library would stamp datasets with the time, and every run would write other bytes.
    let creation = rnn_h5p_create_dataset()
    defer { H5Pclose(creation) }
    H5Pset_obj_track_times(creation, false)
    for entry in checkpoint.entries {
      let type = try entry.tensor.dtype.makeHDF5Type()
      defer { H5Tclose(type) }
      let space = makeSpace(entry.tensor.shape)
      defer { H5Sclose(space) }
      let dataset = H5Dcreate2(file, entry.path, type, space, links, creation, 0)
      guard dataset >= 0 else { throw failure("create the dataset '\(entry.path)'") }
      defer { H5Dclose(dataset) }
      guard entry.tensor.count > 0 else { continue }
      let status = entry.tensor.bytes.withUnsafeBytes { H5Dwrite(dataset, type, 0, 0, 0, $0.baseAddress) }
      guard status >= 0 else { throw failure("write the dataset '\(entry.path)'") }
    }
  }

  private static func makeSpace(_ shape: [Int]) -> hid_t {
    let dimensions = shape.map(hsize_t.init)
    return shape.isEmpty ? H5Screate(H5S_SCALAR) : H5Screate_simple(Int32(shape.count), dimensions, nil)
  }

  private static func write(_ attribute: Checkpoint.Attribute, _ file: hid_t) throws {
    let object = H5Oopen(file, attribute.path.isEmpty ? "/" : attribute.path, 0)
    guard object >= 0 else { throw failure("find '\(attribute.path)'") }
    defer { H5Oclose(object) }
    switch attribute.value {
    case .tensor(let tensor):
      let type = try tensor.dtype.makeHDF5Type()
      defer { H5Tclose(type) }
      try write(attribute, object, type, tensor.shape, tensor.bytes)
    case .strings(let strings) where strings.isEmpty:
      // h5py stores an empty list as float64, and Keras reads it back as such.
      let type = try DType.float64.makeHDF5Type()
      defer { H5Tclose(type) }
      try write(attribute, object, type, [0], Data())
    case .strings(let strings):
      let width = max(strings.map(\.utf8.count).max() ?? 0, 1)
      var bytes = Data(capacity: width * strings.count)
      for string in strings { bytes += Data(string.utf8) + Data(count: width - string.utf8.count) }
      let type = H5Tcopy(rnn_h5t_c_s1())
      defer { H5Tclose(type) }
      H5Tset_size(type, width)
      H5Tset_strpad(type, H5T_STR_NULLPAD)
      try write(attribute, object, type, [strings.count], bytes)
    case .string(let string):
      let type = H5Tcopy(rnn_h5t_c_s1())
      defer { H5Tclose(type) }
      H5Tset_size(type, rnn_h5t_variable())
      try string.withCString { pointer in
        try write(attribute, object, type, [], withUnsafeBytes(of: pointer) { Data($0) })
      }
    }
  }

  private static func write(
    _ attribute: Checkpoint.Attribute, _ object: hid_t, _ type: hid_t, _ shape: [Int], _ bytes: Data
  ) throws {
    let space = makeSpace(shape)
    defer { H5Sclose(space) }
    let handle = H5Acreate2(object, attribute.name, type, space, 0, 0)
    guard handle >= 0 else { throw failure("create the attribute '\(attribute.name)' of '\(attribute.path)'") }
    defer { H5Aclose(handle) }
    guard !bytes.isEmpty else { return }
    guard bytes.withUnsafeBytes({ H5Awrite(handle, type, $0.baseAddress) }) >= 0 else {
      throw failure("write the attribute '\(attribute.name)' of '\(attribute.path)'")
    }
  }
}
