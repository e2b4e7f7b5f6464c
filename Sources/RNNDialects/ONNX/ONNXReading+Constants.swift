import Foundation
import RNNCore

// What is known before the graph runs: weights on their way into a layer, and the sizes of shapes.
extension ONNXReading {
  mutating func readConstant(_ node: ONNXGraph.Node) throws {
    for (name, attribute) in node.attributes {
      switch attribute {
      case .tensor(let tensor): return set(node, .constant(tensor))
      case .integer(let number): return set(node, .constant(try Tensor([Int64(number)], shape: [])))
      case .float(let number): return set(node, .constant(try Tensor([Float(number)], shape: [])))
      case .integers(let numbers):
        return set(node, .constant(try Tensor(numbers.map(Int64.init), shape: [numbers.count])))
      case .floats(let numbers):
        return set(node, .constant(try Tensor(numbers.map { Float($0) }, shape: [numbers.count])))
      case .string, .strings, .other: throw RNNError.unsupported("a constant of the kind \(name)")
      }
    }
    throw RNNError.badData("a constant without a value")
  }

  mutating func readShape(_ node: ONNXGraph.Node) throws {
    let all: [ONNXSize]
    switch try value(node, 0) {
    case .stream(let stream): all = stream.shape
    case .constant(let tensor): all = tensor.shape.map(ONNXSize.known)
    case .filled(_, let sizes): all = sizes
    case .sizes(let sizes, let isScalar): all = isScalar ? [] : [.known(sizes.count)]
    case .absent: throw RNNError.badData("the shape of nothing")
    }
    func bound(_ name: String, _ usual: Int) -> Int {
      let value = node.integer(name) ?? usual
      return max(0, min(all.count, value < 0 ? value + all.count : value))
    }
    let (start, end) = (bound("start", 0), bound("end", all.count))
    set(node, .sizes(start < end ? Array(all[start..<end]) : [], isScalar: false))
  }

  mutating func readConstantOfShape(_ node: ONNXGraph.Node) throws {
    guard let shape = try sizes(node, 0) else { throw RNNError.badData("no shape is given") }
    var number = 0.0
    if case .tensor(let tensor)? = node.attributes["value"] { number = tensor.doubles().first ?? 0 }
    set(node, .filled(number, shape))
  }

  mutating func readExpand(_ node: ONNXGraph.Node) throws {
    guard let shape = try sizes(node, 1) else { throw RNNError.badData("no shape is given") }
    switch try value(node, 0) {
    case .constant(let tensor):
      let numbers = tensor.doubles()
      guard let first = numbers.first, numbers.allSatisfy({ $0 == first }) else {
        throw RNNError.unsupported("a weight is spread over the examples")
      }
      set(node, .filled(first, shape))
    case .filled(let number, _): set(node, .filled(number, shape))
    case .stream(let stream):
      // Only what leaves the sizes as they are.
      let isSame =
        shape.count <= stream.axes.count
        && zip(shape.reversed(), stream.shape.reversed()).allSatisfy { $0 == $1 || $0 == .known(1) }
      guard isSame else { throw RNNError.unsupported("a tensor of the run is spread over more positions") }
      set(node, .stream(stream))
    case .sizes, .absent: throw RNNError.unsupported("sizes are spread")
    }
  }

  mutating func readCast(_ node: ONNXGraph.Node) throws {
    let input = try value(node, 0)
    // The run computes in float32, where whole numbers of ids and lengths are exact.
    guard case .constant(let tensor) = input, let code = node.integer("to") else { return set(node, input) }
    if code == 7 || code == 6, let numbers = tensor.integers() {
      set(node, .constant(try Tensor(numbers.map(Int64.init), shape: tensor.shape)))
    } else {
      set(node, .constant(try Tensor(tensor.floats(), shape: tensor.shape)))
    }
  }

  /// Whether all inputs are known, and what they are as sizes where one of them is.
  func knownInputs(_ node: ONNXGraph.Node) throws -> [ONNXValue]? {
    let inputs = try node.inputs.indices.map { try value(node, $0) }
    return inputs.contains { if case .stream = $0 { true } else { false } } ? nil : inputs
  }

  /// Sizes of a value that is a list of them, or one.
  func asSizes(_ value: ONNXValue) -> (sizes: [ONNXSize], isScalar: Bool)? {
    switch value {
    case .sizes(let sizes, let isScalar): return (sizes, isScalar)
    case .constant(let tensor):
      guard tensor.shape.count <= 1, !tensor.dtype.isFloatingPoint, let numbers = tensor.integers() else { return nil }
      return (numbers.map(ONNXSize.known), tensor.shape.isEmpty)
    case .filled(let number, let shape):
      guard shape.count <= 1, let count = Int(exactly: number), let length = ONNXReading.integers(shape) else {
        return nil
      }
      guard (0..<1 << 10).contains(length.first ?? 1) else { return nil }
      return ([ONNXSize](repeating: .known(count), count: length.first ?? 1), shape.isEmpty)
    case .absent, .stream: return nil
    }
  }

  /// Arithmetic of what is known: sizes, or weights of float32.
  mutating func fold(_ node: ONNXGraph.Node, _ function: BinarySpec.Function, _ inputs: [ONNXValue]) throws {
    let parts = inputs.map(asSizes)
    if parts.allSatisfy({ $0 != nil }) {
      let lists = parts.compactMap(\.self)
      let count = lists.map(\.sizes.count).max() ?? 0
      guard lists.allSatisfy({ $0.sizes.count == 1 || $0.sizes.count == count }) else {
        throw RNNError.badData("arithmetic of lists of \(lists.map(\.sizes.count)) sizes")
      }
      let result = try (0..<count).map { index -> ONNXSize in
        let pair = lists.map { $0.sizes[$0.sizes.count == 1 ? 0 : index] }
        return try combine(function, pair[0], pair[1])
      }
      return set(node, .sizes(result, isScalar: lists.allSatisfy(\.isScalar)))
    }
    // Zeros for every example, and a weight: the weight, which is said to every example anyway.
    for (zeros, weight) in [(0, 1), (1, 0)] where function == .add {
      guard case .filled(0, let sizes) = inputs[zeros], let other = try constant(node, weight) else { continue }
      let missing = max(sizes.count - other.shape.count, 0)
      return set(node, .constant(try other.reshaped(to: [Int](repeating: 1, count: missing) + other.shape)))
    }
    guard let left = try constant(node, 0), let right = try constant(node, 1) else {
      throw RNNError.badData("an operand is missing")
    }
    let one = right.count == 1
    guard left.count > 0, right.count > 0, one || left.count == 1 || left.shape == right.shape else {
      throw RNNError.unsupported("arithmetic of weights of the shapes \(left.shape) and \(right.shape)")
    }
    let (first, second) = (left.floats(), right.floats())
    let values = (0..<max(left.count, right.count)).map { index -> Float in
      let (a, b) = (first[left.count == 1 ? 0 : index], second[one ? 0 : index])
      switch function {
      case .add: return a + b
      case .subtract: return a - b
      case .multiply: return a * b
      case .divide: return a / b
      case .maximum: return Swift.max(a, b)
      case .minimum: return Swift.min(a, b)
      case .power, .squaredDifference, .equal, .notEqual, .greater, .greaterEqual, .less, .lessEqual, .logicalAnd,
        .logicalOr:
        return .nan
      }
    }
    guard !values.contains(where: \.isNaN) else {
      throw RNNError.unsupported("\(function.rawValue) of weights is not computed")
    }
    set(node, .constant(try Tensor(values, shape: left.count >= right.count ? left.shape : right.shape)))
  }

  private mutating func combine(
    _ function: BinarySpec.Function, _ left: ONNXSize, _ right: ONNXSize
  ) throws -> ONNXSize {
    guard case .known(let a) = left, case .known(let b) = right else {
      // What leaves a size as it is.
      switch function {
      case .multiply where right == .known(1), .divide where right == .known(1), .add where right == .known(0),
        .subtract where right == .known(0):
        return left
      case .multiply where left == .known(1), .add where left == .known(0): return right
      case _: return newSize()
      }
    }
    switch function {
    case .add: return .known(a &+ b)
    case .subtract: return .known(a &- b)
    case .multiply:
      let (product, overflow) = a.multipliedReportingOverflow(by: b)
      guard !overflow else { throw RNNError.badData("a size overflows") }
      return .known(product)
    case .divide:
      guard b != 0, a.magnitude < 1 << 62 else { throw RNNError.badData("a size is divided by \(b)") }
      return .known(a / b)
    case .maximum: return .known(max(a, b))
    case .minimum: return .known(min(a, b))
    case .equal: return .known(a == b ? 1 : 0)
    case .power, .squaredDifference, .notEqual, .greater, .greaterEqual, .less, .lessEqual, .logicalAnd, .logicalOr:
      throw RNNError.unsupported("\(function.rawValue) of sizes")
    }
  }
}
