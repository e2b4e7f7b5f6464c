import Foundation

/// What a Python pickle holds, as inert data: nothing is ever imported or executed.
public indirect enum PickleValue: Sendable, Equatable {
  /// Python's `None`.
  case null
  case bool(Bool)
  case integer(Int)
  /// An integer beyond 64 bits: two's complement, little-endian.
  case bigInteger(Data)
  case double(Double)
  case string(String)
  /// `bytes`, and the byte strings of Python 2.
  case bytes(Data)
  case list([PickleValue])
  case tuple([PickleValue])
  case set([PickleValue])
  /// In the order it was filled; in Python the last of equal keys counts.
  case dictionary([Pair])
  /// A class or function by its name.
  case global(PickleGlobal)
  case object(Object)
  /// Something outside the pickle, by what identifies it.
  case persistent(PickleValue)

  public struct Pair: Sendable, Equatable {
    public var key: PickleValue
    public var value: PickleValue
  }

  /// What a class was called with, and the state that was then given to its instance.
  public struct Object: Sendable, Equatable {
    public var type: PickleGlobal
    public var arguments: [PickleValue]
    public var state: PickleValue?
  }

  /// The value under a text key of a dictionary, `nil` for anything else.
  public subscript(key: String) -> PickleValue? {
    guard case .dictionary(let pairs) = self else { return nil }
    return pairs.last { $0.key.text == key }?.value
  }

  /// A string; the byte strings of Python 2 are taken for UTF-8.
  public var text: String? {
    switch self {
    case .string(let value): value
    case .bytes(let value): String(bytes: value, encoding: .utf8)
    case .null, .bool, .integer, .bigInteger, .double, .list, .tuple, .set, .dictionary, .global, .object,
      .persistent:
      nil
    }
  }

  /// What it is, for messages.
  public var kind: String {
    switch self {
    case .null: "None"
    case .bool: "a bool"
    case .integer, .bigInteger: "an int"
    case .double: "a float"
    case .string: "a string"
    case .bytes: "bytes"
    case .list: "a list"
    case .tuple: "a tuple"
    case .set: "a set"
    case .dictionary: "a dictionary"
    case .global(let global): global.description
    case .object(let object): "an object of \(object.type)"
    case .persistent: "a reference to something outside the pickle"
    }
  }
}

/// The name of a class or function of Python.
public struct PickleGlobal: Sendable, Hashable, CustomStringConvertible {
  public var module: String
  public var name: String

  public init(_ module: String, _ name: String) {
    self.module = module
    self.name = name
  }

  /// Cut short, since it comes from a file.
  public var description: String { String("\(module).\(name)".prefix(200)) }
}
