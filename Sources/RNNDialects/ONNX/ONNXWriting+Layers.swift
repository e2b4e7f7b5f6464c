import RNNCore

extension ONNXWriting {
  /// The nodes that one call of a plain layer comes to.
  /// - Parameter sources: the shapes that come in, without the batch.
  /// - Returns: the names of its outputs.
  /// - Throws: `unsupported` saying what of the layer no nodes are.
  mutating func nodes(
    for layer: ModelSpec.Layer, _ inputs: [String], _ sources: [Shape]
  ) throws -> [String] {
    let x = inputs.first ?? ""
    switch layer.spec {
    case .embedding(let embedding):
      if embedding.maskZero { note(.dropped, layer.name, "the mask of id 0: padding is read like words") }
      let table = try parameter("embeddings", of: layer) ?? ""
      return [
        one("Gather", [table, wholeNumbers.contains(x) ? x : one("Cast", [x], ["to": .integer(7)])], named: layer.name)
      ]
    case .masking(let masking):
      note(.dropped, layer.name, "its mask: what it masks is 0, and read like any step")
      let differs = one("Not", [one("Equal", [x, number(masking.maskValue)])])
      let kept = one(
        "ReduceMax", [one("Cast", [differs], ["to": .integer(1)])], ["axes": .integers([-1]), "keepdims": .integer(1)])
      return [one("Mul", [x, kept], named: layer.name)]
    case .dropout, .spatialDropout1D, .gaussianNoise, .gaussianDropout, .alphaDropout, .identity,
      .activityRegularization, .withoutMask:
      return [x]
    case .withMask, .maskOf:
      if native.spec.hasMasks { note(.dropped, layer.name, "its mask: all steps are read") }
      return [x]
    case .cumulative(let cumulative):
      guard cumulative.function == .sum else { throw RNNError.unsupported("products of all before") }
      return [
        one(
          "CumSum", [x, integer(cumulative.axis)],
          [
            "exclusive": .integer(cumulative.isExclusive ? 1 : 0),
            "reverse": .integer(cumulative.goesBackwards ? 1 : 0),
          ], named: layer.name)
      ]
    case .split(let split): return try pieces(x, split, sources[0], layer.name)
    case .dense(let dense):
      let kernel = try parameter("kernel", of: layer) ?? ""
      var value = one("MatMul", [x, kernel], named: layer.name)
      if let bias = try parameter("bias", of: layer) { value = one("Add", [value, bias], named: layer.name) }
      return [try activated(value, dense.activation, named: layer.name)]
    case .activation(let spec): return [try activated(x, spec.activation, named: layer.name)]
    case .softmax(let softmax): return [try softmaxed(x, softmax.axes, layer.name)]
    case .prelu: return [one("PRelu", [x, try parameter("alpha", of: layer) ?? ""], named: layer.name)]
    case .conv1D, .conv1DTranspose, .depthwiseConv1D, .separableConv1D: return [try convolution(layer, x, sources[0])]
    case .maxPooling1D(let pooling): return [pooled("MaxPool", x, pooling, layer.name)]
    case .averagePooling1D(let pooling): return [pooled("AveragePool", x, pooling, layer.name)]
    case .globalMaxPooling1D(let pooling):
      return [
        one(
          "ReduceMax", [x], ["axes": .integers([1]), "keepdims": .integer(pooling.keepDims ? 1 : 0)], named: layer.name)
      ]
    case .globalAveragePooling1D(let pooling):
      return [
        one(
          "ReduceMean", [x], ["axes": .integers([1]), "keepdims": .integer(pooling.keepDims ? 1 : 0)], named: layer.name
        )
      ]
    case .lstm, .gru, .simpleRNN, .lstmVariant: return try recurrent(layer, inputs)
    case .batchNormalization(let norm): return [try normalized(layer, norm, x, sources[0])]
    case .layerNormalization(let norm): return [try normalized(layer, norm, x, sources[0])]
    case .groupNormalization(let norm): return [try normalized(layer, norm, x, sources[0])]
    case .unitNormalization(let norm): return [try normalized(norm, x, layer.name)]
    case .dot(let dot): return [try dotted(dot, inputs, sources, layer.name)]
    case .einsum(let einsum): return [try summed(einsum, inputs, sources, layer.name)]
    case .einsumDense(let dense): return [try product(layer, dense, x, sources[0])]
    case .highway(let highway): return [try gated(layer, highway, x)]
    case .maxoutDense: return [try maxout(layer, x)]
    case .locallyConnected1D(let local): return [try locallyConnected(layer, local, x, sources[0])]
    case .attention(let attention): return try attended(layer, attention, inputs)
    case .multiHeadAttention(let attention): return try attended(layer, attention, inputs, sources)
    case .parametricSoftplus: return [try parametricSoftplus(layer, x)]
    case .sReLU: return [try sReLU(layer, x)]
    case .adaptiveMaxPooling1D(let pooling): return [try pooled("ReduceMax", x, pooling, sources[0], layer.name)]
    case .adaptiveAveragePooling1D(let pooling): return [try pooled("ReduceMean", x, pooling, sources[0], layer.name)]
    case .rescaling(let rescaling): return [try rescaled(rescaling, x, layer.name)]
    case .normalization(let norm): return [try normalized(layer, norm, x, sources[0])]
    case .discretization(let discretization): return [try binned(discretization, x, layer.name)]
    case .integerLookup(let lookup): return [try lookedUp(lookup, x, layer.name)]
    case .tokenCounts(let tokens): return [try counted(x, tokens.mode, size: tokens.size, tokens.weights, layer.name)]
    case .select(let select): return [selected(select, inputs, layer.name)]
    case .rearrange(let spec): return [try rearranged(spec, x, sources[0], layer.name)]
    case .flatten(let flatten):
      guard !flatten.channelsFirst || sources[0].count < 2 else {
        let order = [0] + Array(2...sources[0].count) + [1]
        return [reshaped(transposed(x, order), [0, -1])]
      }
      return [reshaped(x, [0, -1])]
    case .reshape(let reshape): return [reshaped(x, [0] + reshape.targetShape)]
    case .permute(let permute): return [transposed(x, [0] + permute.order)]
    case .repeatVector(let spec):
      return [one("Tile", [one("Unsqueeze", [x, integers([1])]), integers([1, spec.count, 1])], named: layer.name)]
    case .edges(let edges): return [edged(x, edges, layer.name)]
    case .upSampling1D(let spec):
      guard sources[0].count == 2, let channels = sources[0][1] else { throw RNNError.unsupported("open channels") }
      let tiled = one("Tile", [one("Unsqueeze", [x, integers([2])]), integers([1, 1, spec.size, 1])])
      return [reshaped(tiled, [0, -1, channels])]
    case .merge(let merge): return [try merged(merge, inputs, sources, layer.name)]
    case .concatenate(let spec):
      return [one("Concat", inputs, ["axis": .integer(spec.axis)], named: layer.name)]
    case .reverseSteps: return [reversed(x, axis: 1)]
    case .foldSteps:
      return [try folded(x, sources[0])]
    case .unfoldSteps: return [unfolded(x, inputs[1], sources[0])]
    case .expandDims(let spec): return [one("Unsqueeze", [x, integers(spec.axes)], named: layer.name)]
    case .squeeze(let spec): return [one("Squeeze", [x, integers(spec.axes)], named: layer.name)]
    case .slice(let slice): return [try sliced(x, slice, sources[0])]
    case .stack(let stack):
      let wide = inputs.map { one("Unsqueeze", [$0, integers([stack.axis])]) }
      return [one("Concat", wide, ["axis": .integer(stack.axis)], named: layer.name)]
    case .binary(let binary): return [try combined(binary, inputs, sources, layer.name)]
    case .unary(let unary): return [try mapped(unary, x, layer.name)]
    case .reduction(let reduction): return [try reduced(reduction, x, layer.name)]
    case .matrixProduct(let product):
      func side(_ value: String, _ isTurned: Bool, _ rank: Int) -> String {
        var order = Array(0...rank)
        if isTurned { order.swapAt(rank, rank - 1) }
        return transposed(value, order)
      }
      return [
        one(
          "MatMul",
          [
            side(inputs[0], product.transposesFirst, sources[0].count),
            side(inputs[1], product.transposesSecond, sources[1].count),
          ], named: layer.name)
      ]
    case .convLSTM1D: throw RNNError.unsupported("no recurrent node convolves")
    case .whereValid, .swapBatch:
      throw RNNError.unsupported("it goes by masks or by the batch, of which graphs know nothing")
    case .input, .bidirectional, .timeDistributed, .stackedRNN, .timeMajor, .channelsFirst, .cosine, .activated, .model:
      throw RNNError(.internalError, "\(layer.spec.kind.rawValue) is written by its parts")
    }
  }

  // MARK: - Windows

  private func padding(_ padding: Padding, extent: Int, stride: Int) -> [String: ONNXGraph.Attribute] {
    switch padding {
    case .valid: return [:]
    case .same:
      // Runtimes do not all dilate and choose the padding themselves; with stride 1 it is the same for every length.
      guard stride == 1 else { return ["auto_pad": .string("SAME_UPPER")] }
      return ["pads": .integers([(extent - 1) / 2, extent - 1 - (extent - 1) / 2])]
    case .causal: return ["pads": .integers([extent - 1, 0])]
    }
  }

  private mutating func convolution(_ layer: ModelSpec.Layer, _ x: String, _ source: Shape) throws -> String {
    guard source.count == 2 else { throw RNNError.unsupported("more axes than steps and channels") }
    let weights = try weights(of: layer)
    let input = transposed(x, [0, 2, 1])
    let channels = source[1] ?? 0
    var value: String
    let activation: Activation
    switch layer.spec {
    case .conv1D(let spec):
      value = window(
        input, [weights["W"], weights["B"]], kernel: spec.kernelSize, stride: spec.strides, dilation: spec.dilationRate,
        groups: spec.groups, spec.padding, layer.name)
      activation = spec.activation
    case .depthwiseConv1D(let spec):
      value = window(
        input, [weights["W"], weights["B"]], kernel: spec.kernelSize, stride: spec.strides, dilation: spec.dilationRate,
        groups: channels, spec.padding, layer.name)
      activation = spec.activation
    case .separableConv1D(let spec):
      value = window(
        input, [weights["depthwise/W"]], kernel: spec.kernelSize, stride: spec.strides, dilation: spec.dilationRate,
        groups: channels, spec.padding, layer.name)
      value = window(
        value, [weights["pointwise/W"], weights["pointwise/B"]], kernel: 1, stride: 1, dilation: 1, groups: 1, .valid,
        layer.name)
      activation = spec.activation
    case .conv1DTranspose(let spec):
      value = try transposedConvolution(spec, input, weights, layer.name)
      activation = spec.activation
    case _: throw RNNError.unsupported("no convolution")
    }
    return try activated(transposed(value, [0, 2, 1]), activation, named: layer.name)
  }

  /// One Conv node.
  private mutating func window(
    _ value: String, _ names: [String?], kernel: Int, stride: Int, dilation: Int, groups: Int, _ pad: Padding,
    _ name: String
  ) -> String {
    var attributes = padding(pad, extent: (kernel - 1) * dilation + 1, stride: stride)
    attributes["kernel_shape"] = .integers([kernel])
    attributes["strides"] = .integers([stride])
    attributes["dilations"] = .integers([dilation])
    attributes["group"] = .integer(groups)
    return one("Conv", [value] + names.compactMap(\.self), attributes, named: name)
  }

  /// Keras's lengths by ONNX's pads and output_padding.
  private mutating func transposedConvolution(
    _ spec: Conv1DTransposeSpec, _ input: String, _ weights: [String: String], _ name: String
  ) throws -> String {
    let extent = (spec.kernelSize - 1) * spec.dilationRate + 1
    // What one input step gives tells what is cut off or added, whatever the length.
    let geometry = try spec.geometry(timesteps: 2)
    let whole = spec.strides + extent
    let missing = geometry.outputLength - whole
    let right = -missing - geometry.left
    guard right >= 0 || geometry.left == 0, missing < max(spec.strides, spec.dilationRate) || missing <= 0 else {
      throw RNNError.unsupported("a padding that ONNX does not have")
    }
    var attributes: [String: ONNXGraph.Attribute] = [
      "kernel_shape": .integers([spec.kernelSize]), "strides": .integers([spec.strides]),
      "dilations": .integers([spec.dilationRate]), "pads": .integers([geometry.left, max(right, 0)]),
    ]
    if missing > 0 { attributes["output_padding"] = .integers([missing]) }
    return one(
      "ConvTranspose", [input] + [weights["W"], weights["B"]].compactMap(\.self), attributes, named: name)
  }

  private mutating func pooled(
    _ operation: String, _ x: String, _ pooling: Pooling1DSpec, _ name: String
  ) -> String {
    var attributes = padding(pooling.padding, extent: pooling.poolSize, stride: pooling.strides)
    attributes["kernel_shape"] = .integers([pooling.poolSize])
    attributes["strides"] = .integers([pooling.strides])
    return transposed(one(operation, [transposed(x, [0, 2, 1])], attributes, named: name), [0, 2, 1])
  }

  /// Windows of any widths, one by one: of an input whose length is known.
  private mutating func pooled(
    _ operation: String, _ x: String, _ pooling: AdaptivePooling1DSpec, _ source: Shape, _ name: String
  ) throws -> String {
    guard source.count == 2, let timesteps = source[0] else {
      throw RNNError.unsupported("windows of a sequence whose length is not known")
    }
    guard pooling.outputSize <= 4096 else {
      throw RNNError.unsupported("\(pooling.outputSize) windows, each with nodes of its own")
    }
    let windows = (0..<pooling.outputSize).map { window in
      let steps = pooling.steps(of: window, timesteps: timesteps)
      let piece = one("Slice", [x, integers([steps.lowerBound]), integers([steps.upperBound]), integers([1])])
      return one(operation, [piece], ["axes": .integers([1]), "keepdims": .integer(1)])
    }
    return one("Concat", windows, ["axis": .integer(1)], named: name)
  }

  private mutating func edged(_ x: String, _ edges: EdgeSpec, _ name: String) -> String {
    guard edges.isCropping else {
      return one("Pad", [x, integers([0, edges.before, 0, 0, edges.after, 0])], named: name)
    }
    let end = edges.after == 0 ? Int(Int32.max) : -edges.after
    return one("Slice", [x, integers([edges.before]), integers([end]), integers([1])], named: name)
  }

  // MARK: - Arithmetic

  private mutating func merged(
    _ merge: MergeSpec, _ inputs: [String], _ sources: [Shape], _ name: String
  ) throws -> String {
    // A tensor of lower rank gains axes behind the batch.
    let rank = sources.map(\.count).max() ?? 0
    let aligned = zip(inputs, sources).map { input, source in
      source.count < rank ? one("Unsqueeze", [input, integers(Array(1...(rank - source.count)))]) : input
    }
    func chain(_ operation: String) -> String {
      aligned.dropFirst().reduce(aligned[0]) { one(operation, [$0, $1], named: name) }
    }
    switch merge.function {
    case .add: return chain("Add")
    case .subtract: return chain("Sub")
    case .multiply: return chain("Mul")
    case .average: return one("Mul", [chain("Add"), number(1 / Double(inputs.count))], named: name)
    case .maximum: return chain("Max")
    case .minimum: return chain("Min")
    }
  }

  private mutating func combined(
    _ binary: BinarySpec, _ inputs: [String], _ sources: [Shape], _ name: String
  ) throws -> String {
    var operands = inputs
    if let constant = binary.constant {
      operands.insert(try self.constant(constant, "\(name)/constant"), at: binary.isConstantFirst ? 0 : 1)
    }
    func truth(_ operation: String) -> String {
      one("Cast", [one(operation, operands)], ["to": .integer(1)], named: name)
    }
    switch binary.function {
    case .add: return one("Add", operands, named: name)
    case .subtract: return one("Sub", operands, named: name)
    case .multiply: return one("Mul", operands, named: name)
    case .divide: return one("Div", operands, named: name)
    case .power: return one("Pow", operands, named: name)
    case .maximum: return one("Max", operands, named: name)
    case .minimum: return one("Min", operands, named: name)
    case .squaredDifference:
      let difference = one("Sub", operands)
      return one("Mul", [difference, difference], named: name)
    case .equal: return truth("Equal")
    case .greater: return truth("Greater")
    case .greaterEqual: return truth("GreaterOrEqual")
    case .less: return truth("Less")
    case .lessEqual: return truth("LessOrEqual")
    case .notEqual: return one("Cast", [one("Not", [one("Equal", operands)])], ["to": .integer(1)], named: name)
    case .logicalAnd, .logicalOr:
      let flags = operands.map { one("Cast", [$0], ["to": .integer(9)]) }
      let result = one(binary.function == .logicalAnd ? "And" : "Or", flags)
      return one("Cast", [result], ["to": .integer(1)], named: name)
    }
  }

  private mutating func mapped(_ unary: UnarySpec, _ x: String, _ name: String) throws -> String {
    switch unary.function {
    case .absolute: return one("Abs", [x], named: name)
    case .negative: return one("Neg", [x], named: name)
    case .log: return one("Log", [x], named: name)
    case .sqrt: return one("Sqrt", [x], named: name)
    case .rsqrt: return one("Reciprocal", [one("Sqrt", [x])], named: name)
    case .square: return one("Mul", [x, x], named: name)
    case .reciprocal: return one("Reciprocal", [x], named: name)
    case .sign: return one("Sign", [x], named: name)
    case .sin: return one("Sin", [x], named: name)
    case .cos: return one("Cos", [x], named: name)
    case .floor: return one("Floor", [x], named: name)
    case .ceil: return one("Ceil", [x], named: name)
    case .round: return one("Round", [x], named: name)
    case .clip:
      var operands = [x, unary.low.map { number($0) } ?? "", unary.high.map { number($0) } ?? ""]
      while operands.last == "" { operands.removeLast() }
      return one("Clip", operands, named: name)
    case .log1p: return one("Log", [one("Add", [x, number(1)])], named: name)
    case .expm1: return one("Sub", [one("Exp", [x]), number(1)], named: name)
    case .logicalNot: return one("Cast", [one("Not", [one("Cast", [x], ["to": .integer(9)])])], ["to": .integer(1)])
    case .hardShrink: return one("Shrink", [x], ["lambd": .float(unary.low ?? 0)], named: name)
    case .softShrink:
      return one("Shrink", [x], ["lambd": .float(unary.low ?? 0), "bias": .float(unary.low ?? 0)], named: name)
    case .threshold:
      let isAbove = one("Greater", [x, number(unary.low ?? 0)])
      return one("Where", [isAbove, x, number(unary.high ?? 0)], named: name)
    case .celu: return one("Celu", [x], ["alpha": .float(unary.low ?? 1)], named: name)
    case .squareplus: return squarePlus(x, unary.low ?? 4, name)
    }
  }

  private mutating func reduced(_ reduction: ReductionSpec, _ x: String, _ name: String) throws -> String {
    let keep = ONNXGraph.Attribute.integer(reduction.keepDims ? 1 : 0)
    let axes = ONNXGraph.Attribute.integers(reduction.axes)
    switch reduction.function {
    // The sum has its axes as an input since set 13.
    case .sum: return one("ReduceSum", [x, integers(reduction.axes)], ["keepdims": keep], named: name)
    case .mean: return one("ReduceMean", [x], ["axes": axes, "keepdims": keep], named: name)
    case .maximum: return one("ReduceMax", [x], ["axes": axes, "keepdims": keep], named: name)
    case .minimum: return one("ReduceMin", [x], ["axes": axes, "keepdims": keep], named: name)
    case .product: return one("ReduceProd", [x], ["axes": axes, "keepdims": keep], named: name)
    case .any, .all:
      let truth = one("Cast", [one("Cast", [x], ["to": .integer(9)])], ["to": .integer(1)])
      let operation = reduction.function == .any ? "ReduceMax" : "ReduceMin"
      return one(operation, [truth], ["axes": axes, "keepdims": keep], named: name)
    case .variance, .deviation:
      let distance = one("Sub", [x, one("ReduceMean", [x], ["axes": axes, "keepdims": .integer(1)])])
      let variance = one(
        "ReduceMean", [one("Mul", [distance, distance])], ["axes": axes, "keepdims": keep], named: name)
      return reduction.function == .variance ? variance : one("Sqrt", [variance], named: name)
    }
  }

  private mutating func selected(_ select: SelectSpec, _ inputs: [String], _ name: String) -> String {
    var choices = inputs.dropFirst()
    let first = select.first.map { number($0) } ?? choices.removeFirst()
    let second = select.second.map { number($0) } ?? choices.removeFirst()
    return one("Where", [one("Cast", [inputs[0]], ["to": .integer(9)]), first, second], named: name)
  }

  // MARK: - Shapes

  /// By the places that the numbers come from.
  private mutating func rearranged(
    _ spec: RearrangeSpec, _ x: String, _ source: Shape, _ name: String
  ) throws -> String {
    var value = x
    for (axis, count) in zip(spec.axes, spec.counts) {
      let place = try source.place(ofAxis: axis)
      guard let size = source[place], let length = try spec.outputShape(input: source)[place] else {
        throw RNNError.unsupported("\(spec.function.rawValue) of an axis whose length is not known")
      }
      try ONNXWriting.checkListed(length)
      let places = (0..<length).map { spec.function.source(of: $0, size: size, count: count) }
      value = one("Gather", [value, integers(places)], ["axis": .integer(place + 1)], named: name)
    }
    return value
  }

  private mutating func sliced(_ x: String, _ slice: SliceSpec, _ source: Shape) throws -> String {
    var value = x
    var axis = 1
    for range in try slice.items(rank: source.count) {
      if range.isNewAxis {
        value = one("Unsqueeze", [value, integers([axis])])
        axis += 1
      } else if range.isIndex {
        value = one("Gather", [value, integer(range.start ?? 0)], ["axis": .integer(axis)])
      } else {
        if range != SliceSpec.Range() {
          let isForward = range.step > 0
          let start = range.start ?? (isForward ? 0 : -1)
          let stop = range.stop ?? (isForward ? Int(Int32.max) : Int(Int32.min) + 1)
          value = one(
            "Slice", [value, integers([start]), integers([stop]), integers([axis]), integers([range.step])])
        }
        axis += 1
      }
    }
    return value
  }

  private mutating func pieces(
    _ x: String, _ split: SplitSpec, _ source: Shape, _ name: String
  ) throws -> [String] {
    let axis = split.axis < 0 ? split.axis + source.count + 1 : split.axis
    guard axis > 0, let size = source[axis - 1] else { throw RNNError.unsupported("pieces of an open axis") }
    let sizes = integers(try split.pieces(of: size).map(\.count))
    let outputs = add("Split", [x, sizes], ["axis": .integer(axis)], named: name, count: split.count)
    return split.removesAxis ? outputs.map { one("Squeeze", [$0, integers([axis])]) } : outputs
  }

  /// Every step an example.
  private mutating func folded(_ x: String, _ source: Shape) throws -> String {
    let inner = Array(source.dropFirst())
    guard inner.filter({ $0 == nil }).isEmpty else { throw RNNError.unsupported("steps of an open shape") }
    return reshaped(x, [-1] + inner.compactMap(\.self))
  }

  /// And back, with the batch and the steps of what was folded.
  private mutating func unfolded(_ x: String, _ like: String, _ source: Shape) -> String {
    let leading = one("Slice", [one("Shape", [like]), integers([0]), integers([2])])
    let trailing = one("Slice", [one("Shape", [x]), integers([1]), integers([Int(Int32.max)])])
    return one("Reshape", [x, one("Concat", [leading, trailing], ["axis": .integer(0)])])
  }
}
