import Foundation
import RNNCore

/// Files of `torch.save`: tensors in dictionaries, checkpoints that hold such beside other things, and whole modules.
///
/// Tensors stand in the checkpoint under the keys that lead to them (`model_state_dict/lstm.weight_ih_l0`); those of a
/// module have the names of its `state_dict()`. Nothing in the file is run.
public enum TorchFile {
  /// Reads the zip that PyTorch writes since 1.6.
  public static func checkpoint(zip data: Data) throws -> Checkpoint {
    let archive = try ZipArchive(parsing: data)
    guard let pickle = archive.members.first(where: { $0.name == "data.pkl" || $0.name.hasSuffix("/data.pkl") }) else {
      throw RNNError.badData("the archive has no member 'data.pkl'")
    }
    let root = String(pickle.name.dropLast("data.pkl".count))
    guard !archive.members.contains(where: { $0.name.hasPrefix(root + "code/") }) else {
      throw RNNError.unsupported(
        "the file is TorchScript, which holds a program", remedy: TorchPickle.rules.remedy)
    }
    let members = Dictionary(archive.members.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    if let order = members[root + "byteorder"] {
      let text = String(decoding: try archive.contents(of: order), as: UTF8.self)
      guard text == "little" else { throw RNNError.unsupported("the numbers are stored \(text)-endian") }
    }
    let value = try locating("member '\(pickle.name)'") {
      try PickleValue(parsing: try archive.contents(of: pickle), rules: TorchPickle.rules)
    }
    let cache = StorageCache { key in
      guard let member = members["\(root)data/\(key)"] else {
        throw TorchTensors.damaged("the storage '\(key)' is missing")
      }
      return try archive.contents(of: member)
    }
    return try checkpoint(of: value, TorchTensors(fileSize: data.count, storage: cache.bytes))
  }

  /// Reads the format before 1.6: five pickles - a magic number, a version, facts about the machine, the object, the keys
  /// of the storages - and the storages one behind the other.
  public static func checkpoint(legacy data: Data) throws -> Checkpoint {
    var position = 0
    var parts: [PickleValue] = []
    for _ in 0..<5 {
      let (value, end) = try PickleValue.parse(data, at: position, rules: TorchPickle.rules)
      parts.append(value)
      position = end
    }
    guard case .integer(1001) = parts[1] else {
      throw RNNError.unsupported("the file has another version than 1001 of PyTorch's old format")
    }
    if case .bool(false)? = parts[2]["little_endian"] {
      throw RNNError.unsupported("the numbers are stored big-endian")
    }
    guard case .list(let keys) = parts[4] else { throw TorchTensors.damaged("the keys of the storages are no list") }
    let types = storageTypes(parts[3])
    var storages: [String: Data] = [:]
    for key in keys.compactMap(\.text) {
      guard let word = data.slice(at: position, count: 8) else {
        throw TorchTensors.damaged("the storage '\(key)' is missing")
      }
      var reader = ByteReader(word)
      let count = try reader.size64()
      position += 8
      guard let type = types[key], let width = TorchPickle.storages[type]?.byteCount else {
        throw RNNError.unsupported("numbers of the type \(types[key] ?? "of storage '\(key)'") are not carried")
      }
      let (size, overflow) = count.multipliedReportingOverflow(by: width)
      guard !overflow, let bytes = data.slice(at: position, count: size) else {
        throw TorchTensors.damaged("the storage '\(key)' ends early")
      }
      storages[key] = bytes
      position += size
    }
    let tensors = TorchTensors(fileSize: data.count) { key in
      guard let bytes = storages[key] else { throw TorchTensors.damaged("the storage '\(key)' is missing") }
      return bytes
    }
    return try checkpoint(of: parts[3], tensors)
  }

  /// The types of all storages that a value refers to, by key.
  private static func storageTypes(_ value: PickleValue) -> [String: String] {
    var types: [String: String] = [:]
    func visit(_ value: PickleValue) {
      switch value {
      case .persistent(.tuple(let parts)):
        if parts.count >= 3, case .global(let type) = parts[1], let key = parts[2].text { types[key] = type.name }
      case .list(let items), .tuple(let items), .set(let items): items.forEach(visit)
      case .dictionary(let pairs): pairs.forEach { visit($0.value) }
      case .object(let object):
        object.arguments.forEach(visit)
        object.state.map(visit)
      case .null, .bool, .integer, .bigInteger, .double, .string, .bytes, .global, .persistent: break
      }
    }
    visit(value)
    return types
  }

  private static func checkpoint(of value: PickleValue, _ tensors: TorchTensors) throws -> Checkpoint {
    try refuseCallables(value)
    var reading = TorchReading(tensors: tensors)
    try reading.visit(value, at: "")
    return reading.checkpoint
  }

  /// A class or function that is left as a value could be called by whoever opens the file in Python.
  private static func refuseCallables(_ value: PickleValue) throws {
    switch value {
    case .global(let global):
      guard TorchPickle.isHarmless(global) else {
        throw RNNError.unsupported(
          "the file refers to \(global), which may be code; nothing in it is run", remedy: TorchPickle.rules.remedy)
      }
    case .list(let items), .tuple(let items), .set(let items): try items.forEach(refuseCallables)
    case .dictionary(let pairs):
      for pair in pairs {
        try refuseCallables(pair.key)
        try refuseCallables(pair.value)
      }
    case .object(let object):
      try object.arguments.forEach(refuseCallables)
      try object.state.map(refuseCallables)
    case .null, .bool, .integer, .bigInteger, .double, .string, .bytes, .persistent: break
    }
  }
}

/// Storages that several tensors share are read, and their checksums verified, once.
private final class StorageCache {
  private var known: [String: Data] = [:]
  private let read: (String) throws -> Data

  init(read: @escaping (String) throws -> Data) { self.read = read }

  func bytes(_ key: String) throws -> Data {
    if let bytes = known[key] { return bytes }
    let bytes = try read(key)
    known[key] = bytes
    return bytes
  }
}
