import Foundation
import RNNCore

// The glue that moves numbers and computes none.
extension ONNXReading {
  mutating func readTranspose(_ node: ONNXGraph.Node) throws {
    func order(_ rank: Int) throws -> [Int] {
      let order = node.integers("perm") ?? Array((0..<rank).reversed())
      guard order.sorted() == Array(0..<rank) else { throw RNNError.badData("\(order) is no order of \(rank) axes") }
      return order
    }
    switch try value(node, 0) {
    case .constant(let tensor):
      set(node, .constant(try tensor.transposed(try order(tensor.shape.count))))
    case .filled(let number, let sizes): set(node, .filled(number, try order(sizes.count).map { sizes[$0] }))
    case .stream(var stream):
      stream.axes = try order(stream.axes.count).map { stream.axes[$0] }
      set(node, .stream(stream))
    case .sizes(let sizes, let isScalar): set(node, .sizes(sizes, isScalar: isScalar))
    case .absent: throw RNNError.badData("nothing to transpose")
    }
  }

  mutating func readUnsqueeze(_ node: ONNXGraph.Node) throws {
    guard let stated = try axes(node, input: 1) else { throw RNNError.badData("no axes are given") }
    func insert<Element>(_ one: Element, into list: [Element]) throws -> [Element] {
      let rank = list.count + stated.count
      let places = try places(stated, rank: rank)
      var rest = list[...]
      return (0..<rank).map { places.contains($0) ? one : rest.removeFirst() }
    }
    switch try value(node, 0) {
    case .constant(let tensor): set(node, .constant(try tensor.reshaped(to: try insert(1, into: tensor.shape))))
    case .filled(let number, let sizes): set(node, .filled(number, try insert(.known(1), into: sizes)))
    case .sizes(let sizes, let isScalar):
      guard isScalar else { throw RNNError.unsupported("sizes of more than one axis") }
      set(node, .sizes(sizes, isScalar: false))
    case .stream(var stream):
      stream.axes = try insert(.unit, into: stream.axes)
      set(node, .stream(stream))
    case .absent: throw RNNError.badData("nothing to unsqueeze")
    }
  }

  mutating func readSqueeze(_ node: ONNXGraph.Node) throws {
    let stated = try axes(node, input: 1)
    func squeezed(_ sizes: [ONNXSize]) throws -> [Int] {
      guard let stated else { return sizes.indices.filter { sizes[$0] == .known(1) } }
      return try places(stated, rank: sizes.count)
    }
    func without<Element>(_ list: [Element], _ places: [Int]) -> [Element] {
      list.enumerated().filter { !places.contains($0.offset) }.map(\.element)
    }
    switch try value(node, 0) {
    case .constant(let tensor):
      let places = try squeezed(tensor.shape.map(ONNXSize.known))
      set(node, .constant(try tensor.reshaped(to: without(tensor.shape, places))))
    case .filled(let number, let sizes): set(node, .filled(number, without(sizes, try squeezed(sizes))))
    case .sizes(let sizes, _):
      guard sizes.count == 1 else { throw RNNError.badData("\(sizes.count) sizes are squeezed to one") }
      set(node, .sizes(sizes, isScalar: true))
    case .stream(let stream):
      let places = try squeezed(stream.shape)
      guard !places.contains(stream.batchAxis) else { throw ONNXBatchMismatch() }
      var result = stream
      for axis in places.sorted(by: >) {
        guard result.size(axis) == .known(1) else {
          throw RNNError.unsupported("an axis is squeezed whose size is not known to be 1")
        }
        result = try select(result, axis: axis, index: 0, named: node.outputs[0])
      }
      set(node, .stream(result))
    case .absent: throw RNNError.badData("nothing to squeeze")
    }
  }

  // MARK: - Parts

  mutating func readGather(_ node: ONNXGraph.Node) throws {
    let axis = node.integer("axis") ?? 0
    let data = try value(node, 0)
    if case .stream(let indices) = try value(node, 1) {
      guard case .constant(let table) = data, table.shape.count == 2, axis == 0 || axis == -2 else {
        throw RNNError.unsupported("positions that are computed when the graph runs choose from other than a table")
      }
      return try readEmbedding(node, table, indices)
    }
    guard let positions = try constant(node, 1), let numbers = positions.integers(), positions.shape.count <= 1 else {
      throw RNNError.unsupported("positions of the shape \(try constant(node, 1)?.shape ?? [])")
    }
    func fromEnd(_ index: Int, _ count: Int) throws -> Int {
      let place = index < 0 ? index + count : index
      guard (0..<count).contains(place) else { throw RNNError.badData("the position \(index) of \(count)") }
      return place
    }
    switch data {
    case .sizes(let sizes, _):
      let chosen = try numbers.map { sizes[try fromEnd($0, sizes.count)] }
      set(node, .sizes(chosen, isScalar: positions.shape.isEmpty))
    case .constant(let tensor):
      let place = try place(axis, rank: tensor.shape.count)
      let pieces = try numbers.map { number in
        let index = try fromEnd(number, tensor.shape[place])
        return try tensor.slice(index..<index + 1, along: place)
      }
      let joined = try Tensor.joining(pieces, along: place)
      var shape = joined.shape
      if positions.shape.isEmpty { shape.remove(at: place) }
      set(node, .constant(try joined.reshaped(to: shape)))
    case .filled(let number, var sizes):
      let place = try place(axis, rank: sizes.count)
      if positions.shape.isEmpty { sizes.remove(at: place) } else { sizes[place] = .known(numbers.count) }
      set(node, .filled(number, sizes))
    case .stream(let stream):
      let place = try place(axis, rank: stream.axes.count)
      guard numbers.count == 1 else { throw RNNError.unsupported("\(numbers.count) positions of a tensor of the run") }
      var result = try select(stream, axis: place, index: numbers[0], named: node.outputs[0])
      if !positions.shape.isEmpty { result.axes.insert(.unit, at: place) }
      set(node, .stream(result))
    case .absent: throw RNNError.badData("nothing to gather from")
    }
  }

  private mutating func readEmbedding(_ node: ONNXGraph.Node, _ table: Tensor, _ indices: ONNXStream) throws {
    let spec = LayerSpec.embedding(
      EmbeddingSpec(inputDim: table.shape[0], outputDim: table.shape[1], maskZero: false))
    var result = indices
    result.reference = add(spec, named: node.outputs[0], to: [indices.reference])
    parameters.append(.init(layer: layerName(result.reference), name: "embeddings", tensor: table))
    result.axes.append(.native(result.sizes.count))
    result.sizes.append(.known(table.shape[1]))
    set(node, .stream(result))
  }

  mutating func readSlice(_ node: ONNXGraph.Node) throws {
    guard let starts = try node.integers("starts") ?? integers(node, 1),
      let ends = try node.integers("ends") ?? integers(node, 2), starts.count == ends.count
    else { throw RNNError.badData("no starts and ends are given") }
    let axes = try node.integers("axes") ?? integers(node, 3) ?? Array(starts.indices)
    let steps = try integers(node, 4) ?? starts.map { _ in 1 }
    guard axes.count == starts.count, steps.count == starts.count else {
      throw RNNError.badData("starts, ends, axes and steps are of different numbers")
    }
    func range(_ index: Int) -> SliceSpec.Range {
      // The ends of the world are written as the ends of the integers.
      let (start, end, step) = (starts[index], ends[index], steps[index])
      let isOpen = step > 0 ? end >= Int(Int32.max) : end <= Int(Int32.min) + 1
      return SliceSpec.Range(start: start, stop: isOpen ? nil : end, step: step)
    }
    func positions(_ index: Int, of size: Int) throws -> [Int] {
      guard size <= SizeLimit.dimension else { throw RNNError.badData("an axis of \(size)") }
      return try range(index).positions(of: size)
    }
    switch try value(node, 0) {
    case .sizes(let sizes, _):
      let chosen = try starts.isEmpty ? Array(sizes.indices) : positions(0, of: sizes.count)
      set(node, .sizes(chosen.map { sizes[$0] }, isScalar: false))
    case .constant(var tensor):
      for (index, axis) in axes.enumerated() {
        let place = try place(axis, rank: tensor.shape.count)
        let chosen = try positions(index, of: tensor.shape[place])
        guard let first = chosen.first, steps[index] == 1 else {
          throw RNNError.unsupported("a weight is cut with the step \(steps[index]), or to nothing")
        }
        tensor = try tensor.slice(first..<first + chosen.count, along: place)
      }
      set(node, .constant(tensor))
    case .filled(let number, var sizes):
      for (index, axis) in axes.enumerated() {
        let place = try place(axis, rank: sizes.count)
        if case .known(let size) = sizes[place] {
          sizes[place] = .known(try positions(index, of: size).count)
        } else if range(index) != SliceSpec.Range(start: 0) {
          sizes[place] = newSize()
        }
      }
      set(node, .filled(number, sizes))
    case .stream(var stream):
      for (index, axis) in axes.enumerated() {
        let place = try place(axis, rank: stream.axes.count)
        let range = range(index)
        if range == SliceSpec.Range(start: 0) { continue }
        switch stream.axes[place] {
        case .batch, .folded: throw ONNXBatchMismatch()
        case .unit:
          guard try range.positions(of: 1) == [0] else { throw RNNError.unsupported("an axis of 1 is cut to nothing") }
        case .native(let native):
          var ranges = [SliceSpec.Range](repeating: SliceSpec.Range(), count: native)
          ranges.append(range)
          stream.reference = add(.slice(SliceSpec(ranges: ranges)), named: node.outputs[0], to: [stream.reference])
          if case .known(let size) = stream.sizes[native] {
            stream.sizes[native] = .known(try positions(index, of: size).count)
          } else if range.isOne {
            stream.sizes[native] = .known(1)
          } else {
            stream.sizes[native] = newSize()
          }
        }
      }
      set(node, .stream(stream))
    case .absent: throw RNNError.badData("nothing to cut")
    }
  }

  mutating func readSplit(_ node: ONNXGraph.Node) throws {
    let axis = node.integer("axis") ?? 0
    let count = node.outputs.count
    let stated = try node.integers("split") ?? integers(node, 1)
    func pieces(_ size: Int) throws -> [Range<Int>] {
      try SizeLimit.check(size, "the axis", atLeast: 0)
      // The last piece may be smaller.
      let width = (size + count - 1) / max(count, 1)
      let widths = stated ?? (0..<count).map { min(width, size - min($0 * width, size)) }
      guard widths.count == count, widths.allSatisfy({ (0...size).contains($0) }), widths.reduce(0, +) == size else {
        throw RNNError.badData("an axis of \(size) in pieces of \(widths)")
      }
      var start = 0
      return widths.map { width in
        defer { start += width }
        return start..<start + width
      }
    }
    switch try value(node, 0) {
    case .constant(let tensor):
      let place = try place(axis, rank: tensor.shape.count)
      for (output, piece) in try pieces(tensor.shape[place]).enumerated() {
        set(node, .constant(try tensor.slice(piece, along: place)), output: output)
      }
    case .sizes(let sizes, _):
      for (output, piece) in try pieces(sizes.count).enumerated() {
        set(node, .sizes(Array(sizes[piece]), isScalar: false), output: output)
      }
    case .stream(let stream):
      let place = try place(axis, rank: stream.axes.count)
      guard case .native(let native) = stream.axes[place], case .known(let size) = stream.sizes[native] else {
        throw RNNError.unsupported("an axis whose length is not known is split")
      }
      let ranges = try pieces(size)
      let split = SplitSpec(axis: native + 1, boundaries: ranges.dropFirst().map(\.lowerBound))
      let first = add(.split(split), named: node.outputs[0], to: [stream.reference])
      for (output, range) in ranges.enumerated() {
        var piece = stream
        piece.reference = ModelSpec.Reference(call: first.call, output: output)
        piece.sizes[native] = .known(range.count)
        set(node, .stream(piece), output: output)
      }
    case .filled, .absent: throw RNNError.unsupported("a split of nothing but one number")
    }
  }

  mutating func readConcat(_ node: ONNXGraph.Node) throws {
    let axis = node.integer("axis") ?? 0
    let inputs = try node.inputs.indices.map { try value(node, $0) }
    if try knownInputs(node) != nil {
      if inputs.contains(where: { if case .sizes = $0 { true } else { false } }) {
        let lists = inputs.map(asSizes)
        guard lists.allSatisfy({ $0 != nil }) else { throw RNNError.unsupported("sizes and weights are joined") }
        return set(node, .sizes(lists.flatMap { $0?.sizes ?? [] }, isScalar: false))
      }
      if let filled = try joinedZeros(inputs, axis: axis) { return set(node, filled) }
      let tensors = try node.inputs.indices.compactMap { try constant(node, $0) }
      guard let first = tensors.first else { throw RNNError.badData("nothing to join") }
      let place = try place(axis, rank: first.shape.count)
      return set(node, .constant(try Tensor.joining(tensors, along: place)))
    }
    let streams = try node.inputs.indices.map { try standard(try stream(node, $0)) }
    guard streams.count > 1 else { return set(node, .stream(streams[0])) }
    let place = try place(axis, rank: streams[0].axes.count)
    guard streams.allSatisfy({ $0.axes == streams[0].axes }) else { throw ONNXBatchMismatch() }
    guard case .native(let native) = streams[0].axes[place] else { throw ONNXBatchMismatch() }
    var result = streams[0]
    result.reference = add(
      .concatenate(ConcatenateSpec(axis: native + 1)), named: node.outputs[0], to: streams.map(\.reference))
    let lengths = streams.map { $0.sizes[native] }
    result.sizes[native] = ONNXReading.integers(lengths).map { .known($0.reduce(0, +)) } ?? newSize()
    set(node, .stream(result))
  }

  /// One number everywhere, and that again behind it.
  private mutating func joinedZeros(_ inputs: [ONNXValue], axis: Int) throws -> ONNXValue? {
    var parts: [(number: Double, sizes: [ONNXSize])] = []
    for input in inputs {
      guard case .filled(let number, let sizes) = input else { return nil }
      parts.append((number, sizes))
    }
    guard let first = parts.first, parts.allSatisfy({ $0.number == first.number }) else { return nil }
    let place = try place(axis, rank: first.sizes.count)
    var sizes = first.sizes
    sizes[place] = ONNXReading.integers(parts.map { $0.sizes[place] }).map { .known($0.reduce(0, +)) } ?? newSize()
    return .filled(first.number, sizes)
  }

  mutating func readPad(_ node: ONNXGraph.Node) throws {
    let stream = try stream(node, 0)
    let rank = stream.axes.count
    guard let pads = try node.integers("pads") ?? integers(node, 1), node.string("mode") ?? "constant" == "constant",
      try (node.float("value") ?? constant(node, 2)?.doubles().first ?? 0) == 0
    else { throw RNNError.unsupported("padding with other than zeros") }
    let places = try places(integers(node, 3) ?? Array(0..<rank), rank: rank)
    for pad in pads { try SizeLimit.check(pad, "a padding", atLeast: -SizeLimit.dimension) }
    guard pads.count == 2 * places.count else { throw RNNError.badData("\(pads.count) pads for \(rank) axes") }
    let padded = places.indices.filter { pads[$0] != 0 || pads[$0 + places.count] != 0 }
    guard padded.count == 1, rank == 3 else {
      if padded.isEmpty { return set(node, .stream(stream)) }
      throw RNNError.unsupported("padding of more than one axis of a sequence")
    }
    let (steps, before, after) = (places[padded[0]], pads[padded[0]], pads[padded[0] + places.count])
    guard let channels = (0..<rank).first(where: { $0 != steps && $0 != stream.batchAxis }) else {
      throw ONNXBatchMismatch()
    }
    let (reference, sizes) = try arranged(stream, [steps, channels], named: node.outputs[0])
    set(
      node,
      .stream(
        try edges(reference, sizes, before: before, after: after, named: node.outputs[0]).placed(
          steps: steps, channels: channels, rank: rank, batch: stream.batchAxis)))
  }

  /// Steps more or fewer at the ends of (steps, channels).
  mutating func edges(
    _ reference: ModelSpec.Reference, _ sizes: [ONNXSize], before: Int, after: Int, named name: String
  ) throws -> ONNXSteps {
    guard before >= 0 && after >= 0 || before <= 0 && after <= 0 else {
      throw RNNError.unsupported("padding of \(before) and \(after) steps")
    }
    var steps = ONNXSteps(reference: reference, sizes: sizes)
    guard before != 0 || after != 0 else { return steps }
    let spec = EdgeSpec(before: abs(before), after: abs(after), isCropping: before < 0 || after < 0)
    steps.reference = add(.edges(spec), named: name + ".padding", to: [reference])
    if case .known(let length) = sizes[0] {
      steps.sizes[0] = .known(length &+ before &+ after)
    } else {
      steps.sizes[0] = newSize()
    }
    return steps
  }
}

extension SliceSpec.Range {
  /// Whether it is one position, however long the axis.
  fileprivate var isOne: Bool {
    guard step == 1, let start else { return false }
    return start == -1 ? stop == nil || stop == 0 : stop == start &+ 1
  }
}

/// (steps, channels) of a sequence.
struct ONNXSteps {
  var reference: ModelSpec.Reference
  var sizes: [ONNXSize]

  /// The stream whose axes of steps, channels and examples stand at these places of a graph's tensor.
  func placed(steps: Int, channels: Int, rank: Int, batch: Int) -> ONNXStream {
    var axes = [ONNXStream.Axis](repeating: .unit, count: rank)
    (axes[steps], axes[channels], axes[batch]) = (.native(0), .native(1), .batch)
    return ONNXStream(reference: reference, axes: axes, sizes: sizes)
  }
}
