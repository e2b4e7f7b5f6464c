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
  let maximumDepth: Int
  /// What each node became, with the number of levels below it; shared nodes are turned once.
  private var finished: [Int: (value: PickleValue, height: Int)] = [:]
  private var inProgress: Set<Int> = []

  init(nodes: [PickleNode], maximumDepth: Int) {
    self.nodes = nodes
    self.maximumDepth = maximumDepth
  }

  /// - Throws: `unsupported` for a structure that contains itself or nests too deeply.
  mutating func value(of slot: PickleSlot) throws -> PickleValue { try value(of: slot, depth: 0).value }

  private mutating func value(of slot: PickleSlot, depth: Int) throws -> (value: PickleValue, height: Int) {
    switch slot {
    case .null: return (.null, 0)
    case .bool(let value): return (.bool(value), 0)
    case .integer(let value): return (.integer(value), 0)
    case .bigInteger(let value): return (.bigInteger(value), 0)
    case .double(let value): return (.double(value), 0)
    case .string(let value): return (.string(value), 0)
    case .bytes(let value): return (.bytes(value), 0)
    case .node(let index):
      // The height of what is shared counts as well: a result is freed by recursion.
      let height = finished[index]?.height ?? 0
      guard depth + height < maximumDepth else {
        throw RNNError.unsupported("the pickle nests deeper than \(maximumDepth) levels")
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

  private mutating func value(of node: PickleNode, depth: Int) throws -> (value: PickleValue, height: Int) {
    var height = 0
    var items: [PickleValue] = []
    items.reserveCapacity(node.items.count)
    for slot in node.items {
      let item = try value(of: slot, depth: depth)
      height = max(height, item.height)
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
      height = max(height, state?.height ?? 0)
      value = .object(.init(type: type, arguments: items, state: state?.value))
    }
    return (value, height + 1)
  }
}
