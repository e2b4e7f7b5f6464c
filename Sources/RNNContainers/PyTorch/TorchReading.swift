import Foundation
import RNNCore

/// Goes through what a PyTorch file holds and notes tensors, numbers, words and modules.
struct TorchReading {
  var tensors: TorchTensors
  var checkpoint = Checkpoint()

  init(tensors: TorchTensors) { self.tensors = tensors }

  mutating func visit(_ value: PickleValue, at path: String) throws {
    switch value {
    case .dictionary(let pairs):
      if !path.isEmpty { checkpoint.groups.append(path) }
      // In Python the last of equal keys counts.
      var last: [String: Int] = [:]
      let keys = pairs.map { TorchReading.key($0.key) }
      for (index, key) in keys.enumerated() { last[key] = index }
      for (index, pair) in pairs.enumerated() where last[keys[index]] == index {
        try visit(pair.value, at: CheckpointPath.join(path, keys[index]))
      }
    case .list(let items), .tuple(let items):
      if let json = TorchReading.json(value) {
        try checkpoint.setAttribute("value", .string(json.text()), at: path)
      } else {
        for (index, item) in items.enumerated() { try visit(item, at: CheckpointPath.join(path, "\(index)")) }
      }
    case .object(let object): try visit(object, value, at: path)
    case .null, .bool, .integer, .double, .string:
      guard let json = TorchReading.json(value), !json.isNull else { break }
      try checkpoint.setAttribute("value", .string(json.string ?? json.text()), at: path)
    case .bigInteger, .bytes, .set, .global, .persistent: break
    }
  }

  private mutating func visit(_ object: PickleValue.Object, _ value: PickleValue, at path: String) throws {
    if let tensor = try locating(path.isEmpty ? "the tensor" : path, { try tensors.tensor(value) }) {
      return try checkpoint.append(tensor, at: path.isEmpty ? "tensor" : path)
    }
    if TorchReading.isModule(object) {
      let module = try module(object, at: path, name: "", depth: 0)
      if checkpoint.architecture == .none { checkpoint.architecture = .torch(module, path: path) }
      return
    }
    try checkpoint.setAttribute("class", .string(object.type.description), at: path)
    if let state = object.state { try visit(state, at: path) }
  }

  // MARK: - Modules

  private static func isModule(_ object: PickleValue.Object) -> Bool {
    guard let state = object.state, case .dictionary? = state["_parameters"], case .dictionary? = state["_modules"]
    else { return false }
    return true
  }

  /// Takes a module's tensors under the names of its `state_dict()`.
  private mutating func module(
    _ object: PickleValue.Object, at path: String, name: String, depth: Int
  ) throws -> TorchModule {
    guard depth < TorchPickle.rules.maximumDepth, let state = object.state else {
      throw TorchTensors.damaged("modules nest too deeply")
    }
    func inner(_ part: String) -> String { name.isEmpty ? part : name + "." + part }
    var left: Set<String> = []
    if case .set(let names)? = state["_non_persistent_buffers_set"] { left = Set(names.compactMap(\.text)) }
    for members in ["_parameters", "_buffers"] {
      guard case .dictionary(let pairs)? = state[members] else { continue }
      for pair in pairs {
        guard let part = pair.key.text, pair.value != .null, !(members == "_buffers" && left.contains(part)) else {
          continue
        }
        guard let tensor = try tensors.tensor(pair.value) else {
          throw TorchTensors.damaged("'\(inner(part))' is \(pair.value.kind), no tensor")
        }
        try checkpoint.append(tensor, at: CheckpointPath.join(path, inner(part)))
      }
    }
    var fields = JSONObject()
    var children: [TorchModule.Child] = []
    if case .dictionary(let pairs) = state {
      for pair in pairs {
        guard let key = pair.key.text, !key.hasPrefix("_"), let json = TorchReading.json(pair.value) else { continue }
        fields[key] = json
      }
    }
    if case .dictionary(let pairs)? = state["_modules"] {
      for pair in pairs {
        guard let part = pair.key.text, case .object(let child) = pair.value else { continue }
        guard TorchReading.isModule(child) else {
          throw TorchTensors.damaged("'\(inner(part))' is \(pair.value.kind), no module")
        }
        children.append(
          .init(name: part, module: try module(child, at: path, name: inner(part), depth: depth + 1)))
      }
    }
    return TorchModule(className: object.type.description, fields: fields, children: children)
  }

  // MARK: - Plain values

  private static func key(_ value: PickleValue) -> String {
    if case .integer(let number) = value { return "\(number)" }
    // A slash would be a path's.
    return (value.text ?? value.kind).replacing("/", with: "_")
  }

  /// Numbers, words and lists of such; `nil` for anything else.
  private static func json(_ value: PickleValue) -> JSONValue? {
    switch value {
    case .null: return .null
    case .bool(let flag): return .bool(flag)
    case .integer(let number): return .integer(number)
    case .double(let number): return .number(number)
    case .string(let text): return .string(text)
    case .list(let items), .tuple(let items):
      let parts = items.map(json)
      return parts.contains { $0 == nil } ? nil : .array(parts.compactMap(\.self))
    case .object(let object):
      return TorchTensors.integers(.object(object)).map { .array($0.map(JSONValue.integer)) }
    case .bigInteger, .bytes, .set, .dictionary, .global, .persistent: return nil
    }
  }
}
