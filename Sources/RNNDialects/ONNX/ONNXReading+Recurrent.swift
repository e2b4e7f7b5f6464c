import RNNCore

// LSTM, GRU and RNN: one direction or both, with what of Y, Y_h and Y_c the graph reads.
extension ONNXReading {
  private enum Direction: String {
    case forward
    case reverse
    case bidirectional

    var count: Int { self == .bidirectional ? 2 : 1 }
  }

  mutating func readRecurrent(_ node: ONNXGraph.Node) throws {
    guard operatorSet >= 7 else {
      throw RNNError.unsupported(
        "\(node.operation) of operator set \(operatorSet), which no runtime runs any more",
        remedy: "Convert the model with onnx.version_converter to set 7 or later.")
    }
    let isBatchFirst = node.integer("layout") == 1
    guard let direction = Direction(rawValue: node.string("direction") ?? "forward") else {
      throw RNNError.unsupported("the direction '\(node.string("direction") ?? "")'")
    }
    let input = try stream(node, 0)
    guard input.axes.count == 3 else { throw RNNError.badData("X has \(input.axes.count) axes") }
    guard input.axes[isBatchFirst ? 0 : 1] == .batch else { throw ONNXBatchMismatch() }
    let steps = isBatchFirst ? 1 : 0
    var (sequence, sizes) = try arranged(input, [steps, 2], named: node.outputs.first { !$0.isEmpty } ?? "")
    guard case .known(let channels) = sizes[1] else { throw RNNError.unsupported("a free number of channels") }
    let weights = try weights(node, directions: direction.count)
    let isMasked = try mask(node, &sequence, sizes[0])
    let states = try initialStates(node, direction.count, isBatchFirst: isBatchFirst)
    let name = node.outputs.first { !$0.isEmpty } ?? node.operation
    var specs = try (0..<direction.count).map { try spec(node, $0, weights, direction.count) }
    let wants = (sequence: isUsed(node, 0), states: isUsed(node, 1) || isUsed(node, 2))
    for index in specs.indices {
      guard var options = specs[index].recurrentOptions else { continue }
      options.returnSequences = wants.sequence
      options.returnState = wants.states
      options.goBackwards = direction == .reverse || index == 1
      options.zeroOutputForMask = isMasked && wants.sequence
      specs[index].setRecurrentOptions(options)
    }
    let layer: LayerSpec
    if direction == .bidirectional {
      layer = .bidirectional(
        BidirectionalSpec(
          forward: .init(name: "forward", spec: specs[0]), backward: .init(name: "backward", spec: specs[1]),
          merge: .concatenate))
    } else {
      layer = specs[0]
    }
    let output = add(layer, named: name, to: [sequence] + states)
    let path = layerName(output)
    for (index, spec) in specs.enumerated() {
      let places = ["/forward_layer", "/backward_layer"]
      try take(
        weights.mapValues { $0[index] }, of: spec, at: path + (direction == .bidirectional ? places[index] : ""),
        shapes: try spec.parameterShapes(inputs: [[nil, channels]]))
    }
    try giveSequence(node, output, sizes[0], specs[0], direction, isBatchFirst, isMasked)
    try giveStates(node, output, specs[0], direction, isBatchFirst)
  }

  // MARK: - Weights

  /// W, R, B and P, one for each direction.
  private func weights(_ node: ONNXGraph.Node, directions: Int) throws -> [String: [Tensor]] {
    var result: [String: [Tensor]] = [:]
    for (name, index) in [("W", 1), ("R", 2), ("B", 3), ("P", 7)] {
      guard let tensor = try constant(node, index) else { continue }
      guard tensor.shape.first == directions else {
        throw RNNError.badData("\(name) is \(tensor.shape), expected \(directions) directions first")
      }
      result[name] = try (0..<directions).map { direction in
        try tensor.slice(direction..<direction + 1, along: 0).reshaped(to: Array(tensor.shape.dropFirst()))
      }
    }
    guard result["W"] != nil, result["R"] != nil else { throw RNNError.badData("the weights W and R are missing") }
    return result
  }

  private func spec(
    _ node: ONNXGraph.Node, _ direction: Int, _ weights: [String: [Tensor]], _ directions: Int
  ) throws -> LayerSpec {
    guard let recurrent = weights["R"]?[direction], recurrent.shape.count == 2 else {
      throw RNNError.badData("R is no matrix")
    }
    let units = recurrent.shape[1]
    if let stated = node.integer("hidden_size"), stated != units {
      throw RNNError.badData("hidden_size is \(stated), and R has \(units) columns")
    }
    let usual =
      switch node.operation {
      case "LSTM": ["Sigmoid", "Tanh", "Tanh"]
      case "GRU": ["Sigmoid", "Tanh"]
      case _: ["Tanh"]
      }
    let functions = try activations(node, usual, direction, directions)
    var options = RecurrentOptions()
    options.useBias = weights["B"] != nil
    let clip = node.float("clip").flatMap { $0 > 0 ? $0 : nil }
    func clipped(_ activation: Activation) -> Activation { clip.map { .clipped(activation, bound: $0) } ?? activation }
    switch node.operation {
    case "GRU":
      var gru = GRUSpec(units: units, resetAfter: node.integer("linear_before_reset") ?? 0 != 0)
      (gru.recurrentActivation, gru.activation) = (clipped(functions[0]), clipped(functions[1]))
      gru.options = options
      return .gru(gru)
    case "RNN":
      var rnn = SimpleRNNSpec(units: units)
      rnn.activation = clipped(functions[0])
      rnn.options = options
      return .simpleRNN(rnn)
    case _:
      let isCoupled = node.integer("input_forget") ?? 0 != 0
      guard weights["P"] == nil, !isCoupled, clip == nil, functions[1] == functions[2] else {
        var lstm = LSTMVariantSpec(units: units)
        (lstm.recurrentActivation, lstm.activation, lstm.outputActivation) = (functions[0], functions[1], functions[2])
        lstm.peepholes = weights["P"] != nil
        lstm.forgetGate = isCoupled ? .fromInputGate : .own
        lstm.sumClip = clip
        lstm.options = options
        return .lstmVariant(lstm)
      }
      var lstm = LSTMSpec(units: units)
      (lstm.recurrentActivation, lstm.activation) = (functions[0], functions[1])
      lstm.options = options
      return .lstm(lstm)
    }
  }

  /// The functions of one direction. Their numbers stand in two lists, those of functions without any left out.
  private func activations(
    _ node: ONNXGraph.Node, _ usual: [String], _ direction: Int, _ directions: Int
  ) throws -> [Activation] {
    let names = node.strings("activations") ?? Array(repeating: usual, count: directions).flatMap(\.self)
    guard names.count == usual.count * directions else {
      throw RNNError.badData("\(names.count) activations, expected \(usual.count * directions)")
    }
    var alphas = (node.floats("activation_alpha") ?? [])[...]
    var betas = (node.floats("activation_beta") ?? [])[...]
    let all = try names.map { name -> Activation in
      let key = name.lowercased()
      let alpha = ONNXReading.withAlpha.contains(key) ? alphas.popFirst() : nil
      let beta = ONNXReading.withBeta.contains(key) ? betas.popFirst() : nil
      return try ONNXFunctions.activation(name, alpha: alpha, beta: beta)
    }
    return Array(all[direction * usual.count..<(direction + 1) * usual.count])
  }

  private static let withAlpha: Set = ["affine", "leakyrelu", "thresholdedrelu", "scaledtanh", "hardsigmoid", "elu"]
  private static let withBeta: Set = ["affine", "scaledtanh", "hardsigmoid"]

  // MARK: - What comes in

  /// Lengths of sequences become a mask: steps are valid while their number is below the length.
  private mutating func mask(
    _ node: ONNXGraph.Node, _ sequence: inout ModelSpec.Reference, _ steps: ONNXSize
  ) throws -> Bool {
    let lengths: ONNXStream
    switch try value(node, 4) {
    case .absent: return false
    case .stream(let stream): lengths = stream
    case .constant(let tensor):
      // A graph for one batch says its full length.
      guard case .known(let length) = steps, tensor.integers()?.allSatisfy({ $0 == length }) == true else {
        throw RNNError.unsupported("sequence_lens that are weights")
      }
      return false
    case .filled(let number, _):
      guard Int(exactly: number).map(ONNXSize.known) == steps else {
        throw RNNError.unsupported("sequence_lens that are weights")
      }
      return false
    case .sizes(let sizes, _):
      guard sizes.allSatisfy({ $0 == steps }) else { throw RNNError.unsupported("sequence_lens that are sizes") }
      return false
    }
    guard lengths.axes == [.batch] else { throw ONNXBatchMismatch() }
    let name = (node.outputs.first { !$0.isEmpty } ?? "") + ".lengths"
    // 1 for every step, whatever it holds; their sums count the steps.
    let first = add(
      .slice(SliceSpec(ranges: [SliceSpec.Range(), SliceSpec.Range(start: 0, isIndex: true)])), named: name,
      to: [sequence])
    let equal = add(.binary(BinarySpec(.equal)), named: name, to: [first, first])
    let unequal = add(.binary(BinarySpec(.notEqual)), named: name, to: [first, first])
    let ones = add(.binary(BinarySpec(.logicalOr)), named: name, to: [equal, unequal])
    let numbers = add(.cumulative(CumulativeSpec(.sum, axis: 1)), named: name, to: [ones])
    let limit = add(.expandDims(ExpandDimsSpec(axis: 1)), named: name, to: [lengths.reference])
    let valid = add(.binary(BinarySpec(.lessEqual)), named: name, to: [numbers, limit])
    sequence = add(.withMask(WithMaskSpec()), named: name, to: [sequence, valid])
    return true
  }

  /// The states that the graph begins with; none for zeros.
  private mutating func initialStates(
    _ node: ONNXGraph.Node, _ directions: Int, isBatchFirst: Bool
  ) throws -> [ModelSpec.Reference] {
    let inputs = node.operation == "LSTM" ? [5, 6] : [5]
    var given: [ONNXStream?] = []
    for index in inputs {
      switch try value(node, index) {
      case .absent: given.append(nil)
      case .filled(let number, _):
        guard number == 0 else { throw RNNError.unsupported("initial states of \(number) everywhere") }
        given.append(nil)
      case .constant(let tensor):
        guard tensor.doubles().allSatisfy({ $0 == 0 }) else {
          throw RNNError.unsupported("initial states that are weights")
        }
        given.append(nil)
      case .sizes: throw RNNError.unsupported("initial states that are sizes")
      case .stream(let stream): given.append(stream)
      }
    }
    guard given.contains(where: { $0 != nil }) else { return [] }
    let streams = given.compactMap(\.self)
    guard streams.count == given.count else {
      throw RNNError.unsupported("one initial state of two")
    }
    var result: [ModelSpec.Reference] = []
    let axis = isBatchFirst ? 1 : 0
    for direction in 0..<directions {
      for stream in streams {
        guard stream.axes.count == 3, stream.axes[isBatchFirst ? 0 : 1] == .batch else { throw ONNXBatchMismatch() }
        let one = try select(stream, axis: axis, index: direction, named: node.outputs.first { !$0.isEmpty } ?? "")
        result.append(try arranged(one, [1]).reference)
      }
    }
    return result
  }

  // MARK: - What goes out

  /// Y: (steps, directions, batch, units), or (batch, steps, directions, units).
  private mutating func giveSequence(
    _ node: ONNXGraph.Node, _ output: ModelSpec.Reference, _ steps: ONNXSize, _ spec: LayerSpec, _ direction: Direction,
    _ isBatchFirst: Bool, _ isMasked: Bool
  ) throws {
    guard isUsed(node, 0), let width = try spec.stateShapes(input: [nil, 1]).first?.first ?? nil else { return }
    var reference = output
    if direction == .reverse {
      reference = add(
        .reverseSteps(ReverseStepsSpec(reversesMask: false)), named: node.outputs[0] + ".reversed", to: [reference])
    }
    // Nothing behind knows of masks.
    if isMasked {
      reference = add(.withoutMask(WithoutMaskSpec()), named: node.outputs[0] + ".unmasked", to: [reference])
    }
    var sizes = [steps, .known(width)]
    var units = ONNXStream.Axis.native(1)
    var directions = ONNXStream.Axis.unit
    if direction == .bidirectional {
      let length = if case .known(let length) = steps { length } else { -1 }
      reference = add(
        .reshape(ReshapeSpec(targetShape: [length, 2, width])), named: node.outputs[0] + ".directions", to: [reference])
      sizes = [steps, .known(2), .known(width)]
      (directions, units) = (.native(1), .native(2))
    }
    let axes: [ONNXStream.Axis] =
      isBatchFirst ? [.batch, .native(0), directions, units] : [.native(0), directions, .batch, units]
    set(node, .stream(ONNXStream(reference: reference, axes: axes, sizes: sizes)))
  }

  /// Y_h and Y_c: (directions, batch, units), or (batch, directions, units).
  private mutating func giveStates(
    _ node: ONNXGraph.Node, _ output: ModelSpec.Reference, _ spec: LayerSpec, _ direction: Direction,
    _ isBatchFirst: Bool
  ) throws {
    let widths = try spec.stateShapes(input: [nil, 1]).map { $0.first ?? nil }
    for state in widths.indices where isUsed(node, state + 1) {
      guard let width = widths[state] else { continue }
      var references = [ModelSpec.Reference(call: output.call, output: 1 + state)]
      if direction == .bidirectional {
        references.append(ModelSpec.Reference(call: output.call, output: 1 + widths.count + state))
      }
      var stream = ONNXStream(reference: references[0], axes: [], sizes: [.known(width)])
      var directions = ONNXStream.Axis.unit
      var units = ONNXStream.Axis.native(0)
      if direction == .bidirectional {
        stream.reference = add(.stack(StackSpec(axis: 1)), named: node.outputs[state + 1], to: references)
        stream.sizes.insert(.known(2), at: 0)
        (directions, units) = (.native(0), .native(1))
      }
      stream.axes = isBatchFirst ? [.batch, directions, units] : [directions, .batch, units]
      set(node, .stream(stream), output: state + 1)
    }
  }
}
