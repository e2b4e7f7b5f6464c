import RNNCore

// Reshape: axes that fall together or come apart, the batch alone.
extension ONNXReading {
  mutating func readReshape(_ node: ONNXGraph.Node) throws {
    guard let target = try node.integers("shape").map({ $0.map(ONNXSize.known) }) ?? sizes(node, 1) else {
      throw RNNError.badData("no shape is given")
    }
    let input = try value(node, 0)
    if case .sizes(let sizes, _) = input { return set(node, .sizes(sizes, isScalar: target.isEmpty)) }
    if case .filled(let number, let sizes) = input {
      return set(node, .filled(number, try resolved(target, of: sizes, node)))
    }
    if case .constant(let tensor) = input {
      let shape = try resolved(target, of: tensor.shape.map(ONNXSize.known), node)
      guard let known = ONNXReading.integers(shape) else { throw RNNError.unsupported("a weight of an open shape") }
      return set(node, .constant(try tensor.reshaped(to: known)))
    }
    let stream = try stream(node, 0)
    set(node, .stream(try reshaped(stream, target, node)))
  }

  mutating func readFlatten(_ node: ONNXGraph.Node) throws {
    let stream = try stream(node, 0)
    let axis = node.integer("axis") ?? 1
    guard axis == 1 || axis == 1 - stream.axes.count, stream.batchAxis == 0 else { throw ONNXBatchMismatch() }
    set(node, .stream(try reshaped(stream, [.batch, .known(-1)], node)))
  }

  /// Zeros and -1 replaced by what they mean.
  private mutating func resolved(
    _ target: [ONNXSize], of shape: [ONNXSize], _ node: ONNXGraph.Node
  ) throws -> [ONNXSize] {
    var target = try target.enumerated().map { index, size -> ONNXSize in
      guard size == .known(0), node.integer("allowzero") != 1 else { return size }
      guard shape.indices.contains(index) else { throw RNNError.badData("the size 0 stands for no axis") }
      return shape[index]
    }
    guard let open = target.firstIndex(of: .known(-1)) else { return target }
    var rest = ONNXProduct(shape)
    target.remove(at: open)
    guard !target.contains(.known(-1)) else { throw RNNError.badData("two sizes are -1") }
    let others = ONNXProduct(target)
    for size in others.open {
      // A length that the input lacks stands for one that it has.
      guard let place = rest.open.firstIndex(of: size) else {
        target.insert(newSize(), at: open)
        return target
      }
      rest.open.remove(at: place)
    }
    guard others.known > 0, rest.known % others.known == 0 else {
      throw RNNError.badData("\(rest.known) numbers in sizes of \(others.known)")
    }
    let known = rest.known / others.known
    let factors = rest.open + (known == 1 && !rest.open.isEmpty ? [] : [.known(known)])
    target.insert(factors.count == 1 ? factors[0] : .product(factors), at: open)
    return target
  }

  mutating func reshaped(_ stream: ONNXStream, _ wanted: [ONNXSize], _ node: ONNXGraph.Node) throws -> ONNXStream {
    // A graph that was exported for one batch says its number.
    var candidates = [wanted]
    if !wanted.contains(.batch), let fixed = fixedBatch {
      let places = wanted.indices.filter { wanted[$0] == .known(fixed) }
      let inOrder = places.filter { $0 == stream.batchAxis } + places.filter { $0 != stream.batchAxis }
      candidates =
        inOrder.map { place in
          var other = wanted
          other[place] = .batch
          return other
        } + [wanted]
    }
    let atoms = stream.atoms
    for candidate in candidates {
      let target = try resolved(candidate, of: stream.shape, node)
      guard let groups = ONNXReading.groups(atoms.map { stream.size(of: $0) }, target) else { continue }
      if let result = try reshaped(stream, groups.map { ($0.from.map { atoms[$0] }, $0.to.map { target[$0] }) }, node) {
        return result
      }
    }
    throw ONNXBatchMismatch()
  }

  /// - Parameter groups: axes, and the sizes that they become.
  /// - Returns: `nil` where the batch falls together with other axes than those right behind it.
  private mutating func reshaped(
    _ stream: ONNXStream, _ groups: [(from: [ONNXStream.Axis], to: [ONNXSize])], _ node: ONNXGraph.Node
  ) throws -> ONNXStream? {
    var order: [Int] = []
    var native: [ONNXSize] = []
    var axes: [ONNXStream.Axis] = []
    for group in groups {
      let places = group.from.compactMap { if case .native(let place) = $0 { place } else { nil } }
      order += places
      guard group.from.contains(.batch) else {
        for size in group.to {
          axes.append(size == .known(1) ? .unit : .native(native.count))
          if size != .known(1) { native.append(size) }
        }
        continue
      }
      let others = group.to.filter { $0 != .known(1) }
      guard others.count == 1, group.from.first(where: { $0 != .unit }) == .batch, native.isEmpty || places.isEmpty
      else {
        return nil
      }
      for size in group.to {
        guard size != .known(1) else {
          axes.append(.unit)
          continue
        }
        axes.append(places.isEmpty ? .batch : .folded(places.indices.map { native.count + $0 }))
      }
      native += places.map { stream.sizes[$0] }
    }
    var plain = stream
    plain.axes = [.batch] + stream.sizes.indices.map(ONNXStream.Axis.native)
    let (reference, sizes) = try arranged(plain, order.map { $0 + 1 }, named: node.outputs[0])
    var result = ONNXStream(reference: reference, axes: axes, sizes: native)
    if sizes != native {
      let open = native.filter { if case .known = $0 { false } else { true } }
      guard open.count <= 1 else { throw RNNError.unsupported("a shape of which more than one size is open") }
      let shape = native.map { if case .known(let size) = $0 { size } else { -1 } }
      result.reference = add(.reshape(ReshapeSpec(targetShape: shape)), named: node.outputs[0], to: [reference])
    }
    return result
  }

  /// The runs of axes of two shapes that hold the same numbers; `nil` where there are none.
  static func groups(_ from: [ONNXSize], _ to: [ONNXSize]) -> [(from: [Int], to: [Int])]? {
    var groups: [(from: [Int], to: [Int])] = []
    var (i, j) = (0, 0)
    while i < from.count, j < to.count {
      var group = (from: [i], to: [j])
      (i, j) = (i + 1, j + 1)
      while true {
        let (left, right) = (ONNXProduct(group.from.map { from[$0] }), ONNXProduct(group.to.map { to[$0] }))
        if left == right { break }
        let lacksLeft = right.open.contains { !left.open.contains($0) }
        let lacksRight = left.open.contains { !right.open.contains($0) }
        if lacksLeft || !lacksRight && left.known < right.known {
          guard i < from.count else { return nil }
          group.from.append(i)
          i += 1
        } else {
          guard j < to.count else { return nil }
          group.to.append(j)
          j += 1
        }
      }
      groups.append(group)
    }
    guard from[i...].allSatisfy({ $0 == .known(1) }), to[j...].allSatisfy({ $0 == .known(1) }) else { return nil }
    // Sizes of 1 at the end come or go.
    return groups + from[i...].indices.map { (from: [$0], to: []) } + to[j...].indices.map { (from: [], to: [$0]) }
  }
}

/// A product of sizes.
struct ONNXProduct: Equatable {
  var known = 1
  /// The sizes that only a run tells.
  var open: [ONNXSize] = []

  init(_ sizes: [ONNXSize]) {
    for size in sizes {
      switch size {
      case .known(let number):
        let (product, overflow) = known.multipliedReportingOverflow(by: number)
        known = overflow ? 0 : product
      case .product(let factors):
        let inner = ONNXProduct(factors)
        let (product, overflow) = known.multipliedReportingOverflow(by: inner.known)
        known = overflow ? 0 : product
        open += inner.open
      case .batch, .free: open.append(size)
      }
    }
  }

  static func == (left: ONNXProduct, right: ONNXProduct) -> Bool {
    left.known == right.known && left.open.count == right.open.count
      && left.open.allSatisfy { size in
        left.open.filter { $0 == size }.count == right.open.filter { $0 == size }.count
      }
  }
}

extension ONNXStream {
  /// The axes with a folded one taken apart.
  var atoms: [Axis] {
    axes.flatMap { axis -> [Axis] in
      if case .folded(let places) = axis { [.batch] + places.map(Axis.native) } else { [axis] }
    }
  }

  func size(of axis: Axis) -> ONNXSize {
    switch axis {
    case .batch: .batch
    case .native(let place): sizes[place]
    case .unit: .known(1)
    case .folded(let places): .product([.batch] + places.map { sizes[$0] })
    }
  }
}
