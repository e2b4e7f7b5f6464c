import Foundation
import RNNCore

/// Writes a state_dict as `torch.save` does since 1.6: a zip of a pickle that describes the tensors, and of their
/// storages. `torch.load(path, weights_only=True)` reads it.
public enum TorchWriter {
  private static let root = "archive/"

  /// - Parameters:
  ///   - tensors: by name, in order.
  ///   - sink: takes the bytes in order.
  /// - Throws: `unsupported` for numbers that PyTorch has no storage for; what `sink` throws.
  public static func write(
    stateDict tensors: [(name: String, tensor: Tensor)], to sink: (Data) throws -> Void
  ) throws {
    var zip = ZipWriter()
    try zip.add(root + "data.pkl", [try pickle(tensors)], to: sink)
    try zip.add(root + "byteorder", [Data("little".utf8)], to: sink)
    for (index, item) in tensors.enumerated() {
      try zip.add(root + "data/\(index)", [item.tensor.bytes], to: sink)
    }
    try zip.add(root + "version", [Data("3\n".utf8)], to: sink)
    try zip.finish(to: sink)
  }

  /// `OrderedDict([(name, _rebuild_tensor_v2(storage, 0, sizes, strides, False, OrderedDict())), ...])`, protocol 2.
  private static func pickle(_ tensors: [(name: String, tensor: Tensor)]) throws -> Data {
    var pickle = PickleWriter()
    pickle.orderedDictionary()
    pickle.mark()
    for (index, item) in tensors.enumerated() {
      guard let storage = TorchPickle.storages.first(where: { $0.value == item.tensor.dtype })?.key else {
        throw RNNError.unsupported("'\(item.name)' is \(item.tensor.dtype.name), and PyTorch has no storage for that")
      }
      var strides = [Int](repeating: 1, count: item.tensor.shape.count)
      for axis in strides.indices.dropLast().reversed() {
        strides[axis] = strides[axis + 1] * max(item.tensor.shape[axis + 1], 1)
      }
      pickle.string(item.name)
      pickle.global("torch._utils", "_rebuild_tensor_v2")
      pickle.mark()
      pickle.mark()
      pickle.string("storage")
      pickle.global("torch", storage)
      pickle.string("\(index)")
      pickle.string("cpu")
      pickle.integer(item.tensor.count)
      pickle.tuple()
      pickle.persistentID()
      pickle.integer(0)
      for numbers in [item.tensor.shape, strides] {
        pickle.mark()
        numbers.forEach { pickle.integer($0) }
        pickle.tuple()
      }
      pickle.bool(false)
      pickle.orderedDictionary()
      pickle.tuple()
      pickle.reduce()
    }
    pickle.setItems()
    return pickle.finished
  }
}

/// Opcodes of protocol 2, one behind the other.
struct PickleWriter {
  private var data = Data([PickleOpcode.proto.rawValue, 2])

  private mutating func put(_ opcode: PickleOpcode) { data.append(opcode.rawValue) }

  mutating func mark() { put(.mark) }
  mutating func tuple() { put(.tuple) }
  mutating func reduce() { put(.reduce) }
  mutating func setItems() { put(.setItems) }
  mutating func persistentID() { put(.binPersistentID) }
  mutating func bool(_ value: Bool) { put(value ? .newTrue : .newFalse) }

  mutating func global(_ module: String, _ name: String) {
    put(.global)
    data.append(Data("\(module)\n\(name)\n".utf8))
  }

  /// `collections.OrderedDict()`
  mutating func orderedDictionary() {
    global("collections", "OrderedDict")
    put(.emptyTuple)
    put(.reduce)
  }

  mutating func string(_ text: String) {
    put(.binUnicode)
    data.append(littleEndian: UInt32(text.utf8.count))
    data.append(Data(text.utf8))
  }

  mutating func integer(_ value: Int) {
    if let small = Int32(exactly: value) {
      put(.binInt)
      data.append(littleEndian: small)
    } else {
      put(.long1)
      data.append(8)
      data.append(littleEndian: Int64(value))
    }
  }

  var finished: Data { data + [PickleOpcode.stop.rawValue] }
}
