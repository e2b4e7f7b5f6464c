import RNNCore

// The order of axes: graphs turn tensors as they like, native layers have the batch first.
extension ONNXReading {
  /// A stream whose native axes are those of the graph in a given order.
  /// - Parameter order: axes of the graph, without that of the batch; axes of size 1 that are not in it are left out.
  mutating func arranged(_ stream: ONNXStream, _ order: [Int], named name: String = "") throws
    -> (reference: ModelSpec.Reference, sizes: [ONNXSize])
  {
    guard !order.contains(stream.batchAxis), !stream.isFolded else { throw ONNXBatchMismatch() }
    var reference = stream.reference
    var sizes = stream.sizes
    var places: [Int] = []
    for axis in order { if case .native(let place) = stream.axes[axis] { places.append(place) } }
    // An axis of size 1 that nobody asks for goes.
    let lost = sizes.indices.filter { !places.contains($0) }
    guard lost.allSatisfy({ sizes[$0] == .known(1) }) else { throw ONNXBatchMismatch() }
    if !lost.isEmpty {
      reference = add(.squeeze(SqueezeSpec(axes: lost.map { $0 + 1 })), named: name, to: [reference])
      places = places.map { place in place - lost.filter { $0 < place }.count }
      sizes = sizes.indices.filter { !lost.contains($0) }.map { sizes[$0] }
    }
    if places != places.sorted() {
      reference = add(.permute(PermuteSpec(order: places.map { $0 + 1 })), named: name, to: [reference])
    }
    sizes = places.map { sizes[$0] }
    for (position, axis) in order.enumerated() where stream.axes[axis] == .unit {
      reference = add(.expandDims(ExpandDimsSpec(axis: position + 1)), named: name, to: [reference])
      sizes.insert(.known(1), at: position)
    }
    return (reference, sizes)
  }

  /// A stream with all axes of the graph in their order, but for the batch, which is first.
  mutating func standard(_ stream: ONNXStream, named name: String = "") throws -> ONNXStream {
    let order = stream.axes.indices.filter { stream.axes[$0] != .batch }
    let (reference, sizes) = try arranged(stream, order, named: name)
    var axes = sizes.indices.map(ONNXStream.Axis.native)
    axes.insert(.batch, at: stream.batchAxis)
    return ONNXStream(reference: reference, axes: axes, sizes: sizes)
  }

  /// The native axis, counted with the batch as 0, of an axis of the graph.
  func nativeAxis(_ axis: Int, of stream: ONNXStream) throws -> Int {
    switch stream.axes[axis] {
    case .native(let place): return place + 1
    case .batch, .folded: throw ONNXBatchMismatch()
    case .unit: throw RNNError.unsupported("an axis of size 1 is gone over")
    }
  }

  /// One position of an axis, which goes.
  mutating func select(_ stream: ONNXStream, axis: Int, index: Int, named name: String) throws -> ONNXStream {
    var result = stream
    switch stream.axes[axis] {
    case .batch, .folded: throw ONNXBatchMismatch()
    case .unit:
      guard index == 0 || index == -1 else { throw RNNError.badData("the position \(index) of an axis of 1") }
      result.axes.remove(at: axis)
    case .native(let place):
      var ranges = [SliceSpec.Range](repeating: SliceSpec.Range(), count: place)
      ranges.append(SliceSpec.Range(start: index, isIndex: true))
      result.reference = add(.slice(SliceSpec(ranges: ranges)), named: name, to: [stream.reference])
      result.axes.remove(at: axis)
      result.sizes.remove(at: place)
      result.axes = result.axes.map { other in
        switch other {
        case .native(let number): .native(number > place ? number - 1 : number)
        case .folded(let numbers): .folded(numbers.map { $0 > place ? $0 - 1 : $0 })
        case .batch, .unit: other
        }
      }
    }
    return result
  }
}
