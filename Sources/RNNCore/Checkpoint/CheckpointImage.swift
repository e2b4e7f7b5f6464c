import Foundation

/// A checkpoint as safetensors: what the HDF5 helper and its caller say to each other.
///
/// Tensors stand under `tensor/<path>`, tensor-valued attributes under `attribute/<number>`; groups, attributes and the
/// datasets that lie in the input as they are wanted are JSON in the metadata. Blobs and the architecture are no part of
/// HDF5 and not carried.
public enum CheckpointImage {
  public static let tensorPrefix = "tensor/"
  public static let attributePrefix = "attribute/"
  static let groupsKey = "groups"
  static let attributesKey = "attributes"
  static let placesKey = "places"

  /// A dataset whose bytes lie in the input in order and little-endian, so that nobody needs to copy them.
  public struct Place: Sendable, Equatable {
    /// Its number among all datasets.
    public var number: Int
    public var path: String
    public var dtype: DType
    public var shape: [Int]
    /// Where its bytes begin in the input.
    public var offset: Int

    public init(number: Int, path: String, dtype: DType, shape: [Int], offset: Int) {
      self.number = number
      self.path = path
      self.dtype = dtype
      self.shape = shape
      self.offset = offset
    }

    fileprivate var json: JSONValue {
      [
        .integer(number), .string(path), .string(dtype.rawValue), .array(shape.map(JSONValue.integer)),
        .integer(offset),
      ]
    }

    fileprivate init(_ json: JSONValue) throws {
      guard let parts = json.array, parts.count == 5, case .integer(let number) = parts[0], let path = parts[1].string,
        let dtype = parts[2].string.flatMap(DType.init(rawValue:)), let dimensions = parts[3].array,
        case .integer(let offset) = parts[4]
      else { throw malformed }
      let shape = try dimensions.map { dimension in
        guard case .integer(let size) = dimension else { throw malformed }
        return size
      }
      self.init(number: number, path: path, dtype: dtype, shape: shape, offset: offset)
    }

    fileprivate func tensor(in input: Data) throws -> Tensor {
      guard let size = Tensor.byteCount(dtype: dtype, shape: shape), offset >= 0, size <= input.count,
        offset <= input.count - size
      else { throw malformed }
      let start = input.startIndex + offset
      return try Tensor(dtype: dtype, shape: shape, bytes: input[start..<start + size])
    }
  }

  /// What an HDF5 file of a size may hold at most: packed zeros are small in a file, and large in memory.
  public static func largestSize(fileSize: Int) -> Int {
    let (scaled, overflow) = fileSize.multipliedReportingOverflow(by: 16)
    return overflow ? .max : scaled.addingReportingOverflow(512 << 20).partialValue
  }

  public static var tooLarge: RNNError { .badData("the file holds more than its size allows") }

  /// The metadata, and the attributes that are tensors, in the order of their numbers.
  public static func metadata(
    of checkpoint: Checkpoint, places: [Place] = []
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
    let metadata = [
      (groupsKey, groups.text()), (attributesKey, JSONValue.array(attributes).text()),
      (placesKey, JSONValue.array(places.map(\.json)).text()),
    ]
    return (metadata, tensors)
  }

  /// The whole checkpoint.
  public static func safetensors(of checkpoint: Checkpoint) -> Safetensors {
    let (metadata, attributeTensors) = metadata(of: checkpoint)
    return Safetensors(
      metadata: metadata,
      entries: checkpoint.entries.map { .init(name: tensorPrefix + $0.path, tensor: $0.tensor) }
        + attributeTensors.enumerated().map { .init(name: attributePrefix + String($0.offset), tensor: $0.element) })
  }

  /// - Parameter input: what the places are places of.
  /// - Throws: `badData` where the image is not what `safetensors(of:)` or the helper writes.
  public static func checkpoint(from image: Safetensors, input: Data = Data()) throws -> Checkpoint {
    var checkpoint = Checkpoint()
    var attributeTensors: [String: Tensor] = [:]
    var tensors: [(path: String, tensor: Tensor)] = []
    for entry in image.entries {
      if let path = entry.name.dropping(prefix: tensorPrefix) {
        tensors.append((path, entry.tensor))
      } else if let number = entry.name.dropping(prefix: attributePrefix) {
        attributeTensors[number] = entry.tensor
      } else {
        throw malformed
      }
    }
    guard let groups = try image[metadata: groupsKey].map(JSONValue.init(parsing:))?.array,
      let attributes = try image[metadata: attributesKey].map(JSONValue.init(parsing:))?.array,
      let places = try image[metadata: placesKey].map(JSONValue.init(parsing:))?.array
    else { throw malformed }
    for (path, tensor) in try merged(tensors, try places.map(Place.init), input) {
      try checkpoint.append(tensor, at: path)
    }
    checkpoint.groups = groups.compactMap(\.string)
    for attribute in attributes {
      guard let parts = attribute.array, parts.count == 3, let path = parts[0].string, let name = parts[1].string else {
        throw malformed
      }
      try checkpoint.setAttribute(name, try value(parts[2], attributeTensors), at: path)
    }
    return checkpoint
  }

  /// All datasets, in the file's order.
  private static func merged(
    _ tensors: [(path: String, tensor: Tensor)], _ places: [Place], _ input: Data
  ) throws -> [(path: String, tensor: Tensor)] {
    var datasets: [(path: String, tensor: Tensor)] = []
    // The same bytes may stand for several datasets.
    var left = largestSize(fileSize: input.count)
    var rest = tensors[...]
    for place in places {
      while datasets.count < place.number, let next = rest.popFirst() { datasets.append(next) }
      guard datasets.count == place.number else { throw malformed }
      let tensor = try place.tensor(in: input)
      left -= tensor.bytes.count
      guard left >= 0 else { throw tooLarge }
      datasets.append((place.path, tensor))
    }
    return datasets + rest
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
