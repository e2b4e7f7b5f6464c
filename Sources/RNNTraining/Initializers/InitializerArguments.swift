import RNNCore

/// Reads one initializer's arguments and keeps account of them, so that none is overlooked.
struct InitializerArguments {
  private let name: String
  private let config: JSONObject
  private var unread: Set<String>

  init(_ name: String, _ config: JSONObject?) {
    self.name = name
    self.config = config ?? JSONObject()
    // tf.keras writes a dtype that it does not read.
    unread = Set(self.config.keys).subtracting(["seed", "dtype"])
  }

  private mutating func value(_ key: String) -> JSONValue? {
    unread.remove(key)
    guard let value = config[key], !value.isNull else { return nil }
    return value
  }

  mutating func number(_ key: String, _ fallback: Double) throws -> Double {
    guard let value = value(key) else { return fallback }
    guard let number = value.double, number.isFinite else { throw wrong(key, value, "a finite number") }
    return number
  }

  mutating func string(_ key: String, _ fallback: String) throws -> String {
    guard let value = value(key) else { return fallback }
    guard let text = value.string else { throw wrong(key, value, "a string") }
    return text
  }

  /// Keras 3's `input_axes` and `output_axes`.
  mutating func readAxes(into scaling: inout VarianceScaling) throws {
    scaling.inputAxes = try axes("input_axes")
    scaling.outputAxes = try axes("output_axes")
  }

  private mutating func axes(_ key: String) throws -> [Int]? {
    guard let value = value(key) else { return nil }
    guard let axes = value.integer.map({ [$0] }) ?? value.integers else { throw wrong(key, value, "whole numbers") }
    return axes
  }

  /// - Throws: `unsupported` naming every argument that nothing has read and that is not null.
  func finish() throws {
    let left = config.members.filter { unread.contains($0.key) && !$0.value.isNull }
    guard left.isEmpty else {
      throw RNNError.unsupported(
        "the initializer '\(name)' with the argument \(left.map(\.key).joined(separator: ", ")) is not supported")
    }
  }

  private func wrong(_ key: String, _ value: JSONValue, _ expected: String) -> RNNError {
    .unsupported("\(name): the argument '\(key)' is \(value.kind), expected \(expected)")
  }
}
