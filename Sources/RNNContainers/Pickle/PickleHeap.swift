import Foundation
import RNNCore

/// A value on the stack or inside an object; what can be changed or shared is a number in the heap.
///
/// Numbers instead of references, so that a structure that contains itself leaks nothing, and one that nests a million
/// deep is freed without recursion.
enum PickleSlot {
  case null
  case bool(Bool)
  case integer(Int)
  case bigInteger(Data)
  case double(Double)
  case string(String)
  case bytes(Data)
  case node(Int)
}

struct PickleNode {
  enum Kind: Equatable {
    case list
    case tuple
    case set
    /// Its items are keys and values by turns.
    case dictionary
    case global(PickleGlobal, PickleRules.Role)
    /// Its items are the arguments.
    case object(PickleGlobal)
    /// Its one item identifies what is outside the pickle.
    case persistent
  }

  var kind: Kind
  var items: [PickleSlot] = []
  var state: PickleSlot?
}

/// Turns the result of a pickle into values that stand on their own.
struct PickleExport {
  let nodes: [PickleNode]
  let rules: PickleRules
  /// What a node became.
  private struct Result {
    var value: PickleValue
    /// Levels in it.
    var height = 0
    /// Values in it, those that it shares counted wherever they stand: whoever walks through it meets so many.
    var size = 1
  }

  /// Shared nodes are turned once.
  private var finished: [Int: Result] = [:]
  private var inProgress: Set<Int> = []

  init(nodes: [PickleNode], rules: PickleRules) {
    self.nodes = nodes
    self.rules = rules
  }

  /// - Throws: `unsupported` for a structure that contains itself, nests too deeply or, shared parts counted, is too large.
  mutating func value(of slot: PickleSlot) throws -> PickleValue { try value(of: slot, depth: 0).value }

  private mutating func value(of slot: PickleSlot, depth: Int) throws -> Result {
    switch slot {
    case .null: return Result(value: .null)
    case .bool(let value): return Result(value: .bool(value))
    case .integer(let value): return Result(value: .integer(value))
    case .bigInteger(let value): return Result(value: .bigInteger(value))
    case .double(let value): return Result(value: .double(value))
    case .string(let value): return Result(value: .string(value))
    case .bytes(let value): return Result(value: .bytes(value))
    case .node(let index):
      // The height of what is shared counts as well: a result is freed by recursion.
      let height = finished[index]?.height ?? 0
      guard depth + height < rules.maximumDepth else {
        throw RNNError.unsupported("the pickle nests deeper than \(rules.maximumDepth) levels")
      }
      if let known = finished[index] { return known }
      guard inProgress.insert(index).inserted else {
        throw RNNError.unsupported("the pickle holds a structure that contains itself")
      }
      defer { inProgress.remove(index) }
      let result = try value(of: nodes[index], depth: depth + 1)
      finished[index] = result
      return result
    }
  }

  private mutating func value(of node: PickleNode, depth: Int) throws -> Result {
    var (height, size) = (0, 1)
    func take(_ part: Result) throws {
      height = max(height, part.height)
      let (sum, overflow) = size.addingReportingOverflow(part.size)
      size = overflow ? .max : sum
      guard size <= rules.maximumVisits else {
        throw RNNError.unsupported("the pickle comes to more than \(rules.maximumVisits) values, parts of it shared")
      }
    }
    var items: [PickleValue] = []
    items.reserveCapacity(node.items.count)
    for slot in node.items {
      let item = try value(of: slot, depth: depth)
      try take(item)
      items.append(item.value)
    }
    let value: PickleValue
    switch node.kind {
    case .list: value = .list(items)
    case .tuple: value = .tuple(items)
    case .set: value = .set(items)
    case .dictionary:
      value = .dictionary(
        stride(from: 0, to: items.count - 1, by: 2).map { .init(key: items[$0], value: items[$0 + 1]) })
    case .global(let global, _): value = .global(global)
    case .persistent: value = .persistent(items.first ?? .null)
    case .object(let type):
      let state = try node.state.map { try self.value(of: $0, depth: depth) }
      if let state { try take(state) }
      value = .object(.init(type: type, arguments: items, state: state?.value))
    }
    return Result(value: value, height: height + 1, size: size)
  }
}
