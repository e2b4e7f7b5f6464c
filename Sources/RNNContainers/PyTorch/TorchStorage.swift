import Foundation
import RNNCore

/// Turns the calls that rebuild tensors into tensors.
struct TorchTensors {
  /// The bytes of a storage by its key.
  let storage: (String) throws -> Data
  /// Bytes that tensors may still come to: one of a single number may claim any shape by strides of 0.
  private(set) var budget: Int

  init(fileSize: Int, storage: @escaping (String) throws -> Data) {
    self.storage = storage
    let (most, overflow) = fileSize.multipliedReportingOverflow(by: 16)
    budget = overflow ? Int.max : most + (64 << 20)
  }

  /// The tensor that an object stands for; `nil` for an object of any other kind.
  /// - Throws: `badData` where it reaches past its storage, `unsupported` for a dtype that is not carried.
  mutating func tensor(_ value: PickleValue) throws -> Tensor? {
    guard case .object(let object) = value else { return nil }
    if object.type == PickleGlobal("torch.nn.parameter", "Parameter") {
      // Files of the first versions: the class, and a state whose first member is the tensor.
      return try (object.arguments.first ?? object.state).flatMap { try tensor($0) }
    }
    guard object.type.module == "torch._utils" else { return nil }
    switch object.type.name {
    case "_rebuild_parameter", "_rebuild_parameter_with_state":
      guard let inner = object.arguments.first, let tensor = try tensor(inner) else {
        throw TorchTensors.damaged("a parameter is no tensor")
      }
      return tensor
    case "_rebuild_tensor", "_rebuild_tensor_v2": return try rebuilt(object.arguments, dtypeAt: nil)
    case "_rebuild_tensor_v3": return try rebuilt(object.arguments, dtypeAt: 6)
    case _: return nil
    }
  }

  /// (storage, offset, sizes, strides, ...), both in elements.
  private mutating func rebuilt(_ arguments: [PickleValue], dtypeAt place: Int?) throws -> Tensor {
    guard arguments.count >= 4, case .persistent(let identifier) = arguments[0],
      case .integer(let offset) = arguments[1], let sizes = TorchTensors.integers(arguments[2]),
      let strides = TorchTensors.integers(arguments[3]), sizes.count == strides.count
    else { throw TorchTensors.damaged("a tensor is described otherwise than PyTorch does") }
    let (stored, bytes, start) = try source(of: identifier)
    var dtype = stored
    if let place, arguments.count > place, case .global(let name) = arguments[place] {
      guard let known = TorchPickle.dtypes[name.name] else {
        throw RNNError.unsupported("numbers of the type \(name) are not carried")
      }
      dtype = known
    }
    guard let dtype else { throw TorchTensors.damaged("a storage without a type") }
    // Metadata behind the hooks: what is conjugated or negated only by a flag.
    if let last = arguments.dropFirst(6).last, case .dictionary(let flags) = last, !flags.isEmpty {
      throw RNNError.unsupported("a tensor that is stored conjugated or negated is not carried")
    }
    return try gather(
      dtype, bytes, offset: try TorchTensors.sum(start, offset), sizes: sizes, strides: strides)
  }

  /// ("storage", type, key, device, elements[, view]).
  private func source(of identifier: PickleValue) throws -> (dtype: DType?, bytes: Data, start: Int) {
    guard case .tuple(let parts) = identifier, parts.count >= 5, parts[0].text == "storage",
      case .global(let type) = parts[1], let key = parts[2].text, case .integer(let count) = parts[4]
    else { throw TorchTensors.damaged("a storage is described otherwise than PyTorch does") }
    let isUntyped = type.name.hasSuffix("UntypedStorage")
    let dtype = TorchPickle.storages[type.name]
    guard isUntyped || dtype != nil else {
      throw RNNError.unsupported("numbers of the type \(type) are not carried")
    }
    var start = 0
    // A view: (key, offset, elements) into the storage of the same key.
    if parts.count > 5, case .tuple(let view) = parts[5], view.count == 3, case .integer(let offset) = view[1] {
      start = offset
    }
    let bytes = try storage(key)
    let (needed, overflow) = count.multipliedReportingOverflow(by: isUntyped ? 1 : dtype?.byteCount ?? 1)
    guard !overflow, count >= 0, start >= 0, needed <= bytes.count else {
      throw TorchTensors.damaged("the storage '\(key)' claims \(count) numbers, \(bytes.count) bytes are there")
    }
    return (dtype, bytes, start)
  }

  /// The numbers that a view with strides shows, in row-major order.
  private mutating func gather(
    _ dtype: DType, _ bytes: Data, offset: Int, sizes: [Int], strides: [Int]
  ) throws -> Tensor {
    let width = dtype.byteCount
    guard offset >= 0, sizes.allSatisfy({ $0 >= 0 }), strides.allSatisfy({ $0 >= 0 }),
      let total = Tensor.byteCount(dtype: dtype, shape: sizes)
    else { throw TorchTensors.damaged("a tensor has negative or absurd sizes \(sizes)") }
    guard total > 0 else { return try Tensor(dtype: dtype, shape: sizes, bytes: Data()) }
    var last = offset
    for (size, stride) in zip(sizes, strides) {
      let (reach, overflow) = (size - 1).multipliedReportingOverflow(by: stride)
      if overflow { throw TorchTensors.damaged("a tensor's strides \(strides) reach too far") }
      last = try TorchTensors.sum(last, reach)
    }
    guard last < bytes.count / width else {
      throw TorchTensors.damaged("a tensor of shape \(sizes) reaches past its storage of \(bytes.count) bytes")
    }
    budget -= total
    guard budget >= 0 else {
      throw RNNError.unsupported("the file's tensors come to far more bytes than the file has: it is no model")
    }
    var contiguous = [Int](repeating: 1, count: sizes.count)
    for axis in sizes.indices.dropLast().reversed() { contiguous[axis] = contiguous[axis + 1] * sizes[axis + 1] }
    let isPlain = zip(zip(strides, contiguous), sizes).allSatisfy { $0.0 == $0.1 || $1 == 1 }
    if isPlain, let slice = bytes.slice(at: offset * width, count: total) {
      return try Tensor(dtype: dtype, shape: sizes, bytes: slice)
    }
    // Along an axis of one nothing moves, whatever its stride.
    let steps = zip(sizes, strides).map { $0 == 1 ? 0 : $1 }
    var result = Data(capacity: total)
    var index = [Int](repeating: 0, count: sizes.count)
    var place = offset
    for _ in 0..<(total / width) {
      let start = bytes.startIndex + place * width
      result.append(bytes[start..<start + width])
      for axis in sizes.indices.reversed() {
        index[axis] += 1
        place += steps[axis]
        if index[axis] < sizes[axis] { break }
        place -= steps[axis] * sizes[axis]
        index[axis] = 0
      }
    }
    return try Tensor(dtype: dtype, shape: sizes, bytes: result)
  }

  /// A tuple of integers, `torch.Size` among them.
  static func integers(_ value: PickleValue) -> [Int]? {
    let items: [PickleValue]
    switch value {
    case .tuple(let values), .list(let values): items = values
    case .object(let object) where object.type == PickleGlobal("torch", "Size"):
      guard let first = object.arguments.first else { return [] }
      return integers(first)
    case .null, .bool, .integer, .bigInteger, .double, .string, .bytes, .set, .dictionary, .global, .object,
      .persistent:
      return nil
    }
    let numbers = items.compactMap { item in if case .integer(let number) = item { number } else { nil } }
    return numbers.count == items.count ? numbers : nil
  }

  private static func sum(_ left: Int, _ right: Int) throws -> Int {
    let (sum, overflow) = left.addingReportingOverflow(right)
    guard !overflow else { throw damaged("an offset is absurd") }
    return sum
  }

  static func damaged(_ what: String) -> RNNError { .badData("the PyTorch file is damaged: \(what)") }
}
