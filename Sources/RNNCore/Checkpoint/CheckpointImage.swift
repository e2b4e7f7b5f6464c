import Foundation

/// A checkpoint as safetensors: what the HDF5 helper and its caller say to each other.
///
/// Tensors stand under `tensor/<path>`, tensor-valued attributes under `attribute/<number>`; groups and attributes are
/// JSON in the metadata. Blobs and the architecture are no part of HDF5 and not carried.
public enum CheckpointImage {
  public static let tensorPrefix = "tensor/"
  public static let attributePrefix = "attribute/"
  static let groupsKey = "groups"
  static let attributesKey = "attributes"

  /// What an HDF5 file of a size may hold at most: packed zeros are small in a file, and large in memory.
  public static func largestSize(fileSize: Int) -> Int {
    let (scaled, overflow) = fileSize.multipliedReportingOverflow(by: 16)
    return overflow ? .max : scaled.addingReportingOverflow(512 << 20).partialValue
  }

  public static var tooLarge: RNNError { .badData("the file holds more than its size allows") }

  /// The metadata, and the attributes that are tensors, in the order of their numbers.
  public static func metadata(
    of checkpoint: Checkpoint
  ) -> (metadata: [(key: String, value: String)], attributeTensors: [Tensor]) {
    var tensors: [Tensor] = []
    let attributes = checkpoint.attributes.map { attribute -> JSONValue in
      let value: JSONValue
      switch attribute.value {
      case .string(let text): value = .string(text)
      case .strings(let texts): value = .array(texts.map(JSONValue.string))
      case .tensor(let tensor):
        value = .integer(tensors.count)
        tensors.append(tensor)
      }
      return [.string(attribute.path), .string(attribute.name), value]
    }
    let groups = JSONValue.array(checkpoint.groups.map(JSONValue.string))
    return ([(groupsKey, groups.text()), (attributesKey, JSONValue.array(attributes).text())], tensors)
  }

  /// The whole checkpoint.
  public static func safetensors(of checkpoint: Checkpoint) -> Safetensors {
    let (metadata, attributeTensors) = metadata(of: checkpoint)
    return Safetensors(
      metadata: metadata,
      entries: checkpoint.entries.map { .init(name: tensorPrefix + $0.path, tensor: $0.tensor) }
        + attributeTensors.enumerated().map { .init(name: attributePrefix + String($0.offset), tensor: $0.element) })
  }

  /// - Throws: `badData` where the image is not what `safetensors(of:)` writes.
  public static func checkpoint(from image: Safetensors) throws -> Checkpoint {
    var checkpoint = Checkpoint()
    var attributeTensors: [String: Tensor] = [:]
    for entry in image.entries {
      if let path = entry.name.dropping(prefix: tensorPrefix) {
        try checkpoint.append(entry.tensor, at: path)
      } else if let number = entry.name.dropping(prefix: attributePrefix) {
        attributeTensors[number] = entry.tensor
      } else {
        throw malformed
      }
    }
    guard let groups = try image[metadata: groupsKey].map(JSONValue.init(parsing:))?.array,
      let attributes = try image[metadata: attributesKey].map(JSONValue.init(parsing:))?.array
    else { throw malformed }
    checkpoint.groups = groups.compactMap(\.string)
    for attribute in attributes {
      guard let parts = attribute.array, parts.count == 3, let path = parts[0].string, let name = parts[1].string else {
        throw malformed
      }
      try checkpoint.setAttribute(name, try value(parts[2], attributeTensors), at: path)
    }
    return checkpoint
  }

  private static func value(_ json: JSONValue, _ tensors: [String: Tensor]) throws -> AttributeValue {
    switch json {
    case .string(let text): return .string(text)
    case .array(let elements): return .strings(elements.compactMap(\.string))
    case .integer(let number):
      guard let tensor = tensors[String(number)] else { throw malformed }
      return .tensor(tensor)
    case .null, .bool, .number, .object: throw malformed
    }
  }

  private static var malformed: RNNError { .badData("the checkpoint image is malformed") }
}
