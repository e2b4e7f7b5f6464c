import Foundation

/// The safetensors container: u64 header length, a JSON header, tensors end to end.
///
/// Stricter than the Rust library on duplicate names and leading white space; both are forbidden by its specification.
public struct Safetensors: Sendable, Equatable {
  public struct Entry: Sendable, Equatable {
    public var name: String
    public var tensor: Tensor

    public init(name: String, tensor: Tensor) {
      self.name = name
      self.tensor = tensor
    }
  }

  /// `__metadata__`, string to string, in the file's order.
  public var metadata: [(key: String, value: String)]
  /// In the order of their bytes.
  public var entries: [Entry]

  /// The longest header that is read, as in the Rust library.
  public static let maximumHeaderLength = 100_000_000

  public init(metadata: [(key: String, value: String)] = [], entries: [Entry] = []) {
    self.metadata = metadata
    self.entries = entries
  }

  public static func == (left: Safetensors, right: Safetensors) -> Bool {
    left.entries == right.entries && left.metadata.map(\.key) == right.metadata.map(\.key)
      && left.metadata.map(\.value) == right.metadata.map(\.value)
  }

  public subscript(metadata key: String) -> String? {
    metadata.first { $0.key == key }?.value
  }
}

// MARK: - Reading

extension Safetensors {
  /// Parses a whole file; tensors are slices of `file`.
  /// - Throws: `badData` where anything breaks the format, `unsupported` for a dtype this toolkit does not hold.
  public init(parsing file: Data) throws {
    let headerLength = try Safetensors.headerLength(file.prefix(8))
    guard headerLength <= file.count - 8 else {
      throw RNNError.badData("the header of \(headerLength) bytes reaches past the end of the file")
    }
    let start = file.startIndex + 8
    try self.init(
      header: file[start..<start + headerLength], data: file[(start + headerLength)...])
  }

  /// The header's length from the first 8 bytes.
  public static func headerLength(_ prefix: Data) throws -> Int {
    guard prefix.count == 8 else { throw RNNError.badData("shorter than the 8 bytes that start a safetensors file") }
    let length = prefix.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
    guard length <= UInt64(maximumHeaderLength) else {
      throw RNNError.badData("a header of \(length) bytes is longer than the allowed \(maximumHeaderLength)")
    }
    return Int(length)
  }

  /// - Parameters:
  ///   - header: the JSON text.
  ///   - data: everything after it.
  public init(header: Data, data: Data) throws {
    guard header.first == UInt8(ascii: "{") else { throw RNNError.badData("the header does not begin with '{'") }
    guard case .object(let root) = try JSONValue(parsing: header) else {
      throw RNNError.badData("the header is no JSON object")
    }
    self.init()
    var descriptions: [(name: String, dtype: DType, shape: [Int], begin: Int, end: Int)] = []
    for member in root.members {
      if member.key == "__metadata__" {
        metadata = try Safetensors.metadata(member.value)
      } else {
        descriptions.append(
          try locating("tensor '\(member.key)'") { try Safetensors.describe(member.key, member.value) })
      }
    }
    descriptions.sort { ($0.begin, $0.end) < ($1.begin, $1.end) }
    var position = 0
    for description in descriptions {
      guard description.begin == position, description.end >= position, description.end <= data.count else {
        throw RNNError.badData(
          "its bytes \(description.begin)..<\(description.end) leave a gap, overlap or reach past the end",
          at: "tensor '\(description.name)'")
      }
      let start = data.startIndex
      let tensor = try locating("tensor '\(description.name)'") {
        try Tensor(
          dtype: description.dtype, shape: description.shape,
          bytes: data[(start + description.begin)..<(start + description.end)])
      }
      entries.append(Entry(name: description.name, tensor: tensor))
      position = description.end
    }
    guard position == data.count else {
      throw RNNError.badData("\(data.count - position) bytes after the last tensor belong to nothing")
    }
  }

  /// The bytes that the tensors of a header take, without looking at them.
  public static func dataSize(header: Data) throws -> Int {
    guard case .object(let root) = try JSONValue(parsing: header) else {
      throw RNNError.badData("the header is no JSON object")
    }
    return try root.members.filter { $0.key != "__metadata__" }.map { try describe($0.key, $0.value).end }.max() ?? 0
  }

  private static func metadata(_ value: JSONValue) throws -> [(key: String, value: String)] {
    // MLX writes null where there is none.
    if value.isNull { return [] }
    guard case .object(let object) = value else { throw RNNError.badData("__metadata__ is no object") }
    return try object.members.map { member in
      guard let text = member.value.string else {
        throw RNNError.badData("__metadata__ '\(member.key)' is \(member.value.kind), expected a string")
      }
      return (member.key, text)
    }
  }

  private static func describe(
    _ name: String, _ value: JSONValue
  ) throws -> (name: String, dtype: DType, shape: [Int], begin: Int, end: Int) {
    guard let typeName = value["dtype"]?.string, let shapeValues = value["shape"]?.array,
      let offsets = value["data_offsets"]?.array, offsets.count == 2
    else { throw RNNError.badData("expected dtype, shape and two data_offsets") }
    guard let dtype = DType(rawValue: typeName) else {
      throw RNNError.unsupported("the dtype \(typeName) is not supported")
    }
    let dimensions = shapeValues.compactMap(exactInteger)
    let bounds = offsets.compactMap(exactInteger)
    guard dimensions.count == shapeValues.count, bounds.count == 2, bounds[0] <= bounds[1] else {
      throw RNNError.badData("shape and data_offsets must be whole numbers, in order")
    }
    return (name, dtype, dimensions, bounds[0], bounds[1])
  }

  private static func exactInteger(_ value: JSONValue) -> Int? {
    if case .integer(let number) = value, number >= 0 { return number }
    return nil
  }
}

// MARK: - Writing

extension Safetensors {
  /// What a header says of one tensor.
  public struct Description: Sendable, Equatable {
    public var name: String
    public var dtype: DType
    public var shape: [Int]

    public init(name: String, dtype: DType, shape: [Int]) {
      self.name = name
      self.dtype = dtype
      self.shape = shape
    }
  }

  /// The length field and the header, padded with spaces to a multiple of 8.
  public func header() throws -> Data {
    try Safetensors.header(
      metadata: metadata,
      descriptions: entries.map { Description(name: $0.name, dtype: $0.tensor.dtype, shape: $0.tensor.shape) })
  }

  /// A header for tensors that follow later, in this order.
  public static func header(
    metadata: [(key: String, value: String)], descriptions: [Description]
  ) throws -> Data {
    var members: [(String, JSONValue)] = []
    if !metadata.isEmpty {
      members.append(("__metadata__", .object(JSONObject(metadata.map { ($0.key, .string($0.value)) }))))
    }
    var position = 0
    for description in descriptions {
      guard let size = Tensor.byteCount(dtype: description.dtype, shape: description.shape),
        case let (end, overflow) = position.addingReportingOverflow(size), !overflow
      else { throw RNNError.badData("the tensors are too large to address", at: description.name) }
      members.append(
        (
          description.name,
          [
            "dtype": .string(description.dtype.rawValue),
            "shape": .array(description.shape.map(JSONValue.integer)),
            "data_offsets": [.integer(position), .integer(end)],
          ]
        ))
      position = end
    }
    guard Set(members.map(\.0)).count == members.count else {
      throw RNNError(.internalError, "two tensors have the same name")
    }
    var text = Array(JSONValue.object(JSONObject(members)).text().utf8)
    while text.count % 8 != 0 { text.append(UInt8(ascii: " ")) }
    guard text.count <= maximumHeaderLength else { throw RNNError.badData("the header would be too long") }
    return withUnsafeBytes(of: UInt64(text.count).littleEndian) { Data($0) } + Data(text)
  }

  /// Hands the file, piece by piece, to `sink`.
  public func write(to sink: (Data) throws -> Void) throws {
    try sink(try header())
    for entry in entries where !entry.tensor.bytes.isEmpty { try sink(entry.tensor.bytes) }
  }

  /// The file in memory.
  public func serialized() throws -> Data {
    var result = Data()
    try write { result.append($0) }
    return result
  }
}
